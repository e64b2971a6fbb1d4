# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keystores: we read Java's, Java and OpenSSL read ours, and damaged ones are refused."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import subprocess
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import jks, pkcs12, x509
from tests.unit import hosts

pytestmark = pytest.mark.host

PASSWORD = "correct horse"
# Created by keytool of OpenJDK 17 with the password "changeit", and the hashes of its content.
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


def entry(key_type: str = "ecdsa-p256") -> jks.Entry:
    key, ca = x509.new_key(key_type), hosts.CertificateAuthority()
    leaf = x509.read_certificate(ca.issue(x509.new_request(key, ["shop.example.com"])))
    upper = x509.read_certificate(ca.intermediate)
    certificates = tuple(x509.der_of_certificate(one) for one in (leaf, upper))
    return jks.Entry("tomcat", x509.der_of_key(key), certificates)


def test_reads_a_keystore_of_keytool() -> None:
    found = jks.load(base64.b64decode(BY_KEYTOOL), "changeit")
    assert found is not None
    assert found.alias == "tomcat"
    assert hashlib.sha256(found.key).hexdigest() == KEY_SHA256
    assert [hashlib.sha256(one).hexdigest() for one in found.certificates] == [CERTIFICATE_SHA256]


@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-4096"])
def test_jks_round_trip(key_type: str) -> None:
    given = entry(key_type)
    stores = [jks.dump(given, PASSWORD, 1.5) for _unused in range(2)]
    assert stores[0] != stores[1]  # salted
    assert [jks.load(store, PASSWORD) for store in stores] == [given, given]
    assert jks.load(stores[0], "correct horsf") is None


def test_a_damaged_jks_is_refused() -> None:
    store = jks.dump(entry(), PASSWORD, 0)
    for path in range(len(store)):
        spoilt = bytearray(store)
        spoilt[path] ^= 1
        assert jks.load(bytes(spoilt), PASSWORD) is None
        assert jks.load(store[:path], PASSWORD) is None
    assert jks.load(store + b"x", PASSWORD) is None


def test_a_jks_with_wrong_content_and_a_valid_digest_is_refused() -> None:
    """The digest is valid but the content is not: neither an error nor a key."""
    store = jks.dump(entry(), PASSWORD, 0)[:-20]
    for end in range(12, len(store)):
        cut = store[:end]
        assert jks.load(cut + jks._seal(cut, PASSWORD), PASSWORD) is None


@pytest.mark.skipif(not shutil.which("keytool"), reason="keytool is not installed; install a Java runtime")
@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-2048"])
def test_keytool_reads_our_keystore(tmp_path: Path, key_type: str) -> None:
    given = entry(key_type)
    (tmp_path / "s.jks").write_bytes(jks.dump(given, PASSWORD, 1.5))
    command = ["keytool", "-importkeystore", "-noprompt", "-srcstoretype", "JKS", "-deststoretype", "PKCS12"]
    files = ["-srckeystore", str(tmp_path / "s.jks"), "-destkeystore", str(tmp_path / "s.p12")]
    passwords = ["-srcstorepass:env", "STORE", "-deststorepass:env", "STORE"]
    run([*command, *files, *passwords])
    found = pkcs12.load((tmp_path / "s.p12").read_bytes(), PASSWORD)
    assert found == given


# False: hosts whose cryptography is older than 38, and test runs with such a version.
LIBRARIES = sorted({False, pkcs12.HAS_PKCS12})


@pytest.mark.parametrize("library", LIBRARIES)
@pytest.mark.parametrize("legacy", [False, True])
@pytest.mark.parametrize("key_type", ["ecdsa-p256", "rsa-2048"])
def test_openssl_reads_our_pkcs12_with_the_expected_encryption(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, legacy: bool, library: bool, key_type: str
) -> None:
    given = entry(key_type)
    monkeypatch.setattr(pkcs12, "HAS_PKCS12", library)
    store = pkcs12.dump(given, PASSWORD, legacy)
    for reader in LIBRARIES:  # existing stores remain valid if the host's library is updated
        monkeypatch.setattr(pkcs12, "HAS_PKCS12", reader)
        assert pkcs12.load(store, PASSWORD) == given
        assert pkcs12.load(store, "another one") is None
    assert (pkcs12.is_encrypted(store, legacy), pkcs12.is_encrypted(store, not legacy)) == (True, False)
    (tmp_path / "s.p12").write_bytes(store)
    output = run(["openssl", "pkcs12", "-in", str(tmp_path / "s.p12"), "-info", "-nodes", "-passin", "env:STORE"])
    encryption = "pbeWithSHA1And3-KeyTripleDES-CBC" if legacy else "AES-256-CBC"
    assert encryption in output
    assert ("PBES2" in output) is not legacy
    assert "friendlyName: tomcat" in output


def test_openssl_gets_key_and_password_neither_by_arguments_nor_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The program records its command line and its environment, which other users may see."""
    spy = tmp_path / "openssl"
    spy.write_text(
        f'#!/bin/sh\necho "$@" > {tmp_path}/recorded; env >> {tmp_path}/recorded; exec {shutil.which("openssl")} "$@"\n'
    )
    spy.chmod(0o755)
    monkeypatch.setattr(pkcs12, "HAS_PKCS12", False)
    monkeypatch.setattr(pkcs12, "_PROGRAM", str(spy))
    given = entry()
    assert pkcs12.load(pkcs12.dump(given, PASSWORD, False), PASSWORD) == given
    recorded = (tmp_path / "recorded").read_text()
    assert "-passout fd:" in recorded
    assert PASSWORD not in recorded
    assert "PRIVATE KEY" not in recorded
    assert sorted(os.listdir(tmp_path)) == ["openssl", "recorded"]


@pytest.mark.parametrize("program", ["false", "/nowhere/openssl"])
def test_a_failing_openssl_is_a_one_line_error(monkeypatch: pytest.MonkeyPatch, program: str) -> None:
    monkeypatch.setattr(pkcs12, "HAS_PKCS12", False)
    monkeypatch.setattr(pkcs12, "_PROGRAM", program)
    with pytest.raises(GogetsslError, match=r"^[^.]*PKCS#12 store[^.]*\.$"):
        pkcs12.dump(entry(), PASSWORD, False)


@pytest.mark.parametrize("alias", ["a", "x" * 63, "x" * 64])
def test_the_alias_is_read_with_the_key(monkeypatch: pytest.MonkeyPatch, alias: str) -> None:
    monkeypatch.setattr(pkcs12, "HAS_PKCS12", False)
    given = entry()._replace(alias=alias)
    assert pkcs12.load(pkcs12.dump(given, PASSWORD, True), PASSWORD) == given


def run(command: list[str]) -> str:
    environment: dict[str, t.Any] = {**os.environ, "STORE": PASSWORD}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr + done.stdout
    return done.stdout + done.stderr
