# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be bought today stops a purchase, and no free step of an order that is paid."""

from __future__ import annotations

import json
import time
import typing as t
from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from tests.emulator.testing import Emulator

from .helpers import Api
from .test_exactly_once import Host

WITHDRAWN: dict[str, dict[str, t.Any]] = {
    "not sold for 7 months": {"period": 7},
    "needs admin.firstname": {"admin": {}},
    "There is no product 'Former SSL'": {"product": "Former SSL"},
}


@pytest.fixture(name="emulator", scope="module")
def _emulator() -> Iterator[Emulator]:
    with Emulator(resolve={"*": "127.0.0.1:9"}) as running:
        yield running


@pytest.fixture(name="host")
def _host(tmp_path: Path, emulator: Emulator) -> Host:
    emulator.reset(settings=True)
    return Host(tmp_path / "web1", emulator)


@pytest.mark.parametrize("sentence", WITHDRAWN)
def test_a_purchase_is_refused(host: Host, sentence: str) -> None:
    result = host.order(**WITHDRAWN[sentence])
    assert sentence in result["stopped"][0]["reason"]
    assert not host.orders


@pytest.mark.parametrize("sentence", WITHDRAWN)
@pytest.mark.parametrize(("mode", "step"), [("real", "resume"), ("pass", "install")])
def test_an_order_is_resumed_and_installed(host: Host, emulator: Emulator, sentence: str, mode: str, step: str) -> None:
    emulator.set(dcv_mode=mode, issuance_delay=0.0)
    (bought,) = host.order()["orders"]
    if mode == "pass":
        emulator.wait_for(bought["order_id"])
    result = host.order(**WITHDRAWN[sentence])
    assert (result["stopped"], [one["step"] for one in result["orders"]]) == ([], [step])
    assert len(host.orders) == 1


@pytest.mark.parametrize("sentence", WITHDRAWN)
def test_a_reissue_is_free_of_the_checks_of_a_purchase(host: Host, emulator: Emulator, sentence: str) -> None:
    emulator.set(dcv_mode="pass", issuance_delay=0.0)
    (bought,) = host.order()["orders"]
    emulator.wait_for(bought["order_id"])
    result = host.order(now=lambda: time.time() + 190 * 86400, **WITHDRAWN[sentence])
    assert (result["stopped"], [one["step"] for one in result["orders"]]) == ([], ["reissue"])
    assert len(emulator.ledger()["charges"]) == 1


def without_product(emulator: Emulator, product_id: int) -> None:
    """The catalogue without one product."""
    catalogue = Api(emulator).get("/products/ssl/")
    catalogue["products"] = [one for one in catalogue["products"] if str(one["id"]) != str(product_id)]
    emulator.fault(path="/products/ssl/", when="after", kind="body", body=json.dumps(catalogue), times=None)


@pytest.mark.parametrize(("product_id", "webserver"), [(68, "-1"), (31, "18")])
def test_an_order_of_a_product_that_left_the_catalogue_is_reissued(
    host: Host, emulator: Emulator, product_id: int, webserver: str
) -> None:
    """By the rules of its family, which the order shows."""
    names = ["shop.example.com"]
    host.csr = x509.new_request(host.file("staged/privkey.pem").read_bytes(), names)
    host.file("staged/request.csr").write_text(host.csr)
    spec = {"names": names, "product": str(product_id)}
    emulator.set(dcv_mode="pass", issuance_delay=0.0)
    (bought,) = host.order(**spec)["orders"]
    emulator.wait_for(bought["order_id"])
    without_product(emulator, product_id)
    result = host.order(now=lambda: time.time() + 190 * 86400, **spec)
    assert (result["stopped"], [one["step"] for one in result["orders"]]) == ([], ["reissue"])
    assert str(Api(emulator).status(bought["order_id"])["webserver_type"]) == webserver
    assert len(emulator.ledger()["charges"]) == 1


def test_an_order_of_a_former_product_is_adopted_and_never_renewed(host: Host, emulator: Emulator) -> None:
    emulator.set(dcv_mode="pass", issuance_delay=0.0)
    (bought,) = host.order()["orders"]
    emulator.wait_for(bought["order_id"])
    host.file("order.json").unlink()
    without_product(emulator, 68)
    assert host.order(adopt=bought["order_id"])["orders"][0]["step"] == "install"
    emulator.advance(days=380)
    late = host.order(now=lambda: time.time() + 380 * 86400, spend=("buy", "renew"))
    assert "There is no product '68'" in late["stopped"][0]["reason"]
    assert len(emulator.ledger()["charges"]) == 1
