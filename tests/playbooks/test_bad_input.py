# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bad input: each ends with one clear sentence, non-zero, with nothing bought and nothing on the host changed."""

from __future__ import annotations

import os
from typing import Any

import pytest

from .conftest import Bench

WISHES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown option": ({"colour": "green"}, "colour"),
    "malformed name": ({"names": ["shop..example.com"]}, "is not a name a certificate can be issued for"),
    "malformed certificate name": ({"name": "../shop"}, "cannot name a certificate"),
    "unknown product": ({"product": "99999"}, "There is no product '99999'"),
    "product that does not fit": ({"product": "45", "names": ["a.example.com", "b.example.org"]}, "does not fit"),
    "wildcard by http": ({"names": ["*.example.com"]}, "http cannot validate it"),
    "name without a method": ({"dcv": {"shop.example.com": "http"}}, "dcv must name exactly the names"),
    "period that is not sold": ({"period": 7}, "is not sold for 7 months"),
}


def refused(bench: Bench, sentence: str, **how: Any) -> None:
    before = bench.snapshot()
    run = bench.run(**how)
    assert run.code != 0, run.output
    assert sentence in " ".join(run.output.split()), run.output
    assert "Traceback" not in run.output
    assert not bench.orders
    assert bench.snapshot() == before


# Every one is judged by the same task; the matrix needs to see only that its sentences arrive.
IN_THE_MATRIX = ("unknown option", "unknown product")


@pytest.mark.parametrize(
    "case", [case if case in IN_THE_MATRIX else pytest.param(case, marks=pytest.mark.slow) for case in WISHES]
)
def test_wishes(bench: Bench, case: str) -> None:
    change, sentence = WISHES[case]
    refused(bench, sentence, gogetssl_certificates=[bench.shop(**change)])


def test_unknown_role_variable_type(bench: Bench) -> None:
    refused(bench, "gogetssl_max_price", gogetssl_max_price="cheap")


@pytest.mark.slow
def test_no_contact(bench: Bench) -> None:
    refused(bench, "needs admin.firstname", gogetssl_admin={})


@pytest.mark.slow
def test_no_credentials(bench: Bench) -> None:
    refused(bench, "No usable credentials", env={"GOGETSSL_API_USER": "", "GOGETSSL_API_PASSWORD": ""})


def test_wrong_password(bench: Bench) -> None:
    refused(bench, "refused", env={"GOGETSSL_API_PASSWORD": "wrong"})


@pytest.mark.slow
def test_unreachable_api(bench: Bench) -> None:
    refused(bench, "127.0.0.1", env={"GOGETSSL_API_URL": "http://127.0.0.1:9/api"}, gogetssl_api_deadline=2)


@pytest.mark.skipif(not os.path.exists("/proc/version"), reason="needs /proc")
def test_unwritable_directory(bench: Bench) -> None:
    refused(bench, "/proc", gogetssl_directory="/proc/gogetssl")


@pytest.mark.slow
def test_price_above_the_ceiling(bench: Bench) -> None:
    refused(bench, "above the ceiling of 0.01", gogetssl_max_price=1)


@pytest.mark.slow
def test_spending_forbidden(bench: Bench) -> None:
    refused(bench, "this run may only: none", gogetssl_spend=["none"])


def test_file_name_that_leads_elsewhere(bench: Bench) -> None:
    """The order is placed by then; what matters is that nothing is written where the name leads."""
    bench.emulator.set(dcv_mode="real", dcv_interval=3600.0)
    unseen = bench.run(gogetssl_wait=False, gogetssl_http_port=9, gogetssl_dcv_timeout=1, gogetssl_preflight=False)
    assert unseen.code != 0, "the proofs cannot be seen"
    body = bench.vendor_says(f"orders/status/{bench.orders[0]['order_id']}")
    text = body.replace(".txt", "/../../../evil.txt")
    assert text != body
    bench.emulator.fault(path="/orders/status/*", kind="body", when="before", body=text, times=None)
    run = bench.run(gogetssl_wait=False)
    bench.emulator.clear_faults()
    assert run.code != 0
    assert "not safe to publish" in run.output
    assert not list(bench.directory.rglob("evil.txt"))
    assert not list(bench.web_root.parent.rglob("evil.txt"))
