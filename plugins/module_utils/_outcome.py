# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of a purchase whose intent is found on the host: an earlier run's, or another's that is at it now.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses

from . import _entries, _journal, _purchase
from ._decision import Step
from ._desk import Desk
from ._errors import GogetsslError
from ._journal import HostState, Intent
from ._wanted import Wanted

_LOOKS = 6  # at another run's intent, within the settle time


def learn(desk: Desk, wanted: Wanted, found: HostState, intent: Intent) -> HostState:
    """Learn the outcome of a purchase that an earlier run began, or that another run is making now."""
    context, name = desk.context, wanted.name
    if intent.step == Step.ADD_NAMES.value:
        return _outwait(desk, wanted, intent)
    try:
        receipt = _purchase.settle(context, desk.finder, name, intent, "the run that placed it ended early")
    except GogetsslError:
        latest = _journal.inspect(context.shell, context.params["directory"], [wanted])[name]
        if latest.intent is None:  # the other run has finished meanwhile
            return latest
        if not wanted.abandon_intent:
            raise
        if not context.check_mode:
            _journal.forget(context.shell, context.params["directory"], name)
        return dataclasses.replace(found, intent=None)
    journal = _entries.after_intent(intent, found.journal, receipt.order_id)
    if not context.check_mode:
        desk.save(name, journal, settled=True)
    return dataclasses.replace(found, journal=journal, intent=None)


def _outwait(desk: Desk, wanted: Wanted, intent: Intent) -> HostState:
    """The order itself tells whether names were bought, once no request for them can be under way any more."""
    context, directory = desk.context, desk.context.params["directory"]
    for _look in range(_LOOKS):
        latest = _journal.inspect(context.shell, directory, [wanted])[wanted.name]
        if latest.intent is None:  # the other run has finished meanwhile
            return latest
        context.sleep(context.params["settle_time"] / _LOOKS)
    if not context.check_mode:
        _journal.forget(context.shell, directory, wanted.name, intent)
    return dataclasses.replace(latest, intent=None)
