# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""CSR and domain tools (API reference 4.7 and 5)."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from . import csrs, errors, validation
from .backend import Call
from .errors import ApiError

_BOXES = ("admin", "administrator", "hostmaster", "postmaster", "webmaster")
_SUBJECT = {
    "CN": NameOID.COMMON_NAME,
    "C": NameOID.COUNTRY_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
    "O": NameOID.ORGANIZATION_NAME,
    "L": NameOID.LOCALITY_NAME,
    "S": NameOID.STATE_OR_PROVINCE_NAME,
}
_FORM = {"csr_organization": "O", "csr_department": "OU", "csr_city": "L", "csr_state": "S", "csr_country": "C"}


@functools.cache
def webserver_table() -> dict[str, list[dict[str, Any]]]:
    path = Path(__file__).parent / "data" / "webservers.json"
    table: dict[str, list[dict[str, Any]]] = json.loads(path.read_text(encoding="utf-8"))
    return table


def webservers(call: Call, supplier: str) -> dict[str, Any]:
    if supplier not in webserver_table():
        raise ApiError("Wrong supplier_id", "Use 1 for Sectigo and GoGetSSL, 2 for the DigiCert family")
    return {"webservers": webserver_table()[supplier], "success": True}


def decode_csr(call: Call) -> dict[str, Any]:
    """Decode a CSR. An invalid CSR, or a wildcard without `wildcard=1`, is an `errorMessage` in the result."""
    result = _csr_result(call.need("csr"))
    name = result.get("CN", "")
    if "*" in name and call.text("wildcard") not in ("1", "true", "yes"):
        result.setdefault("errorMessage", errors.UNEXPECTED_WILDCARD.format(name=name))
    return {"csrResult": result, "success": True}


def validate_csr(call: Call) -> dict[str, Any]:
    return {"csrResult": _csr_result(call.need("csr")), "success": True}


def _csr_result(pem: str) -> dict[str, Any]:
    if len(pem) > csrs.TOOL_LENGTH:
        return {"errorMessage": f"CSR is too long: at most {csrs.TOOL_LENGTH} characters"}
    try:
        csr = csrs.parse(pem)
    except csrs.BadCsr as error:
        return {"errorMessage": str(error)}
    result: dict[str, Any] = {key: csr.subject(oid) for key, oid in _SUBJECT.items()}
    result |= {
        "CN": csr.common_name,
        "version": "0",
        "Email": csr.subject(NameOID.EMAIL_ADDRESS),
        "dnsName(s)": csr.dns_names,
        "Key Size": str(csr.key_size),
        "md5": csr.md5,
        "sha1": csr.sha1,
        "sha256": csr.sha256,
    }
    name = csr.common_name or next(iter(csr.dns_names), "")
    if not csrs.is_host_name(name) and not csrs.is_ip(name):
        result["errorMessage"] = errors.INVALID_COMMON_NAME.format(name=name)
    return result


def generate_csr(call: Call) -> dict[str, Any]:
    names = {key: call.text(field) for field, key in _FORM.items()}
    names["CN"] = call.need("csr_commonname")
    if names["C"] and len(names["C"]) != 2:
        raise ApiError("Wrong csr_country", "The country must be an ISO code of two letters")
    if any(len(value) > 64 for value in names.values()):
        raise ApiError("Wrong CSR data", "A part of the subject has at most 64 characters")
    if not csrs.is_host_name(csrs.ascii_name(names["CN"])) and not csrs.is_ip(names["CN"]):
        raise ApiError(errors.INVALID_COMMON_NAME.format(name=names["CN"]))
    try:
        parts = [x509.NameAttribute(_SUBJECT[part], value) for part, value in names.items() if value]
        if call.text("csr_email"):
            parts.append(x509.NameAttribute(NameOID.EMAIL_ADDRESS, call.text("csr_email")))
    except ValueError as error:
        raise ApiError("Wrong CSR data", str(error)) from error
    key = rsa.generate_private_key(65537, 2048)
    request = x509.CertificateSigningRequestBuilder().subject_name(x509.Name(parts)).sign(key, hashes.SHA256())
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem = request.public_bytes(serialization.Encoding.PEM)
    return {"csr_code": pem.decode(), "csr_key": private.decode(), "success": True}


def get_csr(call: Call) -> dict[str, Any]:
    """Undocumented (API reference 2, no. 23): assumed to return the CSR of an order."""
    order = call.backend.store.order(call.number("order_id"))
    if order is None:
        raise ApiError("Order not found")
    return {"csr_code": order.csr, "success": True}


def approver_emails(name: str) -> list[str]:
    """The five approver addresses of a name and of each parent domain."""
    labels = name.removeprefix("*.").split(".")
    domains = [".".join(labels[depth:]) for depth in range(max(1, len(labels) - 1))]
    return [f"{box}@{domain}" for domain in domains for box in _BOXES]


def _domain(call: Call) -> str:
    domain = csrs.ascii_name(call.need("domain"))
    if not csrs.is_host_name(domain):
        raise ApiError("Wrong domain", f"The domain {domain} is not valid")
    return domain


def domain_emails(call: Call) -> dict[str, Any]:
    emails = approver_emails(_domain(call))
    return {"ComodoApprovalEmails": emails, "GeotrustApprovalEmails": emails, "success": True}


def domain_emails_geotrust(call: Call) -> dict[str, Any]:
    return {call.backend.settings.geotrust_emails_key: approver_emails(_domain(call)), "success": True}


def whois_emails(call: Call) -> dict[str, Any]:
    """Always empty: addresses from WHOIS may no longer be used (API reference 5)."""
    return _whois(call, "domain")


def whois_emails_plain(call: Call) -> dict[str, Any]:
    return _whois(call, "plain")


def _whois(call: Call, spelling: str) -> dict[str, Any]:
    if call.backend.settings.whois_path not in ("both", spelling):
        raise ApiError(errors.UNKNOWN_METHOD, status=404)
    _domain(call)
    return {"ComodoApprovalEmails": [], "GeotrustApprovalEmails": [], "success": True}


def alternative(call: Call) -> dict[str, Any]:
    """The validation values of a CSR without the unique value, in Sectigo's format only (API reference 5)."""
    try:
        csr = csrs.parse(call.need("csr"))
    except csrs.BadCsr as error:
        raise ApiError(str(error)) from error
    domain = (csr.common_name or next(iter(csr.dns_names), "")).removeprefix("*.")
    ca_domain = call.backend.settings.dcv_ca_domain
    file = validation.validation_file(domain, csr, "", ca_domain)
    record, target = validation.cname(domain, csr, "", ca_domain)
    inner = {"http": file, "https": file, "dns": {"record": f"{record} CNAME {target}"}}
    if call.backend.settings.alternative_shape == "bare":
        return inner
    return {"validation": {method: {method: expected} for method, expected in inner.items()}, "success": True}
