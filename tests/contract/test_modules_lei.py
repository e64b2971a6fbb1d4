# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ordering, confirming and renewing an LEI with the collection's tasks."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.orders import Api
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import lei, lei_info
from tests.emulator.testing import Emulator

from . import tasks
from .tasks import run

ENTITY: dict[str, Any] = {
    "legal_name": "Example SIA",
    "registration_id": "40003000000",
    "jurisdiction": "LV",
    "firstname": "Ada",
    "lastname": "Lovelace",
    "legal_address": {"addressline1": "Street 1", "city": "Riga", "postalcode": "LV-1001", "country": "LV"},
}


RENEWAL: dict[str, Any] = {"state": "renewed", "renew_within": 400}
# What a proxy, a firewall or a CDN may answer in place of the API, before or after it has acted.
FRONT_ENDS = [401, 403, 407, 408, 413, 429, 502, 520, 522, 524]


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The journal of each test is its own."""
    monkeypatch.setattr(tasks, "state_directory", str(tmp_path))
    return tmp_path


def forget_all(home: Path) -> None:
    """The journal is lost, as on another controller."""
    for path in home.rglob("*.json"):
        path.unlink()


def sent(emulator: Emulator) -> int:
    return sum("/orders/lei/" in call["path"] for call in emulator.requests())


def ordered(emulator: Emulator) -> dict[str, Any]:
    """The options of a due renewal, after an LEI was bought."""
    order_id = run(emulator, lei.TASK, **ENTITY)["order_id"]
    emulator.advance(seconds=5)
    emulator.clear_requests()
    return {**RENEWAL, "order_id": order_id}


def purchases(emulator: Emulator) -> int:
    return len(emulator.ledger()["charges"])


def test_buy_find_and_renew(emulator: Emulator) -> None:
    first = run(emulator, lei.TASK, **ENTITY)
    assert (first["changed"], first["charged"]) == (True, 6900)
    emulator.advance(seconds=5)
    info = run(emulator, lei_info.TASK, order_ids=[first["order_id"]], query="Example", jurisdictions=True)
    assert info["orders"][0]["status"] == "active"
    assert info["entities"][0]["lei_number"] == info["orders"][0]["lei_number"]
    second = run(emulator, lei.TASK, **ENTITY)
    assert (second["changed"], second["lei"]["lei_number"]) == (False, info["entities"][0]["lei_number"])
    assert run(emulator, lei.TASK, state="renewed", order_id=first["order_id"])["changed"] is False
    renewal = {"state": "renewed", "order_id": first["order_id"], "renew_within": 400}
    assert run(emulator, lei.TASK, check_mode=True, **renewal)["changed"] is True
    assert purchases(emulator) == 1
    renewed = run(emulator, lei.TASK, **renewal)
    assert (renewed["changed"], purchases(emulator)) == (True, 2)
    assert renewed["order_id"] != first["order_id"]


def test_confirm(emulator: Emulator) -> None:
    emulator.set(lei_need_action=True)
    try:
        order_id = run(emulator, lei.TASK, **ENTITY)["order_id"]
        emulator.advance(seconds=5)
        assert run(emulator, lei.TASK, state="confirmed", order_id=order_id)["changed"] is True
        assert run(emulator, lei.TASK, state="confirmed", order_id=order_id)["changed"] is False
    finally:
        emulator.set(lei_need_action=False)


@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_an_order_with_a_lost_response_is_found(emulator: Emulator, kind: str) -> None:
    emulator.fault(path="/orders/lei/create", when="after", kind=kind)
    first = run(emulator, lei.TASK, **ENTITY)
    assert (first["changed"], first["charged"], first["order"]["status"]) == (True, None, "processing")
    second = run(emulator, lei.TASK, **ENTITY)
    assert (second["changed"], second["order_id"]) == (False, first["order_id"])
    emulator.advance(seconds=5)
    assert run(emulator, lei.TASK, **ENTITY)["changed"] is False
    assert purchases(emulator) == 1


def test_another_controller_finds_the_order_of_the_first(emulator: Emulator, home: Path) -> None:
    """The register does not have the LEI yet, but the account's invoices have the order."""
    emulator.set(lei_seconds=3600.0)
    first = run(emulator, lei.TASK, **ENTITY)
    forget_all(home)
    second = run(emulator, lei.TASK, **ENTITY)
    assert (second["changed"], second["order_id"]) == (False, first["order_id"])
    other = {**ENTITY, "legal_name": "Other SIA", "registration_id": "40003000001"}
    assert run(emulator, lei.TASK, **other)["changed"] is False, (
        "the same address: the operator has to declare it as another LEI"
    )
    assert run(emulator, lei.TASK, **other, other_orders=[first["order_id"]])["changed"] is True
    elsewhere = {**other, "legal_address": {**ENTITY["legal_address"], "city": "Ogre"}, "registration_id": "5"}
    elsewhere["legal_name"] = "Third SIA"
    assert run(emulator, lei.TASK, **elsewhere)["changed"] is True
    assert purchases(emulator) == 3


def test_companies_at_one_address_each_get_their_lei(emulator: Emulator) -> None:
    """The journal knows whose order is whose."""
    emulator.set(lei_seconds=3600.0)
    other = {**ENTITY, "legal_name": "Other SIA", "registration_id": "40003000001"}
    orders = [run(emulator, lei.TASK, **entity)["order_id"] for entity in (ENTITY, other, ENTITY, other)]
    assert (len(set(orders)), orders[:2], purchases(emulator)) == (2, orders[2:], 2)


@pytest.mark.parametrize("change", [{"legal_name": "EXAMPLE  sia"}, {"registration_id": "4000 3000000"}], ids=str)
def test_one_entity_in_two_spellings_gets_one_lei(emulator: Emulator, change: dict[str, Any]) -> None:
    emulator.set(lei_seconds=3600.0, invoice_delay=3600.0)
    first, second = run(emulator, lei.TASK, **ENTITY), run(emulator, lei.TASK, **{**ENTITY, **change})
    assert (second["order_id"], purchases(emulator)) == (first["order_id"], 1)


@pytest.mark.parametrize("delay", [0.0, 3600.0])
def test_concurrent_runs_buy_one_lei(emulator: Emulator, delay: float) -> None:
    """The second run waits for the first, also where the account lists its order late."""
    emulator.set(lei_seconds=3600.0, invoice_delay=delay)
    results: list[dict[str, Any]] = []
    runs = [threading.Thread(target=lambda: results.append(run(emulator, lei.TASK, **ENTITY))) for _host in range(3)]
    for one in runs:
        one.start()
    for one in runs:
        one.join(60)
    assert [len(results), sum(one["changed"] for one in results), purchases(emulator)] == [3, 1, 1]
    assert len({one["order_id"] for one in results}) == 1


def test_a_registered_order_is_found_before_the_register_has_it(emulator: Emulator, home: Path) -> None:
    """The order is done, so that it is not in progress, and lei/lookup trails."""
    emulator.set(lei_register_delay=3600.0)
    first = run(emulator, lei.TASK, **ENTITY)
    emulator.advance(seconds=5)
    assert run(emulator, lei.TASK, **ENTITY)["order"]["status"] == "active"
    forget_all(home)
    assert (run(emulator, lei.TASK, **ENTITY)["order_id"], purchases(emulator)) == (first["order_id"], 1)


def test_a_pending_renewal_is_not_bought_twice(emulator: Emulator) -> None:
    renewal = ordered(emulator)
    emulator.set(lei_seconds=3600.0)
    first = run(emulator, lei.TASK, **renewal)
    again = run(emulator, lei.TASK, **renewal)
    assert (first["changed"], again["changed"], purchases(emulator)) == (True, False, 2)
    assert again["order_id"] == first["order_id"]
    emulator.advance(seconds=3700)
    assert run(emulator, lei.TASK, **{**renewal, "renew_within": 364})["changed"] is False
    assert purchases(emulator) == 2


@pytest.mark.parametrize("settings", [{"lei_register_delay": 9e6}, {"lei_register_delay": 9e6, "invoice_delay": 9e6}])
def test_a_renewal_is_known_before_register_and_invoices_have_it(emulator: Emulator, settings: dict[str, Any]) -> None:
    renewal = {**ordered(emulator), "renew_within": 60}
    emulator.advance(days=340)
    emulator.set(**settings)
    first = run(emulator, lei.TASK, **renewal, now=emulator.now)
    emulator.advance(seconds=5)
    second = run(emulator, lei.TASK, **renewal, now=emulator.now)
    assert (first["changed"], second["changed"], purchases(emulator)) == (True, False, 2)
    assert second["order"]["status"] == "active"


def test_another_controller_finds_a_finished_renewal_by_the_invoices(emulator: Emulator, home: Path) -> None:
    renewal = {**ordered(emulator), "renew_within": 60}
    emulator.advance(days=340)
    emulator.set(lei_register_delay=9e6)
    first = run(emulator, lei.TASK, **renewal, now=emulator.now)
    emulator.advance(seconds=5)
    forget_all(home)
    assert (run(emulator, lei.TASK, **renewal, now=emulator.now)["order_id"], purchases(emulator)) == (
        first["order_id"],
        2,
    )


def test_the_term_after_the_next_is_bought_again(emulator: Emulator) -> None:
    """The journal and the option name the orders of years ago, which must not keep the LEI from its next term."""
    renewal = {**ordered(emulator), "renew_within": 60}
    for terms in (2, 3, 4):
        emulator.advance(days=340)
        assert run(emulator, lei.TASK, **renewal, now=emulator.now)["changed"] is True
        emulator.advance(seconds=5)
        assert run(emulator, lei.TASK, **renewal, now=emulator.now)["changed"] is False
        assert purchases(emulator) == terms


@pytest.mark.parametrize("what", ["create", "renew"])
@pytest.mark.parametrize("status", FRONT_ENDS)
def test_a_purchase_that_a_front_end_answers_is_sent_once(emulator: Emulator, what: str, status: int) -> None:
    options = ordered(emulator) if what == "renew" else ENTITY
    emulator.set(lei_seconds=3600.0)
    emulator.clear_requests()
    before = purchases(emulator)
    emulator.fault(path=f"/orders/lei/{what}", when="after", kind="status", status=status, body="<html>Denied</html>")
    first = run(emulator, lei.TASK, **options)
    second = run(emulator, lei.TASK, **options)
    assert (first["changed"], second["changed"], second["order_id"]) == (True, False, first["order_id"])
    assert (purchases(emulator) - before, sent(emulator)) == (1, 1)


@pytest.mark.parametrize("what", ["create", "renew"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_an_unknown_outcome_stays_unknown_until_it_is_found(emulator: Emulator, what: str, when: str) -> None:
    """The lists trail, so that an order that exists and one that does not look alike."""
    options = {**(ordered(emulator) if what == "renew" else ENTITY), "settle_time": 0}
    emulator.set(lei_seconds=3600.0, invoice_delay=600.0)
    emulator.clear_requests()
    before = purchases(emulator)
    emulator.fault(path=f"/orders/lei/{what}", when=when, kind="status", status=403, body="<html>Denied</html>")
    for _run in range(3):
        with pytest.raises(GogetsslError, match="is unknown") as caught:
            run(emulator, lei.TASK, **options)
        assert caught.value.kind is Kind.UNCERTAIN
    emulator.advance(seconds=700)
    if when == "after":
        assert run(emulator, lei.TASK, **options)["changed"] is False
    else:
        with pytest.raises(GogetsslError, match="is unknown"):
            run(emulator, lei.TASK, **options)
        assert run(emulator, lei.TASK, **options, abandon_intent=True)["changed"] is True
    assert (purchases(emulator) - before, sent(emulator)) == (1, 1 if when == "after" else 2)


def test_an_abandoned_intent_that_stays_in_the_inventory_is_followed_once(emulator: Emulator) -> None:
    emulator.set(lei_seconds=3600.0, invoice_delay=9e6)
    emulator.fault(path="/orders/lei/create", when="before", kind="status", status=502, times=2)
    options = {**ENTITY, "settle_time": 0}
    with pytest.raises(GogetsslError):
        run(emulator, lei.TASK, **options)
    for _run in range(3):
        with pytest.raises(GogetsslError, match="is unknown"):
            run(emulator, lei.TASK, **options, abandon_intent=True)
    assert sent(emulator) == 2
    with pytest.raises(GogetsslError, match="is unknown"):
        run(emulator, lei.TASK, **options)  # the option was removed
    assert run(emulator, lei.TASK, **options, abandon_intent=True)["changed"] is True
    assert purchases(emulator) == 1


def test_an_operator_names_the_order_of_an_unknown_outcome(emulator: Emulator) -> None:
    emulator.set(lei_seconds=3600.0, invoice_delay=9e6)
    emulator.fault(path="/orders/lei/create", when="after", kind="reset")
    options = {**ENTITY, "settle_time": 0}
    with pytest.raises(GogetsslError, match="is unknown"):
        run(emulator, lei.TASK, **options)
    order_id = emulator.ledger()["charges"][0]["order_id"]
    assert run(emulator, lei.TASK, **options, order_id=order_id)["changed"] is False
    assert run(emulator, lei.TASK, **options)["order_id"] == order_id
    assert purchases(emulator) == 1


class Killed(BaseException):
    """Simulates SIGKILL."""


@pytest.mark.parametrize("call", ["lei_create", "lei_renew"])
@pytest.mark.parametrize("when", ["before", "after"])
def test_a_run_that_is_killed_at_the_purchase(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch, call: str, when: str
) -> None:
    options = {**(ordered(emulator) if call == "lei_renew" else ENTITY), "settle_time": 0}
    emulator.set(lei_seconds=3600.0)
    before, send = purchases(emulator), getattr(Api, call)

    def killed(*arguments: Any) -> Any:
        if when == "after":
            send(*arguments)
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(Api, call, killed)
        with pytest.raises(Killed):
            run(emulator, lei.TASK, **options)
    if when == "after":
        assert run(emulator, lei.TASK, **options)["changed"] is False
        assert purchases(emulator) == before + 1
    else:
        with pytest.raises(GogetsslError, match="is unknown"):
            run(emulator, lei.TASK, **options)
        assert purchases(emulator) == before


def test_a_response_with_another_companys_order_is_not_believed(
    emulator: Emulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    emulator.set(lei_seconds=3600.0)
    other = {**ENTITY, "legal_name": "Other SIA", "registration_id": "40003000001"}
    theirs = run(emulator, lei.TASK, **other)["order_id"]
    create = Api.lei_create
    monkeypatch.setattr(Api, "lei_create", lambda *arguments: {**create(*arguments), "order_id": theirs})
    result = run(emulator, lei.TASK, **ENTITY)
    assert result["order_id"] not in (None, theirs)
    assert purchases(emulator) == 2


def test_two_unknown_outcomes_at_one_address_are_not_guessed(emulator: Emulator) -> None:
    emulator.set(lei_seconds=3600.0, invoice_delay=600.0)
    other = {**ENTITY, "legal_name": "Other SIA", "registration_id": "40003000001"}
    for when, entity in (("before", ENTITY), ("after", other)):
        emulator.fault(path="/orders/lei/create", when=when, kind="reset")
        with pytest.raises(GogetsslError, match="is unknown"):
            run(emulator, lei.TASK, **entity, settle_time=0)
    emulator.advance(seconds=700)
    for entity in (ENTITY, other):
        with pytest.raises(GogetsslError, match="at the same address is open too"):
            run(emulator, lei.TASK, **entity, settle_time=0)
    order_id = emulator.ledger()["charges"][0]["order_id"]
    mine = {**ENTITY, "settle_time": 0, "abandon_intent": True, "other_orders": [order_id]}
    assert run(emulator, lei.TASK, **mine)["changed"] is True
    assert run(emulator, lei.TASK, **other, settle_time=0)["order_id"] == order_id
    assert purchases(emulator) == 2


def test_an_order_that_ended_without_an_lei_is_not_replaced_by_itself(emulator: Emulator, home: Path) -> None:
    emulator.set(lei_need_action=True)
    order_id = run(emulator, lei.TASK, **ENTITY)["order_id"]
    emulator.advance(seconds=5)
    run(emulator, lei.TASK, state="rejected", order_id=order_id)
    for _controller in range(2):
        with pytest.raises(GogetsslError, match=f"order {order_id} was rejected"):
            run(emulator, lei.TASK, **ENTITY)
        forget_all(home)
    second = run(emulator, lei.TASK, **ENTITY, other_orders=[order_id])
    assert (second["changed"], purchases(emulator)) == (True, 2)
    assert run(emulator, lei.TASK, **ENTITY, other_orders=[order_id])["changed"] is False


def test_check_mode_writes_nothing(emulator: Emulator, home: Path) -> None:
    assert run(emulator, lei.TASK, check_mode=True, **ENTITY)["changed"] is True
    assert list(home.iterdir()) == []


def test_a_damaged_journal_stops_the_purchase(emulator: Emulator, home: Path) -> None:
    emulator.set(lei_seconds=3600.0)
    run(emulator, lei.TASK, **ENTITY)
    for path in home.rglob("*.json"):
        path.write_text("{")
    with pytest.raises(GogetsslError, match=r"order\.json: not a record"):
        run(emulator, lei.TASK, **ENTITY)
    assert purchases(emulator) == 1


def test_no_purchase_without_a_journal(emulator: Emulator, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (home / "file").write_text("")
    for directory in (None, str(home / "file")):
        monkeypatch.setattr(tasks, "state_directory", directory)
        with pytest.raises(GogetsslError, match=r"runs on the controller only|file"):
            run(emulator, lei.TASK, **ENTITY)
    assert purchases(emulator) == 0
