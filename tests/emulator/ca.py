# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate authority: a root, an intermediate and real X.509 certificates for the orders."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from dataclasses import dataclass
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import AuthorityInformationAccessOID, ExtendedKeyUsageOID, NameOID, ObjectIdentifier

from . import csrs

# The CA/Browser Forum's policy identifiers by validation type.
_POLICIES = {"dv": "2.23.140.1.2.1", "ov": "2.23.140.1.2.2", "ev": "2.23.140.1.1"}
_SUBJECT = {
    "org_name": NameOID.ORGANIZATION_NAME,
    "org_city": NameOID.LOCALITY_NAME,
    "org_region": NameOID.STATE_OR_PROVINCE_NAME,
    "org_country": NameOID.COUNTRY_NAME,
}
_CA_YEARS = 30

PrivateKey = rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey


@dataclass(frozen=True)
class CertificateSpec:
    """The content of a certificate to issue."""

    csr: csrs.Csr
    names: list[str]
    kind: str
    organisation: dict[str, str]
    not_before: float
    not_after: float


class CertificateAuthority:
    """A CA whose keys and certificates are created in the state directory on the first start."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        if not (directory / "intermediate.pem").exists():
            self._create()
        self.root = x509.load_pem_x509_certificate((directory / "root.pem").read_bytes())
        self.intermediate = x509.load_pem_x509_certificate((directory / "intermediate.pem").read_bytes())
        self._key = _load_key(directory / "intermediate.key")
        self.aia_url = ""

    @property
    def root_path(self) -> Path:
        return self._directory / "root.pem"

    def chain(self, with_root: bool) -> str:
        """`ca_code`: the certificates above the leaf, concatenated (API reference 7.1)."""
        certificates = [self.intermediate, self.root] if with_root else [self.intermediate]
        return "".join(pem(certificate) for certificate in certificates)

    def issue(self, spec: CertificateSpec) -> x509.Certificate:
        public = spec.csr.request.public_key()
        names = [_general_name(name) for name in spec.names]
        builder = _base(_subject(spec), self.intermediate.subject, public, spec.not_before, spec.not_after)
        builder = builder.add_extension(x509.SubjectAlternativeName(names), critical=False)
        builder = _leaf_extensions(builder, isinstance(public, rsa.RSAPublicKey))
        builder = builder.add_extension(_authority_key(self.intermediate), critical=False)
        policy = x509.PolicyInformation(ObjectIdentifier(_POLICIES[spec.kind]), None)
        builder = builder.add_extension(x509.CertificatePolicies([policy]), critical=False)
        if self.aia_url:
            access = x509.AccessDescription(
                AuthorityInformationAccessOID.CA_ISSUERS, x509.UniformResourceIdentifier(self.aia_url)
            )
            builder = builder.add_extension(x509.AuthorityInformationAccess([access]), critical=False)
        return builder.sign(self._key, hashes.SHA256())

    def server_context(self, names: list[str]) -> ssl.SSLContext:
        """TLS for the API itself, with a certificate of this CA."""
        key = ec.generate_private_key(ec.SECP256R1())
        now = dt.datetime.now(dt.timezone.utc).timestamp()
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, names[0])])
        builder = _base(subject, self.intermediate.subject, key.public_key(), now - 86400, now + 398 * 86400)
        builder = builder.add_extension(x509.SubjectAlternativeName([_general_name(n) for n in names]), critical=False)
        builder = _leaf_extensions(builder, rsa_key=False)
        builder = builder.add_extension(_authority_key(self.intermediate), critical=False)
        chain = pem(builder.sign(self._key, hashes.SHA256())) + self.chain(with_root=False)
        path = self._directory / "api.pem"
        _write_secret(path, _key_bytes(key) + chain.encode())
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        return context

    def _create(self) -> None:
        self._directory.mkdir(parents=True, exist_ok=True)
        start = dt.datetime.now(dt.timezone.utc).timestamp() - 365 * 86400
        end = start + _CA_YEARS * 365 * 86400
        root_key = rsa.generate_private_key(65537, 2048)
        key = rsa.generate_private_key(65537, 2048)
        root_name, name = _ca_name("Emulated Root CA"), _ca_name("Emulated Issuing CA")
        root = _ca(_base(root_name, root_name, root_key.public_key(), start, end), None).sign(root_key, hashes.SHA256())
        builder = _ca(_base(name, root_name, key.public_key(), start, end - 86400), 0)
        middle = builder.add_extension(_authority_key(root), critical=False).sign(root_key, hashes.SHA256())
        # The intermediate's certificate is written last: its presence marks the directory as complete.
        _write_secret(self._directory / "root.key", _key_bytes(root_key))
        _write_secret(self._directory / "intermediate.key", _key_bytes(key))
        (self._directory / "root.pem").write_text(pem(root))
        (self._directory / "intermediate.pem").write_text(pem(middle))


def pem(certificate: x509.Certificate) -> str:
    return certificate.public_bytes(serialization.Encoding.PEM).decode()


def _moment(seconds: float) -> dt.datetime:
    return dt.datetime.fromtimestamp(int(seconds), dt.timezone.utc)


def _ca_name(common_name: str) -> x509.Name:
    return x509.Name(
        [
            x509.NameAttribute(NameOID.COUNTRY_NAME, "LV"),
            x509.NameAttribute(NameOID.ORGANIZATION_NAME, "GoGetSSL Emulator (not trusted by anyone)"),
            x509.NameAttribute(NameOID.COMMON_NAME, common_name),
        ]
    )


def _base(
    subject: x509.Name, issuer: x509.Name, key: object, not_before: float, not_after: float
) -> x509.CertificateBuilder:
    assert isinstance(key, rsa.RSAPublicKey | ec.EllipticCurvePublicKey)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key)
    builder = builder.serial_number(x509.random_serial_number())
    builder = builder.not_valid_before(_moment(not_before)).not_valid_after(_moment(not_after))
    return builder.add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)


def _ca(builder: x509.CertificateBuilder, path_length: int | None) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=True,
        crl_sign=True,
        content_commitment=False,
        key_encipherment=False,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=True, path_length=path_length), critical=True)
    return builder.add_extension(usage, critical=True)


def _leaf_extensions(builder: x509.CertificateBuilder, rsa_key: bool) -> x509.CertificateBuilder:
    usage = x509.KeyUsage(
        digital_signature=True,
        key_cert_sign=False,
        crl_sign=False,
        content_commitment=False,
        key_encipherment=rsa_key,
        data_encipherment=False,
        key_agreement=False,
        encipher_only=False,
        decipher_only=False,
    )
    builder = builder.add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
    builder = builder.add_extension(usage, critical=True)
    return builder.add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)


def _authority_key(issuer: x509.Certificate) -> x509.AuthorityKeyIdentifier:
    identifier = issuer.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    return x509.AuthorityKeyIdentifier.from_issuer_subject_key_identifier(identifier)


def _general_name(name: str) -> x509.GeneralName:
    if csrs.is_ip(name):
        return x509.IPAddress(ipaddress.ip_address(name))
    return x509.DNSName(name)


def _subject(spec: CertificateSpec) -> x509.Name:
    parts = []
    if spec.kind != "dv":
        for field, oid in _SUBJECT.items():
            value = spec.organisation.get(field, "")
            if oid == NameOID.COUNTRY_NAME and not (len(value) == 2 and value.isascii() and value.isalpha()):
                continue
            # The limits of X.520 count octets.
            value = value.encode()[:64].decode(errors="ignore")
            if value:
                parts.append(x509.NameAttribute(oid, value))
    # RFC 5280 allows 64 characters in a common name. CAs omit longer names there, as the SAN holds them.
    if spec.names and len(spec.names[0]) <= 64:
        parts.append(x509.NameAttribute(NameOID.COMMON_NAME, spec.names[0]))
    return x509.Name(parts)


def _key_bytes(key: PrivateKey) -> bytes:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )


def _write_secret(path: Path, data: bytes) -> None:
    path.touch(mode=0o600)
    path.write_bytes(data)


def _load_key(path: Path) -> PrivateKey:
    key = serialization.load_pem_private_key(path.read_bytes(), None)
    assert isinstance(key, rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey)
    return key
