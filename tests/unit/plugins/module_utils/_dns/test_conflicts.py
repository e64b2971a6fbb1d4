# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ownership of a record with the name of a validation record: only our own may be replaced."""

from __future__ import annotations

import dns.message
import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._dns.conflicts import cached_seconds, is_old_dcv_record
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.records import Record
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.wire import (
    Answer,
    Outcome,
    Server,
    Soa,
    classify_answer,
)

DIGEST = "0a1b2c3d4e5f60718293a4b5c6d7e8f9.a0b1c2d3e4f5061728394a5b6c7d8e9f"
RECORD = Record("shop.co.uk", "_md5.shop.co.uk", "CNAME", f"{DIGEST}.t1.comodoca.com")


@pytest.mark.parametrize(
    ("value", "ours", "old"),
    [
        (f"{DIGEST}.t0.comodoca.com", False, True),
        (f"{DIGEST}.comodoca.com", False, True),
        (f"{DIGEST}.t0.sectigo.com", False, False),
        ("cdn.comodoca.com", False, False),
        (f"x.{DIGEST}.comodoca.com", False, False),
        ("cdn.comodoca.com", True, True),
    ],
)
def test_an_old_record_has_the_same_ca_or_a_note(value: str, ours: bool, old: bool) -> None:
    noted = {(RECORD.name, "CNAME", value)} if ours else {("_other.shop.co.uk", "CNAME", value)}
    assert is_old_dcv_record(RECORD, value, noted) is old


def answer(outcome: Outcome, *values: str, ttl: int | None = None, negative: int | None = None) -> Answer:
    soa = None if negative is None else Soa("shop.co.uk", "ns1.shop.co.uk", 1, negative)
    return Answer(Server("", "192.0.2.1"), RECORD.name, "CNAME", outcome, values, ttl, soa=soa)


@pytest.mark.parametrize(
    ("answers", "seconds"),
    [
        ([], 0),
        ([answer(Outcome.NXDOMAIN, negative=300)], 300),
        ([answer(Outcome.NXDOMAIN, negative=300), answer(Outcome.NODATA, negative=900)], 900),
        ([answer(Outcome.FOUND, "old.example.net", ttl=60), answer(Outcome.NXDOMAIN, negative=20)], 60),
        ([answer(Outcome.FOUND, RECORD.value, ttl=86400), answer(Outcome.NXDOMAIN, negative=20)], 20),
        ([answer(Outcome.NXDOMAIN)], 0),
        ([answer(Outcome.SERVFAIL, negative=300), answer(Outcome.TIMEOUT)], 0),
    ],
)
def test_answers_that_resolvers_may_have_cached(answers: list[Answer], seconds: int) -> None:
    assert cached_seconds(RECORD, answers) == seconds


@pytest.mark.parametrize(("ttl", "minimum", "seconds"), [(300, 60, 60), (60, 300, 60)])
def test_the_negative_ttl_is_the_smaller_of_two_numbers(ttl: int, minimum: int, seconds: int) -> None:
    """RFC 2308, section 5."""
    soa = f"shop.co.uk. {ttl} IN SOA ns1.shop.co.uk. h.shop.co.uk. 1 2 3 4 {minimum}"
    name = f"{RECORD.name}. IN CNAME"
    text = f"id 1\nopcode QUERY\nrcode NXDOMAIN\nflags QR AA\n;QUESTION\n{name}\n;ANSWER\n;AUTHORITY\n{soa}\n"
    message = classify_answer(Server("", "192.0.2.1"), RECORD.name, "CNAME", dns.message.from_text(text), recurse=False)
    assert cached_seconds(RECORD, [message]) == seconds
