# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys, CSRs and certificates. Only this file and `pkcs12` import `cryptography`.

The code runs on controllers and on hosts. Distributions ship `cryptography` 3.2 and later.
"""

from __future__ import annotations

import base64
import dataclasses
import datetime as dt
import hashlib
import ipaddress
import re
import ssl
import typing as t

from .._core import names as _names
from .._core.errors import GogetsslError, Kind, input_error
from .._core.libraries import Library
from .._core.text import printable

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
    from cryptography.x509.oid import ExtensionOID, NameOID

    HAS_CRYPTOGRAPHY = True
except ImportError:  # reported by the adapters
    HAS_CRYPTOGRAPHY = False

CRYPTOGRAPHY = Library(
    "cryptography",
    HAS_CRYPTOGRAPHY,
    "Install the package python3-cryptography (Debian, Red Hat, SUSE) or py3-cryptography (Alpine), or set"
    " gogetssl_install_packages: true for the role.",
)

_PEM_CERTIFICATE = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]+?)-----END CERTIFICATE-----", re.ASCII)


@dataclasses.dataclass(frozen=True)
class Certificate:
    """The fields of a certificate. Times are aware and in UTC; hashes are lower-case hex."""

    pem: str
    serial: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: dt.datetime
    not_after: dt.datetime
    public_key: str  # SHA-256 of the SubjectPublicKeyInfo
    sha256: str
    is_ca: bool = False  # the certificate may sign certificates
    key_type: str = ""


@dataclasses.dataclass(frozen=True)
class Request:
    """The fields of a certificate signing request. Hashes are lower-case hex."""

    pem: str
    common_name: str
    names: tuple[str, ...]  # the common name first, then the alternative names that differ from it
    key_type: str
    public_key: str  # SHA-256 of the SubjectPublicKeyInfo
    md5: str  # of the DER form; the names of Sectigo's DCV files and records (API reference 8.2)
    sha256: str  # of the DER form


def read_certificate(pem: str, what: str = "the certificate") -> Certificate:
    """Parse a text with exactly one PEM certificate. `chain` reads texts with several."""
    blocks = _PEM_CERTIFICATE.findall(pem)
    if not blocks or _PEM_CERTIFICATE.sub("", pem).strip():
        raise GogetsslError(f"{what} does not consist of PEM certificates.", Kind.INPUT)
    if len(blocks) != 1:
        raise GogetsslError(f"{what} contains {len(blocks)} certificates instead of one.", Kind.INPUT)
    return read_base64(blocks[0], what)


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
    """Generate a private key as unencrypted PKCS#8 PEM, which every server supports."""
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
    """Create a CSR for canonical names. The first is the common name; `subject` maps O, OU, L, ST, C to values."""
    builder = x509.CertificateSigningRequestBuilder().subject_name(_subject_name(names[0], subject or {}))
    builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(name) for name in names]), False)
    csr = builder.sign(_load_key(key_pem), hashes.SHA256())
    return csr.public_bytes(serialization.Encoding.PEM).decode("ascii")


def check_subject(common_name: str, subject: t.Mapping[str, str]) -> None:
    """Raise an input error for a subject that is not valid in a CSR."""
    _subject_name(common_name, subject)


def subject_of_request(pem: str) -> dict[str, str]:
    """The subject of a CSR without the common name, in the form of the option of `new_request`."""
    attributes = {attribute.oid: str(attribute.value) for attribute in x509.load_pem_x509_csr(pem.encode()).subject}
    return {key: attributes[oid] for key, oid in _subject_fields().items() if oid in attributes}


def public_key_of_key(key_pem: bytes) -> str:
    """SHA-256 of the public key of a private key."""
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
    """One of `spec.KEY_TYPES`, or another name of the same form."""
    return _key_type(_load_key(key_pem).public_key())


def public_key_of_pem(pem: str) -> str:
    """SHA-256 of a PEM public key, as `openssl pkey -pubout` prints it."""
    try:
        return _fingerprint(serialization.load_pem_public_key(pem.encode("ascii")))
    except (ValueError, UnsupportedAlgorithm):
        raise input_error("The public key cannot be read.") from None


def read_base64(text: str, what: str = "the certificate") -> Certificate:
    """Parse the body of a PEM block. The result has the normalized PEM form, which every server supports."""
    try:
        der = _first_element(base64.b64decode(text))
        parsed = x509.load_der_x509_certificate(der)
        return Certificate(
            pem=ssl.DER_cert_to_PEM_cert(der),
            serial=f"{parsed.serial_number:x}",
            subject=printable(parsed.subject.rfc4514_string()),
            issuer=printable(parsed.issuer.rfc4514_string()),
            names=_alternative_names(parsed.extensions),
            not_before=_utc(parsed, "not_valid_before"),
            not_after=_utc(parsed, "not_valid_after"),
            public_key=_fingerprint(parsed.public_key()),
            sha256=hashlib.sha256(der).hexdigest(),
            is_ca=_is_ca(parsed.extensions),
            key_type=_key_type(parsed.public_key()),
        )
    except (ValueError, IndexError, UnsupportedAlgorithm, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        raise GogetsslError(f"{what} cannot be read as a PEM certificate.", Kind.INPUT) from None


def _first_element(der: bytes) -> bytes:
    """The first element of DER data. In a `TRUSTED CERTIFICATE`, OpenSSL's trust settings follow it."""
    count = der[1] & 0x7F if der[1] & 0x80 else 0  # number of bytes of a long-form length
    length = int.from_bytes(der[2 : 2 + count], "big") if count else der[1]
    return der[: 2 + count + length]


def _is_ca(extensions: x509.Extensions) -> bool:
    """True for a CA certificate. Version 1 roots have no extensions; all others have basic constraints."""
    try:
        constraints = extensions.get_extension_for_oid(ExtensionOID.BASIC_CONSTRAINTS).value
    except x509.ExtensionNotFound:
        return not list(extensions)
    return t.cast(x509.BasicConstraints, constraints).ca


def _utc(certificate: x509.Certificate, attribute: str) -> dt.datetime:
    """The time in UTC. Releases of cryptography before 42 return naive times, which are converted."""
    aware = getattr(certificate, f"{attribute}_utc", None)
    return t.cast(dt.datetime, aware or getattr(certificate, attribute).replace(tzinfo=dt.timezone.utc))


def is_signed_by(lower: Certificate, upper: Certificate) -> bool:
    """True if `upper` signed `lower`. Older releases of cryptography do not have `verify_directly_issued_by`."""
    if lower.issuer != upper.subject:
        return False
    certificate, issuer = (x509.load_pem_x509_certificate(c.pem.encode("ascii")) for c in (lower, upper))
    if certificate.issuer != issuer.subject:
        return False
    try:
        _verify(certificate, issuer.public_key())
    except (InvalidSignature, UnsupportedAlgorithm, ValueError, TypeError):
        return False
    return True


def _verify(certificate: x509.Certificate, key: t.Any) -> None:
    """Verify the signature of a certificate; raise InvalidSignature or another error of `cryptography`."""
    signature, signed = certificate.signature, certificate.tbs_certificate_bytes
    algorithm = certificate.signature_hash_algorithm
    if algorithm is None:  # Ed25519 and Ed448
        key.verify(signature, signed)
    elif isinstance(key, rsa.RSAPublicKey):
        # Releases before 41 support only certificates that are signed with PKCS#1 v1.5.
        scheme = getattr(certificate, "signature_algorithm_parameters", None) or padding.PKCS1v15()
        key.verify(signature, signed, scheme, algorithm)
    elif isinstance(key, ec.EllipticCurvePublicKey):
        key.verify(signature, signed, ec.ECDSA(algorithm))
    else:
        raise InvalidSignature


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
    """The attributes of a subject in the order that CAs use."""
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
    except ValueError:  # the library states a length, but not of what
        raise input_error(
            f"The subject of the CSR for {common_name} is not valid: the first name has {len(common_name)} characters,"
            f" at most {_names.MAX_COMMON_NAME} are possible, and the country must have 2 letters. Put a shorter name"
            " first."
        ) from None


def _common_name(subject: x509.Name) -> str:
    attributes = subject.get_attributes_for_oid(NameOID.COMMON_NAME)
    return printable(str(attributes[0].value)).lower() if attributes else ""


def _alternative_names(extensions: x509.Extensions) -> tuple[str, ...]:
    try:
        extension = extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME)
    except x509.ExtensionNotFound:
        return ()
    value = t.cast(x509.SubjectAlternativeName, extension.value)
    dns = [printable(name).lower() for name in value.get_values_for_type(x509.DNSName)]
    return (*dns, *(str(address) for address in value.get_values_for_type(x509.IPAddress)))


def _general_name(name: str) -> x509.GeneralName:
    if _names.is_address(name):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)
