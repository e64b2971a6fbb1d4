# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Prevents repetition without an operator: options left in the inventory, steps that had no effect. Pure.

`adopt` and `abandon_intent` apply to one run. The host's records show which have been applied, so that an option left
in the inventory is not applied again.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from .._api.models import Order
from .._crypto import x509
from .._host.journal import HostState, Intent, Journal, Reissue
from .._request.spec import CertificateSpec

REKEY, KEY, ENDS = "rekey", "key", "ends"


def names_reason(missing: t.Iterable[str]) -> str:
    """Return the reason of a reissue for missing names."""
    return f"names:{','.join(missing)}"


def adopt_is_new(adopt: int | None, journal: Journal | None) -> bool:
    """True if the host has not applied this value of `adopt` yet."""
    if adopt is None:
        return False
    return journal is None or adopt not in (journal.adopted, journal.order_id)


def follow_adopt(spec: CertificateSpec, journal: Journal | None) -> CertificateSpec:
    """Return the spec without an `adopt` that was already applied."""
    return spec if adopt_is_new(spec.adopt, journal) else dataclasses.replace(spec, adopt=None)


def settles(order: Order, key: str | None, intent: Intent) -> bool:
    """True if an adopted order is the one that an intent was written for. `key` is the one of its newest CSR."""
    if key is not None:
        return key == intent.public_key
    return order.order_id > intent.newest and set(order.names) == set(intent.names)


def flag_counts(spec: CertificateSpec, state: HostState) -> bool:
    """True if abandon_intent is set and has not been applied to the current record."""
    record = state.intent or state.journal
    return spec.abandon_intent and not (record is not None and record.flagged)


def flag_removed(spec: CertificateSpec, state: HostState) -> bool:
    """True if a record was made while abandon_intent was set, and the option has been removed since."""
    records = (state.intent, state.journal)
    return not spec.abandon_intent and any(record.flagged for record in records if record is not None)


def not_cured(reissued: Reissue | None, reason: str, leaf: x509.Certificate) -> bool:
    """True if the last reissue had the same reason and its certificate did not fix it.

    While the order has the previous certificate, the reissue may be delayed or lost. It is requested again.
    """
    if reissued is None or reissued.reason != reason or reissued.leaf == leaf.sha256:
        return False
    if reason in (KEY, REKEY):
        return leaf.public_key != reissued.key
    if reason == ENDS:
        return leaf.not_after <= dt.datetime.fromisoformat(reissued.ends)
    return True


def slots_not_given(journal: Journal | None, order: Order) -> bool:
    """True if the order does not have all purchased name slots."""
    if journal is None or journal.order_id != order.order_id:
        return False
    bought = [one.slots for one in journal.purchases if one.order_id == order.order_id and one.slots is not None]
    return bool(bought) and bought[-1] > order.single_sans + order.wildcard_sans


def gave_nothing(order: Order) -> bool:
    """True if an order ended without ever having a certificate."""
    return order.status.ended and order.certificate is None and order.begin_date is None
