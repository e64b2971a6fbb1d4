# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Decisions as tables: each row has the spec, the state of the host and of the order, and the expected decision."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import (
    Family,
    Order,
    Product,
    Status,
    ValidationLevel,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509 as _x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host.journal import (
    FileFacts,
    HostState,
    Intent,
    Journal,
    Served,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._order import installed as _installed
from ansible_collections.certops.gogetssl.plugins.module_utils._order import lifetime as _lifetime
from ansible_collections.certops.gogetssl.plugins.module_utils._order import plan, prices, product_fit
from ansible_collections.certops.gogetssl.plugins.module_utils._order.decision import Step
from ansible_collections.certops.gogetssl.plugins.module_utils._order.plan import VendorState
from ansible_collections.certops.gogetssl.plugins.module_utils._order.policy import Policy
from ansible_collections.certops.gogetssl.plugins.module_utils._request.layout import Layout
from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CertificateSpec

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
DAY = dt.timedelta(days=1)
NAMES = ("shop.example.com", "www.shop.example.com")
PERSON = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+1"}
COMPANY = dict.fromkeys(product_fit._ORGANIZATION, "x")
ADDRESS = dict.fromkeys(product_fit._ADDRESS, "x")
KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _unused in range(2))


@functools.cache
def leaf(names=NAMES, age=10, lifetime=199, key="key"):
    """A self-signed certificate with this age and lifetime in days."""
    private = {"key": KEY, "other": OTHER_KEY}[key]
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
    start = NOW - age * DAY
    serial = abs(hash((age, lifetime))) + 1
    builder = x509.CertificateBuilder(subject, subject, private.public_key(), serial, start, start + lifetime * DAY)
    alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
    certificate = builder.add_extension(alternative, False).sign(private, hashes.SHA256())
    return _x509.read_certificate(certificate.public_bytes(serialization.Encoding.PEM).decode())


@functools.cache
def request(key="key"):
    pem = {"key": KEY, "other": OTHER_KEY}[key].private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return _x509.read_request(_x509.new_request(pem, NAMES))


def spec(**changes):
    methods = dict.fromkeys(changes.get("names", NAMES), "http")
    base = CertificateSpec("shop", NAMES, "68", 12, methods, admin=PERSON, tech=PERSON)
    return dataclasses.replace(base, **changes)


def installed(certificate=None, **changes):
    """A host with an installed certificate, its key and its journal."""
    certificate = certificate or leaf()
    journal = Journal("https://api", 7, 68, certificate.public_key)
    return dataclasses.replace(
        HostState(certificate=certificate, key=certificate.public_key, journal=journal), **changes
    )


def order(status=Status.ACTIVE, certificate=None, **changes):
    base = Order(
        order_id=7,
        status=status,
        product_id=68,
        common_name=NAMES[0],
        names=NAMES,
        csr=None,
        certificate=certificate.pem if certificate else None,
        chain=None,
        valid_from=None,
        valid_till=None,
        begin_date=(NOW - 100 * DAY).date(),
        end_date=(NOW + 265 * DAY).date(),
        reissuing=False,
        single_sans=1,
        wildcard_sans=0,
        validations=(),
        manual_check=False,
        pre_signing=False,
        description="",
    )
    return dataclasses.replace(base, **changes)


PRODUCT = Product(
    product_id=68,
    name="GoGetSSL Multi-Domain SSL",
    brand="comodo_ggssl",
    family=Family.SECTIGO,
    validation=ValidationLevel.DV,
    wildcard=False,
    multi_domain=True,
    wildcard_sans=False,
    methods=frozenset({"email", "http", "https", "dns"}),
    custom_random_value=True,
    prices={12: 2000, 24: 3500},
    san_prices={12: 500, 24: 900},
    wildcard_san_prices={12: 4000},
    max_sans=3,
    included_sans=0,
)


def vendor(the_order=None, **changes):
    return dataclasses.replace(VendorState(PRODUCT, 2500, the_order), **changes)


ADOPT = {"certificate": "/etc/ssl/shop.pem", "key": "/etc/ssl/shop.key"}
INTENT = Intent("https://api", "buy", 68, 12, NAMES, "k", "m", "u", 0.0)
OLD = leaf(age=150)  # 49 days left of 199
TERM_ENDS = (NOW + 49 * DAY).date()
LAST_OF_TERM = installed(OLD, journal=Journal("a", 7, 68, OLD.public_key, TERM_ENDS.isoformat()))


def facts(mode):
    return FileFacts(mode, ("0", "root"), ("0", "root"))


FILES = {name: facts(0o644) for name in ("cert.pem", "chain.pem", "fullchain.pem")} | {"privkey.pem": facts(0o600)}
BUNDLE = Layout(("haproxy",))
UNREADABLE = dict.fromkeys(BUNDLE.files, FileFacts())


def table(columns, *rows):
    """A parametrised table. The first cell of each row is its ID."""
    names = [row[0] for row in rows]
    assert len(set(names)) == len(names), "duplicate IDs"
    return pytest.mark.parametrize(columns, [pytest.param(*row[1:], id=row[0]) for row in rows])


def day(offset):
    return (NOW + offset * DAY).date()


FUTURE = leaf(age=-2)
KEYED = "2026-11-20T12:00:00+00:00"  # time in the journal at which the installed key was sent


def rekey(text):
    return spec(rekey=dt.datetime.fromisoformat(text))


def keyed(certificate=None, when=KEYED):
    certificate = certificate or leaf()
    return installed(certificate, journal=Journal("a", 7, 68, certificate.public_key, keyed=when))


@table(
    ("requested", "host_state", "step", "message"),
    ("nothing there", spec(), HostState(), Step.OBTAIN, "no certificate"),
    ("unreadable", spec(), HostState(damage="cannot be read"), Step.OBTAIN, "cannot be read"),
    ("healthy", spec(), installed(), Step.KEEP, "valid until"),
    ("healthy, adopted by hand", spec(), installed(journal=None), Step.KEEP, "valid until"),
    ("intent exists", spec(), installed(intent=INTENT), Step.OBTAIN, "outcome"),
    ("pending order", spec(), HostState(journal=Journal("a", 7, 68, "k")), Step.OBTAIN, "order 7"),
    ("pending reissue", spec(), installed(journal=Journal("a", 7, 68, "new")), Step.OBTAIN, "order 7"),
    ("ends soon", spec(), installed(OLD), Step.OBTAIN, "ends on"),
    ("ended", spec(), installed(leaf(age=300)), Step.OBTAIN, "expired"),
    ("other key", spec(), installed(key="0"), Step.OBTAIN, "does not belong"),
    ("key damaged", spec(), installed(damage="the installed private key is missing"), Step.OBTAIN, "missing"),
    ("key not readable", spec(), installed(key=None), Step.KEEP, "valid"),
    ("more names", spec(names=(*NAMES, "api.example.com")), installed(), Step.OBTAIN, "api.example.com"),
    ("fewer names", spec(names=NAMES[:1]), installed(), Step.KEEP, "valid"),
    ("covered by a wildcard", spec(names=("a.example.com",)), installed(leaf(("*.example.com",))), Step.KEEP, ""),
    ("not covered two deep", spec(names=("a.b.example.com",)), installed(leaf(("*.example.com",))),
     Step.OBTAIN, ""),
    ("rekey", spec(rekey=True), installed(), Step.OBTAIN, "new key"),
    ("served", spec(), installed(served=(Served("l", leaf().sha256),)), Step.KEEP, "valid"),
    ("other one served", spec(), installed(served=(Served("l", "0"),)), Step.INSTALL, "does not serve"),
    ("none served", spec(), installed(served=(Served("l", None),)), Step.INSTALL, "l does not serve"),
    ("files as requested", spec(), installed(files=FILES), Step.KEEP, "valid"),
    ("files not readable", spec(layout=BUNDLE), installed(), Step.KEEP, "valid"),
    ("permissions not readable", spec(layout=BUNDLE), installed(files=UNREADABLE), Step.KEEP, "valid"),
    ("additional form", spec(layout=BUNDLE), installed(files=FILES), Step.INSTALL, "haproxy.pem: not there"),
    ("key readable by all users", spec(), installed(files={**FILES, "privkey.pem": facts(0o644)}), Step.INSTALL,
     "privkey.pem has mode 0644 instead of 0600"),
    ("owner by name", spec(layout=Layout(owner="root", group="0")), installed(files=FILES), Step.KEEP, "valid"),
    ("other owner", spec(layout=Layout(owner="7")), installed(files=FILES), Step.INSTALL,
     "privkey.pem has the owner root instead of 7"),
    ("other group", spec(layout=Layout(group="ssl-cert")), installed(files=FILES), Step.INSTALL,
     "privkey.pem has the group root instead of ssl-cert"),
    ("not served yet", spec(), installed(unverified=True), Step.INSTALL, "have not been seen to take"),
    ("files of an interrupted run only", spec(), installed(interrupted_files=True), Step.KEEP, "valid"),
    ("additional form, expired", spec(layout=BUNDLE), installed(leaf(age=300), files=FILES), Step.OBTAIN, "expired"),
    ("last of its term", spec(), LAST_OF_TERM, Step.KEEP, "to be replaced"),
    ("199 days, 68 left", spec(), installed(leaf(age=120)), Step.KEEP, ""),
    ("100 days, 50 left", spec(), installed(leaf(age=50, lifetime=100)), Step.KEEP, ""),
    ("100 days, 33 left", spec(), installed(leaf(age=67, lifetime=100)), Step.OBTAIN, "ends"),
    ("47 days, 20 left", spec(), installed(leaf(age=27, lifetime=47)), Step.KEEP, ""),
    ("47 days, 15 left", spec(), installed(leaf(age=32, lifetime=47)), Step.OBTAIN, "ends"),
    ("398 days, 160 left", spec(), installed(leaf(age=238, lifetime=398)), Step.KEEP, ""),
    ("398 days, 130 left", spec(), installed(leaf(age=268, lifetime=398)), Step.OBTAIN, "ends"),
    ("certificate of tomorrow", spec(), installed(FUTURE), Step.OBTAIN, "is valid from 2026-11-26 12:00 UTC only"),
    ("certificate of this hour", spec(), installed(leaf(age=-0.03)), Step.KEEP, "valid"),
    ("intent beats a healthy certificate", spec(), installed(served=(), intent=INTENT), Step.OBTAIN, "outcome"),
    ("intent without certificate", spec(), HostState(intent=INTENT), Step.OBTAIN, "outcome"),
    ("rekey date older than the key", rekey("2026-11-20T11:59:59+00:00"), keyed(), Step.KEEP, ""),
    ("rekey date younger than the key", rekey("2026-11-20T12:00:01+00:00"), keyed(), Step.OBTAIN, "new key"),
    ("rekey date of another zone", rekey("2026-11-20T12:30:00+02:00"), keyed(), Step.KEEP, ""),
    ("rekey date in the future", rekey("2026-11-25T00:00:00+00:00"), keyed(), Step.KEEP, ""),
    ("rekey date now", rekey("2026-11-24T12:00:00+00:00"), keyed(), Step.OBTAIN, "new key"),
    ("rekey date, journal of an old release", rekey("2026-11-15T00:00:00+00:00"), installed(), Step.OBTAIN, "new key"),
    ("rekey date before the certificate, no journal", rekey("2026-11-14T00:00:00+00:00"), installed(journal=None),
     Step.KEEP, ""),
    ("rekey date after the certificate, no journal", rekey("2026-11-15T00:00:00+00:00"), installed(journal=None),
     Step.OBTAIN, "new key"),
    ("other common name, in the certificate", spec(names=NAMES[::-1]), installed(), Step.KEEP, ""),
    ("other common name, not in it", spec(names=("new.example.com",)), installed(), Step.OBTAIN, "new.example.com"),
    ("files to adopt, nothing installed", spec(adopt_files=ADOPT), HostState(), Step.OBTAIN, "no certificate"),
    ("files to adopt, installed since", spec(adopt_files=ADOPT), installed(), Step.KEEP, ""),
    ("damaged and due", spec(), installed(OLD, damage="the key is gone"), Step.OBTAIN, "the key is gone"),
    ("due and not served", spec(), installed(OLD, served=(Served("l", None),)), Step.OBTAIN, "ends"),
    ("one of two listeners", spec(), installed(served=(Served("a", leaf().sha256), Served("b", "0"))), Step.INSTALL,
     "b does not serve"),
    ("term over, certificate not", spec(),
     installed(journal=Journal("a", 7, 68, leaf().public_key, day(-1).isoformat())), Step.KEEP, ""),
)  # fmt: skip
def test_evaluate_host(requested, host_state, step, message):
    decision = plan.evaluate_host(requested, host_state, NOW)
    assert (decision.step, message in decision.reason) == (step, True), decision
    assert decision.deadline == (host_state.certificate.not_after if host_state.certificate else None)


NEW = leaf(age=1)  # issued for KEY
STAGED = HostState(staged=request())
FOREIGN_IN_CHAIN = installed(NEW, chain=(leaf(key="other"),))
BROKEN_CHAIN = installed(dataclasses.replace(NEW, issuer="CN=CA"), chain=(leaf(key="other"),))
MORE = spec(names=(*NAMES, "api.example.com"))
DIGICERT = dataclasses.replace(PRODUCT, family=Family.DIGICERT)


def ends(left, lifetime=199, term=None, key="key"):
    """The order's certificate with the remaining days of the certificate and of the term."""
    certificate = leaf(age=lifetime - left, lifetime=lifetime, key=key)
    return vendor(order(certificate=certificate, end_date=day(265 if term is None else term)))


def having(state):
    """A host with the order's certificate installed."""
    return installed(_x509.read_certificate(state.order.certificate))


SINGLE_NAME = dataclasses.replace(PRODUCT, product_id=66, name="Single", multi_domain=False)
ANOTHER = order(certificate=NEW, product_id=66)
ISSUED = vendor(order(certificate=NEW))


@table(
    ("requested", "host_state", "state", "step", "price", "message"),
    ("first time", spec(), STAGED, vendor(), Step.BUY, 2500, ""),
    ("two orders with this key", spec(), STAGED, vendor(same_key=(7, 8)), Step.STOP, 0, ""),
    ("active order, other key", spec(), STAGED, vendor(same_name=(7,)), Step.STOP, 0, ""),
    ("active order, declared as foreign", spec(abandon_intent=True), STAGED, vendor(same_name=(7,)),
     Step.BUY, 2500, ""),
    ("processing", spec(), STAGED, vendor(order(Status.PROCESSING)), Step.RESUME, 0, ""),
    ("pending", spec(), STAGED, vendor(order(Status.PENDING)), Step.RESUME, 0, ""),
    ("unpaid", spec(), STAGED, vendor(order(Status.UNPAID)), Step.STOP, 0, "Pay its invoice or add funds"),
    ("new", spec(), STAGED, vendor(order(Status.NEW_ORDER)), Step.RESUME, 0, ""),
    ("incomplete", spec(), STAGED, vendor(order(Status.INCOMPLETE)), Step.RESUME, 0, ""),
    ("pending reissue", spec(), STAGED, vendor(order(Status.REISSUE)), Step.RESUME, 0, ""),
    ("reissue flag", spec(), STAGED, vendor(order(certificate=OLD, reissuing=True)), Step.RESUME, 0, ""),
    ("pending, names added", MORE, STAGED, vendor(order(Status.PROCESSING)), Step.STOP, 0, ""),
    ("cancelled", spec(), STAGED, vendor(order(Status.CANCELLED)), Step.BUY, 2500, ""),
    ("expired", spec(), STAGED, vendor(order(Status.EXPIRED)), Step.BUY, 2500, ""),
    ("revoked", spec(), STAGED, vendor(order(Status.REVOKED)), Step.BUY, 2500, ""),
    ("rejected", spec(), STAGED, vendor(order(Status.REJECTED)), Step.STOP, 0, ""),
    ("rejected, abandon_intent", spec(abandon_intent=True), STAGED, vendor(order(Status.REJECTED)),
     Step.BUY, 2500, ""),
    ("issued, never installed", spec(), STAGED, vendor(order(certificate=NEW)), Step.INSTALL, 0, ""),
    ("active without certificate", spec(), STAGED, vendor(order()), Step.RESUME, 0, ""),
    ("issued and installed", spec(), installed(NEW), vendor(order(certificate=NEW)), Step.KEEP, 0, ""),
    ("issued, key lost", spec(), HostState(), vendor(order(certificate=NEW)), Step.REISSUE, 0, ""),
    ("issued, another key staged", spec(), HostState(staged=request("other")), vendor(order(certificate=NEW)),
     Step.REISSUE, 0, ""),
    ("installed key replaced", spec(), installed(NEW, key="0"), vendor(order(certificate=NEW)), Step.REISSUE, 0, ""),
    ("additional form", spec(layout=BUNDLE), installed(NEW, files=FILES), vendor(order(certificate=NEW)),
     Step.INSTALL, 0, ""),
    ("chain broken on the host", spec(), BROKEN_CHAIN, vendor(order(certificate=NEW)), Step.INSTALL, 0, ""),
    ("foreign in the chain", spec(), FOREIGN_IN_CHAIN, vendor(order(certificate=NEW)), Step.KEEP, 0, ""),
    ("rekey", spec(rekey=True), installed(NEW), vendor(order(certificate=NEW)), Step.REISSUE, 0, ""),
    ("rekeyed, not installed", spec(rekey=True), installed(leaf(key="other"), staged=request()),
     vendor(order(certificate=NEW)), Step.INSTALL, 0, ""),
    ("ends within the term", spec(), installed(OLD), vendor(order(certificate=OLD)), Step.REISSUE, 0, ""),
    ("ends with the term, too early to renew", spec(), installed(OLD),
     vendor(order(certificate=OLD, end_date=TERM_ENDS)), Step.KEEP, 0, ""),
    ("term ends", spec(), installed(leaf(age=180)),
     vendor(order(certificate=leaf(age=180), end_date=(NOW + 19 * DAY).date())), Step.RENEW, 2500, ""),
    ("term ends, product changed", spec(), installed(leaf(age=180)),
     vendor(order(certificate=leaf(age=180), end_date=(NOW + 19 * DAY).date(), product_id=66)), Step.BUY, 2500, ""),
    ("name added within paid slots", MORE, installed(NEW), vendor(order(certificate=NEW, single_sans=2)),
     Step.REISSUE, 0, ""),
    ("fewer names", spec(names=NAMES[:1]), installed(NEW), vendor(order(certificate=NEW)), Step.KEEP, 0, ""),
    ("other common name", spec(names=("new.example.com",)), installed(NEW), vendor(order(certificate=NEW)),
     Step.REISSUE, 0, ""),
    ("other common name, DigiCert", spec(names=("new.example.com",)), installed(NEW),
     vendor(order(certificate=NEW), product=DIGICERT), Step.STOP, 0, ""),
    ("unpaid renewal, old certificate installed", spec(), installed(OLD), vendor(order(Status.UNPAID)), Step.STOP, 0,
     "order 7 is not paid"),
    ("unpaid, names added", MORE, STAGED, vendor(order(Status.UNPAID)), Step.STOP, 0, "not paid"),
    ("incomplete, names added", MORE, STAGED, vendor(order(Status.INCOMPLETE)), Step.STOP, 0, "api.example.com"),
    ("pending, fewer names", spec(names=NAMES[:1]), STAGED, vendor(order(Status.PENDING)), Step.RESUME, 0, ""),
    ("pending, names unknown", MORE, STAGED, vendor(order(Status.PENDING, names=())), Step.RESUME, 0, ""),
    ("pending reissue, healthy", spec(), installed(), vendor(order(Status.REISSUE)), Step.RESUME, 0, ""),
    ("pending reissue, rekey requested again", spec(rekey=True), installed(),
     vendor(order(certificate=OLD, reissuing=True)), Step.RESUME, 0, ""),
    ("cancelled, certificate still good", spec(), installed(), vendor(order(Status.CANCELLED)), Step.BUY, 2500,
     "order 7 is cancelled"),
    ("expired, certificate ended too", spec(), installed(leaf(age=300)), vendor(order(Status.EXPIRED)), Step.BUY,
     2500, "order 7 is expired"),
    ("rejected, with the CA's reason", spec(), STAGED, vendor(order(Status.REJECTED, description="CAA")),
     Step.STOP, 0, "is rejected: CAA"),
    ("rejected, old certificate installed", spec(), installed(OLD), vendor(order(Status.REJECTED)), Step.STOP, 0,
     "no reason given"),
    ("journal's order unknown to the vendor", spec(), installed(OLD), vendor(unknown=(7, "not found")), Step.STOP, 0,
     "does not return order 7 of the host's journal: not found"),
    ("journal's order unknown, abandon_intent", spec(abandon_intent=True), installed(OLD),
     vendor(unknown=(7, "no")), Step.BUY, 2500, "no order"),
    ("journal lost, order found", spec(), installed(OLD, journal=None), ends(49), Step.REISSUE, 0, "ends on"),
    ("journal lost, two orders with the key", spec(), installed(OLD, journal=None), vendor(same_key=(7, 9)),
     Step.STOP, 0, "orders 7, 9 were all placed with this key"),
    ("two orders with the key, abandon_intent", spec(abandon_intent=True), STAGED, vendor(same_key=(7, 9)), Step.STOP,
     0, "adopt"),
    ("two active orders, other keys", spec(), STAGED, vendor(same_name=(7, 9)), Step.STOP, 0, "another key: 7, 9"),
    ("more orders than can be searched", spec(), STAGED, vendor(reach=2000), Step.STOP, 0,
     "more orders than the 2000 that GoGetSSL lists"),
    ("more orders than can be searched, abandon_intent", spec(abandon_intent=True), STAGED, vendor(reach=2000),
     Step.BUY, 2500, ""),
    ("more orders than can be searched, one found", spec(), STAGED, vendor(order(certificate=NEW), reach=2000),
     Step.INSTALL, 0, ""),
    ("more orders than can be searched, other key", spec(), STAGED, vendor(same_name=(7,), reach=2000), Step.STOP, 0,
     "another key: 7"),
    ("files to adopt first", spec(adopt_files=ADOPT), HostState(), vendor(), Step.STOP, 0, "adopt"),
    ("files to adopt, order known already", spec(adopt_files=ADOPT), HostState(), vendor(order(certificate=NEW)),
     Step.STOP, 0, "files have not been adopted yet"),
    ("files adopted, no order found", spec(adopt_files=ADOPT), installed(OLD, journal=None), vendor(), Step.BUY, 2500,
     ""),
    ("certificate from the future", spec(), installed(FUTURE), vendor(order(certificate=FUTURE)), Step.STOP, 0,
     "starts on 2026-11-26 12:00 UTC, in the future"),
    ("certificate from the future, not installed", spec(), STAGED, vendor(order(certificate=FUTURE)), Step.STOP, 0,
     "the controller's clock"),
    ("certificate starting within the hour", spec(), STAGED, vendor(order(certificate=leaf(age=-0.03))),
     Step.INSTALL, 0, ""),
    ("active long after the term", spec(), having(ends(-10, term=-10)), ends(-10, term=-10), Step.STOP, 0,
     "its paid term ended on 2026-11-14"),
    ("active long after the term, abandon", spec(abandon_intent=True), having(ends(-10, term=-10)), ends(-10, term=-10),
     Step.BUY, 2500, "has ended"),
    ("term just over, still active", spec(), having(ends(-3, term=-3)), ends(-3, term=-3), Step.RENEW, 2500, "term"),
    ("term over, last certificate not issued", spec(), having(ends(-20, term=-2)), ends(-20, term=-2), Step.RENEW,
     2500, "term"),
    ("product changed, nothing due", spec(), installed(NEW), vendor(ANOTHER), Step.KEEP, 0, ""),
    ("product changed, certificate due", spec(), having(ends(40)),
     vendor(dataclasses.replace(ends(40).order, product_id=66)), Step.REISSUE, 0, "ends"),
    ("product changed, rekey", spec(rekey=True), installed(NEW), vendor(ANOTHER), Step.REISSUE, 0, "new key"),
    ("product changed for more names", MORE, installed(NEW), vendor(ANOTHER), Step.STOP, 0,
     "another product (66), and api.example.com is not in its certificate"),
    ("product changed for more names, now", dataclasses.replace(MORE, abandon_intent=True), installed(NEW),
     vendor(ANOTHER), Step.BUY, 2500, "another product"),
    ("product unknown in the order", MORE, installed(NEW), vendor(order(certificate=NEW, product_id=None)),
     Step.STOP, 500, "add_names is due"),
    ("two names more than paid for", spec(names=(*NAMES, "a.example.com", "b.example.com")), installed(NEW), ISSUED,
     Step.STOP, 1000, "2 more paid names"),
    ("name replaced within paid slots", spec(names=(NAMES[0], "api.example.com")), installed(NEW), ISSUED,
     Step.REISSUE, 0, "api.example.com is not in the certificate"),
    ("a wildcard added without a price", spec(names=(*NAMES, "*.example.com"), period=24), installed(NEW), ISSUED,
     Step.STOP, None, "add_names is due"),
    ("names added and the term ends", MORE, having(ends(20, term=20)), ends(20, term=20), Step.RENEW, 2500, "term"),
    ("common name swapped with another, DigiCert", spec(names=NAMES[::-1]), installed(NEW),
     vendor(order(certificate=NEW), product=DIGICERT), Step.KEEP, 0, ""),
    ("another brand's common name, at the term's end", spec(names=("new.example.com",)), having(ends(20, term=20)),
     vendor(ends(20, term=20).order, product=DIGICERT), Step.RENEW, 2500, "term"),
    ("key lost on the day of renewal", spec(), HostState(), ends(20, term=20), Step.RENEW, 2500, "term"),
    ("key lost, certificate nearly over", spec(), HostState(), ends(3), Step.REISSUE, 0, "ends"),
    ("key lost, order of another key", spec(), installed(leaf(key="other")), ends(100), Step.REISSUE, 0,
     "is not on the host"),
    ("host without openssl", spec(), installed(NEW, key=None), ISSUED, Step.KEEP, 0, ""),
    ("host without openssl, newer certificate issued", spec(), installed(leaf(age=20), key=None), ISSUED,
     Step.REISSUE, 0, "is not on the host"),
    ("installed files damaged, key staged", spec(), installed(NEW, damage="unreadable", key=None, staged=request()),
     ISSUED, Step.INSTALL, 0, "unreadable"),
    ("rekeyed by date, not installed yet", rekey("2026-11-23T00:00:00+00:00"),
     installed(leaf(key="other"), staged=request(),
               journal=Journal("a", 7, 68, NEW.public_key, keyed="2026-11-24T00:00:00+00:00")),
     ISSUED, Step.INSTALL, 0, ""),
    ("rekeyed by date, done", rekey("2026-11-23T18:00:00+00:00"), keyed(NEW, "2026-11-23T19:00:00+00:00"), ISSUED,
     Step.KEEP, 0, ""),
    ("rekey by date, due", rekey("2026-11-23T18:00:00+00:00"), keyed(NEW, "2026-11-23T17:00:00+00:00"), ISSUED,
     Step.REISSUE, 0, "new key"),
    ("rekey by date, unknown time of the key", rekey("2026-11-24T00:00:00+00:00"), installed(NEW), ISSUED,
     Step.REISSUE, 0, "new key"),
    ("rekey by date, in the future", rekey("2026-12-24T00:00:00+00:00"), installed(NEW), ISSUED, Step.KEEP, 0, ""),
    ("rekey as the term ends", spec(rekey=True), having(ends(20, term=20)), ends(20, term=20), Step.RENEW, 2500,
     "new key"),
)  # fmt: skip
def test_plan(requested, host_state, state, step, price, message):
    decision = plan.decide_step(requested, host_state, state, Policy(), NOW)
    assert (decision.step, decision.price, message in decision.reason) == (step, price, True), decision
    assert decision.reason


@table(
    ("requested", "state", "spend", "step"),
    ("free until the term's last day", spec(rekey=True), ends(20, term=20), "reissue", Step.REISSUE),
    ("another product, free", spec(rekey=True), vendor(dataclasses.replace(ends(20, term=20).order, product_id=66)),
     "reissue", Step.REISSUE),
    ("a renewal is allowed", spec(rekey=True), ends(20, term=20), "renew", Step.RENEW),
    ("nothing is allowed", spec(rekey=True), ends(20, term=20), "none", Step.STOP),
    ("no new key is requested", spec(), ends(20, term=20), "reissue", Step.STOP),
    ("the term is over", spec(rekey=True), ends(3, term=-1), "reissue", Step.STOP),
    ("more names are requested", dataclasses.replace(MORE, rekey=True), ends(20, term=20), "reissue", Step.STOP),
)  # fmt: skip
def test_a_new_key_does_not_wait_for_a_renewal(requested, state, spend, step):
    policy = Policy(spend=frozenset({spend}))
    decision = plan.decide_step(requested, having(state), state, policy, NOW)
    assert decision.step is step, decision
    assert step is not Step.REISSUE or (decision.price, decision.cause) == (0, "rekey")


@pytest.mark.parametrize(
    ("requested", "host_state", "expected"),
    [
        (spec(), installed(), True),
        (spec(), installed(files=FILES), True),
        (spec(names=(*NAMES, "new.shop.example.com")), installed(files=FILES), True),  # its files exist
        (spec(), installed(unverified=True), True),
        (spec(layout=BUNDLE), installed(files=FILES), False),
        (spec(), installed(damage="torn"), False),
        (spec(), installed(key="another"), False),
        (spec(), installed(leaf(age=300)), False),
        (spec(), HostState(), False),
    ],
)
def test_complete(requested, host_state, expected):
    assert _installed.complete(requested, host_state, NOW) is expected


@pytest.mark.parametrize("lifetime", [398, 199, 100, 47])
@table(
    ("left", "term", "step"),
    ("fresh", lambda lifetime: lifetime - 1, None, Step.KEEP),
    ("a day before the earliest moment", lambda lifetime: lifetime / 3 + lifetime / 20 + 1, None, Step.KEEP),
    ("a third remains", lambda lifetime: lifetime / 3, None, Step.REISSUE),
    ("a week remains", lambda _lifetime: 7, None, Step.REISSUE),
    ("ended", lambda _lifetime: -1, None, Step.REISSUE),
    ("last of its term, too early to renew", lambda _lifetime: 35, lambda left: left, Step.KEEP),
    ("last of its term, within the window", lambda life: min(20, life / 3 - 1), lambda left: left, Step.RENEW),
    ("ends a day before the term, within the window", lambda life: life / 4, lambda _left: 13, Step.RENEW),
    ("ends five days before the term", lambda _lifetime: 10, lambda left: left + 5, Step.REISSUE),
    ("ends long before the term", lambda life: life / 4, lambda left: left + 100, Step.REISSUE),
    ("outlives its term, due", lambda life: life / 4, lambda _left: 5, Step.RENEW),
    ("outlives its term, not due", lambda life: life * 0.6, lambda _left: 5, Step.KEEP),
    ("term over, certificate not due", lambda life: life * 0.6, lambda _left: -1, Step.KEEP),
    ("term over, certificate due", lambda life: life / 4, lambda _left: -2, Step.RENEW),
)
def test_due_on(lifetime, left, term, step):
    """The same rule for all maximum lifetimes."""
    days = left(lifetime)
    state = ends(days, lifetime, term(days) if term else 500)
    decision = plan.decide_step(spec(), having(state), state, Policy(), NOW)
    assert decision.step is step, decision
    assert decision.deadline == having(state).certificate.not_after


@pytest.mark.parametrize(
    ("spend", "limit", "state", "requested", "step", "message"),
    [
        ({"none"}, None, vendor(), spec(), Step.STOP, "buy is due"),
        ({"reissue"}, None, vendor(), spec(), Step.STOP, "allows only: reissue"),
        ({"renew"}, None, vendor(), spec(), Step.STOP, "allows only: renew"),
        ({"buy"}, 2500, vendor(), spec(), Step.BUY, "no order"),
        (
            {"buy"},
            2499,
            vendor(),
            spec(),
            Step.STOP,
            "costs 25.00 before tax, above the limit of 24.99 for one step",
        ),
        ({"buy"}, 9999, vendor(price=None), spec(), Step.STOP, "price is not known"),
        ({"none"}, None, vendor(order(certificate=OLD)), spec(), Step.STOP, "reissue is due"),
        ({"reissue"}, 0, vendor(order(certificate=OLD)), spec(), Step.REISSUE, "ends"),
        ({"buy"}, None, vendor(order(certificate=OLD)), spec(), Step.REISSUE, "ends"),
        ({"buy"}, None, vendor(order(certificate=NEW)), MORE, Step.STOP, "add_names is due"),
        ({"buy", "add_names"}, None, vendor(order(certificate=NEW)), MORE, Step.ADD_NAMES, "1 more"),
        ({"add_names"}, 400, vendor(order(certificate=NEW)), MORE, Step.STOP, "limit"),
        ({"none"}, None, vendor(order(Status.PROCESSING)), spec(), Step.RESUME, "under way"),
    ],
)
def test_policy(spend, limit, state, requested, step, message):
    current = _x509.read_certificate(state.order.certificate) if state.order and state.order.certificate else None
    host_state = installed(current) if current else STAGED
    decision = plan.decide_step(requested, host_state, state, Policy(frozenset(spend), limit), NOW)
    assert (decision.step, message in decision.reason) == (step, True), decision


WILDCARD = dataclasses.replace(PRODUCT, name="Wildcard", wildcard=True, multi_domain=False)
SINGLE = dataclasses.replace(PRODUCT, name="Single", multi_domain=False)
OV = dataclasses.replace(PRODUCT, name="Business", validation=ValidationLevel.OV)


@pytest.mark.parametrize(
    ("requested", "product", "message"),
    [
        (spec(), PRODUCT, ""),
        (spec(period=36), PRODUCT, "not sold for 36 months (available: 12, 24)"),
        (spec(), SINGLE, ""),
        (
            spec(names=("a.example.com", "b.example.com")),
            SINGLE,
            "for one name and covers a.example.com and www.a.example.com, so b.example.com",
        ),
        (spec(names=("*.example.com",)), SINGLE, "does not cover wildcards"),
        (spec(names=("*.example.com", "example.com")), WILDCARD, ""),
        (spec(names=("*.example.com", "www.example.com")), WILDCARD, ""),
        (
            spec(names=(f"{'a' * 60}.example.com", *NAMES)),
            PRODUCT,
            "has 72 characters, and the first name is the common",
        ),
        (spec(names=(*NAMES, f"{'a' * 60}.example.com")), PRODUCT, ""),
        (spec(), WILDCARD, "must start with '*.'"),
        (spec(names=("example.com", "*.example.com")), PRODUCT, "not support wildcards as additional names"),
        (spec(names=tuple(f"n{i}.example.com" for i in range(5))), PRODUCT, "at most 3 additional names, not 4"),
        (spec(methods={NAMES[0]: "http", NAMES[1]: "dns"}), PRODUCT, ""),
        (spec(methods={NAMES[0]: "http", NAMES[1]: "dns"}), DIGICERT, "one validation method"),
        (spec(), dataclasses.replace(PRODUCT, methods=frozenset({"dns"})), "cannot be validated by http"),
        (spec(admin={}), PRODUCT, "needs admin.firstname, admin.lastname, admin.phone, admin.title, admin.email"),
        (spec(), OV, "admin.organization"),
        (spec(admin=PERSON | ADDRESS, tech=PERSON | ADDRESS), OV, "organization.name"),
        (spec(admin=PERSON | ADDRESS, tech=PERSON | ADDRESS, organization=COMPANY), OV, ""),
        (spec(organization={"lei": "x" * 21}), PRODUCT, "at most 20"),
    ],
)
def test_product_problem(requested, product, message):
    problem = product_fit.problem(requested, product)
    assert message in problem if message else problem == ""


def test_period_and_contacts_are_checks_of_a_purchase_only():
    unsold = dataclasses.replace(PRODUCT, prices={})
    assert "not sold for 12 months" in product_fit.purchase_problem(spec(), unsold)
    assert "needs admin.firstname" in product_fit.purchase_problem(spec(admin={}), PRODUCT)
    assert product_fit.request_problem(spec(admin={}), unsold) == ""


def test_missing_keys_of_contacts_are_an_example_to_copy() -> None:
    person = {"firstname": "Ada", "lastname": "Lovelace", "phone": "+371", "email": "ada@example.com"}
    problem = product_fit.purchase_problem(spec(admin=person, tech=person), PRODUCT)
    assert problem.endswith("needs admin.title; for example gogetssl_admin: {title: Ms}")
    both = product_fit.purchase_problem(spec(admin={}), dataclasses.replace(PRODUCT, validation=ValidationLevel.OV))
    assert 'gogetssl_admin: {firstname: Ada, lastname: Lovelace, phone: "+37122222222"' in both
    assert "and gogetssl_organization: {name: Example SIA, division: IT" in both
    assert "tech" not in both


@pytest.mark.parametrize(
    ("names", "included", "price"),
    [
        (NAMES[:1], 0, 2000),
        (NAMES, 0, 2500),
        (NAMES, 1, 2000),
        ((*NAMES, "*.example.com"), 0, 6500),
        ((*NAMES, "*.example.com"), 1, 6000),
        ((*NAMES, "*.example.com"), 5, 2000),
    ],
)
def test_price(names, included, price):
    product = dataclasses.replace(PRODUCT, included_sans=included)
    assert prices.price_of(spec(names=names), product) == price


def test_the_spread_differs_by_name_and_is_limited():
    due = {_lifetime.due_on(f"shop{number}", leaf(), None) for number in range(200)}
    third = leaf().not_after - (leaf().not_after - leaf().not_before) / 3
    assert len(due) == 200
    assert all(third - 10 * DAY <= one <= third for one in due)


@pytest.mark.parametrize(("days_left", "step"), [(30, Step.KEEP), (25, Step.RENEW)])
def test_the_first_day_of_the_renewal_window_is_skipped(days_left, step):
    """The vendor counts from the end of the last day of the term and would refuse a renewal on this day."""
    newest = leaf(age=199 - days_left)
    term = vendor(order(certificate=newest, end_date=newest.not_after.date()))
    due = _lifetime.due_on("shop", newest, newest.not_after.date())
    end = dt.datetime.combine(newest.not_after.date(), dt.time(), dt.timezone.utc)
    assert due > end - 29.01 * DAY
    assert plan.decide_step(spec(), installed(newest), term, plan.Policy(), NOW).step is step


def test_another_key_type_is_reported_with_the_date_of_its_effect():
    newest = leaf()
    kept = plan.evaluate_host(spec(key_type="rsa-2048"), installed(newest), NOW)
    assert kept.step is Step.KEEP
    assert kept.reason.endswith("; its key is ecdsa-p256, and rsa-2048 takes effect then, or now with rekey")
    assert "its key is" not in plan.evaluate_host(spec(key_type="ecdsa-p256"), installed(newest), NOW).reason


@pytest.mark.parametrize(
    ("days_over", "changes", "step"),
    [
        (-1, {}, Step.RESUME),
        (2, {}, Step.BUY),
        (2, {"product_id": 66}, Step.BUY),
        (2, {"status": Status.REISSUE, "reissuing": False, "certificate": None}, Step.BUY),
        (9, {}, Step.STOP),
    ],
)
def test_a_reissue_that_is_never_validated_does_not_outlive_its_term(days_over, changes, step):
    reissued = order(certificate=OLD, reissuing=True, end_date=(NOW - days_over * DAY).date())
    reissued = dataclasses.replace(reissued, **changes)
    decision = plan.decide_step(spec(), installed(OLD), vendor(reissued), plan.Policy(), NOW)
    assert (decision.refused or decision.step) is step
    if step is Step.STOP:
        again = plan.decide_step(spec(abandon_intent=True), installed(OLD), vendor(reissued), plan.Policy(), NOW)
        assert (again.refused or again.step) is Step.BUY
