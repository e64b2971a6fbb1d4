# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates whose keys are copied from another host."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate
from tests.unit import hosts

pytestmark = pytest.mark.host

NAMES = ["shop.example.com"]
ORIGIN = {"host": "web1", "order_id": 7, "end_date": "2027-11-24", "keyed": None}


class Copies:
    """A host that copies its keys."""

    def __init__(self, directory: Path, ca: hosts.CertificateAuthority) -> None:
        self.directory, self.ca = directory, ca
        self.shop = directory / "shop"

    def issue(self, **changes: t.Any) -> tuple[dict[str, t.Any], str]:
        key = x509.new_key("ecdsa-p256")
        leaf = self.ca.issue(x509.new_request(key, NAMES))
        item = {"name": "shop", "names": NAMES, "certificate": leaf, "chain": self.ca.intermediate}
        return {**item, "origin": ORIGIN, **changes}, key.decode()

    def install(self, item: dict[str, t.Any], key: t.Any, **params: t.Any) -> dict[str, t.Any]:
        given: dict[str, t.Any] = {"directory": str(self.directory), "private_keys": {"shop": key}, **params}
        return hosts.run(certificate.TASK, certificates=[item], **given)


@pytest.fixture(scope="module")
def ca() -> hosts.CertificateAuthority:
    return hosts.CertificateAuthority()


@pytest.fixture
def host(tmp_path: Path, ca: hosts.CertificateAuthority) -> Copies:
    return Copies(tmp_path / "missing directory", ca)


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
    assert host.install(item, None)["changed"] is False, "the key is installed now"
    assert hosts.tree(str(host.directory)) == before


def test_the_origin_is_updated(host: Copies) -> None:
    item, key = host.issue()
    host.install(item, key)
    later = {**item, "origin": {**ORIGIN, "end_date": "2028-11-24"}}
    assert host.install(later, key)["changed"] is True
    assert "2028-11-24" in (host.shop / "current" / "origin.json").read_text()


@pytest.mark.parametrize("key", ["other", "no key", "", None, ["list"], "-----BEGIN PRIVATE KEY-----\u00e4"])
def test_a_mismatched_key_is_refused_before_any_change(host: Copies, key: t.Any) -> None:
    item, _own = host.issue()
    given = host.issue()[1] if key == "other" else key
    with pytest.raises(GogetsslError) as error:
        host.install(item, given)
    assert error.value.message.startswith("shop: ")
    assert not host.directory.exists()


@pytest.mark.parametrize("origin", ["web1", {}, {"host": "web1", "end_date": "soon"}, {"host": "a", "x": 1}, [1]])
def test_an_invalid_origin_is_refused(host: Copies, origin: t.Any) -> None:
    item, key = host.issue(origin=origin)
    with pytest.raises(GogetsslError, match="origin must be as"):
        host.install(item, key)


def test_a_rolled_back_copy_leaves_no_staged_key(host: Copies) -> None:
    first, second = host.issue(), host.issue()
    old = host.install(*first)["certificates"][0]["serial"]
    installed = host.install(*second)["certificates"]
    hosts.run(certificate.TASK, certificates=installed, directory=str(host.directory), state="previous")
    assert (host.shop / "current").readlink().name == old
    assert not (host.shop / "staged").exists()
