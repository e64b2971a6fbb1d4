# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _proofs
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._models import Proof, ProofState
from tests.unit.scripted import FILE_PROOF

NAME = "shop.example.com"
FILE: dict[str, Any] = {
    "path": "/.well-known/pki-validation/37D0.txt",
    "file_name": "37D0.txt",
    "content": FILE_PROOF["content"],
}
CNAME = {"type": "CNAME", "record": "_37d0.shop.example.com", "value": "d30c.77ef.t0827.comodoca.com"}
TXT = {"type": "TXT", "record": "shop.example.com", "value": "_u2z2z5ixp"}


def read(given: Any, method: str = "", approver: str = "", name: str = NAME) -> Proof:
    return _proofs.read(name, given, method, approver, ProofState.UNSET, "")


def test_a_file_proof() -> None:
    assert read({"http": FILE_PROOF}) == Proof(NAME, "http", url=FILE_PROOF["link"], **FILE)


def test_an_https_proof_is_looked_for_by_https_whatever_its_link_says() -> None:
    assert read({"https": FILE_PROOF}).url == "https://shop.example.com/.well-known/pki-validation/37D0.txt"


def test_the_doubled_key_of_the_calculating_method() -> None:
    assert read({"http": {"http": FILE_PROOF}}).file_name == "37D0.txt"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        ("_37D0.shop.example.com CNAME D30C.77EF.t0827.comodoca.com", CNAME),
        ("_37D0.shop.example.com CNAME\nd30c.77ef.t0827.comodoca.com.", CNAME),
        ('shop.example.com.   IN   TXT   "_u2z2z5ixp"', TXT),
        ("shop.example.com. 3600 IN TXT _u2z2z5ixp", TXT),
    ],
)
def test_a_dns_proof(record: str, expected: dict[str, Any]) -> None:
    assert read({"dns": {"record": record}}) == Proof(NAME, "dns", **expected)


def test_the_record_of_a_wildcard_belongs_to_its_base() -> None:
    given = {"dns": {"record": "_37D0.shop.example.com CNAME a.b.comodoca.com"}}
    assert read(given, name="*.shop.example.com").record == "_37d0.shop.example.com"


@pytest.mark.parametrize("given", [{"email": "admin@example.com"}, {"email": {"email": "admin@example.com"}}])
def test_an_email_proof(given: Any) -> None:
    assert read(given) == Proof(NAME, "email", email="admin@example.com")


@pytest.mark.parametrize("given", [None, [], "", False, {"http": []}, {"http": None}])
def test_data_that_is_not_there_yet(given: Any) -> None:
    proof = read(given, "http")
    assert proof.method == "http"
    assert not proof.ready


def test_the_approver_stands_in_for_missing_data() -> None:
    assert read([], "email", "admin@example.com").email == "admin@example.com"
    assert read([], "admin@example.com").email == "admin@example.com"


@pytest.mark.parametrize(
    "change",
    [
        {"filename": "../../etc/passwd"},
        {"filename": "a/b.txt"},
        {"filename": ".htaccess"},
        {"filename": "a.txt\n"},
        {"filename": ""},
        {"filename": "a" * 200},
        {"content": ""},
        {"content": "\x00"},
        {"content": "a" * 5000},
        {"content": ["a"]},
        {"link": "http://shop.example.com/other/37D0.txt"},
    ],
)
def test_a_hostile_file_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(GogetsslError, match="not safe to publish"):
        read({"http": {**FILE_PROOF, **change}})


@pytest.mark.parametrize(
    "record",
    [
        "_a.other.com CNAME b.comodoca.com",
        "_a.evilshop.example.com CNAME b.comodoca.com",
        "_a.shop.example.com\r\n CNAME b.comodoca.com\r\nwww CNAME evil.com",
        "_a.shop.example.com CNAME b.comodoca.com;reboot",
        "*.shop.example.com CNAME b.comodoca.com",
        "_a.shop.example.com MX b.comodoca.com",
        "_a.shop.example.com CNAME -",
        'shop.example.com. IN TXT "a" "b"\n',
        'shop.example.com. IN TXT "a\\"b"',
        "shop.example.com",
        "",
    ],
)
def test_a_hostile_record_is_refused(record: str) -> None:
    with pytest.raises(GogetsslError, match="not safe to publish"):
        read({"dns": {"record": record}})


def test_hostile_text_is_shown_in_an_escaped_form() -> None:
    with pytest.raises(GogetsslError) as raised:
        read({"http": {**FILE_PROOF, "filename": "a\r\n\x1b[31m"}})
    assert "\n" not in raised.value.message
    assert "\x1b" not in raised.value.message


@pytest.mark.parametrize(("value", "state"), [("2", "validated"), (1, "processing"), (0, "unset"), (None, "unset")])
def test_the_state(value: Any, state: str) -> None:
    assert _proofs.state_of(value, "dcv_status").value == state
