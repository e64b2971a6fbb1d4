# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When a certificate is renewed, when its paid term ends, and when the vendor cancels an order. Pure."""

from __future__ import annotations

import datetime as dt
import hashlib

from .._api.models import Order, Product, Status, ValidationLevel
from .._crypto import x509
from .._host.journal import HostState, Journal
from .._request.spec import CertificateSpec

DAY = dt.timedelta(days=1)
# Before the end of the paid term. The vendor's window is 30 days (API reference 6.2), but the term's last day counts
# whole there: a renewal requested at the start of the thirtieth day is refused.
RENEWAL_WINDOW = 29 * DAY
LIFETIME_FRACTION = 3  # renew when a third of the lifetime is left ...
FLOOR = 7 * DAY  # ... or a week, whichever is earlier
SPREAD_FRACTION = 20  # spread by name over a twentieth of the lifetime, so that hosts do not renew at the same time
TERM_END_SLACK = 2 * DAY  # a certificate that expires this close to the end of the paid term is its last one
# Days after which GoGetSSL cancels an order that is not validated or paid (API reference 9.4).
CANCELLED_AFTER = {"unpaid": 20, "trial": 30, ValidationLevel.DV: 45, ValidationLevel.OV: 60, ValidationLevel.EV: 60}


def due_on(name: str, certificate: x509.Certificate, term_end: dt.date | None) -> dt.datetime:
    """Return when a certificate is due for renewal.

    It is due a third of its lifetime before expiry, at least a week before, and up to a twentieth of the lifetime
    earlier depending on its name. The last certificate of a paid term waits for the renewal window.
    """
    lifetime = certificate.not_after - certificate.not_before
    spread = lifetime / SPREAD_FRACTION * (int(hashlib.sha256(name.encode()).hexdigest()[:8], 16) / 2**32)
    due = certificate.not_after - max(lifetime / LIFETIME_FRACTION, min(FLOOR, lifetime / 2)) - spread
    if term_end is not None and certificate.not_after >= midnight(term_end) - TERM_END_SLACK:
        return max(due, midnight(term_end) - RENEWAL_WINDOW + min(spread, 3 * DAY))
    return due


def term_is_over(order: Order, now: dt.datetime) -> bool:
    """True if the last day of an order's paid term has passed."""
    return order.end_date is not None and now >= midnight(order.end_date) + DAY


def cancelled_on(product: Product, order: Order, journal: Journal | None) -> dt.date | None:
    """Return when the vendor cancels an unfinished order (API reference 9.4), or None.

    Until an order is issued, only the journal records when it was placed.
    """
    if journal is None or journal.order_id != order.order_id or not journal.ordered:
        return None
    never_issued = order.certificate is None and order.begin_date is None and not order.reissuing
    if not order.in_progress or order.status is Status.REISSUE or not never_issued:
        return None
    trial = "trial" in product.name.lower()
    kind = "unpaid" if order.status is Status.UNPAID else "trial" if trial else product.validation
    return dt.date.fromisoformat(journal.ordered[:10]) + CANCELLED_AFTER[kind] * DAY


def rekey_due(spec: CertificateSpec, state: HostState, leaf: x509.Certificate, now: dt.datetime) -> bool:
    """True if rekey requires a new key: the key is the installed one, or older than the requested time.

    A time in the future is ignored, because every certificate until then would be too old.
    """
    if isinstance(spec.rekey, bool):
        return spec.rekey and leaf.public_key == state.key
    return key_sent(spec, state, leaf) < spec.rekey <= now


def key_sent(spec: CertificateSpec, state: HostState, leaf: x509.Certificate) -> dt.datetime:
    """Return when the key of a certificate was sent to the CA, or the certificate's start if that is not recorded.

    CAs set notBefore to the start of the day, so the journal takes precedence.
    """
    journal = state.journal
    if journal is not None and journal.keyed and journal.public_key == leaf.public_key:
        return dt.datetime.fromisoformat(journal.keyed)
    if spec.source and state.origin is not None and state.origin.keyed:
        return dt.datetime.fromisoformat(state.origin.keyed)
    return leaf.not_before


def term_end(state: HostState) -> dt.date | None:
    """Return the end of the paid term from the journal or from the origin of a copy."""
    journal, certificate = state.journal, state.certificate
    own = journal is not None and certificate is not None and journal.public_key == certificate.public_key
    source = journal if own else state.origin or journal
    end = source.end_date if source else None
    return dt.date.fromisoformat(end) if end else None


def midnight(day: dt.date) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(), dt.timezone.utc)
