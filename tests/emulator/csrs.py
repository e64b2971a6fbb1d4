# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CSRs: parsing, checks, and the hashes in Sectigo's validation values (API reference 5 and 8.2)."""

from __future__ import annotations

import functools
import hashlib
import ipaddress
import re
from dataclasses import dataclass

import idna
from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

# Limit of the two tools that read a CSR (API reference 5). No limit is documented for orders.
TOOL_LENGTH = 4000
_MAX_LENGTH = 64 * 1024
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
# TLDs that no public CA certifies, and one that the vendor refused to a user (API reference 1.7).
_NO_TLD = {"local", "localhost", "internal", "lan", "corp", "home", "invalid", "wifi"}


class BadCsr(ValueError):
    """The CSR is refused for the reason in the text."""


@dataclass(frozen=True)
class Csr:
    request: x509.CertificateSigningRequest
    common_name: str
    dns_names: list[str]
    der: bytes

    @property
    def md5(self) -> str:
        return hashlib.md5(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def sha1(self) -> str:
        return hashlib.sha1(self.der, usedforsecurity=False).hexdigest().upper()

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.der).hexdigest().upper()

    @property
    def key_size(self) -> int:
        key = self.request.public_key()
        return key.key_size if isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey) else 0

    def subject(self, oid: x509.ObjectIdentifier) -> str:
        found = self.request.subject.get_attributes_for_oid(oid)
        return str(found[0].value) if found else ""


@functools.lru_cache(maxsize=512)
def parse(pem: str) -> Csr:
    """Parse a PEM CSR. Refuse malformed CSRs, invalid signatures and weak keys."""
    if len(pem) > _MAX_LENGTH:
        raise BadCsr("CSR is too long")
    try:
        request = x509.load_pem_x509_csr(pem.strip().encode())
        common = request.subject.get_attributes_for_oid(NameOID.COMMON_NAME)
        names = _dns_names(request)
        good = request.is_signature_valid
    except (ValueError, UnsupportedAlgorithm) as error:
        raise BadCsr("CSR is not valid. Please check your CSR code") from error
    if not good:
        raise BadCsr("CSR is not valid: its signature does not match its key")
    _refuse_weak(request)
    der = request.public_bytes(serialization.Encoding.DER)
    return Csr(request, ascii_name(str(common[0].value)) if common else "", names, der)


def _dns_names(request: x509.CertificateSigningRequest) -> list[str]:
    try:
        found = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    addresses = [str(address) for address in found.get_values_for_type(x509.IPAddress)]
    return [name.lower() for name in found.get_values_for_type(x509.DNSName)] + addresses


def _refuse_weak(request: x509.CertificateSigningRequest) -> None:
    key = request.public_key()
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size < 2048:
            raise BadCsr(f"CSR key size {key.key_size} is too small: at least 2048 bit RSA is required")
    elif not isinstance(key, ec.EllipticCurvePublicKey):
        raise BadCsr("CSR key type is not supported: use RSA or ECDSA")
    elif key.curve.name not in ("secp256r1", "secp384r1", "secp521r1"):
        raise BadCsr(f"CSR curve {key.curve.name} is not supported: use P-256 or P-384")


def ascii_name(name: str) -> str:
    """The name in lower-case A-labels; unchanged if it cannot be encoded."""
    name = name.strip().lower().rstrip(".")
    if name.isascii():
        return name
    prefix, bare = ("*.", name[2:]) if name.startswith("*.") else ("", name)
    try:
        return prefix + idna.encode(bare, uts46=True).decode()
    except idna.IDNAError:
        return name


def is_ip(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def is_host_name(name: str) -> bool:
    """Whether a public CA may certify this name; a leading `*.` is allowed."""
    labels = name.removeprefix("*.").split(".")
    known = len(labels) > 1 and labels[-1] not in _NO_TLD and not labels[-1].isdigit()
    return known and len(name) <= 253 and all(_LABEL.fullmatch(label) for label in labels)
