# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keystores: what Java has written is read, what we write is read by Java and OpenSSL, and nothing damaged is taken."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _jks, _pkcs12, _x509
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from tests.unit import hosts

pytestmark = pytest.mark.host

PASSWORD = "correct horse"
# Made by keytool of OpenJDK 17 for this test, password "changeit", with the hashes of what was put in.
BY_KEYTOOL = """
/u3+7QAAAAIAAAABAAAAAQAGdG9tY2F0AAABogyJiRkAAADIMIHFMA4GCisGAQQBKgIRAQEFAASBsv+I76098BuBTdIWz9W/GyetTdVWK5RUhG
Pjk/ky/xSXhTBM34aj0Ukhd9esYwp+oKxl6xgs4iFGBFjzJ6XtNfxPRQe7Xkme4eY1cSy7wC+g/5hByqK0OnQuSOVLagp7opgW08QPN8N10kWP
AfdRFYSnWMgyxULsWmxeu1k22nEljsuzWAA1zuwjnQPq21eT1ynmggUbnEZfDYpaOiyvCP0aRuoeVzAayvmJ1aiw8yfiXlAAAAABAAVYLjUwOQ
AAAX8wggF7MIIBIaADAgECAhQ+F1LK3dhZhBtHQHCCU5eJBWc+PjAKBggqhkjOPQQDAjASMRAwDgYDVQQDDAdrZXl0b29sMCAXDTI2MTEyNDA3
NTEwNloYDzIwNTEwNzE2MDc1MTA2WjASMRAwDgYDVQQDDAdrZXl0b29sMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEv+uIcUdQyIUJC1d2lC
B9awAGJdY7cb8EYqKbNglLrYB1Fx/6gm6n2uumxoVvHy4YE3YimZCBMQ0eqekJ0pmgvaNTMFEwHQYDVR0OBBYEFAbm+Pmvs1FFx/ys6Ze1lYYD
UdTWMB8GA1UdIwQYMBaAFAbm+Pmvs1FFx/ys6Ze1lYYDUdTWMA8GA1UdEwEB/wQFMAMBAf8wCgYIKoZIzj0EAwIDSAAwRQIgVj50fDBz687qb2
VKmTVRvJcOzPY/JLoTEtWrgU0rRoUCIQDbzr5wXbHZ1poBRQPEGZxlCoWSD8nLX8r50513etreGv3VRpJlCUIh5qu6mQQ0lULCxznP
"""
KEY_SHA256 = "145e5089a4456fd4164ff49dc9dd185a88391a63098acf6ea8293a07a2cc7bbe"
CERTIFICATE_SHA256 = "4d4d82052fc0978c70ba3643d52ac43d113895d1972cefb53566187127e678e3"


def entry(key_type: str = "ecdsa-p256") -> _jks.Entry:
    key, authority = _x509.new_key(key_type), hosts.Authority()
    leaf = _x509.read_certificate(authority.issue(_x509.new_request(key, ["shop.example.com"])))
    upper = _x509.read_certificate(authority.intermediate)
    certificates = tuple(_x509.der_of_certificate(one) for one in (leaf, upper))
    return _jks.Entry("tomcat", _x509.der_of_key(key), certificates)


def test_reads_what_keytool_has_written() -> None:
    found = _jks.load(base64.b64decode(BY_KEYTOOL), "changeit")
    assert found is not None
    assert found.alias == "tomcat"
    assert hashlib.sha256(found.key).hexdigest() == KEY_SHA256
    assert [hashlib.sha256(one).hexdigest() for one in found.certificates] == [CERTIFICATE_SHA256]


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-4096"])
def test_jks_comes_back(key_type: str) -> None:
    given = entry(key_type)
    stores = [_jks.dump(given, PASSWORD, 1.5) for _unused in range(2)]
    assert stores[0] != stores[1]  # salted
    assert [_jks.load(store, PASSWORD) for store in stores] == [given, given]
    assert _jks.load(stores[0], "correct horsf") is None


def test_jks_that_is_damaged_anywhere_is_not_taken() -> None:
    store = _jks.dump(entry(), PASSWORD, 0)
    for place in range(len(store)):
        spoilt = bytearray(store)
        spoilt[place] ^= 1
        assert _jks.load(bytes(spoilt), PASSWORD) is None
        assert _jks.load(store[:place], PASSWORD) is None
    assert _jks.load(store + b"x", PASSWORD) is None


def test_jks_with_another_content_under_a_good_seal_is_not_taken() -> None:
    """The seal is right, what it seals is not: no error, no key."""
    store = _jks.dump(entry(), PASSWORD, 0)[:-20]
    for end in range(12, len(store)):
        cut = store[:end]
        assert _jks.load(cut + _jks._seal(cut, PASSWORD), PASSWORD) is None


@pytest.mark.skipif(not shutil.which("keytool"), reason="no keytool here; install a Java runtime to have Java's word")
@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-2048"])
def test_keytool_reads_the_key_in_what_we_have_written(tmp_path: Path, key_type: str) -> None:
    given = entry(key_type)
    (tmp_path / "s.jks").write_bytes(_jks.dump(given, PASSWORD, 1.5))
    command = ["keytool", "-importkeystore", "-noprompt", "-srcstoretype", "JKS", "-deststoretype", "PKCS12"]
    files = ["-srckeystore", str(tmp_path / "s.jks"), "-destkeystore", str(tmp_path / "s.p12")]
    passwords = ["-srcstorepass:env", "STORE", "-deststorepass:env", "STORE"]
    run([*command, *files, *passwords])
    found = _pkcs12.load((tmp_path / "s.p12").read_bytes(), PASSWORD)
    assert found == given


# False is what hosts have whose cryptography is older than 38, and what those tests run that are run with such a one.
LIBRARIES = sorted({False, _pkcs12.HAS_PKCS12})


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-2048"])
def test_openssl_reads_pkcs12_and_names_the_encryption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool, library: bool, key_type: str
) -> None:
    given = entry(key_type)
    monkeypatch.setattr(_pkcs12, "HAS_PKCS12", library)
    store = _pkcs12.dump(given, PASSWORD, legacy)
    for reader in LIBRARIES:  # a host's library may be replaced by a newer one, and its stores stay good
        monkeypatch.setattr(_pkcs12, "HAS_PKCS12", reader)
        assert _pkcs12.load(store, PASSWORD) == given
        assert _pkcs12.load(store, "another one") is None
    assert (_pkcs12.is_encrypted(store, legacy), _pkcs12.is_encrypted(store, not legacy)) == (True, False)
    (tmp_path / "s.p12").write_bytes(store)
    told = run(["openssl", "pkcs12", "-in", str(tmp_path / "s.p12"), "-info", "-nodes", "-passin", "env:STORE"])
    words = "pbeWithSHA1And3-KeyTripleDES-CBC" if legacy else "AES-256-CBC"
    assert words in told
    assert ("PBES2" in told) is not legacy
    assert "friendlyName: tomcat" in told


def test_openssl_is_told_key_and_password_where_nobody_sees_them(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program says what it was started with: its command line and its environment, which others may see."""
    spy = tmp_path / "openssl"
    spy.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/seen; env >> {tmp_path}/seen; exec {shutil.which("openssl")} "$@"\n'
    )
    spy.chmod(0o755)
    monkeypatch.setattr(_pkcs12, "HAS_PKCS12", False)
    monkeypatch.setattr(_pkcs12, "_PROGRAM", str(spy))
    given = entry()
    assert _pkcs12.load(_pkcs12.dump(given, PASSWORD, False), PASSWORD) == given
    seen = (tmp_path / "seen").read_text()
    assert "-passout fd:" in seen
    assert PASSWORD not in seen
    assert "PRIVATE KEY" not in seen
    assert sorted(os.listdir(tmp_path)) == ["openssl", "seen"]


@pytest.mark.parametrize("program", ["false", "/nowhere/openssl"])
def test_an_openssl_that_fails_is_one_sentence(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(_pkcs12, "HAS_PKCS12", False)
    monkeypatch.setattr(_pkcs12, "_PROGRAM", program)
    with pytest.raises(GogetsslError, match=r"^[^.]*PKCS#12 store[^.]*\.$"):
        _pkcs12.dump(entry(), PASSWORD, False)


@pytest.mark.parametrize("alias", ["a", "x" * 63, "x" * 64])
def test_the_alias_is_read_beside_the_key(monkeypatch: pytest.MonkeyPatch, alias: str) -> None:
    monkeypatch.setattr(_pkcs12, "HAS_PKCS12", False)
    given = entry()._replace(alias=alias)
    assert _pkcs12.load(_pkcs12.dump(given, PASSWORD, True), PASSWORD) == given


def run(command: list[str]) -> str:
    environment: dict[str, t.Any] = {**os.environ, "STORE": PASSWORD}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr
