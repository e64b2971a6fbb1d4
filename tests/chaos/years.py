# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three years in a minute or two: 20 certificates, day by day, under the limits of 199, 99 and 46 days to come.

    python -m tests.chaos.years

Names are added, one key is compromised, one order is rejected. Every day a client that trusts the authority's root
verifies each certificate as it lies on the host; in the end the ledger has to show the purchases that a careful person
would have made, told from the calendar alone, and the table is printed.
"""

from __future__ import annotations

import datetime as dt
import math
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.x509 import verification

from ansible_collections.certops.gogetssl.plugins.module_utils import _certificate_info

from .life import Run, Site, Violation
from .simulated import Vendor

START = dt.datetime(2026, 9, 1, 6, tzinfo=dt.timezone.utc)
DAYS = 3 * 365  # the last regime begins on 2029-03-15
REGIMES = {199, 99, 46}  # days a certificate lives at most, one after the other
COUNT = 20
# Certificate -> the day names are added: one of two is beyond the names that are included, a single one is not.
GROWN = {3: 60, 8: 330, 13: 800}
GROWN_FREE = {16: 400}
COMPROMISED, COMPROMISED_ON = 5, 200  # certificate and day
REJECTED = 11  # its first renewal, while it is validated
PRICE, ROOM = 1895, 650  # of the product and of one more name, in cents
TAX = 1.21
DAY = 86400
MONTH = 30 * DAY  # in which a renewal loses nothing, as what is left is added to the next term
COLUMNS = ("name", "buy", "renew", "san", "refund", "net", "certificates", "shortest", "longest")
Row = dict[str, Any]


class Visitor:
    """A client of the services: trusts the root, knows the time, wants a name."""

    def __init__(self, root: Path) -> None:
        self._store = verification.Store([x509.load_pem_x509_certificate(root.read_bytes())])

    def verify(self, chain: list[x509.Certificate], name: str, when: float) -> None:
        moment = dt.datetime.fromtimestamp(when, dt.timezone.utc).replace(tzinfo=None)
        verifier = verification.PolicyBuilder().store(self._store).time(moment)
        verifier.build_server_verifier(x509.DNSName(name)).verify(chain[0], chain[1:])


class Host:
    """What services would read for one certificate; read again when a file has changed."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._read: tuple[object, list[x509.Certificate]] = (None, [])

    def chain(self) -> list[x509.Certificate]:
        current = self._site.root / "current"
        files = [current / name for name in ("cert.pem", "chain.pem", "fullchain.pem", "privkey.pem")]
        state = [(found.st_ino, found.st_mtime_ns) for found in (path.stat() for path in files)]
        if self._read[0] != state:
            self._site.certificate()  # whole, and the key fits
            self._read = (state, x509.load_pem_x509_certificates((current / "fullchain.pem").read_bytes()))
        return self._read[1]


class Years:
    """The fleet of one host, and its ledger."""

    def __init__(self, vendor: Vendor, directory: Path) -> None:
        vendor.set(dcv_mode="pass", issuance_delay=20.0, validity_schedule=True, initial_balance=100000.0)
        vendor.reset(settings=False)
        self.vendor, self.time = vendor, vendor.time
        self.time.now = START.timestamp()
        self.sites = [Site(directory, vendor, f"c{number:02}") for number in range(COUNT)]
        self.hosts = [Host(site) for site in self.sites]
        self.visitor = Visitor(vendor.ca)
        self.runs = self.stops = self.visits = 0
        self.lives: list[set[int]] = [set() for _site in self.sites]  # of the certificates, in days

    def go(self) -> None:
        for day in range(DAYS):
            self.time.sleep(START.timestamp() + day * DAY - self.time.now)
            self.happen(day)
            due = {one["name"] for one in self.look() if one["step"] != "keep"}
            for site in self.sites:
                if site.wish["name"] in due:
                    self.work(site)
            self.visit(day)

    def look(self) -> list[Row]:
        wishes = [site.wish for site in self.sites]
        found: list[Row] = Run(self.sites[0]).do(_certificate_info.TASK, certificates=wishes)["certificates"]
        return found

    def work(self, site: Site, **wish: Any) -> None:
        """The daily run where something is due; a person answers a rejection on the same day."""
        run = Run(site)
        run(**wish)
        self.runs += 1
        if not run.stopped:
            return
        if "was rejected" not in " ".join(run.stopped) or site is not self.sites[REJECTED] or self.stops:
            raise Violation(f"{site.wish['name']}: {run.stopped}")
        self.stops += 1
        self.vendor.set(brand_check_words="")
        self.work(site, abandon_intent=True)

    def happen(self, day: int) -> None:
        for number, site in enumerate(self.sites):
            name = site.wish["name"]
            if GROWN.get(number) == day:
                site.wish["names"] = [*site.wish["names"], f"a.{name}.example.com", f"b.{name}.example.com"]
            if GROWN_FREE.get(number) == day:
                site.wish["names"] = [*site.wish["names"], f"a.{name}.example.com"]
        if day == COMPROMISED_ON:
            before = self.hosts[COMPROMISED].chain()[0].public_key()
            self.work(self.sites[COMPROMISED], rekey=True)
            if self.hosts[COMPROMISED].chain()[0].public_key() == before:
                raise Violation("the compromised key is still in use")
        self.reject(day)

    def reject(self, day: int) -> None:
        """The authority looks at the renewal by hand, for two days, and says no."""
        name = self.sites[REJECTED].wish["names"][0]
        if day == 300:
            self.vendor.set(brand_check_words=name)
        renewals = [one for one in self.orders(REJECTED) if one["kind"] == "renew"] if 300 < day < 400 else []
        if renewals and renewals[0]["status"] == "processing" and self.time.now > renewals[0]["created"] + 1.5 * DAY:
            self.vendor.force(renewals[0]["order_id"], action="reject")

    def visit(self, day: int) -> None:
        """Until tomorrow's run everything has to be served as it lies there today."""
        for site, host, lives in zip(self.sites, self.hosts, self.lives, strict=True):
            names = site.wish["names"]
            chain = host.chain()
            try:
                for moment in (self.time.now, self.time.now + DAY):
                    self.visitor.verify(chain, names[day % len(names)], moment)
            except verification.VerificationError as error:
                raise Violation(f"day {day}: {names}: {error}") from error
            self.visits += 1
            life = chain[0].not_valid_after_utc - chain[0].not_valid_before_utc
            lives.add(round(life.total_seconds() / DAY))

    # The ledger

    def orders(self, number: int) -> list[Row]:
        name = self.sites[number].wish["names"][0]
        return [one for one in self.vendor.ledger()["orders"] if one["common_name"] == name]

    def row(self, number: int) -> Row:
        """What was bought for one certificate."""
        orders = self.orders(number)
        ids = {one["order_id"] for one in orders}
        charges = [one for one in self.vendor.ledger()["charges"] if one["order_id"] in ids]
        row: Row = {kind: sum(one["kind"] == kind for one in charges) for kind in ("buy", "renew", "san", "refund")}
        row["net"] = sum(round(one["amount"] * 100 / TAX) for one in charges) / 100
        row["certificates"] = sum(len(one["serials"]) for one in orders)
        row["shortest"], row["longest"] = min(self.lives[number]), max(self.lives[number])
        return {"name": self.sites[number].wish["name"], **row}

    def problems(self, number: int, row: Row) -> list[str]:
        wrong = [
            f"{kind} {row[kind]} instead of {count}" for kind, count in careful(number).items() if row[kind] != count
        ]
        terms = sorted(
            (one for one in self.orders(number) if one["status"] != "rejected"), key=lambda one: one["created"]
        )
        for earlier, later in zip(terms, terms[1:], strict=False):
            end = dt.datetime.fromisoformat(earlier["end_date"]).replace(tzinfo=dt.timezone.utc).timestamp() + DAY
            if not 0 <= end - later["created"] <= MONTH + DAY:
                wrong.append(f"order {later['order_id']} was not placed in the last month of the term before")
        return [f"{row['name']}: {one}" for one in wrong]


def careful(number: int) -> Row:
    """What a careful person would have bought: a term, and another one in the last month of each that ends.

    No term may end within the three years and the day after them without a next one. The rejected renewal was refunded
    and bought again, in the same last month of its term, and later terms are counted from then: none more is needed.
    """
    ends = [START.replace(year=START.year + year) for year in (1, 2, 3)]
    last = START + dt.timedelta(days=DAYS + 1)
    renewals = [(end - START).days for end in ends if end <= last]
    grown = GROWN.get(number, math.inf)
    bought = 1 + len(renewals)
    rooms = sum(day > grown for day in renewals) + (number in GROWN)
    rejected = int(number == REJECTED)
    return {
        "buy": 1 + rejected,
        "renew": len(renewals),
        "san": int(number in GROWN),
        "refund": rejected,
        "net": (bought * PRICE + rooms * ROOM) / 100,
    }


def main() -> int:
    started = time.monotonic()
    shared = Path("/dev/shm")
    with Vendor() as vendor, tempfile.TemporaryDirectory(dir=shared if shared.is_dir() else None) as directory:
        years = Years(vendor, Path(directory))
        years.go()
        rows = [years.row(number) for number in range(COUNT)]
        wrong = [problem for number, row in enumerate(rows) for problem in years.problems(number, row)]
    print("".join(f"{column:>13}" for column in COLUMNS))
    for row in rows:
        print("".join(f"{row[column]!s:>13}" for column in COLUMNS))
    lives = set.union(*years.lives)
    if not lives >= REGIMES:
        wrong.append(f"the lifetimes were {sorted(lives)} days, without some of {sorted(REGIMES)}")
    print(*wrong, sep="\n")
    print(
        f"years: {DAYS} days, {COUNT} certificates, {years.visits} verified, {years.runs} runs with work,"
        f" {years.stops} stop, {sum(row['certificates'] for row in rows)} certificates issued, wrong {len(wrong)},"
        f" {time.monotonic() - started:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
