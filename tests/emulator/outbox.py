# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The outbox of validation mails, which a test can read and approve (API reference 8.2, method email)."""

from __future__ import annotations

import secrets

from . import lifecycle
from .backend import DAY, Backend
from .model import Mail, Name, Order

_CODE_DAYS = 30


def send_all(backend: Backend, order: Order) -> int:
    return sum(send(backend, order, name) for name in order.names)


def send(backend: Backend, order: Order, name: Name) -> bool:
    """Send a mail unless the name needs none; return whether one was sent."""
    if name.method != "email" or name.validated_at:
        return False
    mail = Mail(
        id=backend.store.next_id("mail", 1),
        order_id=order.id,
        domain=name.name,
        to=name.email,
        code=secrets.token_urlsafe(16),
        created=backend.now(),
    )
    backend.store.save_mail(mail)
    return True


def approve(backend: Backend, mail: Mail) -> None:
    """Approve a mail, as clicking its link does."""
    if backend.now() > mail.created + _CODE_DAYS * DAY:
        raise ValueError(f"the code of mail {mail.id} is older than {_CODE_DAYS} days")
    order = backend.store.order(mail.order_id)
    for name in order.names if order else []:
        if (name.name, name.method, name.email) == (mail.domain, "email", mail.to):
            name.validated_at, name.reason = backend.now(), ""
    mail.approved = True
    backend.store.save_mail(mail)
    if order:
        lifecycle.consider(backend, order, backend.now())
        backend.store.save_order(order)
        backend.wake.set()
