# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Determines the outcome of a purchase whose intent is on the host, from an earlier run or a concurrent one."""

from __future__ import annotations

import dataclasses

from .._core.errors import GogetsslError, Kind
from .._host import journal as _journal
from .._host.journal import HostState, Intent, Journal
from .._request.spec import CertificateSpec
from . import journal_updates, ownership, purchase
from .decision import Step
from .session import Session

_CHECKS = 6  # checks of another run's intent, within the settle time


def settle_earlier(session: Session, spec: CertificateSpec, state: HostState, intent: Intent) -> HostState:
    """Determine the outcome of a purchase by an earlier run or a concurrent one."""
    context, name = session.context, spec.name
    if intent.step == Step.ADD_NAMES.value:
        return _wait_for_other_run(session, spec, intent)
    journal = _recorded(session, spec, state, intent)
    try:
        if journal is None:
            receipt = purchase.settle(context, session.finder, name, intent, "the run that placed it ended early")
            journal = journal_updates.after_intent(intent, state.journal, receipt.order_id, spec.adopt)
    except purchase.NotFound:
        latest = _journal.inspect(context.shell, context.params["directory"], [spec])[name]
        if latest.intent is None:  # the other run has finished meanwhile
            return latest
        if not spec.abandon_intent:
            raise
        if not context.check_mode:
            _journal.remove_intent(context.shell, context.params["directory"], name, intent)
        return dataclasses.replace(state, intent=None)
    if not context.check_mode:
        session.save(name, journal, settled=True)
    return dataclasses.replace(state, journal=journal, intent=None)


def _recorded(session: Session, spec: CertificateSpec, state: HostState, intent: Intent) -> Journal | None:
    """Return the journal if it recorded an order for the intent's key after the intent was written.

    Either the run of this purchase recorded the order and could not read it, or another run recorded its purchase just
    before the intent was written, and the run that wrote the intent was interrupted before it detected this.
    """
    journal = journal_updates.of_api(state.journal, intent.api)
    if journal is None or journal.public_key != intent.public_key or journal.order_id == intent.before:
        return None
    try:
        order = session.api.any_order(journal.order_id)
    except GogetsslError as error:
        if error.kind is not Kind.REFUSED:
            raise
        return None  # the order does not exist
    why = ownership.bought(order, purchase.trace_of(intent), spec.names, ())
    return None if why else journal


def _wait_for_other_run(session: Session, spec: CertificateSpec, intent: Intent) -> HostState:
    """Wait until no request for names can be under way. Then the order shows whether names were bought."""
    context, directory = session.context, session.context.params["directory"]
    for _check in range(_CHECKS):
        latest = _journal.inspect(context.shell, directory, [spec])[spec.name]
        if latest.intent is None:  # the other run has finished meanwhile
            return latest
        context.sleep(context.params["settle_time"] / _CHECKS)
    if not context.check_mode:
        _journal.remove_intent(context.shell, directory, spec.name, intent)
    return dataclasses.replace(latest, intent=None)
