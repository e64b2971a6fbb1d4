# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose order it is, as tables of names and keys."""

from __future__ import annotations

import dataclasses
import datetime as dt

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Status, Validation
from ansible_collections.certops.gogetssl.plugins.module_utils._host.journal import HostState, Journal
from ansible_collections.certops.gogetssl.plugins.module_utils._order import ownership
from ansible_collections.certops.gogetssl.plugins.module_utils._order.ownership import Claimant
from ansible_collections.certops.gogetssl.plugins.module_utils._order.purchase import Trace

from .test_plan import NAMES, PRODUCT, SINGLE, leaf, order, request, spec, table

KEY, OTHER = request().public_key, request("other").public_key
A, B, C = "a.example.com", "b.example.com", "c.example.com"
UNKNOWN = "its key is not known"


def of(*names, key=None, **changes):
    """An order for names, whose CSR has a key."""
    csr = {None: None, "key": request().pem, "other": request("other").pem}[key]
    return dataclasses.replace(order(common_name=names[0], names=names, csr=csr), **changes)


@table(
    ("the_order", "claimed", "adopted", "reason"),
    ("same names, no key", of(A, B), Claimant((A, B)), False, ""),
    ("same names in another order", of(A, B), Claimant((B, A)), False, ""),
    ("same names, another key", of(A, B, key="other"), Claimant((A, B), frozenset({KEY})), False, ""),
    ("no name in common", of(A), Claimant((B,)), False, "it is for a.example.com"),
    ("no name in common, its key", of(A, key="key"), Claimant((B,), frozenset({KEY})), False, "for a.example.com"),
    ("no name in common, adopted", of(A), Claimant((B,)), True, "it is for a.example.com"),
    ("names told by the common name alone", of(A, names=()), Claimant((A,)), False, ""),
    ("some names, its key", of(A, B, key="key"), Claimant((A, C), frozenset({KEY})), False, ""),
    ("some names, another key", of(A, B, key="other"), Claimant((A, C), frozenset({KEY})), False, UNKNOWN),
    ("some names, no key shown", of(A, B), Claimant((A, C), frozenset({KEY})), False, UNKNOWN),
    ("some names, adopted", of(A, B), Claimant((A, C)), True, ""),
    ("some names but no common name, its key", of(A, B, key="key"), Claimant((C, B), frozenset({KEY})), False, UNKNOWN),
    ("its common name is requested, its key", of(A, B, key="key"), Claimant((C, A), frozenset({KEY})), False, ""),
    ("some names but no common name, adopted", of(A, B), Claimant((C, B)), True, UNKNOWN),
    ("names were added, keys are lost", of(A, B), Claimant((A, B, C)), False, ""),
    ("names were removed, keys are lost", of(A, B, C), Claimant((A, B)), False, ""),
    ("names were removed, another first name", of(A, B, C), Claimant((B, C)), False, UNKNOWN),
    ("certificate with a key of the host", of(A, B, certificate=leaf((A, B)).pem),
     Claimant((A, C), frozenset({KEY})), False, ""),
    ("certificate that is installed", of(A, B, certificate=leaf((A, B), key="other").pem),
     Claimant((A, C), frozenset(), leaf((A, B), key="other").sha256), False, ""),
    ("www included for free", of("www.example.com"), Claimant(("example.com", "www.example.com")), False, ""),
    ("base of a wildcard", of("*.example.com"), Claimant(("*.example.com", "example.com")), False, ""),
    ("as the vendor may write it", of("A.Example.COM."), Claimant((A,)), False, ""),
    ("in letters", of("münchen.example.com"), Claimant(("xn--mnchen-3ya.example.com",)), False, ""),
    ("no name at all", of("", names=()), Claimant((A,)), False, "it is for no name"),
)  # fmt: skip
def test_foreign(the_order, claimed, adopted, reason):
    why = ownership.foreign(the_order, claimed, adopted)
    assert reason in why if reason else why == ""


def test_a_certificate_claims_orders_with_all_its_keys():
    installed, staged = leaf(key="other"), request()
    state = HostState(certificate=installed, key="k", staged=staged, journal=Journal("a", 7, 68, "j"))
    assert ownership.claimant(spec(), state) == Claimant(NAMES, frozenset({"k", "j", KEY, OTHER}), installed.sha256)
    assert ownership.claimant(spec(), HostState()) == Claimant(NAMES)


TRACE = Trace(A, KEY, "md5", "code")


@table(
    ("the_order", "reason"),
    ("its key", of(A, key="key"), ""),
    ("another key", of(A, key="other"), "another key"),
    ("renewed order, key not shown", of(A, order_id=5), "existed before"),
    ("new, key not shown", of(A), ""),
    ("new, key not shown, another name", of(B), "it is for b.example.com"),
    ("new, key not shown, one name of several", of(A, C), "it is for a.example.com, c.example.com"),
    ("told by its validation", of(B, order_id=5, validations=(Validation(B, "http", file_name="MD5.txt"),)), ""),
)  # fmt: skip
def test_bought(the_order, reason):
    why = ownership.bought(the_order, TRACE, (A, B) if the_order.common_name == A else (A,), {5})
    assert reason in why if reason else why == ""


def day(text):
    return dt.date.fromisoformat(text)


FORMER = order(order_id=7, end_date=day("2027-05-31"))
NEXT = order(order_id=9, begin_date=day("2027-05-10"))


@table(
    ("candidate", "found"),
    ("renewed", NEXT, True),
    ("still validated", dataclasses.replace(NEXT, begin_date=None, status=Status.PROCESSING), True),
    ("names in another order", dataclasses.replace(NEXT, names=NAMES[::-1], common_name=NAMES[1]), True),
    ("product unknown", dataclasses.replace(NEXT, product_id=None), True),
    ("ended", dataclasses.replace(NEXT, status=Status.CANCELLED), False),
    ("older", dataclasses.replace(NEXT, order_id=6), False),
    ("the order itself", FORMER, False),
    ("of another certificate of the host", dataclasses.replace(NEXT, order_id=99), False),
    ("another product", dataclasses.replace(NEXT, product_id=66), False),
    ("one name less", dataclasses.replace(NEXT, names=NAMES[:1]), True),
    ("one name more", dataclasses.replace(NEXT, names=(*NAMES, "x.example.com")), True),
    ("another name", dataclasses.replace(NEXT, names=(NAMES[0], "x.example.com")), False),
    ("more names, another first", dataclasses.replace(NEXT, names=(*NAMES, "x.com"), common_name="x.com"), False),
    ("placed within the term", dataclasses.replace(NEXT, begin_date=day("2027-04-29")), False),
)  # fmt: skip
def test_successors(candidate, found):
    result = ownership.successors([candidate], FORMER, spec(), PRODUCT, {99})
    assert result == ([candidate] if found else [])


@pytest.mark.parametrize(
    ("first", "requested", "same"),
    [
        ("example.com", ("www.example.com", "example.com"), True),
        ("www.example.com", ("example.com",), True),
        ("*.example.com", ("example.com",), False),
        ("a.example.com", ("example.com",), False),
    ],
)
def test_a_single_name_includes_its_www(first, requested, same):
    assert ownership.same_names(of(first), spec(names=requested), SINGLE) is same
