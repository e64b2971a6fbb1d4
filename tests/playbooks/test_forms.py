# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""File formats and permissions, from the variables of the play to the host and its services."""

from __future__ import annotations

import stat

import pytest

from .conftest import Bench

PASSWORD = "storepass-7f3a"


@pytest.mark.slow
def test_a_form_added_later_needs_no_order_and_reloads_the_services(bench: Bench) -> None:
    assert bench.run().code == 0
    bench.emulator.clear_requests()
    current = bench.store / "shop" / "current"
    version = current.resolve()
    variables = {
        "gogetssl_certificates": [
            bench.shop(forms=["haproxy", "jks"], alias="tomcat", mode="0640", services=["custom"], listeners=[])
        ],
        # The configuration refers to the new file, so the service can reload only after the file exists.
        "gogetssl_custom_test": f"test -f {current}/haproxy.pem",
        "gogetssl_custom_reload": f"touch {bench.directory}/reloaded",
    }
    env = {"GOGETSSL_STORE_PASSWORD": PASSWORD}
    before = bench.snapshot()
    check = bench.run("--check", "--diff", env=env, **variables)
    assert (check.code, bench.snapshot()) == (0, before), check.output
    assert "haproxy.pem" in check.output

    run = bench.run("-vvvv", "--diff", env=env, **variables)
    assert run.code == 0, run.output
    assert "haproxy.pem, keystore.jks: not there" in run.output
    assert current.resolve() == version
    assert (current / "haproxy.pem").read_text().count("-----BEGIN") == 3
    assert (current / "keystore.jks").read_bytes()[:4] == b"\xfe\xed\xfe\xed"
    assert stat.S_IMODE((current / "privkey.pem").stat().st_mode) == 0o640
    assert (bench.directory / "reloaded").exists()
    assert not bench.emulator.requests()
    key_lines = (current / "privkey.pem").read_text().splitlines()[1:-1]
    assert not [secret for secret in (PASSWORD, *key_lines) if secret in run.output]

    again = bench.run(env=env, **variables)
    assert (again.code, again.recap["changed"]) == (0, 0), again.output


@pytest.mark.slow
def test_keystores_without_a_password_are_refused_before_any_change(bench: Bench) -> None:
    assert bench.run().code == 0
    before = bench.snapshot()
    run = bench.run(gogetssl_certificates=[bench.shop(forms=["haproxy", "jks"])])
    assert run.code != 0
    assert "shop: jks needs store_password" in run.output
    assert bench.snapshot() == before
