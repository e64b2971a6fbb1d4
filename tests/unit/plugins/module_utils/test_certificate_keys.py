# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates whose keys were made on another host, and are handed over."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _certificate, _x509
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from tests.unit import hosts

pytestmark = pytest.mark.host

NAMES = ["shop.example.com"]
ORIGIN = {"host": "web1", "order_id": 7, "end_date": "2027-11-24", "keyed": None}


class Copies:
    """A host without keys of its own."""

    def __init__(self, directory: Path, authority: hosts.Authority) -> None:
        self.directory, self.authority = directory, authority
        self.shop = directory / "shop"

    def issue(self, **changes: t.Any) -> tuple[dict[str, t.Any], str]:
        key = _x509.new_key("ecdsa-p256")
        leaf = self.authority.issue(_x509.new_request(key, NAMES))
        item = {"name": "shop", "names": NAMES, "certificate": leaf, "chain": self.authority.intermediate}
        return {**item, "origin": ORIGIN, **changes}, key.decode()

    def install(self, item: dict[str, t.Any], key: t.Any, **params: t.Any) -> dict[str, t.Any]:
        given: dict[str, t.Any] = {"directory": str(self.directory), "private_keys": {"shop": key}, **params}
        return hosts.run(_certificate.TASK, certificates=[item], **given)


@pytest.fixture(scope="module")
def authority() -> hosts.Authority:
    return hosts.Authority()


@pytest.fixture
def host(tmp_path: Path, authority: hosts.Authority) -> Copies:
    return Copies(tmp_path / "not there yet", authority)


def test_a_key_is_installed_with_its_certificate(host: Copies) -> None:
    item, key = host.issue()
    assert host.install(item, key, check_mode=True)["changed"] is True
    assert not host.directory.exists()
    result = host.install(item, key.replace("\n", "\r\n"))
    assert result["certificates"][0]["changed"] is True
    assert key.splitlines()[1] not in str(result)
    current = host.shop / "current"
    assert (current / "privkey.pem").read_text() == key
    assert hosts.mode(current / "privkey.pem") == 0o600
    assert (current / "origin.json").exists()
    assert sorted(path.name for path in host.shop.iterdir()) == sorted(["current", result["certificates"][0]["serial"]])
    before = hosts.tree(str(host.directory))
    assert host.install(item, key)["changed"] is False
    assert host.install(item, None)["changed"] is False, "the key is here by now"
    assert hosts.tree(str(host.directory)) == before


def test_what_is_known_of_the_origin_is_kept_up(host: Copies) -> None:
    item, key = host.issue()
    host.install(item, key)
    later = {**item, "origin": {**ORIGIN, "end_date": "2028-11-24"}}
    assert host.install(later, key)["changed"] is True
    assert "2028-11-24" in (host.shop / "current" / "origin.json").read_text()


@pytest.mark.parametrize("key", ["other", "no key", "", None, ["list"], "-----BEGIN PRIVATE KEY-----\u00e4"])
def test_a_key_that_does_not_fit_is_refused_before_anything_is_written(host: Copies, key: t.Any) -> None:
    item, _own = host.issue()
    given = host.issue()[1] if key == "other" else key
    with pytest.raises(GogetsslError) as error:
        host.install(item, given)
    assert error.value.message.startswith("shop: ")
    assert not host.directory.exists()


@pytest.mark.parametrize("origin", ["web1", {}, {"host": "web1", "end_date": "soon"}, {"host": "a", "x": 1}, [1]])
def test_an_origin_that_nobody_returned_is_refused(host: Copies, origin: t.Any) -> None:
    item, key = host.issue(origin=origin)
    with pytest.raises(GogetsslError, match="origin must be as"):
        host.install(item, key)


def test_a_copy_that_goes_back_leaves_no_key_staged(host: Copies) -> None:
    first, second = host.issue(), host.issue()
    old = host.install(*first)["certificates"][0]["serial"]
    installed = host.install(*second)["certificates"]
    hosts.run(_certificate.TASK, certificates=installed, directory=str(host.directory), state="previous")
    assert (host.shop / "current").readlink().name == old
    assert not (host.shop / "staged").exists()
