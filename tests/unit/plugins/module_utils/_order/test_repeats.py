# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options that stay in the inventory, and steps that did not help."""

from __future__ import annotations

import dataclasses

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Status
from ansible_collections.certops.gogetssl.plugins.module_utils._host.journal import (
    HostState,
    Journal,
    Purchase,
    Reissue,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._order import repeats

from .test_plan import INTENT, NAMES, leaf, order, request, spec, table

JOURNAL = Journal("https://api", 7, 68, "key")
BEFORE, AFTER = leaf(age=150), leaf()
FLAGGED = dataclasses.replace(JOURNAL, flagged=True)


@table(
    ("adopt", "journal", "new"),
    ("not set", None, JOURNAL, False),
    ("no journal", 5, None, True),
    ("another order", 5, JOURNAL, True),
    ("the journal's order", 7, JOURNAL, False),
    ("followed before", 5, dataclasses.replace(JOURNAL, adopted=5), False),
    ("another one was followed", 6, dataclasses.replace(JOURNAL, adopted=5), True),
)  # fmt: skip
def test_adopt_counts_once(adopt, journal, new):
    assert repeats.adopt_is_new(adopt, journal) is new
    assert repeats.follow_adopt(spec(adopt=adopt), journal).adopt == (adopt if new else None)


@table(
    ("flag", "state", "counts"),
    ("not set", False, HostState(), False),
    ("nothing on the host", True, HostState(), True),
    ("journal from before", True, HostState(journal=JOURNAL), True),
    ("bought under it", True, HostState(journal=FLAGGED), False),
    ("intent from before", True, HostState(intent=INTENT, journal=FLAGGED), True),
    ("intent under it", True, HostState(intent=dataclasses.replace(INTENT, flagged=True), journal=JOURNAL), False),
)  # fmt: skip
def test_abandon_intent_counts_once(flag, state, counts):
    assert repeats.flag_counts(spec(abandon_intent=flag), state) is counts
    flagged = any(record.flagged for record in (state.intent, state.journal) if record)
    assert repeats.flag_removed(spec(), state) is flagged
    assert not repeats.flag_removed(spec(abandon_intent=True), state)


def reissued(reason, key="k"):
    return Reissue(reason, key, BEFORE.sha256, BEFORE.not_after.isoformat())


NAMED = repeats.names_reason(["api.example.com"])


@table(
    ("last", "reason", "certificate", "expected"),
    ("none yet", None, NAMED, AFTER, False),
    ("another reason", reissued(NAMED), "key", AFTER, False),
    ("other names", reissued(NAMED), repeats.names_reason(["b.example.com"]), AFTER, False),
    ("names, not reissued yet", reissued(NAMED), NAMED, BEFORE, False),
    ("names still lacking", reissued(NAMED), NAMED, AFTER, True),
    ("another key than was sent", reissued("key"), "key", AFTER, True),
    ("the key that was sent, lost since", reissued("key", AFTER.public_key), "key", AFTER, False),
    ("rekeyed, and again", reissued("rekey", AFTER.public_key), "rekey", AFTER, False),
    ("rekeyed without effect", reissued("rekey"), "rekey", AFTER, True),
    ("ends later", reissued("ends"), "ends", AFTER, False),
    ("ends no later", reissued("ends"), "ends", leaf(age=151), True),
)  # fmt: skip
def test_not_cured(last, reason, certificate, expected):
    assert repeats.not_cured(last, reason, certificate) is expected


@pytest.mark.parametrize(
    ("purchase", "missing"),
    [
        (Purchase("2026-11-24", "add_names", 7, slots=2), True),
        (Purchase("2026-11-24", "add_names", 7, slots=1), False),
        (Purchase("2026-11-24", "add_names", 6, slots=2), False),
        (Purchase("2026-11-24", "add_names", 7), False),
    ],
)
def test_names_that_were_bought_and_not_given(purchase, missing):
    assert repeats.slots_not_given(dataclasses.replace(JOURNAL, purchases=(purchase,)), order()) is missing
    assert not repeats.slots_not_given(None, order())


def test_an_adopted_order_settles_the_intent_that_it_was_bought_for():
    intent = dataclasses.replace(INTENT, names=NAMES, public_key=request().public_key, newest=6)
    assert repeats.settles(order(order_id=5), request().public_key, intent)
    assert not repeats.settles(order(order_id=9), "another", intent)
    assert repeats.settles(order(order_id=7, names=NAMES[::-1]), None, intent)
    assert not repeats.settles(order(order_id=6), None, intent)
    assert not repeats.settles(order(order_id=7, names=NAMES[:1]), None, intent)


def test_an_order_that_ended_and_never_gave_a_certificate():
    assert repeats.gave_nothing(order(Status.CANCELLED, begin_date=None))
    assert not repeats.gave_nothing(order(Status.CANCELLED))
    assert not repeats.gave_nothing(order(Status.EXPIRED, BEFORE, begin_date=None))
    assert not repeats.gave_nothing(order(Status.PROCESSING, begin_date=None))
