# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The path through certificates that a CA, an operator or a host has given as a chain."""

from __future__ import annotations

import datetime as dt
import functools
import itertools
import ssl
import typing as t

import pytest
from cryptography import x509 as _x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, padding, rsa
from cryptography.x509.oid import NameOID

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import chain, x509

NOW = dt.datetime(2026, 6, 1, tzinfo=dt.timezone.utc)
VALID, EXPIRED = dt.timedelta(days=400), dt.timedelta(days=-1)


@functools.cache
def key(name: str) -> t.Any:
    if name.startswith("Ed"):
        return ed25519.Ed25519PrivateKey.generate()
    if name.startswith("RSA"):
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(ec.SECP256R1())


@functools.cache
def certificate(
    subject: str, issuer: str, end: dt.timedelta = VALID, signer: str = "", ca: bool = True
) -> x509.Certificate:
    """A certificate for the key of its name, signed with the issuer's key or another one."""
    names = [_x509.Name([_x509.NameAttribute(NameOID.COMMON_NAME, name)]) for name in (subject, issuer)]
    builder = _x509.CertificateBuilder(*reversed(names), key(subject).public_key(), _x509.random_serial_number())
    builder = builder.not_valid_before(NOW - 2 * VALID).not_valid_after(NOW + end)
    builder = builder.add_extension(_x509.BasicConstraints(ca, None), True)
    secret = key(signer or issuer)
    algorithm = None if isinstance(secret, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    pss = padding.PSS(padding.MGF1(hashes.SHA256()), 32) if isinstance(secret, rsa.RSAPrivateKey) else None
    signed = builder.sign(secret, algorithm, rsa_padding=pss)
    return x509.read_certificate(signed.public_bytes(serialization.Encoding.PEM).decode())


LEAF = certificate("leaf", "I", ca=False)
CA, J, R = certificate("I", "R"), certificate("J", "R"), certificate("R", "R")
I_BY_J, J_BY_I = certificate("I", "J"), certificate("J", "I")
OLD, CROSS = certificate("Old", "Old"), certificate("R", "Old")
CROSS_EXPIRED, I_EXPIRED = certificate("R", "Old", EXPIRED), certificate("I", "R", EXPIRED)
FALSE_I = certificate("I", "Old")


def names(certificates: t.Iterable[x509.Certificate]) -> str:
    return " ".join(f"{one.subject[3:]}<{one.issuer[3:]}" for one in certificates)


@pytest.mark.parametrize(
    ("pool", "roots", "path"),
    [
        ([CA], [], "I<R"),
        ([CA, R], [], "I<R R<R"),
        ([R, CA], [], "I<R R<R"),
        ([CA, CA, R, R], [], "I<R R<R"),
        ([LEAF, CA], [], "I<R"),
        ([OLD, CA], [], "I<R"),
        ([CA, J], [], "I<R"),
        ([CA, CROSS], [], "I<R R<Old"),
        ([CA, CROSS, OLD, R], [], "I<R R<Old Old<Old"),
        ([CA, CROSS, OLD, R], [R], "I<R R<Old Old<Old"),  # clients that know R stop there
        ([CA, CROSS_EXPIRED], [], "I<R"),
        ([CA, CROSS_EXPIRED], [R], "I<R"),
        ([CA, CROSS_EXPIRED, OLD], [], "I<R"),
        ([CA, CROSS_EXPIRED, R], [], "I<R R<R"),
        ([I_EXPIRED, CA], [], "I<R"),
        ([I_BY_J, J_BY_I], [], "I<J J<I"),
        ([I_BY_J, J, J_BY_I, R], [], "I<J J<R R<R"),
        ([FALSE_I, CA], [], "I<Old"),
        ([FALSE_I, CA], [R], "I<R"),
        ([CA], [CA], "I<R"),
        ([], [CA], ""),
    ],
)
def test_path(pool: list[x509.Certificate], roots: list[x509.Certificate], path: str) -> None:
    found = chain.find_path(LEAF, pool, NOW, roots)
    assert (names(found.chain), found.problem) == (path, "")
    assert len(found.left_out) == len(pool) - len(found.chain)


@pytest.mark.parametrize(
    ("pool", "roots", "problem"),
    [
        ([], [], "the chain is empty, but CN=leaf is signed by CN=I"),
        ([R, OLD], [], "CN=leaf is not signed by any certificate of the chain; its issuer is CN=I"),
        ([I_EXPIRED, R], [], "CN=I, which has signed CN=leaf, expired on 2026-05-31"),
        ([certificate("I", "R", ca=False)], [], "CN=I has signed CN=leaf, but is not the certificate of a CA"),
        ([CA], [OLD], "the chain ends with CN=R, which is not one of the trusted roots"),
        ([CA, CROSS_EXPIRED], [OLD], "the chain ends with CN=R, which is not one of the trusted roots"),
    ],
)
def test_problem(pool: list[x509.Certificate], roots: list[x509.Certificate], problem: str) -> None:
    assert chain.find_path(LEAF, pool, NOW, roots).problem == problem


def test_an_expired_leaf_is_a_problem() -> None:
    leaf = certificate("leaf", "I", EXPIRED, ca=False)
    assert chain.find_path(leaf, [CA], NOW).problem == "CN=leaf expired on 2026-05-31"


def test_the_same_name_with_another_key_has_not_signed() -> None:
    stranger = certificate("leaf", "I", signer="Old", ca=False)
    assert "is not signed by any" in chain.find_path(stranger, [CA], NOW).problem


@pytest.mark.parametrize("issuer", ["Ed25519 CA", "RSA PSS CA"])
def test_issuers_with_other_algorithms(issuer: str) -> None:
    leaf, root = certificate("leaf", issuer, ca=False), certificate(issuer, issuer)
    found = chain.find_path(leaf, [OLD, root], NOW)
    assert (found.chain, found.problem) == ((root,), "")


def test_certificates_that_all_sign_each_other_end_soon() -> None:
    pool = [certificate(a, b) for a, b in itertools.product("ABCDEFI", repeat=2)]
    assert chain.find_path(LEAF, pool, NOW).problem == ""


BLOCK = CA.pem
TEXTS = {
    "plain": (BLOCK + R.pem, 2, 0),
    "CRLF and BOM": ("\ufeff" + (BLOCK + R.pem).replace("\n", "\r\n"), 2, 0),
    "comments": (f"# Prüfung\n{BLOCK}\nTest root\n=========\n{R.pem}", 2, 0),
    "indented": ("\n".join(f"  {line}" for line in BLOCK.splitlines()), 1, 0),
    "other labels": (BLOCK.replace("CERTIFICATE", "X509 CERTIFICATE"), 1, 0),
    "a broken block": (BLOCK.replace("MII", "AAA", 1) + R.pem, 1, 1),
    "an empty element": ("-----BEGIN CERTIFICATE-----\nMA==\n-----END CERTIFICATE-----\n", 0, 1),
    "no block": ("/etc/ssl/certs/ca-certificates.crt", 0, 0),
}


@pytest.mark.parametrize("case", TEXTS)
def test_bundle(case: str) -> None:
    text, certificates, unreadable = TEXTS[case]
    bundle = chain.read_bundle(text)
    assert (len(bundle.certificates), bundle.unreadable) == (certificates, unreadable)
    assert all(one.pem in (CA.pem, R.pem) for one in bundle.certificates)


def test_the_settings_after_a_trusted_certificate_are_left_out() -> None:
    block = x509.der_of_certificate(CA) + b"\x30\x03\x0c\x01x"
    text = ssl.DER_cert_to_PEM_cert(block).replace("CERTIFICATE", "TRUSTED CERTIFICATE")
    assert chain.read_bundle(text).certificates == (CA,)


@pytest.mark.parametrize("pem", [LEAF.pem + CA.pem, CA.pem + LEAF.pem, LEAF.pem + "#" * 1000])
def test_the_issued_certificate_is_found_among_the_chain(pem: str) -> None:
    assert chain.read_issued(pem, "the certificate")[0] == LEAF


@pytest.mark.parametrize("pem", ["", "<html>", LEAF.pem.replace("MII", "AAA", 1)])
def test_no_issued_certificate(pem: str) -> None:
    with pytest.raises(GogetsslError, match=r"^the certificate (does not consist of|cannot be read as a) PEM"):
        chain.read_issued(pem, "the certificate")
