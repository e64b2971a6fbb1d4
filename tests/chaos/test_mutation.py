# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chaos runner detects bugs: without any one guard against double purchases, a seed fails."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import answers as _answers
from ansible_collections.certops.gogetssl.plugins.module_utils._api import client as _client
from ansible_collections.certops.gogetssl.plugins.module_utils._api import orders as _orders
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._host import journal
from ansible_collections.certops.gogetssl.plugins.module_utils._order import act, lookup, ownership, plan, repeats
from ansible_collections.certops.gogetssl.plugins.module_utils._order import purchase as _purchase
from tests.chaos.runs import Violation
from tests.chaos.seeds import run_seed
from tests.chaos.simulated import Vendor

SEEDS = 60

Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


def repeat_purchase_with_unknown_outcome(patch: pytest.MonkeyPatch) -> None:
    purchase = _purchase.purchase

    def purchase_repeatedly(
        context: Any, finder: Any, name: str, intent: Any, known: Any, send: Callable[[], Any]
    ) -> Any:
        def twice() -> Any:
            try:
                return send()
            except GogetsslError as error:
                if error.kind is not Kind.UNCERTAIN:
                    raise
                return send()

        return purchase(context, finder, name, intent, known, twice)

    patch.setattr(_purchase, "purchase", purchase_repeatedly)


def write_no_intent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(journal, "write_intent", lambda *_arguments: True)


def treat_unknown_outcome_as_refusal(patch: pytest.MonkeyPatch) -> None:
    settle = _purchase.settle

    def settle_as_refused(context: Any, finder: Any, name: str, intent: Any, what_happened: str) -> Any:
        try:
            return settle(context, finder, name, intent, what_happened)
        except GogetsslError:
            journal.remove_intent(context.shell, context.params["directory"], name)
            raise

    patch.setattr(_purchase, "settle", settle_as_refused)


def treat_sent_request_as_not_sent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_client.Client, "_broken", lambda client, call, what, _reading: client._unreachable(call, what))


def buy_names_without_reading_the_order_again(patch: pytest.MonkeyPatch) -> None:
    def buy(session: Any, assessment: Any, _request: Any, order: Any) -> Any:
        return session.api.add_names(order.order_id, 1, 0), assessment.state.journal

    patch.setattr(act, "_add_names", buy)


def trust_the_journal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lookup, "with_successor", lambda _session, _spec, _state, vendor: vendor)


def believe_every_journal(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ownership, "foreign", lambda *_arguments: "")


def believe_every_receipt(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(ownership, "bought", lambda *_arguments: "")


def follow_adopt_always(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(repeats, "adopt_is_new", lambda adopt, _journal: adopt is not None)
    patch.setattr(repeats, "settles", lambda *_arguments: True)


def let_a_status_refuse(patch: pytest.MonkeyPatch) -> None:
    evaluate = _answers.evaluate

    def by_status(status: int, payload: Any) -> _answers.Verdict:
        verdict = evaluate(status, payload)
        front_end = verdict is _answers.Verdict.NOT_THE_API and 400 <= status < 500
        return _answers.Verdict.REFUSED if front_end else verdict

    patch.setattr(_answers, "evaluate", by_status)


def accept_only_live_orders(patch: pytest.MonkeyPatch) -> None:
    orders = _purchase.Finder.orders

    def live(finder: Any, *names: str, since: Any = None) -> Any:
        return orders(finder, *names)

    patch.setattr(_purchase.Finder, "orders", live)


def wait_for_every_reissue(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(plan, "_after_unfinished_reissue", lambda *_arguments: None)


def ignore_orders_made_with_another_key(patch: pytest.MonkeyPatch) -> None:
    purchase = plan._purchase

    def buy(spec: Any, vendor: Any, *arguments: Any) -> Any:
        return purchase(spec, dataclasses.replace(vendor, same_name=()), *arguments)

    patch.setattr(plan, "_purchase", buy)


def believing(write: Callable[..., Any]) -> Callable[..., Any]:
    def believed(*arguments: Any) -> Any:
        try:
            return write(*arguments)
        except GogetsslError as error:
            if error.kind is not Kind.UNCERTAIN:
                raise
            return True

    return believed


def believe_that_a_write_took_effect(patch: pytest.MonkeyPatch) -> None:
    for name in ("cancel", "change_methods"):
        patch.setattr(_orders.Api, name, believing(getattr(_orders.Api, name)))


def ignore_unreadable_orders(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(lookup, "_with_unreadable", lambda vendor, _order: vendor)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mutation", "event", "first"),
    [
        (repeat_purchase_with_unknown_outcome, "", 1),
        (write_no_intent, "", 1),
        (treat_unknown_outcome_as_refusal, "", 1),
        (treat_sent_request_as_not_sent, "", 1),
        (buy_names_without_reading_the_order_again, "add_name", 1),
        (trust_the_journal, "restored", 1),
        (believe_every_journal, "foreign_journal", 1),
        (believe_every_receipt, "other_order", 1),
        (follow_adopt_always, "renewal", 1),
        (let_a_status_refuse, "", 101),
        (accept_only_live_orders, "never_validated", 71),
        (wait_for_every_reissue, "unfinished_reissue", 1),
        (believe_every_journal, "swapped_journals", 1),
        (believe_every_journal, "template", 1),
        (ignore_orders_made_with_another_key, "template", 1),
        (trust_the_journal, "cloned", 1),
        (believe_that_a_write_took_effect, "order_cancelled", 1),
        (believe_that_a_write_took_effect, "methods_changed", 1),
        (believe_every_journal, "order_cancelled", 1),
        (ignore_unreadable_orders, "unreadable_orders", 1),
    ],
)
def test_a_missing_guard_is_detected(
    vendor: Vendor, monkeypatch: pytest.MonkeyPatch, mutation: Patch, event: str, first: int
) -> None:
    mutation(monkeypatch)
    for seed in range(first, first + SEEDS):
        try:
            run_seed(vendor, seed, event)
        except Violation as violation:
            print(f"{mutation.__name__}: detected by seed {seed}: {violation}")
            monkeypatch.undo()
            run_seed(vendor, seed, event)  # passes with the guard
            return
    pytest.fail(f"{SEEDS} seeds did not detect the missing guard")
