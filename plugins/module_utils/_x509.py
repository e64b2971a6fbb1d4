# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys, requests and certificates. The only file that imports `cryptography`.

Runs on controllers and on hosts, where distributions ship releases of `cryptography` from 3.2 on.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import hashlib
import ipaddress
import re
import ssl
import typing as t

from . import _names
from ._errors import GogetsslError, Kind, input_error
from ._libraries import Library

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.x509.oid import ExtensionOID, NameOID

    HAS_CRYPTOGRAPHY = True
except ImportError:  # reported by the adapters, which know how to say it to a user
    HAS_CRYPTOGRAPHY = False

CRYPTOGRAPHY = Library(
    "cryptography",
    HAS_CRYPTOGRAPHY,
    " Debian, Red Hat and SUSE call its package python3-cryptography, Alpine py3-cryptography; the role installs it"
    " with gogetssl_install_packages: true.",
)

_PEM_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+?-----END CERTIFICATE-----", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Certificate:
    """What is known of a certificate. Times are aware and in UTC; hashes are lower-case hex."""

    pem: str
    serial: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: dt.datetime
    not_after: dt.datetime
    public_key: str  # SHA-256 of the SubjectPublicKeyInfo
    sha256: str
    authority: bool = False  # nothing in it speaks against its signing certificates


@dataclasses.dataclass(frozen=True)
class Request:
    """What is known of a certificate signing request. Hashes are lower-case hex."""

    pem: str
    common_name: str
    names: tuple[str, ...]  # the common name first, then the alternative names that differ from it
    key_type: str
    public_key: str  # SHA-256 of the SubjectPublicKeyInfo
    md5: str  # of the DER form: Sectigo's proofs are named after it (API reference 8.2)
    sha256: str  # of the DER form


def read_certificate(pem: str, what: str = "the certificate") -> Certificate:
    """Parse one PEM certificate; anything but exactly one is an error."""
    certificates = read_certificates(pem, what)
    if len(certificates) != 1:
        raise GogetsslError(f"{what} holds {len(certificates)} certificates where one belongs.", Kind.INPUT)
    return certificates[0]


def read_certificates(pem: str, what: str = "the chain") -> tuple[Certificate, ...]:
    """Parse PEM certificates in their order; other text between them is an error."""
    blocks = _PEM_CERTIFICATE.findall(pem)
    if not blocks or _PEM_CERTIFICATE.sub("", pem).strip():
        raise GogetsslError(f"{what} is not made of PEM certificates.", Kind.INPUT)
    return tuple(_read_block(block, what) for block in blocks)


def read_request(pem: str, what: str = "the CSR") -> Request:
    """Parse a CSR and verify its signature."""
    try:
        csr = x509.load_pem_x509_csr(pem.encode("utf-8"))
        if not csr.is_signature_valid:
            raise input_error(f"{what} is not signed by its own key.")
        der = csr.public_bytes(serialization.Encoding.DER)
        common_name = _common_name(csr.subject)
        alternative = _alternative_names(csr.extensions)
        key_type = _key_type(csr.public_key())
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise input_error(f"{what} cannot be read as a PEM certificate signing request.") from None
    first = common_name or (alternative[0] if alternative else "")
    return Request(
        pem=pem,
        common_name=first,
        names=(first, *(name for name in alternative if name != first)),
        key_type=key_type,
        public_key=_fingerprint(csr.public_key()),
        md5=hashlib.md5(der, usedforsecurity=False).hexdigest(),
        sha256=hashlib.sha256(der).hexdigest(),
    )


def new_key(key_type: str) -> bytes:
    """A new private key as unencrypted PKCS#8 PEM, the form every server reads."""
    family, _dash, size = key_type.partition("-")
    if family == "rsa":
        key: t.Any = rsa.generate_private_key(public_exponent=65537, key_size=int(size))
    else:
        key = ec.generate_private_key({"p256": ec.SECP256R1, "p384": ec.SECP384R1}[size]())
    return t.cast(
        bytes,
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def new_request(key_pem: bytes, names: t.Sequence[str], subject: t.Mapping[str, str] | None = None) -> str:
    """A CSR for canonical names, the first one being the common name; `subject` maps O, OU, L, ST, C to values."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject_name(names[0], subject or {}))
    builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), False)
    csr = builder.sign(_load_key(key_pem), hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode("ascii")


def check_subject(common_name: str, subject: t.Mapping[str, str]) -> None:
    """An input error for a subject that no CSR can be made with."""
    _subject_name(common_name, subject)


def subject_of_request(pem: str) -> dict[str, str]:
    """The subject of a CSR as `new_request` takes it, without the common name."""
    attributes = {attribute.oid: str(attribute.value) for attribute in x509.load_pem_x509_csr(pem.encode()).subject}
    return {key: attributes[oid] for key, oid in _subject_fields().items() if oid in attributes}


def public_key_of_key(key_pem: bytes) -> str:
    """SHA-256 of the public half of a private key."""
    return _fingerprint(_load_key(key_pem).public_key())


def der_of_key(key_pem: bytes) -> bytes:
    """A private key as unencrypted PKCS#8 DER."""
    key = _load_key(key_pem)
    return t.cast(
        bytes,
        key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()),
    )


def der_of_certificate(certificate: Certificate) -> bytes:
    """A certificate as DER."""
    return ssl.PEM_cert_to_DER_cert(certificate.pem)


def key_type_of_key(key_pem: bytes) -> str:
    """One of `_wanted.KEY_TYPES`, or another name of the same form."""
    return _key_type(_load_key(key_pem).public_key())


def public_key_of_pem(pem: str) -> str:
    """SHA-256 of a PEM public key, as `openssl pkey -pubout` prints it."""
    try:
        return _fingerprint(serialization.load_pem_public_key(pem.encode("ascii")))
    except (ValueError, UnsupportedAlgorithm):
        raise input_error("The public key cannot be read.") from None


def chain_problem(leaf: Certificate, chain: t.Sequence[Certificate], now: dt.datetime) -> str:
    """What is wrong with the chain, in one clause, or nothing: each certificate has to be signed by the next."""
    path = (leaf, *chain)
    for lower, upper in zip(path, path[1:]):
        if not _signed_by(lower, upper):
            return f"{lower.subject} is not signed by {upper.subject}, which follows it in the chain"
        if not upper.authority:
            return f"{upper.subject} has signed {lower.subject}, but is not the certificate of an authority"
    for certificate in path:
        if certificate.not_after <= now:
            return f"{certificate.subject} expired on {certificate.not_after:%Y-%m-%d}"
    if not chain and leaf.subject != leaf.issuer:
        return f"the chain is empty, but {leaf.subject} is signed by {leaf.issuer}"
    return ""


def in_order(leaf: Certificate, chain: t.Sequence[Certificate]) -> tuple[Certificate, ...]:
    """The chain so that each certificate is signed by the next, if there is just one such order; otherwise as it is.

    With two certificates that could follow, as cross-signed authorities have, the choice would decide who trusts the
    site: that is left to people.
    """
    path = (leaf, *chain)
    if all(_signed_by(lower, upper) for lower, upper in zip(path, path[1:])):
        return tuple(chain)
    ordered, rest = [leaf], list(chain)
    while rest:
        following = [one for one in rest if _signed_by(ordered[-1], one)]
        if len(following) != 1:
            return tuple(chain)
        ordered.append(following[0])
        rest.remove(following[0])
    return tuple(ordered[1:])


def leads_to(path: t.Sequence[Certificate], roots: t.Sequence[Certificate]) -> bool:
    """True if a chain holds one of the roots, or ends with a certificate that one of them has signed."""
    known = {root.sha256 for root in roots}
    return any(one.sha256 in known for one in path) or any(_signed_by(path[-1], root) for root in roots)


def _read_block(pem: str, what: str) -> Certificate:
    try:
        parsed = x509.load_pem_x509_certificate(pem.encode("ascii"))
        der = parsed.public_bytes(serialization.Encoding.DER)
        return Certificate(
            pem=pem.strip() + "\n",
            serial=f"{parsed.serial_number:x}",
            subject=parsed.subject.rfc4514_string(),
            issuer=parsed.issuer.rfc4514_string(),
            names=_alternative_names(parsed.extensions),
            not_before=_utc(parsed, "not_valid_before"),
            not_after=_utc(parsed, "not_valid_after"),
            public_key=_fingerprint(parsed.public_key()),
            sha256=hashlib.sha256(der).hexdigest(),
            authority=_is_authority(parsed.extensions),
        )
    except (ValueError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise GogetsslError(f"{what} cannot be read as a PEM certificate.", Kind.INPUT) from None


def _is_authority(extensions: x509.Extensions) -> bool:
    """Roots of version 1 have no extensions at all; those that say what they are have to say that they are one."""
    try:
        constraints = extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
    except x509.ExtensionNotFound:
        return not list(extensions)
    return t.cast(x509.BasicConstraints, constraints).ca


def _utc(certificate: x509.Certificate, attribute: str) -> dt.datetime:
    """The aware time that cryptography 42 and later gives, or the naive one of earlier releases made aware."""
    aware = getattr(certificate, f"{attribute}_utc", None)
    return t.cast(dt.datetime, aware or getattr(certificate, attribute).replace(tzinfo=dt.timezone.utc))


def _signed_by(lower: Certificate, upper: Certificate) -> bool:
    """`verify_directly_issued_by` would do, but hosts' distributions ship releases that lack it."""
    certificate, issuer = (x509.load_pem_x509_certificate(c.pem.encode("ascii")) for c in (lower, upper))
    if certificate.issuer != issuer.subject or certificate.signature_hash_algorithm is None:
        return False
    key, algorithm = issuer.public_key(), certificate.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, padding.PKCS1v15(), algorithm)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(certificate.signature, certificate.tbs_certificate_bytes, ec.ECDSA(algorithm))
        else:
            return False
    except InvalidSignature:
        return False
    return True


def _load_key(key_pem: bytes) -> t.Any:
    try:
        return serialization.load_pem_private_key(key_pem, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        raise input_error("The private key cannot be read as an unencrypted PEM key.") from None


def _fingerprint(public_key: t.Any) -> str:
    spki = public_key.public_bytes(serialization.Encoding.DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return hashlib.sha256(spki).hexdigest()


def _key_type(public_key: t.Any) -> str:
    if isinstance(public_key, rsa.RSAPublicKey):
        return f"rsa-{public_key.key_size}"
    if isinstance(public_key, ec.EllipticCurvePublicKey):
        return f"ecdsa-p{public_key.curve.key_size}"
    return "other"


def _subject_fields() -> dict[str, x509.ObjectIdentifier]:
    """The parts of a subject in the order authorities write them."""
    return {
        "C": NameOID.COUNTRY_NAME,
        "ST": NameOID.STATE_OR_PROVINCE_NAME,
        "L": NameOID.LOCALITY_NAME,
        "O": NameOID.ORGANIZATION_NAME,
        "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    }


def _subject_name(common_name: str, subject: t.Mapping[str, str]) -> x509.Name:
    try:
        given = [x509.NameAttribute(oid, subject[key]) for key, oid in _subject_fields().items() if subject.get(key)]
        return x509.Name([*given, x509.NameAttribute(NameOID.COMMON_NAME, common_name)])
    except ValueError as error:  # about lengths and country codes; holds no secret
        raise input_error(f"The subject of the CSR for {common_name} is not valid: {error}") from None


def _common_name(subject: x509.Name) -> str:
    attributes = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return str(attributes[0].value).lower() if attributes else ""


def _alternative_names(extensions: x509.Extensions) -> tuple[str, ...]:
    try:
        extension = extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return ()
    value = t.cast(x509.SubjectAlternativeName, extension.value)
    dns = [name.lower() for name in value.get_values_for_type(x509.DNSName)]
    return (*dns, *(str(address) for address in value.get_values_for_type(x509.IPAddress)))


def _general_name(name: str) -> x509.GeneralName:
    if _names.is_address(name):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)
