# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes of an order over time: validated, issued, cancelled, expired (API reference 9)."""

from __future__ import annotations

import calendar
import datetime as dt

from cryptography import x509

from . import ca, catalogue, csrs
from .backend import DAY, Backend
from .model import Order

# Maximum lifetimes by date of issuance (API reference 9.3). CAs remain one day below the limit.
_SCHEDULE = ((dt.date(2029, 3, 15), 46), (dt.date(2027, 3, 15), 99), (dt.date(2026, 3, 15), 199))


def settle(backend: Backend) -> None:
    """Apply all changes that are due. Called at the start of each API call and in the background."""
    now = backend.now()
    while due := backend.store.due_orders(now):
        for order in due:
            step(backend, order, now)
            backend.store.save_order(order)


def step(backend: Backend, order: Order, now: float) -> None:
    """Apply one due change. Each branch clears its own condition, so `settle` terminates."""
    if order.cancel_at and now >= order.cancel_at:
        _end_cancel_review(backend, order)
    elif order.status == "active" and order.end and now >= order.end:
        order.status = "expired"
    elif order.deadline and now >= order.deadline and not order.reissuing:
        cancel(backend, order, "Cancelled automatically")
    elif order.status_from and now >= order.status_from:
        order.status, order.status_from = "processing", 0.0
        order.next_check = now
    elif order.ready_at and now >= order.ready_at:
        order.ready_at = 0.0
        if order.end and now >= order.end:  # a reissue that was not ready within the paid term
            order.status, order.reissuing = "expired", False
        else:
            issue(backend, order, now)


def _end_cancel_review(backend: Backend, order: Order) -> None:
    order.cancel_at = 0.0
    if backend.settings.cancel_review == "accept":
        cancel(backend, order, order.cancel_reason)
    else:
        order.admin_msg = "The cancellation request was rejected"


def cancel(backend: Backend, order: Order, reason: str) -> None:
    """Cancel an order; within the refund window, refund it to the balance once."""
    was_expired = order.status == "expired"
    order.status, order.description = "cancelled", reason
    order.deadline = order.ready_at = order.cancel_at = order.status_from = 0.0
    order.reissuing = False
    refundable = order.paid_at and backend.now() < order.paid_at + 30 * DAY and not was_expired
    for invoice in backend.store.invoices(order.id):
        if invoice.status == "unpaid":
            invoice.status = "cancelled"
        elif invoice.status == "paid" and refundable and backend.settings.cancel_refund:
            invoice.status = "refunded"
            if invoice.net + invoice.tax:
                backend.store.add_charge(order.id, "refund", -(invoice.net + invoice.tax), backend.now())
        backend.store.save_invoice(invoice)


def start(backend: Backend, order: Order, now: float) -> None:
    """Submit a paid order to the CA."""
    settings = backend.settings
    product = catalogue.products()[order.product_id]
    order.paid_at = now
    order.status = settings.initial_status
    if settings.initial_status != "processing":
        order.status_from = now + settings.initial_status_seconds
    days = settings.ovev_cancel_days if product.organisation else settings.dv_cancel_days
    order.deadline = now + DAY * (settings.trial_cancel_days if product.trial else days)
    order.manual = _needs_manual_check(backend, order)
    order.next_check = now
    consider(backend, order, now)


def _needs_manual_check(backend: Backend, order: Order) -> bool:
    product = catalogue.products()[order.product_id]
    words = [word.strip() for word in backend.settings.brand_check_words.split(",") if word.strip()]
    if any(word in name.name for word in words for name in order.names):
        return True
    return product.organisation and backend.settings.manual_check == "manual"


def consider(backend: Backend, order: Order, now: float) -> None:
    """Schedule the issuance once the order is validated, checked and allowed by CAA."""
    if not order.in_work or order.ready_at or order.manual:
        return
    if backend.settings.dcv_mode == "pass":
        for name in order.names:
            name.validated_at = name.validated_at or now
            name.reason = ""
    if order.validated and (not backend.settings.caa or order.caa_blocked == "allowed"):
        order.ready_at = now + max(backend.settings.issuance_delay, 0.001)
        order.description = ""


def max_days(backend: Backend, now: float) -> int:
    if backend.settings.validity_schedule:
        today = dt.datetime.fromtimestamp(now, dt.timezone.utc).date()
        return next((days for start_day, days in _SCHEDULE if today >= start_day), 397)
    return backend.settings.max_days


def issue(backend: Backend, order: Order, now: float) -> None:
    product = catalogue.products()[order.product_id]
    # Sectigo issues for whole UTC days, from 00:00:00 to 23:59:59.
    start_day = now - now % DAY
    if not order.begin:
        order.begin = start_day
        order.end = add_months(start_day, order.period) + DAY - 1 + order.extra_seconds
    not_after = min(start_day + max_days(backend, now) * DAY - 1, order.end)
    spec = ca.CertificateSpec(
        csr=csrs.parse(order.csr),
        names=certificate_names(backend, order),
        kind=product.kind,
        organisation=order.fields,
        not_before=start_day,
        not_after=not_after,
    )
    certificate = backend.ca.issue(spec)
    _take(order, certificate, backend.ca.chain(backend.settings.ca_code_root))
    order.not_before, order.not_after = start_day, not_after
    order.status, order.description, order.deadline = "active", "", 0.0
    if order.reissuing:
        order.reissuing = False
        order.reissued += 1


def _take(order: Order, certificate: x509.Certificate, chain: str) -> None:
    order.crt, order.chain = ca.pem(certificate), chain
    order.serials.append(f"{certificate.serial_number:x}")


def certificate_names(backend: Backend, order: Order) -> list[str]:
    """The ordered names and the names that the CA adds: the base of a wildcard, www of a single name.

    Sectigo adds www to each DV name, DigiCert to registered domains only. The emulator takes a name of two labels for a
    registered domain.
    """
    product = catalogue.products()[order.product_id]
    names = [name.name for name in order.names]
    first = names[0]
    if first.startswith("*.") and product.wildcard:
        names.append(first[2:])
    elif backend.settings.auto_www and not product.multi:
        domain = first.removeprefix("www.")
        if product.kind == "dv" if product.sectigo else domain.count(".") == 1:
            names += [domain, f"www.{domain}"]
    return list(dict.fromkeys(names))


def add_months(moment: float, months: int) -> float:
    day = dt.datetime.fromtimestamp(moment, dt.timezone.utc)
    year, month = divmod(day.year * 12 + day.month - 1 + months, 12)
    last = calendar.monthrange(year, month + 1)[1]
    return day.replace(year=year, month=month + 1, day=min(day.day, last)).timestamp()
