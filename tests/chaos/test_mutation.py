# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chaos runner can fail: each guard of the one purchase, taken away, is missed within a few seeds."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _act, _client, _journal, _purchase
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError, Kind
from tests.chaos.life import Violation
from tests.chaos.seeds import live
from tests.chaos.simulated import Vendor

SEEDS = 60

Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


def repeat_a_lost_purchase(patch: pytest.MonkeyPatch) -> None:
    purchase = _purchase.purchase

    def bold(context: Any, finder: Any, name: str, intent: Any, known: Any, send: Callable[[], Any]) -> Any:
        def twice() -> Any:
            try:
                return send()
            except GogetsslError as error:
                if error.kind is not Kind.UNCERTAIN:
                    raise
                return send()

        return purchase(context, finder, name, intent, known, twice)

    patch.setattr(_purchase, "purchase", bold)


def write_no_intent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_journal, "begin", lambda *_arguments: True)


def take_an_unknown_outcome_for_a_no(patch: pytest.MonkeyPatch) -> None:
    settle = _purchase.settle

    def hasty(context: Any, finder: Any, name: str, intent: Any, what_happened: str) -> Any:
        try:
            return settle(context, finder, name, intent, what_happened)
        except GogetsslError:
            _journal.forget(context.shell, context.params["directory"], name)
            raise

    patch.setattr(_purchase, "settle", hasty)


def take_what_may_have_left_for_what_never_left(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(_client.Client, "_broken", lambda client, call, what, _reading: client._unreachable(call, what))


def buy_names_without_a_second_look(patch: pytest.MonkeyPatch) -> None:
    def bold(desk: Any, case: Any, _request: Any, order: Any) -> Any:
        return desk.api.add_names(order.order_id, 1, 0), case.found.journal

    patch.setattr(_act, "_add_names", bold)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mutation", "event"),
    [
        (repeat_a_lost_purchase, ""),
        (write_no_intent, ""),
        (take_an_unknown_outcome_for_a_no, ""),
        (take_what_may_have_left_for_what_never_left, ""),
        (buy_names_without_a_second_look, "add_name"),
    ],
)
def test_a_missing_guard_is_found(vendor: Vendor, monkeypatch: pytest.MonkeyPatch, mutation: Patch, event: str) -> None:
    mutation(monkeypatch)
    for seed in range(1, SEEDS + 1):
        try:
            live(vendor, seed, event)
        except Violation as found:
            print(f"{mutation.__name__}: found by seed {seed}: {found}")
            monkeypatch.undo()
            live(vendor, seed, event)  # and nothing is found with the guard in place
            return
    pytest.fail(f"{SEEDS} seeds did not miss the guard")
