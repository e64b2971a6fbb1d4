# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three simulated years: 20 certificates, day by day, under the maximum lifetimes of 199, 99 and 46 days.

    python -m tests.chaos.years

Names are added, one key is compromised, one order is rejected. Options stay in the inventory: adopt, abandon_intent,
rekey around the end of a term, ceilings that a term fits. Every day a TLS client that trusts the CA's root
verifies each installed certificate. At the end the ledger must show exactly the purchases that follow from the
calendar, and the table of purchases is printed.
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

from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate_info

from .runs import Run, Site, Violation
from .simulated import Vendor

START = dt.datetime(2026, 9, 1, 6, tzinfo=dt.timezone.utc)
DAYS = 3 * 365  # includes the last change of the limit, on 2029-03-15
LIFETIMES = {199, 99, 46}  # consecutive maximum lifetimes in days
COUNT = 20
# Certificate -> day on which names are added. The product includes one more name, so one of two must be paid.
TWO_NAMES_ADDED = {3: 60, 8: 330, 13: 800}
ONE_NAME_ADDED = {16: 400}
COMPROMISED, COMPROMISED_ON = 5, 200  # certificate and day
ADOPTED, ABANDONED, CAPPED = 1, 2, 6  # certificates whose options adopt, abandon_intent and ceilings are never removed
REKEYED, REKEYED_ON = 4, range(355, 376)  # certificate and days on which rekey is set, across the end of its first term
CEILINGS = {"max_price": 2000, "max_price_per_year": 2000, "max_price_per_run": 2000}  # in cents
REJECTED = 11  # certificate whose first renewal the CA rejects
PRICE, NAME_PRICE = 1895, 650  # of the product and of one additional name, in cents
TAX = 1.21
DAY = 86400
MONTH = 30 * DAY  # renewal window, in which the remaining days are added to the next term
COLUMNS = ("name", "buy", "renew", "san", "refund", "net", "certificates", "shortest", "longest")
Row = dict[str, Any]


class TlsClient:
    """Verifies chains for a name and a time against one root."""

    def __init__(self, root: Path) -> None:
        self._store = verification.Store([x509.load_pem_x509_certificate(root.read_bytes())])

    def verify(self, chain: list[x509.Certificate], name: str, when: float) -> None:
        moment = dt.datetime.fromtimestamp(when, dt.timezone.utc).replace(tzinfo=None)
        verifier = verification.PolicyBuilder().store(self._store).time(moment)
        verifier.build_server_verifier(x509.DNSName(name)).verify(chain[0], chain[1:])


class InstalledFiles:
    """The installed files of one certificate, read again when one has changed."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._read: tuple[object, list[x509.Certificate]] = (None, [])

    def chain(self) -> list[x509.Certificate]:
        current = self._site.root / "current"
        files = [current / name for name in ("cert.pem", "chain.pem", "fullchain.pem", "privkey.pem")]
        state = [(found.st_ino, found.st_mtime_ns) for found in (path.stat() for path in files)]
        if self._read[0] != state:
            self._site.certificate()  # complete, with a matching key
            self._read = (state, x509.load_pem_x509_certificates((current / "fullchain.pem").read_bytes()))
        return self._read[1]


class Years:
    """All certificates of one host over three years."""

    def __init__(self, vendor: Vendor, directory: Path) -> None:
        vendor.set(dcv_mode="pass", issuance_delay=20.0, validity_schedule=True, initial_balance=100000.0)
        vendor.reset(settings=False)
        self.vendor, self.time = vendor, vendor.time
        self.time.now = START.timestamp()
        self.sites = [Site(directory, vendor, f"c{number:02}") for number in range(COUNT)]
        self.sites[ABANDONED].spec["abandon_intent"] = True
        self.sites[CAPPED].ceilings = CEILINGS
        self.hosts = [InstalledFiles(site) for site in self.sites]
        self.tls_client = TlsClient(vendor.ca)
        self.runs = self.stops = self.verified = 0
        self.lifetimes: list[set[int]] = [set() for _site in self.sites]  # of the issued certificates, in days

    def go(self) -> None:
        for day in range(DAYS):
            self.time.sleep(START.timestamp() + day * DAY - self.time.now)
            self.apply_events(day)
            due = {one["name"] for one in self.read_certificates() if one["step"] != "keep"}
            for site in self.sites:
                if site.spec["name"] in due:
                    self.work(site)
            self.verify(day)

    def read_certificates(self) -> list[Row]:
        specs = [site.spec for site in self.sites]
        found: list[Row] = Run(self.sites[0]).do(certificate_info.TASK, certificates=specs)["certificates"]
        return found

    def work(self, site: Site, **spec: Any) -> None:
        """Run the role for a certificate that is due. The operator resolves the rejection on the same day."""
        run = Run(site)
        run(**spec)
        self.runs += 1
        if not run.stopped:
            return
        if "is rejected: " not in " ".join(run.stopped) or site is not self.sites[REJECTED] or self.stops:
            raise Violation(f"{site.spec['name']}: {run.stopped}")
        self.stops += 1
        self.vendor.set(brand_check_words="")
        self.work(site, abandon_intent=True)

    def apply_events(self, day: int) -> None:
        for number, site in enumerate(self.sites):
            name = site.spec["name"]
            if TWO_NAMES_ADDED.get(number) == day:
                site.spec["names"] = [*site.spec["names"], f"a.{name}.example.com", f"b.{name}.example.com"]
            if ONE_NAME_ADDED.get(number) == day:
                site.spec["names"] = [*site.spec["names"], f"a.{name}.example.com"]
        if day == 2:
            self.sites[ADOPTED].spec["adopt"] = self.orders(ADOPTED)[0]["order_id"]
        self.sites[REKEYED].spec["rekey"] = day in REKEYED_ON
        if day == COMPROMISED_ON:
            before = self.hosts[COMPROMISED].chain()[0].public_key()
            self.work(self.sites[COMPROMISED], rekey=True)
            if self.hosts[COMPROMISED].chain()[0].public_key() == before:
                raise Violation("the compromised key is still in use")
        self.reject(day)

    def reject(self, day: int) -> None:
        """The CA reviews the renewal manually for two days and rejects it."""
        name = self.sites[REJECTED].spec["names"][0]
        if day == 300:
            self.vendor.set(brand_check_words=name)
        renewals = [one for one in self.orders(REJECTED) if one["kind"] == "renew"] if 300 < day < 400 else []
        if renewals and renewals[0]["status"] == "processing" and self.time.now > renewals[0]["created"] + 1.5 * DAY:
            self.vendor.force(renewals[0]["order_id"], action="reject")

    def verify(self, day: int) -> None:
        """Verify the installed certificates for now and for the time of tomorrow's run."""
        for site, host, lifetimes in zip(self.sites, self.hosts, self.lifetimes, strict=True):
            names = site.spec["names"]
            chain = host.chain()
            try:
                for moment in (self.time.now, self.time.now + DAY):
                    self.tls_client.verify(chain, names[day % len(names)], moment)
            except verification.VerificationError as error:
                raise Violation(f"day {day}: {names}: {error}") from error
            self.verified += 1
            lifetime = chain[0].not_valid_after_utc - chain[0].not_valid_before_utc
            lifetimes.add(round(lifetime.total_seconds() / DAY))

    # The ledger

    def orders(self, number: int) -> list[Row]:
        name = self.sites[number].spec["names"][0]
        return [one for one in self.vendor.ledger()["orders"] if one["common_name"] == name]

    def row(self, number: int) -> Row:
        """The purchases for one certificate."""
        orders = self.orders(number)
        ids = {one["order_id"] for one in orders}
        charges = [one for one in self.vendor.ledger()["charges"] if one["order_id"] in ids]
        row: Row = {kind: sum(one["kind"] == kind for one in charges) for kind in ("buy", "renew", "san", "refund")}
        row["net"] = sum(round(one["amount"] * 100 / TAX) for one in charges) / 100
        row["certificates"] = sum(len(one["serials"]) for one in orders)
        row["shortest"], row["longest"] = min(self.lifetimes[number]), max(self.lifetimes[number])
        return {"name": self.sites[number].spec["name"], **row}

    def problems(self, number: int, row: Row) -> list[str]:
        wrong = [
            f"{kind} {row[kind]} instead of {count}"
            for kind, count in expected_purchases(number).items()
            if row[kind] != count
        ]
        terms = sorted(
            (one for one in self.orders(number) if one["status"] != "rejected"), key=lambda one: one["created"]
        )
        for earlier, later in zip(terms, terms[1:], strict=False):
            end = dt.datetime.fromisoformat(earlier["end_date"]).replace(tzinfo=dt.timezone.utc).timestamp() + DAY
            if not 0 <= end - later["created"] <= MONTH + DAY:
                wrong.append(f"order {later['order_id']} was not placed in the last month of the term before")
        return [f"{row['name']}: {one}" for one in wrong]


def expected_purchases(number: int) -> Row:
    """The purchases that the calendar requires: a term, and another one in the last month of each term.

    No term may end within the three years and one day without a successor. The rejected renewal is refunded and bought
    again in the same last month of its term, so it requires no additional term.
    """
    ends = [START.replace(year=START.year + year) for year in (1, 2, 3)]
    last = START + dt.timedelta(days=DAYS + 1)
    renewals = [(end - START).days for end in ends if end <= last]
    added = TWO_NAMES_ADDED.get(number, math.inf)
    bought = 1 + len(renewals)
    extra_names = sum(day > added for day in renewals) + (number in TWO_NAMES_ADDED)
    rejected = int(number == REJECTED)
    return {
        "buy": 1 + rejected,
        "renew": len(renewals),
        "san": int(number in TWO_NAMES_ADDED),
        "refund": rejected,
        "net": (bought * PRICE + extra_names * NAME_PRICE) / 100,
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
    lifetimes = set.union(*years.lifetimes)
    if not lifetimes >= LIFETIMES:
        wrong.append(f"the lifetimes were {sorted(lifetimes)} days and not all of {sorted(LIFETIMES)}")
    print(*wrong, sep="\n")
    print(
        f"years: {DAYS} days, {COUNT} certificates, {years.verified} verified, {years.runs} runs with work,"
        f" {years.stops} stop, {sum(row['certificates'] for row in rows)} certificates issued, wrong {len(wrong)},"
        f" {time.monotonic() - started:.0f} s"
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
