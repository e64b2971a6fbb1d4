# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The life of an LEI by the collection's own tasks."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _lei, _lei_info
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError, Kind
from tests.emulator.testing import Emulator

from .tasks import run

ENTITY: dict[str, Any] = {
    "legal_name": "Example SIA",
    "registration_id": "40003000000",
    "jurisdiction": "LV",
    "firstname": "Ada",
    "lastname": "Lovelace",
    "legal_address": {"addressline1": "Street 1", "city": "Riga", "postalcode": "LV-1001", "country": "LV"},
}


def purchases(emulator: Emulator) -> int:
    return len(emulator.ledger()["charges"])


def test_bought_found_and_renewed(emulator: Emulator) -> None:
    first = run(emulator, _lei.TASK, **ENTITY)
    assert (first["changed"], first["charged"]) == (True, 6900)
    emulator.advance(seconds=5)
    info = run(emulator, _lei_info.TASK, order_ids=[first["order_id"]], query="Example", jurisdictions=True)
    assert info["orders"][0]["status"] == "active"
    assert info["found"][0]["lei_number"] == info["orders"][0]["lei_number"]
    second = run(emulator, _lei.TASK, **ENTITY)
    assert (second["changed"], second["lei"]["lei_number"]) == (False, info["found"][0]["lei_number"])
    assert run(emulator, _lei.TASK, state="renewed", order_id=first["order_id"])["changed"] is False
    renewal = {"state": "renewed", "order_id": first["order_id"], "renew_within": 400}
    assert run(emulator, _lei.TASK, check_mode=True, **renewal)["changed"] is True
    assert purchases(emulator) == 1
    renewed = run(emulator, _lei.TASK, **renewal)
    assert (renewed["changed"], purchases(emulator)) == (True, 2)
    assert renewed["order_id"] != first["order_id"]


def test_confirmed(emulator: Emulator) -> None:
    emulator.set(lei_need_action=True)
    try:
        order_id = run(emulator, _lei.TASK, **ENTITY)["order_id"]
        emulator.advance(seconds=5)
        assert run(emulator, _lei.TASK, state="confirmed", order_id=order_id)["changed"] is True
        assert run(emulator, _lei.TASK, state="confirmed", order_id=order_id)["changed"] is False
    finally:
        emulator.set(lei_need_action=False)


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_a_lost_answer_is_not_a_second_purchase(emulator: Emulator, kind: str) -> None:
    emulator.fault(path="/orders/lei/create", when="after", kind=kind)
    with pytest.raises(GogetsslError) as caught:
        run(emulator, _lei.TASK, **ENTITY)
    assert caught.value.kind is Kind.UNCERTAIN
    emulator.advance(seconds=5)
    assert run(emulator, _lei.TASK, **ENTITY)["changed"] is False
    assert purchases(emulator) == 1


def test_a_second_run_at_once_finds_the_order_of_the_first(emulator: Emulator) -> None:
    """Nothing is in the register yet; the account's invoices name the order."""
    emulator.set(lei_seconds=3600.0)
    first = run(emulator, _lei.TASK, **ENTITY)
    second = run(emulator, _lei.TASK, **ENTITY)
    assert (second["changed"], second["order_id"]) == (False, first["order_id"])
    other = {**ENTITY, "legal_name": "Other SIA", "registration_id": "40003000001"}
    assert run(emulator, _lei.TASK, **other)["changed"] is False, (
        "the same address: a person has to say that it is another"
    )
    assert run(emulator, _lei.TASK, **other, other_orders=[first["order_id"]])["changed"] is True
    elsewhere = {**other, "legal_address": {**ENTITY["legal_address"], "city": "Ogre"}}
    assert run(emulator, _lei.TASK, **elsewhere)["changed"] is True
    assert purchases(emulator) == 3


def test_a_renewal_is_not_bought_twice_while_it_is_in_work(emulator: Emulator) -> None:
    order_id = run(emulator, _lei.TASK, **ENTITY)["order_id"]
    emulator.advance(seconds=5)
    emulator.set(lei_seconds=3600.0)
    renewal = {"state": "renewed", "order_id": order_id, "renew_within": 400}
    first = run(emulator, _lei.TASK, **renewal)
    again = run(emulator, _lei.TASK, **renewal)
    assert (first["changed"], again["changed"], purchases(emulator)) == (True, False, 2)
    assert again["order_id"] == first["order_id"]
    emulator.advance(seconds=3700)
    assert run(emulator, _lei.TASK, **{**renewal, "renew_within": 364})["changed"] is False
    assert purchases(emulator) == 2


def test_a_lost_renewal_is_found(emulator: Emulator) -> None:
    order_id = run(emulator, _lei.TASK, **ENTITY)["order_id"]
    emulator.advance(seconds=5)
    emulator.set(lei_seconds=3600.0)
    emulator.fault(path="/orders/lei/renew", when="after", kind="reset")
    renewal = {"state": "renewed", "order_id": order_id, "renew_within": 400}
    with pytest.raises(GogetsslError):
        run(emulator, _lei.TASK, **renewal)
    assert run(emulator, _lei.TASK, **renewal)["changed"] is False
    assert purchases(emulator) == 2
