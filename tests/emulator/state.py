# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All state in one SQLite file. A killed process leaves the state before or after a transaction."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from .model import Invoice, Mail, Order, order_from, to_dict

_SCHEMA = """
create table if not exists meta (name text primary key, value text not null);
create table if not exists orders (
    id integer primary key, status text not null, created real not null, due real not null,
    validation_due real not null, body text not null);
create index if not exists orders_due on orders (due) where due > 0;
create index if not exists orders_validation_due on orders (validation_due) where validation_due > 0;
create index if not exists orders_status on orders (status);
create table if not exists invoices (id integer primary key, order_id integer not null, body text not null);
create index if not exists invoices_order on invoices (order_id);
create table if not exists charges (id integer primary key, order_id integer not null, kind text not null,
    amount integer not null, created real not null);
create table if not exists keys (key text primary key, expires real not null);
create table if not exists mails (id integer primary key, order_id integer not null, body text not null);
create table if not exists leis (id integer primary key, body text not null);
create table if not exists codes (code text primary key);
"""
_TABLES = ("orders", "invoices", "charges", "keys", "mails", "leis", "codes")


class Store:
    """One connection behind one lock. Changes are made inside `transaction()` only; SQLite begins one at the first."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.RLock()
        self._depth = 0
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level="IMMEDIATE")
        self._db.execute("pragma journal_mode = wal")
        # Data written survives a killed emulator. Waiting for the disk would protect against power loss only.
        self._db.execute("pragma synchronous = off")
        self._db.executescript(_SCHEMA)

    def close(self) -> None:
        with self._lock:
            self._db.close()

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        with self._lock:
            if self._depth:
                yield
                return
            self._depth = 1
            try:
                yield
            except BaseException:
                self._db.rollback()
                raise
            else:
                self._db.commit()
            finally:
                self._depth = 0

    def clear(self) -> None:
        for table in _TABLES:
            self._db.execute(f"delete from {table}")
        self._db.execute("delete from meta where name like 'next_%'")

    def meta(self, name: str, default: Any = None) -> Any:
        with self._lock:
            row = self._db.execute("select value from meta where name = ?", (name,)).fetchone()
        return default if row is None else json.loads(row[0])

    def set_meta(self, name: str, value: Any) -> None:
        with self._lock:
            self._db.execute("insert or replace into meta values (?, ?)", (name, json.dumps(value)))

    def next_id(self, kind: str, start: int) -> int:
        number = int(self.meta(f"next_{kind}", start))
        self.set_meta(f"next_{kind}", number + 1)
        return number

    # Orders

    def order(self, order_id: int) -> Order | None:
        rows = self._orders("where id = ?", order_id)
        return rows[0] if rows else None

    def orders(self) -> list[Order]:
        return self._orders("order by id")

    def due_orders(self, now: float) -> list[Order]:
        return self._orders("where due > 0 and due <= ? order by due, id", now)

    def has_due_orders(self, now: float) -> bool:
        """Whether there are due orders, without a transaction."""
        with self._lock:
            return self._db.execute("select 1 from orders where due > 0 and due <= ?", (now,)).fetchone() is not None

    def orders_to_validate(self, now: float) -> list[Order]:
        return self._orders("where validation_due > 0 and validation_due <= ? order by validation_due, id", now)

    def orders_in(self, statuses: tuple[str, ...]) -> list[Order]:
        return self._orders(f"where status in ({','.join('?' * len(statuses))}) order by id", *statuses)

    def count_orders(self, status: str) -> int:
        with self._lock:
            query = "select count(*) from orders where status = ?"
            return int(self._db.execute(query, (status,)).fetchone()[0])

    def order_states(self, created_before: float) -> list[tuple[int, str]]:
        """ID and status only, newest first: enough for the long lists."""
        with self._lock:
            query = "select id, status from orders where created <= ? order by id desc"
            return list(self._db.execute(query, (created_before,)))

    def _orders(self, where: str, *values: object) -> list[Order]:
        with self._lock:
            rows = self._db.execute(f"select body from orders {where}", values).fetchall()
        return [order_from(json.loads(body)) for (body,) in rows]

    def save_order(self, order: Order) -> None:
        row = (order.id, order.status, order.created, order.due(), order.validation_due(), json.dumps(to_dict(order)))
        self._db.execute("insert or replace into orders values (?, ?, ?, ?, ?, ?)", row)

    # Money

    def save_invoice(self, invoice: Invoice) -> None:
        row = (invoice.id, invoice.order_id, json.dumps(to_dict(invoice)))
        self._db.execute("insert or replace into invoices values (?, ?, ?)", row)

    def invoices(self, order_id: int | None = None) -> list[Invoice]:
        where, values = ("", ()) if order_id is None else ("where order_id = ?", (order_id,))
        with self._lock:
            rows = self._db.execute(f"select body from invoices {where} order by id", values).fetchall()
        return [Invoice(**json.loads(body)) for (body,) in rows]

    def invoice(self, invoice_id: int) -> Invoice | None:
        with self._lock:
            row = self._db.execute("select body from invoices where id = ?", (invoice_id,)).fetchone()
        return Invoice(**json.loads(row[0])) if row else None

    def add_charge(self, order_id: int, kind: str, amount: int, created: float) -> None:
        """Charge the balance; a negative amount is a refund."""
        self.set_meta("balance", int(self.meta("balance")) - amount)
        self._db.execute(
            "insert into charges (order_id, kind, amount, created) values (?, ?, ?, ?)",
            (order_id, kind, amount, created),
        )

    def charges(self) -> list[tuple[int, str, int, float]]:
        with self._lock:
            return list(self._db.execute("select order_id, kind, amount, created from charges order by id"))

    # Keys, mails, LEIs, unique codes

    def add_key(self, key: str, expires: float) -> None:
        self._db.execute("insert or replace into keys values (?, ?)", (key, expires))

    def key_expires(self, key: str) -> float:
        with self._lock:
            row = self._db.execute("select expires from keys where key = ?", (key,)).fetchone()
        return row[0] if row else 0.0

    def expire_keys(self) -> int:
        return self._db.execute("delete from keys").rowcount

    def save_mail(self, mail: Mail) -> None:
        row = (mail.id, mail.order_id, json.dumps(to_dict(mail)))
        self._db.execute("insert or replace into mails values (?, ?, ?)", row)

    def mails(self) -> list[Mail]:
        with self._lock:
            rows = self._db.execute("select body from mails order by id").fetchall()
        return [Mail(**json.loads(body)) for (body,) in rows]

    def save_lei(self, lei: dict[str, Any]) -> None:
        self._db.execute("insert or replace into leis values (?, ?)", (lei["id"], json.dumps(lei)))

    def leis(self) -> list[dict[str, Any]]:
        with self._lock:
            rows = self._db.execute("select body from leis order by id").fetchall()
        return [json.loads(body) for (body,) in rows]

    def code_used(self, code: str) -> bool:
        with self._lock:
            return self._db.execute("select 1 from codes where code = ?", (code,)).fetchone() is not None

    def use_code(self, code: str) -> None:
        """Record a unique code as used."""
        self._db.execute("insert or ignore into codes values (?)", (code,))
