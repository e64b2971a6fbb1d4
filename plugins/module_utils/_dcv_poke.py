# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Poking: mails sent again and CAA records looked at again. What the vendor has locked is for later, not a failure.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ._api import Api
from ._errors import GogetsslError, Kind
from ._models import Order, Proof, ProofState
from ._results import proof_result
from ._task import Context, Result

CAA_PAUSE = "GoGetSSL looks at CAA records once in ten minutes."


class Poke(t.NamedTuple):
    """One call to make, and whom it concerns."""

    order_id: int
    names: tuple[str, ...]
    send: t.Callable[[], None]


def open_proofs(order: Order) -> list[Proof]:
    """The proofs that are still to be given; a finished order needs none."""
    if not order.in_progress:
        return []
    return [proof for proof in order.proofs if proof.state is not ProofState.VALIDATED]


def is_locked(error: GogetsslError) -> bool:
    """True if the vendor takes the same call again only after a while: "Function is locked for ..."."""
    return error.kind is Kind.REFUSED and "locked" in error.message.lower()


def resend(context: Context, api: Api, orders: t.Mapping[int, Order]) -> Result:
    """Send the approvers of all open names the mail again: one call for one name, one for several of an order."""
    pokes = []
    for order in orders.values():
        names = tuple(proof.name for proof in open_proofs(order) if proof.method == "email")
        if names:
            pokes.append(Poke(order.order_id, names, _mail(api, order.order_id, names)))
    return _poke(context, orders, pokes, "")


def recheck_caa(context: Context, api: Api, orders: t.Mapping[int, Order]) -> Result:
    """Have the authority look at the CAA records of orders that are in work."""
    pokes = [
        Poke(order.order_id, order.names, _caa(api, order.order_id)) for order in orders.values() if order.in_progress
    ]
    return _poke(context, orders, pokes, CAA_PAUSE)


def _mail(api: Api, order_id: int, names: tuple[str, ...]) -> t.Callable[[], None]:
    return (lambda: api.resend(order_id, names[0])) if len(names) == 1 else (lambda: api.resend_all(order_id))


def _caa(api: Api, order_id: int) -> t.Callable[[], None]:
    return lambda: api.recheck_caa(order_id)


def _poke(context: Context, orders: t.Mapping[int, Order], pokes: t.Sequence[Poke], hint: str) -> Result:
    """Make the calls; those that are locked are listed, with a warning."""
    asked: list[str] = []
    later: list[Result] = []
    for poke in pokes:
        try:
            if not context.check_mode:
                poke.send()
        except GogetsslError as error:
            if not is_locked(error):
                raise
            reason = " ".join(part for part in (error.message, hint, "Run again later.") if part)
            later.append({"order_id": poke.order_id, "names": list(poke.names), "reason": reason})
            context.warn(f"Order {poke.order_id}: {reason}")
            continue
        asked += poke.names
    proofs = [{"order_id": one.order_id, **proof_result(proof)} for one in orders.values() for proof in one.proofs]
    return {"changed": bool(asked), "proofs": proofs, "asked": asked, "later": later}
