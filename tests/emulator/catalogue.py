# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The products: one table, data/products.csv, that is read once (API reference 4)."""

from __future__ import annotations

import csv
import functools
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

# A term of several years costs less than as many terms of one year. The factors are invented, as the prices are.
_YEARS = {1: Decimal("1"), 2: Decimal("1.9"), 3: Decimal("2.7"), 4: Decimal("3.4"), 5: Decimal("4")}


@dataclass(frozen=True)
class Product:
    id: int
    brand: str
    kind: str
    name: str
    flags: frozenset[str]
    san_in: int
    wsan_in: int
    san_max: int
    years: int
    price: Decimal
    san: Decimal | None
    wsan: Decimal | None

    @property
    def sectigo(self) -> bool:
        """Whether Sectigo supplies the product; WHMCS derives it from the brand as well (API reference 4.2)."""
        return "comodo" in self.brand

    @property
    def wildcard(self) -> bool:
        return "wild" in self.flags

    @property
    def multi(self) -> bool:
        return "san" in self.flags

    @property
    def wildcard_sans(self) -> bool:
        return "wsan" in self.flags

    @property
    def trial(self) -> bool:
        return "trial" in self.flags

    @property
    def ip(self) -> bool:
        return "ip" in self.flags

    @property
    def code_signing(self) -> bool:
        return "code" in self.flags

    @property
    def organisation(self) -> bool:
        return self.kind != "dv"

    @property
    def periods(self) -> list[int]:
        free = [3] if {"trial", "free3"} & self.flags else []
        return free + [12 * year for year in range(1, self.years + 1)]

    def base_price(self, period: int) -> int:
        return 0 if period == 3 else _cents(self.price, period)

    def san_price(self, period: int) -> int:
        return 0 if period == 3 or self.san is None else _cents(self.san, period)

    def wildcard_san_price(self, period: int) -> int:
        return 0 if period == 3 or self.wsan is None else _cents(self.wsan, period)

    def order_price(self, period: int, singles: int, wildcards: int) -> int:
        """The price in cents of an order with this many SAN slots; the included slots are free."""
        extra = max(0, singles - self.san_in) * self.san_price(period)
        return self.base_price(period) + extra + max(0, wildcards - self.wsan_in) * self.wildcard_san_price(period)


def _cents(yearly: Decimal, period: int) -> int:
    return int((yearly * _YEARS[period // 12] * 100).to_integral_value())


def _money(text: str) -> Decimal | None:
    return Decimal(text) if text else None


@functools.cache
def products() -> dict[int, Product]:
    lines = (Path(__file__).parent / "data" / "products.csv").read_text(encoding="utf-8").splitlines()
    table = {}
    for row in csv.DictReader(line for line in lines if not line.startswith("#")):
        table[int(row["id"])] = Product(
            id=int(row["id"]),
            brand=row["brand"],
            kind=row["kind"],
            name=row["name"],
            flags=frozenset(row["flags"].split()),
            san_in=int(row["san_in"]),
            wsan_in=int(row["wsan_in"]),
            san_max=int(row["san_max"]),
            years=int(row["years"]),
            price=Decimal(row["price"]),
            san=_money(row["san"]),
            wsan=_money(row["wsan"]),
        )
    return table
