# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judgement as tables: each row says what is wanted, what is there and what has to come out."""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.certops.gogetssl.plugins.module_utils import _plan, _x509
from ansible_collections.certops.gogetssl.plugins.module_utils._decision import Step
from ansible_collections.certops.gogetssl.plugins.module_utils._journal import (
    FileFacts,
    HostState,
    Intent,
    Journal,
    Served,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._layout import Layout
from ansible_collections.certops.gogetssl.plugins.module_utils._models import (
    Family,
    Order,
    Product,
    Status,
    Validation,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._plan import VendorState
from ansible_collections.certops.gogetssl.plugins.module_utils._spend import Policy
from ansible_collections.certops.gogetssl.plugins.module_utils._wanted import Wanted

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)
DAY = dt.timedelta(days=1)
NAMES = ("shop.example.com", "www.shop.example.com")
PERSON = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+1"}
COMPANY = dict.fromkeys(_plan._ORGANIZATION, "x")
ADDRESS = dict.fromkeys(_plan._ADDRESS, "x")
KEY, OTHER_KEY = (ec.generate_private_key(ec.SECP256R1()) for _unused in range(2))


@functools.cache
def leaf(names=NAMES, age=10, lifetime=199, key="key"):
    """A self-signed certificate of an age and lifetime in days."""
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


def wanted(**changes):
    methods = dict.fromkeys(changes.get("names", NAMES), "http")
    base = Wanted("shop", NAMES, "68", 12, methods, admin=PERSON, tech=PERSON)
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
        proofs=(),
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
    validation=Validation.DV,
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
UNTOLD = dict.fromkeys(BUNDLE.files, FileFacts())


def table(columns, *rows):
    """A table of cases; the first cell of a row names it."""
    names = [row[0] for row in rows]
    assert len(set(names)) == len(names), "two rows have one name"
    return pytest.mark.parametrize(columns, [pytest.param(*row[1:], id=row[0]) for row in rows])


def day(offset):
    return (NOW + offset * DAY).date()


FUTURE = leaf(age=-2)
KEYED = "2026-11-20T12:00:00+00:00"  # when the journal says that the installed key was sent


def rekey(text):
    return wanted(rekey=dt.datetime.fromisoformat(text))


def keyed(certificate=None, when=KEYED):
    certificate = certificate or leaf()
    return installed(certificate, journal=Journal("a", 7, 68, certificate.public_key, keyed=when))


@table(
    ("wish", "found", "step", "words"),
    ("nothing there", wanted(), HostState(), Step.OBTAIN, "no certificate"),
    ("unreadable", wanted(), HostState(damage="cannot be read"), Step.OBTAIN, "cannot be read"),
    ("healthy", wanted(), installed(), Step.KEEP, "valid until"),
    ("healthy, adopted by hand", wanted(), installed(journal=None), Step.KEEP, "valid until"),
    ("intent left", wanted(), installed(intent=INTENT), Step.OBTAIN, "outcome"),
    ("order under way", wanted(), HostState(journal=Journal("a", 7, 68, "k")), Step.OBTAIN, "order 7"),
    ("reissue under way", wanted(), installed(journal=Journal("a", 7, 68, "new")), Step.OBTAIN, "order 7"),
    ("ends soon", wanted(), installed(OLD), Step.OBTAIN, "ends on"),
    ("ended", wanted(), installed(leaf(age=300)), Step.OBTAIN, "expired"),
    ("other key", wanted(), installed(key="0"), Step.OBTAIN, "does not belong"),
    ("key damaged", wanted(), installed(damage="the installed private key is missing"), Step.OBTAIN, "missing"),
    ("key cannot be told", wanted(), installed(key=None), Step.KEEP, "valid"),
    ("more names", wanted(names=(*NAMES, "api.example.com")), installed(), Step.OBTAIN, "api.example.com"),
    ("fewer names", wanted(names=NAMES[:1]), installed(), Step.KEEP, "valid"),
    ("covered by a wildcard", wanted(names=("a.example.com",)), installed(leaf(("*.example.com",))), Step.KEEP, ""),
    ("not covered two deep", wanted(names=("a.b.example.com",)), installed(leaf(("*.example.com",))),
     Step.OBTAIN, ""),
    ("rekey", wanted(rekey=True), installed(), Step.OBTAIN, "new key"),
    ("served", wanted(), installed(served=(Served("l", leaf().sha256),)), Step.KEEP, "valid"),
    ("other one served", wanted(), installed(served=(Served("l", "0"),)), Step.INSTALL, "does not serve"),
    ("none served", wanted(), installed(served=(Served("l", None),)), Step.INSTALL, "l does not serve"),
    ("files as wished", wanted(), installed(files=FILES), Step.KEEP, "valid"),
    ("files cannot be told", wanted(layout=BUNDLE), installed(), Step.KEEP, "valid"),
    ("rights cannot be told", wanted(layout=BUNDLE), installed(files=UNTOLD), Step.KEEP, "valid"),
    ("a form more", wanted(layout=BUNDLE), installed(files=FILES), Step.INSTALL, "haproxy.pem: not there"),
    ("key for all to read", wanted(), installed(files={**FILES, "privkey.pem": facts(0o644)}), Step.INSTALL,
     "privkey.pem has mode 0644 instead of 0600"),
    ("owner by name", wanted(layout=Layout(owner="root", group="0")), installed(files=FILES), Step.KEEP, "valid"),
    ("other owner", wanted(layout=Layout(owner="7")), installed(files=FILES), Step.INSTALL,
     "privkey.pem has the owner root instead of 7"),
    ("other group", wanted(layout=Layout(group="ssl-cert")), installed(files=FILES), Step.INSTALL,
     "privkey.pem has the group root instead of ssl-cert"),
    ("not proven yet", wanted(), installed(unproven=True), Step.INSTALL, "have not been seen to take"),
    ("leftovers alone", wanted(), installed(leftovers=True), Step.KEEP, "valid"),
    ("form more, and ended", wanted(layout=BUNDLE), installed(leaf(age=300), files=FILES), Step.OBTAIN, "expired"),
    ("last of its term", wanted(), LAST_OF_TERM, Step.KEEP, "to be replaced"),
    ("199 days, 68 left", wanted(), installed(leaf(age=120)), Step.KEEP, ""),
    ("100 days, 50 left", wanted(), installed(leaf(age=50, lifetime=100)), Step.KEEP, ""),
    ("100 days, 33 left", wanted(), installed(leaf(age=67, lifetime=100)), Step.OBTAIN, "ends"),
    ("47 days, 20 left", wanted(), installed(leaf(age=27, lifetime=47)), Step.KEEP, ""),
    ("47 days, 15 left", wanted(), installed(leaf(age=32, lifetime=47)), Step.OBTAIN, "ends"),
    ("398 days, 160 left", wanted(), installed(leaf(age=238, lifetime=398)), Step.KEEP, ""),
    ("398 days, 130 left", wanted(), installed(leaf(age=268, lifetime=398)), Step.OBTAIN, "ends"),
    ("certificate of tomorrow", wanted(), installed(FUTURE), Step.OBTAIN, "is valid from 2026-11-26 12:00 UTC only"),
    ("certificate of this hour", wanted(), installed(leaf(age=-0.03)), Step.KEEP, "valid"),
    ("intent beats a healthy certificate", wanted(), installed(served=(), intent=INTENT), Step.OBTAIN, "outcome"),
    ("intent without certificate", wanted(), HostState(intent=INTENT), Step.OBTAIN, "outcome"),
    ("key wish older than the key", rekey("2026-11-20T11:59:59+00:00"), keyed(), Step.KEEP, ""),
    ("key wish younger than the key", rekey("2026-11-20T12:00:01+00:00"), keyed(), Step.OBTAIN, "new key"),
    ("key wish of another zone", rekey("2026-11-20T12:30:00+02:00"), keyed(), Step.KEEP, ""),
    ("key wish that has not come", rekey("2026-11-25T00:00:00+00:00"), keyed(), Step.KEEP, ""),
    ("key wish of this moment", rekey("2026-11-24T12:00:00+00:00"), keyed(), Step.OBTAIN, "new key"),
    ("key wish, journal of an older release", rekey("2026-11-15T00:00:00+00:00"), installed(), Step.OBTAIN, "new key"),
    ("key wish before the certificate, no journal", rekey("2026-11-14T00:00:00+00:00"), installed(journal=None),
     Step.KEEP, ""),
    ("key wish after the certificate, no journal", rekey("2026-11-15T00:00:00+00:00"), installed(journal=None),
     Step.OBTAIN, "new key"),
    ("other common name, in the certificate", wanted(names=NAMES[::-1]), installed(), Step.KEEP, ""),
    ("other common name, not in it", wanted(names=("new.example.com",)), installed(), Step.OBTAIN, "new.example.com"),
    ("files to adopt, nothing installed", wanted(adopt_files=ADOPT), HostState(), Step.OBTAIN, "no certificate"),
    ("files to adopt, installed since", wanted(adopt_files=ADOPT), installed(), Step.KEEP, ""),
    ("damaged and due", wanted(), installed(OLD, damage="the key is gone"), Step.OBTAIN, "the key is gone"),
    ("due and not served", wanted(), installed(OLD, served=(Served("l", None),)), Step.OBTAIN, "ends"),
    ("one of two listeners", wanted(), installed(served=(Served("a", leaf().sha256), Served("b", "0"))), Step.INSTALL,
     "b does not serve"),
    ("term over, certificate not", wanted(),
     installed(journal=Journal("a", 7, 68, leaf().public_key, day(-1).isoformat())), Step.KEEP, ""),
)  # fmt: skip
def test_judge(wish, found, step, words):
    decision = _plan.judge(wish, found, NOW)
    assert (decision.step, words in decision.reason) == (step, True), decision
    assert decision.deadline == (found.certificate.not_after if found.certificate else None)


NEW = leaf(age=1)  # made for KEY
STAGED = HostState(staged=request())
BROKEN_CHAIN = installed(NEW, chain=(leaf(key="other"),))
MORE = wanted(names=(*NAMES, "api.example.com"))
DIGICERT = dataclasses.replace(PRODUCT, family=Family.DIGICERT)


def ends(left, lifetime=199, term=None, key="key"):
    """The order's certificate with so many days left, in a term with so many days left."""
    certificate = leaf(age=lifetime - left, lifetime=lifetime, key=key)
    return vendor(order(certificate=certificate, end_date=day(265 if term is None else term)))


def having(state):
    """A host that has the order's certificate installed."""
    return installed(_x509.read_certificate(state.order.certificate))


SINGLE_NAME = dataclasses.replace(PRODUCT, product_id=66, name="Single", multi_domain=False)
ANOTHER = order(certificate=NEW, product_id=66)
ISSUED = vendor(order(certificate=NEW))


@table(
    ("wish", "found", "state", "step", "price", "words"),
    ("first time", wanted(), STAGED, vendor(), Step.BUY, 2500, ""),
    ("two orders with this key", wanted(), STAGED, vendor(same_key=(7, 8)), Step.STOP, 0, ""),
    ("live order, other key", wanted(), STAGED, vendor(same_name=(7,)), Step.STOP, 0, ""),
    ("live order, said to be another's", wanted(abandon_intent=True), STAGED, vendor(same_name=(7,)),
     Step.BUY, 2500, ""),
    ("processing", wanted(), STAGED, vendor(order(Status.PROCESSING)), Step.RESUME, 0, ""),
    ("pending", wanted(), STAGED, vendor(order(Status.PENDING)), Step.RESUME, 0, ""),
    ("unpaid", wanted(), STAGED, vendor(order(Status.UNPAID)), Step.STOP, 0, "pay its invoice or add funds"),
    ("new", wanted(), STAGED, vendor(order(Status.NEW_ORDER)), Step.RESUME, 0, ""),
    ("incomplete", wanted(), STAGED, vendor(order(Status.INCOMPLETE)), Step.RESUME, 0, ""),
    ("reissue under way", wanted(), STAGED, vendor(order(Status.REISSUE)), Step.RESUME, 0, ""),
    ("reissue flag", wanted(), STAGED, vendor(order(certificate=OLD, reissuing=True)), Step.RESUME, 0, ""),
    ("pending, names added", MORE, STAGED, vendor(order(Status.PROCESSING)), Step.STOP, 0, ""),
    ("cancelled", wanted(), STAGED, vendor(order(Status.CANCELLED)), Step.BUY, 2500, ""),
    ("expired", wanted(), STAGED, vendor(order(Status.EXPIRED)), Step.BUY, 2500, ""),
    ("revoked", wanted(), STAGED, vendor(order(Status.REVOKED)), Step.BUY, 2500, ""),
    ("rejected", wanted(), STAGED, vendor(order(Status.REJECTED)), Step.STOP, 0, ""),
    ("rejected, told to go on", wanted(abandon_intent=True), STAGED, vendor(order(Status.REJECTED)),
     Step.BUY, 2500, ""),
    ("issued, never installed", wanted(), STAGED, vendor(order(certificate=NEW)), Step.INSTALL, 0, ""),
    ("active without certificate", wanted(), STAGED, vendor(order()), Step.RESUME, 0, ""),
    ("issued and installed", wanted(), installed(NEW), vendor(order(certificate=NEW)), Step.KEEP, 0, ""),
    ("issued, key lost", wanted(), HostState(), vendor(order(certificate=NEW)), Step.REISSUE, 0, ""),
    ("issued, another key staged", wanted(), HostState(staged=request("other")), vendor(order(certificate=NEW)),
     Step.REISSUE, 0, ""),
    ("installed key replaced", wanted(), installed(NEW, key="0"), vendor(order(certificate=NEW)), Step.REISSUE, 0, ""),
    ("a form more", wanted(layout=BUNDLE), installed(NEW, files=FILES), vendor(order(certificate=NEW)), Step.INSTALL, 0,
     ""),
    ("chain broken on the host", wanted(), BROKEN_CHAIN, vendor(order(certificate=NEW)), Step.INSTALL, 0, ""),
    ("rekey", wanted(rekey=True), installed(NEW), vendor(order(certificate=NEW)), Step.REISSUE, 0, ""),
    ("rekeyed, not installed", wanted(rekey=True), installed(leaf(key="other"), staged=request()),
     vendor(order(certificate=NEW)), Step.INSTALL, 0, ""),
    ("ends within the term", wanted(), installed(OLD), vendor(order(certificate=OLD)), Step.REISSUE, 0, ""),
    ("ends with the term, too early to renew", wanted(), installed(OLD),
     vendor(order(certificate=OLD, end_date=TERM_ENDS)), Step.KEEP, 0, ""),
    ("term ends", wanted(), installed(leaf(age=180)),
     vendor(order(certificate=leaf(age=180), end_date=(NOW + 19 * DAY).date())), Step.RENEW, 2500, ""),
    ("term ends, product changed", wanted(), installed(leaf(age=180)),
     vendor(order(certificate=leaf(age=180), end_date=(NOW + 19 * DAY).date(), product_id=66)), Step.BUY, 2500, ""),
    ("name added within bought room", MORE, installed(NEW), vendor(order(certificate=NEW, single_sans=2)),
     Step.REISSUE, 0, ""),
    ("fewer names", wanted(names=NAMES[:1]), installed(NEW), vendor(order(certificate=NEW)), Step.KEEP, 0, ""),
    ("other common name", wanted(names=("new.example.com",)), installed(NEW), vendor(order(certificate=NEW)),
     Step.REISSUE, 0, ""),
    ("other common name, DigiCert", wanted(names=("new.example.com",)), installed(NEW),
     vendor(order(certificate=NEW), product=DIGICERT), Step.STOP, 0, ""),
    ("unpaid renewal, old certificate installed", wanted(), installed(OLD), vendor(order(Status.UNPAID)), Step.STOP, 0,
     "order 7 is not paid"),
    ("unpaid, names added", MORE, STAGED, vendor(order(Status.UNPAID)), Step.STOP, 0, "not paid"),
    ("incomplete, names added", MORE, STAGED, vendor(order(Status.INCOMPLETE)), Step.STOP, 0, "api.example.com"),
    ("pending, fewer names", wanted(names=NAMES[:1]), STAGED, vendor(order(Status.PENDING)), Step.RESUME, 0, ""),
    ("pending, names not told", MORE, STAGED, vendor(order(Status.PENDING, names=())), Step.RESUME, 0, ""),
    ("reissue under way, healthy meanwhile", wanted(), installed(), vendor(order(Status.REISSUE)), Step.RESUME, 0, ""),
    ("reissue under way, rekey wished again", wanted(rekey=True), installed(),
     vendor(order(certificate=OLD, reissuing=True)), Step.RESUME, 0, ""),
    ("cancelled, certificate still good", wanted(), installed(), vendor(order(Status.CANCELLED)), Step.BUY, 2500,
     "order 7 is cancelled"),
    ("expired, certificate ended too", wanted(), installed(leaf(age=300)), vendor(order(Status.EXPIRED)), Step.BUY,
     2500, "order 7 is expired"),
    ("rejected, with the authority's words", wanted(), STAGED, vendor(order(Status.REJECTED, description="CAA")),
     Step.STOP, 0, "was rejected (CAA)"),
    ("rejected, old certificate installed", wanted(), installed(OLD), vendor(order(Status.REJECTED)), Step.STOP, 0,
     "no reason given"),
    ("journal's order unknown to the vendor", wanted(), installed(OLD), vendor(unknown=(7, "not found")), Step.STOP, 0,
     "does not give order 7 of the host's journal (not found)"),
    ("journal's order unknown, told to go on", wanted(abandon_intent=True), installed(OLD),
     vendor(unknown=(7, "no")), Step.BUY, 2500, "no order"),
    ("journal lost, order found", wanted(), installed(OLD, journal=None), ends(49), Step.REISSUE, 0, "ends on"),
    ("journal lost, two orders with the key", wanted(), installed(OLD, journal=None), vendor(same_key=(7, 9)),
     Step.STOP, 0, "orders 7, 9 were all placed with this key"),
    ("two orders with the key, told to go on", wanted(abandon_intent=True), STAGED, vendor(same_key=(7, 9)), Step.STOP,
     0, "adopt"),
    ("two live orders, other keys", wanted(), STAGED, vendor(same_name=(7, 9)), Step.STOP, 0, "another key: 7, 9"),
    ("more orders than can be searched", wanted(), STAGED, vendor(reach=2000), Step.STOP, 0,
     "more orders than the 2000 GoGetSSL lists"),
    ("more orders than can be searched, go on", wanted(abandon_intent=True), STAGED, vendor(reach=2000), Step.BUY,
     2500, ""),
    ("more orders than can be searched, one found", wanted(), STAGED, vendor(order(certificate=NEW), reach=2000),
     Step.INSTALL, 0, ""),
    ("more orders than can be searched, a rival", wanted(), STAGED, vendor(same_name=(7,), reach=2000), Step.STOP, 0,
     "another key: 7"),
    ("files to adopt first", wanted(adopt_files=ADOPT), HostState(), vendor(), Step.STOP, 0, "adopt"),
    ("files to adopt, order known already", wanted(adopt_files=ADOPT), HostState(), vendor(order(certificate=NEW)),
     Step.STOP, 0, "have not been taken over"),
    ("files adopted, no order found", wanted(adopt_files=ADOPT), installed(OLD, journal=None), vendor(), Step.BUY, 2500,
     ""),
    ("certificate from the future", wanted(), installed(FUTURE), vendor(order(certificate=FUTURE)), Step.STOP, 0,
     "starts on 2026-11-26 12:00 UTC, which is in the future"),
    ("certificate from the future, not installed", wanted(), STAGED, vendor(order(certificate=FUTURE)), Step.STOP, 0,
     "the controller's clock"),
    ("certificate of within the hour", wanted(), STAGED, vendor(order(certificate=leaf(age=-0.03))), Step.INSTALL, 0,
     ""),
    ("active although the term is long over", wanted(), having(ends(-10, term=-10)), ends(-10, term=-10), Step.STOP, 0,
     "its paid term has ended on 2026-11-14"),
    ("the same, and the clock is right", wanted(abandon_intent=True), having(ends(-10, term=-10)), ends(-10, term=-10),
     Step.BUY, 2500, "has ended"),
    ("term just over, still active", wanted(), having(ends(-3, term=-3)), ends(-3, term=-3), Step.RENEW, 2500, "term"),
    ("term over, its last certificate never made", wanted(), having(ends(-20, term=-2)), ends(-20, term=-2), Step.RENEW,
     2500, "term"),
    ("product changed, nothing due", wanted(), installed(NEW), vendor(ANOTHER), Step.KEEP, 0, ""),
    ("product changed, certificate due", wanted(), having(ends(40)),
     vendor(dataclasses.replace(ends(40).order, product_id=66)), Step.REISSUE, 0, "ends"),
    ("product changed, rekey", wanted(rekey=True), installed(NEW), vendor(ANOTHER), Step.REISSUE, 0, "new key"),
    ("product changed for more names", MORE, installed(NEW), vendor(ANOTHER), Step.STOP, 0,
     "another product (66), and api.example.com is not in its certificate"),
    ("product changed for more names, now", dataclasses.replace(MORE, abandon_intent=True), installed(NEW),
     vendor(ANOTHER), Step.BUY, 2500, "another product"),
    ("product not told by the order", MORE, installed(NEW), vendor(order(certificate=NEW, product_id=None)),
     Step.STOP, 500, "add_names is due"),
    ("two names more than paid for", wanted(names=(*NAMES, "a.example.com", "b.example.com")), installed(NEW), ISSUED,
     Step.STOP, 1000, "2 more paid names"),
    ("a name swapped within the bought room", wanted(names=(NAMES[0], "api.example.com")), installed(NEW), ISSUED,
     Step.REISSUE, 0, "api.example.com is not in the certificate"),
    ("a wildcard added without a price", wanted(names=(*NAMES, "*.example.com"), period=24), installed(NEW), ISSUED,
     Step.STOP, None, "add_names is due"),
    ("names added and the term ends", MORE, having(ends(20, term=20)), ends(20, term=20), Step.RENEW, 2500, "term"),
    ("common name swapped with another, DigiCert", wanted(names=NAMES[::-1]), installed(NEW),
     vendor(order(certificate=NEW), product=DIGICERT), Step.KEEP, 0, ""),
    ("another brand's common name, at the term's end", wanted(names=("new.example.com",)), having(ends(20, term=20)),
     vendor(ends(20, term=20).order, product=DIGICERT), Step.RENEW, 2500, "term"),
    ("key lost on the day of renewal", wanted(), HostState(), ends(20, term=20), Step.RENEW, 2500, "term"),
    ("key lost, certificate nearly over", wanted(), HostState(), ends(3), Step.REISSUE, 0, "ends"),
    ("key lost, order of another key", wanted(), installed(leaf(key="other")), ends(100), Step.REISSUE, 0,
     "is not on the host"),
    ("host without openssl", wanted(), installed(NEW, key=None), ISSUED, Step.KEEP, 0, ""),
    ("host without openssl, newer certificate issued", wanted(), installed(leaf(age=20), key=None), ISSUED,
     Step.REISSUE, 0, "is not on the host"),
    ("installed files damaged, key staged", wanted(), installed(NEW, damage="unreadable", key=None, staged=request()),
     ISSUED, Step.INSTALL, 0, "unreadable"),
    ("rekeyed by date, not installed yet", rekey("2026-11-23T00:00:00+00:00"),
     installed(leaf(key="other"), staged=request(),
               journal=Journal("a", 7, 68, NEW.public_key, keyed="2026-11-24T00:00:00+00:00")),
     ISSUED, Step.INSTALL, 0, ""),
    ("rekeyed by date, done", rekey("2026-11-23T18:00:00+00:00"), keyed(NEW, "2026-11-23T19:00:00+00:00"), ISSUED,
     Step.KEEP, 0, ""),
    ("rekey by date, due", rekey("2026-11-23T18:00:00+00:00"), keyed(NEW, "2026-11-23T17:00:00+00:00"), ISSUED,
     Step.REISSUE, 0, "new key"),
    ("rekey by date, key sent by nobody known", rekey("2026-11-24T00:00:00+00:00"), installed(NEW), ISSUED,
     Step.REISSUE, 0, "new key"),
    ("rekey by date, of the future", rekey("2026-12-24T00:00:00+00:00"), installed(NEW), ISSUED, Step.KEEP, 0, ""),
    ("rekey as the term ends", wanted(rekey=True), having(ends(20, term=20)), ends(20, term=20), Step.RENEW, 2500,
     "new key"),
)  # fmt: skip
def test_plan(wish, found, state, step, price, words):
    decision = _plan.plan(wish, found, state, Policy(), NOW)
    assert (decision.step, decision.price, words in decision.reason) == (step, price, True), decision
    assert decision.reason


@pytest.mark.parametrize(
    ("wish", "found", "expected"),
    [
        (wanted(), installed(), True),
        (wanted(), installed(files=FILES), True),
        (wanted(names=(*NAMES, "new.shop.example.com")), installed(files=FILES), True),  # its files are there
        (wanted(), installed(unproven=True), True),
        (wanted(layout=BUNDLE), installed(files=FILES), False),
        (wanted(), installed(damage="torn"), False),
        (wanted(), installed(key="another"), False),
        (wanted(), installed(leaf(age=300)), False),
        (wanted(), HostState(), False),
    ],
)
def test_complete(wish, found, expected):
    assert _plan.complete(wish, found, NOW) is expected


@pytest.mark.parametrize("lifetime", [398, 199, 100, 47])
@table(
    ("left", "term", "step"),
    ("fresh", lambda life: life - 1, None, Step.KEEP),
    ("a day before the earliest moment", lambda life: life / 3 + life / 20 + 1, None, Step.KEEP),
    ("a third is left", lambda life: life / 3, None, Step.REISSUE),
    ("a week is left", lambda _life: 7, None, Step.REISSUE),
    ("ended", lambda _life: -1, None, Step.REISSUE),
    ("last of its term, too early to renew", lambda _life: 35, lambda left: left, Step.KEEP),
    ("last of its term, within the window", lambda life: min(20, life / 3 - 1), lambda left: left, Step.RENEW),
    ("ends a day before the term, within the window", lambda life: life / 4, lambda _left: 13, Step.RENEW),
    ("ends five days before the term", lambda _life: 10, lambda left: left + 5, Step.REISSUE),
    ("ends long before the term", lambda life: life / 4, lambda left: left + 100, Step.REISSUE),
    ("outlives its term, due", lambda life: life / 4, lambda _left: 5, Step.RENEW),
    ("outlives its term, not due", lambda life: life * 0.6, lambda _left: 5, Step.KEEP),
    ("term over, certificate not due", lambda life: life * 0.6, lambda _left: -1, Step.KEEP),
    ("term over, certificate due", lambda life: life / 4, lambda _left: -2, Step.RENEW),
)
def test_when(lifetime, left, term, step):
    """The same rule for every lifetime that authorities will allow."""
    days = left(lifetime)
    state = ends(days, lifetime, term(days) if term else 500)
    decision = _plan.plan(wanted(), having(state), state, Policy(), NOW)
    assert decision.step is step, decision
    assert decision.deadline == having(state).certificate.not_after


@pytest.mark.parametrize(
    ("spend", "ceiling", "state", "wish", "step", "words"),
    [
        ({"none"}, None, vendor(), wanted(), Step.STOP, "buy is due"),
        ({"reissue"}, None, vendor(), wanted(), Step.STOP, "may only: reissue"),
        ({"renew"}, None, vendor(), wanted(), Step.STOP, "may only: renew"),
        ({"buy"}, 2500, vendor(), wanted(), Step.BUY, "no order"),
        (
            {"buy"},
            2499,
            vendor(),
            wanted(),
            Step.STOP,
            "costs 25.00 before tax, above the ceiling of 24.99 for one step",
        ),
        ({"buy"}, 9999, vendor(price=None), wanted(), Step.STOP, "price is not known"),
        ({"none"}, None, vendor(order(certificate=OLD)), wanted(), Step.STOP, "reissue is due"),
        ({"reissue"}, 0, vendor(order(certificate=OLD)), wanted(), Step.REISSUE, "ends"),
        ({"buy"}, None, vendor(order(certificate=OLD)), wanted(), Step.REISSUE, "ends"),
        ({"buy"}, None, vendor(order(certificate=NEW)), MORE, Step.STOP, "add_names is due"),
        ({"buy", "add_names"}, None, vendor(order(certificate=NEW)), MORE, Step.ADD_NAMES, "1 more"),
        ({"add_names"}, 400, vendor(order(certificate=NEW)), MORE, Step.STOP, "ceiling"),
        ({"none"}, None, vendor(order(Status.PROCESSING)), wanted(), Step.RESUME, "under way"),
    ],
)
def test_policy(spend, ceiling, state, wish, step, words):
    current = _x509.read_certificate(state.order.certificate) if state.order and state.order.certificate else None
    found = installed(current) if current else STAGED
    decision = _plan.plan(wish, found, state, Policy(frozenset(spend), ceiling), NOW)
    assert (decision.step, words in decision.reason) == (step, True), decision


WILDCARD = dataclasses.replace(PRODUCT, name="Wildcard", wildcard=True, multi_domain=False)
SINGLE = dataclasses.replace(PRODUCT, name="Single", multi_domain=False)
OV = dataclasses.replace(PRODUCT, name="Business", validation=Validation.OV)


@pytest.mark.parametrize(
    ("wish", "product", "words"),
    [
        (wanted(), PRODUCT, ""),
        (wanted(period=36), PRODUCT, "not sold for 36 months (offered: 12, 24)"),
        (wanted(), SINGLE, ""),
        (wanted(names=("a.example.com", "b.example.com")), SINGLE, "for one name, so b.example.com"),
        (wanted(names=("*.example.com",)), SINGLE, "no wildcard product"),
        (wanted(names=("*.example.com", "example.com")), WILDCARD, ""),
        (wanted(), WILDCARD, "must start with '*.'"),
        (wanted(names=("example.com", "*.example.com")), PRODUCT, "no wildcards among"),
        (wanted(names=tuple(f"n{i}.example.com" for i in range(5))), PRODUCT, "at most 3 additional names, not 4"),
        (wanted(methods={NAMES[0]: "http", NAMES[1]: "dns"}), PRODUCT, ""),
        (wanted(methods={NAMES[0]: "http", NAMES[1]: "dns"}), DIGICERT, "one validation method"),
        (wanted(), dataclasses.replace(PRODUCT, methods=frozenset({"dns"})), "cannot be validated by http"),
        (wanted(admin={}), PRODUCT, "needs admin.firstname, admin.lastname, admin.phone, admin.title, admin.email"),
        (wanted(), OV, "admin.organization"),
        (wanted(admin=PERSON | ADDRESS, tech=PERSON | ADDRESS), OV, "organization.name"),
        (wanted(admin=PERSON | ADDRESS, tech=PERSON | ADDRESS, organization=COMPANY), OV, ""),
        (wanted(organization={"lei": "x" * 21}), PRODUCT, "at most 20"),
    ],
)
def test_product_problem(wish, product, words):
    problem = _plan.product_problem(wish, product)
    assert words in problem if words else problem == ""


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
    assert _plan.price_of(wanted(names=names), product) == price


def test_the_spread_differs_by_name_and_stays_within_its_bounds():
    due = {_plan.due_on(f"shop{number}", leaf(), None) for number in range(200)}
    third = leaf().not_after - (leaf().not_after - leaf().not_before) / 3
    assert len(due) == 200
    assert all(third - 10 * DAY <= one <= third for one in due)


@pytest.mark.parametrize(("days_left", "step"), [(30, Step.KEEP), (25, Step.RENEW)])
def test_the_first_day_of_the_vendors_window_is_left_out(days_left, step):
    """The vendor counts from the end of the term's last day, so that it would refuse a renewal there."""
    newest = leaf(age=199 - days_left)
    term = vendor(order(certificate=newest, end_date=newest.not_after.date()))
    due = _plan.due_on("shop", newest, newest.not_after.date())
    end = dt.datetime.combine(newest.not_after.date(), dt.time(), dt.timezone.utc)
    assert due > end - 29.01 * DAY
    assert _plan.plan(wanted(), installed(newest), term, _plan.Policy(), NOW).step is step
