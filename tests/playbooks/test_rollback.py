# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Interrupted installations: the files on disk, the messages, and the recovery by the next run."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from tests.bin.processes import kill_tree

from .conftest import Bench


class Service:
    """A custom service whose configuration refers to files in `current`, without a TLS endpoint to verify."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.shop = bench, bench.store / "shop"
        self.broken, self.reloaded = bench.directory / "broken", bench.directory / "reloaded"

    def play(self, test: str = "", reload: str = "") -> dict[str, Any]:
        named = self.shop / "current" / "fullchain.pem"
        return {
            "gogetssl_certificates": [self.bench.shop(services=["custom"], listeners=[])],
            "gogetssl_custom_test": test or f"sh -c 'test -f {named} && test ! -e {self.broken}'",
            "gogetssl_custom_reload": reload or f"touch {self.reloaded}",
        }

    def serial(self) -> str:
        return os.readlink(self.shop / "current")

    @property
    def mark(self) -> str:
        path = self.shop / "unverified"
        return path.read_text().strip() if path.exists() else ""


@pytest.fixture
def service(bench: Bench) -> Service:
    return Service(bench)


@pytest.mark.slow
def test_a_first_certificate_remains_until_its_service_accepts_it(service: Service) -> None:
    bench = service.bench
    service.broken.touch()
    run = bench.run(**service.play())
    assert run.code != 0
    assert "no service was reloaded, and the first version was kept" in run.output
    serial = service.serial()
    assert service.mark == serial, "the service could start with these files, and the next run continues"
    assert not service.reloaded.exists()

    # The service has no TLS endpoint: only the mark shows that a run was killed before the end of the reload.
    service.broken.unlink()
    begun = bench.directory / "begun"
    process = bench.start(**service.play(reload=f"sh -c 'touch {begun}; sleep 300'"))
    deadline = time.monotonic() + 120
    while not begun.exists():
        assert process.poll() is None, "the run was not killed"
        assert time.monotonic() < deadline
        time.sleep(0.05)
    kill_tree(process.pid)
    process.communicate()
    assert service.mark == serial

    run = bench.run(**service.play())
    assert run.code == 0, run.output
    assert "have not been seen to take the installed certificate yet" in run.output
    assert (service.reloaded.exists(), service.mark, service.serial()) == (True, "", serial)
    assert len(bench.orders) == 1

    # Files left by an interrupted run are removed from a healthy host, without a reload and without API calls.
    service.reloaded.unlink()
    bench.emulator.clear_requests()
    before = bench.snapshot()
    partial = service.shop / ".gogetssl-new-old-staged"
    partial.mkdir(mode=0o700)
    (partial / "privkey.pem").write_text("a key")
    run = bench.run(**service.play())
    assert (run.code, run.recap["changed"]) == (0, 1), run.output
    assert bench.snapshot() == before
    assert (service.reloaded.exists(), bench.emulator.requests()) == (False, [])


@pytest.mark.slow
def test_a_first_certificate_that_its_service_rejects_is_removed(service: Service) -> None:
    play = service.play(test=f"sh -c 'test ! -e {service.shop}/current'")
    run = service.bench.run(**play)
    assert run.code != 0
    assert "the first version was removed" in run.output
    assert not (service.shop / "current").exists()
    assert not service.mark
    run = service.bench.run(**service.play())
    assert run.code == 0, run.output
    assert len(service.bench.orders) == 1
