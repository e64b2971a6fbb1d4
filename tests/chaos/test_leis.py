# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chaos runner detects that a guard against a second LEI is missing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import answers
from ansible_collections.certops.gogetssl.plugins.module_utils._order import lei
from ansible_collections.certops.gogetssl.plugins.module_utils._order.lei_journal import LeiJournal
from tests.chaos.leis import LEI
from tests.chaos.runs import Violation
from tests.chaos.seeds import run_seed
from tests.chaos.simulated import Vendor

SEEDS = 60

Patch = Callable[[pytest.MonkeyPatch], None]


@pytest.fixture(scope="module")
def vendor() -> Iterator[Vendor]:
    with Vendor() as running:
        yield running


def write_no_intent(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LeiJournal, "write_intent", lambda *_arguments: None)


def buy_without_a_lock(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(LeiJournal, "locked", lambda *_arguments: contextlib.nullcontext())


def keep_no_journal(patch: pytest.MonkeyPatch) -> None:
    """Without it, the account's lists and the register decide, which trail."""
    patch.setattr(LeiJournal, "order", lambda *_arguments: None)


def forget_an_unknown_outcome(patch: pytest.MonkeyPatch) -> None:
    settle = lei.LeiPurchase._settle

    def settle_as_refused(purchase: Any, intent: Any, problem: str) -> Any:
        try:
            return settle(purchase, intent, problem)
        except lei.GogetsslError:
            purchase.journal.remove_intent(purchase.entity)
            raise

    patch.setattr(lei.LeiPurchase, "_settle", settle_as_refused)


def take_a_front_end_for_the_api(patch: pytest.MonkeyPatch) -> None:
    evaluate = answers.evaluate

    def refused_by_status(status: int, payload: Any) -> answers.Verdict:
        return answers.Verdict.REFUSED if 400 <= status < 500 else evaluate(status, payload)

    patch.setattr(answers, "evaluate", refused_by_status)


@pytest.mark.slow
@pytest.mark.parametrize(
    "mutation",
    [
        write_no_intent,
        buy_without_a_lock,
        keep_no_journal,
        forget_an_unknown_outcome,
        take_a_front_end_for_the_api,
    ],
)
def test_a_missing_guard_is_detected(vendor: Vendor, monkeypatch: pytest.MonkeyPatch, mutation: Patch) -> None:
    for seed in range(1, SEEDS + 1):
        with monkeypatch.context() as patch:
            mutation(patch)
            try:
                run_seed(vendor, seed, LEI)
                continue
            except Violation as violation:
                print(f"{mutation.__name__}: detected by seed {seed}: {violation}")
        run_seed(vendor, seed, LEI)  # passes with the guard
        return
    pytest.fail(f"{SEEDS} seeds did not detect the missing guard")
