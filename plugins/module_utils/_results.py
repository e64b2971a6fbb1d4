# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Orders and proofs as the plain dictionaries that tasks return.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import typing as t

from ._models import Order, Proof, ProofState, Status

NAMES_SHOWN = 5  # a reason names so many names that are open; an order may have hundreds
REASON_SHOWN = 160  # characters of the vendor's words on each of them


def order_result(order: Order) -> dict[str, t.Any]:
    """An order as tasks return it."""
    return {
        "order_id": order.order_id,
        "status": order.status.value,
        "product_id": order.product_id,
        "common_name": order.common_name,
        "names": list(order.names),
        "pending": is_pending(order),
        "issued": order.issued,
        "reason": reason_of(order),
        "valid_from": _iso(order.valid_from),
        "valid_till": _iso(order.valid_till),
        "begin_date": _iso(order.begin_date),
        "end_date": _iso(order.end_date),
        "certificate": order.certificate,
        "chain": order.chain,
        "proofs": [proof_result(proof) for proof in order.proofs],
    }


def proof_result(proof: Proof) -> dict[str, t.Any]:
    """A proof as tasks return it, with the options of its method set and the others null."""
    return {**dataclasses.asdict(proof), "state": proof.state.value, "ready": proof.ready}


def is_pending(order: Order) -> bool:
    """True while it is worth waiting for the order; an active one may lack its certificate for a moment."""
    return not order.issued and not order.status.ended


def reason_of(order: Order) -> str:
    """Why there is no certificate yet, or never will be, in words for the user; nothing once it is issued."""
    if order.issued:
        return ""
    parts = [_what_is_awaited(order)]
    told = any(proof.reason for proof in order.proofs if proof.state is not ProofState.VALIDATED)
    if order.description and not told:
        parts.append(f"GoGetSSL says: {order.description}")
    return " ".join(part if part.endswith((".", "!", "?")) else part + "." for part in parts)


def _what_is_awaited(order: Order) -> str:
    """The first of the known causes that applies."""
    if order.status.ended:
        return f"The order is {order.status.value}: it will give no certificate"
    if order.status is Status.UNPAID:
        return "The order is not paid: add funds to the account or pay the invoice"
    if order.manual_check:
        return "The brand checks the order by hand, which can take days; its support can be asked"
    open_proofs = [proof for proof in order.proofs if proof.state is not ProofState.VALIDATED]
    if order.pre_signing and not open_proofs:
        return "The authority has validated the order and has it queued for signing"
    if open_proofs:
        return f"Not validated yet: {_list_proofs(open_proofs)}"
    if order.status is Status.INCOMPLETE:
        return "The order is incomplete: the vendor waits for its request"
    if order.status is Status.ACTIVE:
        return "The certificate is issued but cannot be fetched yet"
    return f"The order is {order.status.value} and all names are validated: the authority is at work"


def _list_proofs(proofs: t.Sequence[Proof]) -> str:
    shown = []
    for proof in proofs[:NAMES_SHOWN]:
        reason = f" ({proof.reason[:REASON_SHOWN]})" if proof.reason else ""
        shown.append(f"{proof.name} by {proof.method}{reason}")
    more = len(proofs) - NAMES_SHOWN
    return ", ".join(shown) + (f" and {more} more" if more > 0 else "")


def _iso(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
