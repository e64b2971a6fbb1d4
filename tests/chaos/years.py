# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three years in a minute: 20 certificates, day by day, under the 199-, 99- and 46-day limits of the coming years.

    python -m tests.chaos.years

Names are added, one key is compromised, one order is rejected. Every day each certificate on the host is valid; in the
end the ledger shows the purchases that a careful person would have made, and the table is printed.
"""

from __future__ import annotations

import datetime as dt
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils import _certificate_info, _x509
from ansible_collections.certops.gogetssl.plugins.module_utils._shell import CommandResult

from .life import Run, Site, Violation, run_shell
from .simulated import Vendor

START = dt.datetime(2026, 9, 1, 6, tzinfo=dt.timezone.utc)  # 199 days; 99 from 2027-03-15, 46 from 2029-03-15
DAYS = 3 * 365
COUNT = 20
GROWN = {3: 60, 8: 330, 13: 800}  # certificate -> the day two more names are wished for, one beyond those included
COMPROMISED, REJECTED = (5, 200), (11, 250)  # certificate and day
PRICE, ROOM = 1895, 650  # of the product and of one more name, in cents
Row = dict[str, Any]


class Looker(Run):
    """A run that remembers what the host said until somebody could have changed it."""

    def __init__(self, site: Site, said: dict[str, CommandResult]) -> None:
        super().__init__(site)
        self._said = said

    def look(self, items: list[Row]) -> list[Row]:
        found: list[Row] = self._task(_certificate_info.TASK, certificates=items)["certificates"]
        return found

    def _shell(self, script: str) -> CommandResult:
        if script not in self._said:
            self._said[script] = run_shell(script)
        return self._said[script]


class Years:
    """The fleet of one host, and its ledger."""

    def __init__(self, vendor: Vendor, directory: Path) -> None:
        vendor.set(dcv_mode="pass", issuance_delay=20.0, validity_schedule=True, initial_balance=100000.0)
        vendor.reset(settings=False)
        self.vendor, self.time = vendor, vendor.time
        self.time.now = START.timestamp()
        self.sites = [Site(directory, vendor, f"c{number:02}") for number in range(COUNT)]
        self.said: dict[str, CommandResult] = {}
        self.runs = 0
        self.stops: list[str] = []
        self.lives: set[int] = set()  # lifetimes seen, in days
        self._leaves: dict[str, _x509.Certificate | None] = {}  # what is installed, until somebody works on the host

    def go(self) -> None:
        for day in range(DAYS):
            then = START.timestamp() + day * 86400
            self.time.sleep(then - self.time.now)
            self.happen(day)
            due = [one["name"] for one in self.look() if one["step"] != "keep"]
            for site in self.sites:
                if site.wish["name"] in due:
                    self.work(site, day)
            self.check(day)

    def look(self) -> list[Row]:
        return Looker(self.sites[0], self.said).look([site.wish for site in self.sites])

    def work(self, site: Site, day: int) -> None:
        """The daily run where something is due; a person answers a rejection on the same day."""
        run = Run(site)
        run(rekey=(self.sites.index(site), day) == COMPROMISED)
        self.said.clear()
        self._leaves.clear()
        self.runs += 1
        if run.stopped:  # by a rejected order
            self.stops += run.stopped
            if not all("was rejected" in reason for reason in run.stopped):
                raise Violation(f"day {day}: {run.stopped}")
            Run(site)(abandon_intent=True)

    def happen(self, day: int) -> None:
        for number, site in enumerate(self.sites):
            if GROWN.get(number) == day:
                name = site.wish["name"]
                site.wish["names"] = [*site.wish["names"], f"a.{name}.example.com", f"b.{name}.example.com"]
        if day == COMPROMISED[1]:
            self.work(self.sites[COMPROMISED[0]], day)
        if day == REJECTED[1]:
            site = self.sites[REJECTED[0]]
            journal = site.record("order.json")
            assert journal is not None
            self.vendor.force(journal["order_id"], action="reject")

    def check(self, day: int) -> None:
        """What a visitor sees today and until tomorrow's run."""
        for site in self.sites:
            leaf = self.leaf(site)
            tomorrow = self.time.now + 86400
            if leaf is None or leaf.not_after.timestamp() < tomorrow or not set(site.wish["names"]) <= set(leaf.names):
                raise Violation(f"day {day}: {site.wish['name']} has no valid certificate: {leaf and leaf.not_after}")
            self.lives.add(round((leaf.not_after - leaf.not_before).total_seconds() / 86400))

    def leaf(self, site: Site) -> _x509.Certificate | None:
        name = site.wish["name"]
        if name not in self._leaves:
            self._leaves[name] = site.certificate()
        return self._leaves[name]

    # The ledger

    def rows(self) -> list[Row]:
        """One row a certificate: what was bought and what it cost."""
        ledger = self.vendor.ledger()
        rows = []
        for number, site in enumerate(self.sites):
            mine = [one for one in ledger["orders"] if one["common_name"] == site.wish["names"][0]]
            ids = {one["order_id"] for one in mine}
            charges = [one for one in ledger["charges"] if one["order_id"] in ids]
            row: Row = {"name": site.wish["name"]}
            for kind in ("buy", "renew", "san", "refund"):
                row[kind] = sum(one["kind"] == kind for one in charges)
            row["certificates"] = sum(len(one["serials"]) for one in mine)
            row["paid"] = round(sum(one["amount"] for one in charges), 2)
            row["expected"] = self.expected(number, mine)
            rows.append(row)
        return rows

    def expected(self, number: int, orders: list[Row]) -> Row:
        """A careful person buys once, renews each year in the last month of the term, buys again what was lost.

        The rejected order is too old for a refund. A renewal pays for the names that were added before it.
        """
        rejected = number == REJECTED[0]
        terms = [one for one in sorted(orders, key=lambda one: int(one["order_id"])) if one["status"] != "rejected"]
        for earlier, later in zip(terms, terms[1:], strict=False):
            end = dt.datetime.fromisoformat(earlier["end_date"]).replace(tzinfo=dt.timezone.utc).timestamp()
            if not 0 <= end - later["created"] <= 31 * 86400:
                raise Violation(f"order {later['order_id']} was not bought in the last month of the term before")
        first = (terms[0]["created"] - START.timestamp()) / 86400
        renewals = [day for year in (1, 2, 3) if (day := first + 365 * year - 27) < DAYS]
        rooms = [day for day in renewals if day > GROWN.get(number, DAYS)]
        grown = number in GROWN
        net = (1 + rejected + len(renewals)) * PRICE + (grown + len(rooms)) * ROOM
        counts = {"buy": 1 + rejected, "renew": len(renewals), "san": int(grown), "refund": 0}
        return {**counts, "paid": round(net * 1.21 / 100, 2)}


def main() -> int:
    started, wrong = time.monotonic(), []
    shared = Path("/dev/shm")
    with Vendor() as vendor, tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as directory:
        years = Years(vendor, Path(directory))
        years.go()
        rows = years.rows()
    columns = ("name", "buy", "renew", "san", "refund", "certificates", "paid")
    print("".join(f"{column:>13}" for column in columns))
    for row in rows:
        print("".join(f"{row[column]!s:>13}" for column in columns))
        if any(abs(row[kind] - count) > 0.05 for kind, count in row["expected"].items()):  # tax is rounded each time
            wrong.append(f"{row['name']}: expected {row['expected']}")
    print(f"years: {DAYS} days, {COUNT} certificates, {years.runs} runs with work, {len(years.stops)} stops,", end=" ")
    print(
        f"lifetimes {max(years.lives)} to {min(years.lives)} days, {time.monotonic() - started:.0f} s", *wrong, sep="\n"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
