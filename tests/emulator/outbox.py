# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Validation mails: they land in an outbox that a test can read and approve (API reference 8.2, method email)."""

from __future__ import annotations

import secrets

from . import lifecycle
from .model import Mail, Name, Order
from .world import DAY, World

_CODE_DAYS = 30


def send_all(world: World, order: Order) -> int:
    return sum(send(world, order, name) for name in order.names)


def send(world: World, order: Order, name: Name) -> bool:
    """Whether a mail was needed."""
    if name.method != "email" or name.validated_at:
        return False
    mail = Mail(
        id=world.store.next_id("mail", 1),
        order_id=order.id,
        domain=name.name,
        to=name.email,
        code=secrets.token_urlsafe(16),
        created=world.now(),
    )
    world.store.save_mail(mail)
    return True


def approve(world: World, mail: Mail) -> None:
    """What clicking the link in the mail does."""
    if world.now() > mail.created + _CODE_DAYS * DAY:
        raise ValueError(f"the code of mail {mail.id} is older than {_CODE_DAYS} days")
    order = world.store.order(mail.order_id)
    for name in order.names if order else []:
        if (name.name, name.method, name.email) == (mail.domain, "email", mail.to):
            name.validated_at, name.reason = world.now(), ""
    mail.approved = True
    world.store.save_mail(mail)
    if order:
        lifecycle.consider(world, order, world.now())
        world.store.save_order(order)
        world.wake.set()
