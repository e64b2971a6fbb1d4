# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Adopting a certificate from other files on the host."""

from __future__ import annotations

import stat
import typing as t
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import store
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate
from tests.unit import hosts

pytestmark = pytest.mark.host

NAMES = ["shop.example.com", "www.shop.example.com"]
CA = hosts.CertificateAuthority()


class Files:
    """A certificate in files of nginx, and the directory that adopts it."""

    def __init__(self, root: Path) -> None:
        self.ssl, self.store = root / "ssl", root / "gogetssl"
        self.ssl.mkdir()
        self.key = x509.new_key("ecdsa-p256")
        self.leaf = CA.issue(x509.new_request(self.key, NAMES))
        self.write("shop.pem", self.leaf + CA.intermediate)
        self.write("shop.key", self.key.decode())

    def write(self, name: str, text: str) -> str:
        (self.ssl / name).write_text(text)
        return str(self.ssl / name)

    def adopt(self, check_mode: bool = False, **files: t.Any) -> dict[str, t.Any]:
        given = {"certificate": str(self.ssl / "shop.pem"), "key": str(self.ssl / "shop.key"), **files}
        item = {"name": "shop", "adopt_files": given, "names": ["other.example.com"], "product": "68"}
        params = {"certificates": [item], "directory": str(self.store), "state": "adopted"}
        return hosts.run(certificate.TASK, check_mode, **params)

    def check(self) -> None:
        current = self.store / "shop" / "current"
        assert (current / "privkey.pem").read_bytes() == self.key
        assert stat.S_IMODE((current / "privkey.pem").stat().st_mode) == 0o600
        assert (current / "fullchain.pem").read_text() == self.leaf + CA.intermediate
        assert not (self.store / "shop" / "staged").exists()


@pytest.fixture
def files(tmp_path: Path) -> Files:
    return Files(tmp_path)


def test_the_certificate_of_nginx_becomes_the_first_version(files: Files) -> None:
    before = {path.name: path.read_bytes() for path in files.ssl.iterdir()}
    first = files.adopt()
    assert (first["changed"], first["certificates"][0]["previous_serial"]) == (True, "")
    files.check()
    assert {path.name: path.read_bytes() for path in files.ssl.iterdir()} == before
    second = files.adopt(key="/nowhere")  # an installed certificate is not adopted again
    assert (second["changed"], second["certificates"][0]["serial"]) == (False, first["certificates"][0]["serial"])


def test_check_mode_writes_nothing_and_shows_no_key(files: Files) -> None:
    result = files.adopt(check_mode=True)
    assert (result["changed"], files.store.exists()) == (True, False)
    assert "PRIVATE" not in str(result)


def test_files_of_other_tools(files: Files) -> None:
    link = files.ssl / "live.pem"
    link.symlink_to(files.write("bundle.pem", f"{files.key.decode()}\nBag Attributes\r\n{files.leaf}"))
    chain = files.write("chain.pem", files.leaf.replace("\n", "\r\n") + CA.intermediate)
    files.adopt(certificate=str(link), key=str(link), chain=chain)
    files.check()


def test_a_pkcs1_key(files: Files) -> None:
    key = serialization.load_pem_private_key(files.key, None)
    old = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )
    files.adopt(key=files.write("old.key", old.decode()))
    kept = store.read_key(str(files.store / "shop" / "current"))
    assert kept is not None
    assert kept.public_key == x509.public_key_of_key(files.key)


def encrypted(key: bytes) -> str:
    return (
        serialization.load_pem_private_key(key, None)
        .private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"secret"),
        )
        .decode()
    )


@pytest.mark.parametrize(
    ("file", "make", "message"),
    [
        ("key", lambda files: x509.new_key("ecdsa-p256").decode(), "does not belong to the certificate in"),
        ("key", lambda files: encrypted(files.key), "keys with a passphrase are not supported"),
        ("key", lambda files: files.leaf, "there is no PEM private key in"),
        ("certificate", lambda files: files.key.decode(), "does not consist of PEM certificates"),
        ("certificate", lambda files: files.leaf, "the chain is empty"),
        ("chain", lambda files: hosts.CertificateAuthority().intermediate, "is not signed by"),
        (
            "certificate",
            lambda files: CA.issue(x509.new_request(files.key, NAMES), end=-hosts.DAY / 2) + CA.intermediate,
            "expired on",
        ),
    ],
)
def test_files_that_cannot_be_adopted(files: Files, file: str, make: t.Callable[[Files], str], message: str) -> None:
    with pytest.raises(GogetsslError, match=message) as caught:
        files.adopt(**{file: files.write("given.pem", make(files))})
    assert "PRIVATE" not in caught.value.message
    assert not files.store.exists()


def test_a_missing_file(files: Files) -> None:
    with pytest.raises(GogetsslError, match=r"/nowhere/shop\.key: No such file"):
        files.adopt(key="/nowhere/shop.key")


@pytest.mark.parametrize("given", [None, {}, {"certificate": "/a"}, ["/a", "/b"]])
def test_conflicting_options(tmp_path: Path, given: t.Any) -> None:
    item = {"name": "shop", "adopt_files": given}
    with pytest.raises(GogetsslError, match="adopt_files requires certificate and key"):
        hosts.run(certificate.TASK, certificates=[item], directory=str(tmp_path / "store"), state="adopted")
