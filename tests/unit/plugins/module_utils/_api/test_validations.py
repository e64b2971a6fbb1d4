# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import validations
from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Validation, ValidationState
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from tests.unit.scripted import FILE_DATA

NAME = "shop.example.com"
FILE: dict[str, Any] = {
    "path": "/.well-known/pki-validation/37D0C93EE263FF9EEEA799215A9C3225.txt",
    "file_name": "37D0C93EE263FF9EEEA799215A9C3225.txt",
    "content": FILE_DATA["content"],
}
TARGET = "d30c576bf9eb30a75211cb799848ee5c.abfce3d8ee13212a57c9b7e42ef9baa2.t0827792001533920169.comodoca.com"
TOKEN = "_u2z2z5ixp9jnz4t6bya5dfoisgxosvs"
CNAME = {"type": "CNAME", "record": "_37d0c93ee263ff9eeea799215a9c3225.shop.example.com", "value": TARGET}
TXT = {"type": "TXT", "record": "shop.example.com", "value": TOKEN}


def read(given: Any, method: str = "", approver: str = "", name: str = NAME) -> Validation:
    return validations.read(name, given, method, approver, ValidationState.UNSET, "")


def test_a_validation_file() -> None:
    assert read({"http": FILE_DATA}) == Validation(NAME, "http", url=FILE_DATA["link"], **FILE)


def test_an_https_file_has_an_https_url_despite_its_link() -> None:
    assert (
        read({"https": FILE_DATA}).url
        == "https://shop.example.com/.well-known/pki-validation/37D0C93EE263FF9EEEA799215A9C3225.txt"
    )


def test_the_doubled_key_in_responses_of_alternative() -> None:
    assert read({"http": {"http": FILE_DATA}}).file_name == "37D0C93EE263FF9EEEA799215A9C3225.txt"


@pytest.mark.parametrize(
    ("record", "expected"),
    [
        (f"_37D0C93EE263FF9EEEA799215A9C3225.shop.example.com CNAME {TARGET.upper()}", CNAME),
        (f"_37D0C93EE263FF9EEEA799215A9C3225.shop.example.com CNAME\n{TARGET}.", CNAME),
        (f'shop.example.com.   IN   TXT   "{TOKEN}"', TXT),
        (f"shop.example.com. 3600 IN TXT {TOKEN}", TXT),
    ],
)
def test_a_dns_record(record: str, expected: dict[str, Any]) -> None:
    assert read({"dns": {"record": record}}) == Validation(NAME, "dns", **expected)


def test_the_record_of_a_wildcard_is_that_of_its_base() -> None:
    given = {"dns": {"record": f"_37D0C93EE263FF9EEEA799215A9C3225.shop.example.com CNAME {TARGET}"}}
    assert read(given, name="*.shop.example.com").record == "_37d0c93ee263ff9eeea799215a9c3225.shop.example.com"


@pytest.mark.parametrize("given", [{"email": "admin@example.com"}, {"email": {"email": "admin@example.com"}}])
def test_an_approver_email(given: Any) -> None:
    assert read(given) == Validation(NAME, "email", email="admin@example.com")


@pytest.mark.parametrize("given", [None, [], "", False, {"http": []}, {"http": None}])
def test_data_that_does_not_exist_yet(given: Any) -> None:
    validation = read(given, "http")
    assert validation.method == "http"
    assert not validation.ready


def test_the_approver_replaces_missing_data() -> None:
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
        {"filename": "health.php"},
        {"filename": "index.html"},
        {"filename": "robots.txt"},
        {"filename": "security.txt"},
        {"filename": "37D0C93EE263FF9EEEA799215A9C3225.php"},
        {"filename": "fileauth.txt"},  # the name of the other family, with this family's content
        {"content": "<?php system($_GET[0]);"},
        {"content": "D30C\r\nCOMODOCA.COM\r\nt0827"},
        {"content": FILE_DATA["content"].replace("COMODOCA.COM", "EVIL.COM")},
        {"content": FILE_DATA["content"].replace("COMODOCA.COM", "sect\u0131go.com")},  # equal to an i in any case
        {"content": FILE_DATA["content"] + "\r\nmore"},
        {"content": ""},
        {"content": "\x00"},
        {"content": "a" * 5000},
        {"content": ["a"]},
        {"link": "http://shop.example.com/other/37D0C93EE263FF9EEEA799215A9C3225.txt"},
    ],
)
def test_a_hostile_file_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(GogetsslError, match="not safe to publish"):
        read({"http": {**FILE_DATA, **change}})


@pytest.mark.parametrize(
    "record",
    [
        "_a.other.com CNAME b.comodoca.com",
        f"_37D0C93EE263FF9EEEA799215A9C3225.other.com CNAME {TARGET}",
        f"_37D0C93EE263FF9EEEA799215A9C3225.evilshop.example.com CNAME {TARGET}",
        f"login.shop.example.com CNAME {TARGET}",
        f"shop.example.com CNAME {TARGET}",
        f"_dmarc.shop.example.com CNAME {TARGET}",
        f"_acme-challenge.shop.example.com CNAME {TARGET}",
        "_37D0C93EE263FF9EEEA799215A9C3225.shop.example.com CNAME evil.example.org",
        f"_37D0C93EE263FF9EEEA799215A9C3225.shop.example.com CNAME {TARGET}.evil.com",
        f"_37D0C93EE263FF9EEEA799215A9C3225.shop.example.com CNAME {'a' * 32}.{'b' * 32}.sect\u0131go.com",
        'shop.example.com. IN TXT "v=spf1 include:evil.com -all"',
        f'_dmarc.shop.example.com. IN TXT "{TOKEN}"',
        f'www.shop.example.com. IN TXT "{TOKEN}"',
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


def test_hostile_text_is_escaped() -> None:
    with pytest.raises(GogetsslError) as raised:
        read({"http": {**FILE_DATA, "filename": "a\r\n\x1b[31m"}})
    assert "\n" not in raised.value.message
    assert "\x1b" not in raised.value.message


@pytest.mark.parametrize(("value", "state"), [("2", "validated"), (1, "processing"), (0, "unset"), (None, "unset")])
def test_the_state(value: Any, state: str) -> None:
    assert validations.state_of(value, "dcv_status").value == state
