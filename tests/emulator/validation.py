# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Domain control validation: the expected files and records, and the checks for them (API reference 8)."""

from __future__ import annotations

import secrets
from typing import Any

from . import csrs
from .catalogue import Product
from .model import Name, Order
from .network import Network, ValidationFailed
from .settings import Settings

METHODS = ("email", "http", "https", "dns")
_FOLDER = "/.well-known/pki-validation/"
_TOKEN_CHARACTERS = "abcdefghijklmnopqrstuvwxyz234567"


def new_unique() -> str:
    """20 characters in the format of the documented example, t0827792001533920169."""
    return f"t0{secrets.randbelow(10**18):018d}"


def new_token() -> str:
    """The DigiCert family's random value: an underscore and 31 characters, as in a real order (API reference 8.3)."""
    return "_" + "".join(secrets.choice(_TOKEN_CHARACTERS) for _unused in range(31))


def validation_file(domain: str, csr: csrs.Csr, unique: str, ca_domain: str) -> dict[str, str]:
    filename = f"{csr.md5}.txt"
    lines = [csr.sha256, ca_domain.upper()] + ([unique] if unique else [])
    # `link` starts with http for the https method too, as documented (API reference 8.2).
    return {"link": f"http://{domain}{_FOLDER}{filename}", "filename": filename, "content": "\r\n".join(lines)}


def cname(domain: str, csr: csrs.Csr, unique: str, ca_domain: str) -> tuple[str, str]:
    digest = csr.sha256.lower()
    parts = [digest[:32], digest[32:]] + ([unique] if unique else []) + [ca_domain]
    return f"_{csr.md5}.{domain}", ".".join(parts)


def instructions(order: Order, product: Product, name: Name, settings: Settings) -> dict[str, Any]:
    """`approver_method` or a SAN's `validation`: an object whose only key is the method (API reference 6.1)."""
    if name.method == "email":
        return {"email": {"email": name.email} if settings.email_shape == "object" else name.email}
    if not product.sectigo:
        return _digicert_instructions(name)
    csr = csrs.parse(order.csr)
    if name.method == "dns":
        record, target = cname(name.base, csr, order.unique, settings.dcv_ca_domain)
        return {"dns": {"record": f"{record} CNAME{chr(10) if settings.dns_newline else ' '}{target}"}}
    return {name.method: validation_file(name.base, csr, order.unique, settings.dcv_ca_domain)}


def _digicert_instructions(name: Name) -> dict[str, Any]:
    if name.method == "dns":
        return {"dns": {"record": f'{name.base}.   IN   TXT   "{name.token}"'}}
    link = f"http://{name.base}{_FOLDER}fileauth.txt"
    return {name.method: {"link": link, "filename": "fileauth.txt", "content": name.token}}


def check(order: Order, product: Product, name: Name, network: Network, settings: Settings) -> None:
    """Check the published file or record of a name. Raise `ValidationFailed` with the reason if it is wrong."""
    if name.method == "dns":
        _check_dns(order, product, name, network, settings)
        return
    file = instructions(order, product, name, settings)[name.method]
    expected = file["content"].encode()
    url = f"{name.method}://{_host(name.base)}{_FOLDER}{file['filename']}"
    body = network.fetch(url, settings.dcv_timeout, settings.dcv_redirects, settings.dcv_ipv6 == "strict")
    if body not in (expected, expected + b"\n", expected + b"\r\n"):
        raise ValidationFailed(f"the content of {url} is not the expected value")


def _host(name: str) -> str:
    return f"[{name}]" if ":" in name else name


def _check_dns(order: Order, product: Product, name: Name, network: Network, settings: Settings) -> None:
    if not product.sectigo:
        found = network.query(name.base, "TXT", settings.dcv_timeout)
        if name.token not in found:
            raise ValidationFailed(f"no TXT record of {name.base} holds the expected value ({len(found)} found)")
        return
    record, target = cname(name.base, csrs.parse(order.csr), order.unique, settings.dcv_ca_domain)
    targets = [text.lower().rstrip(".") for text in network.query(record, "CNAME", settings.dcv_timeout)]
    for _hop in range(8 if settings.dns_follow_cname else 0):
        if len(targets) != 1 or targets == [target.lower()]:
            break
        further = network.query(targets[0], "CNAME", settings.dcv_timeout)
        targets = [text.lower().rstrip(".") for text in further] or targets
    if not targets:
        raise ValidationFailed(f"there is no CNAME record {record.lower()}")
    if target.lower() not in targets:
        raise ValidationFailed(f"the CNAME record {record.lower()} points to {targets[0]}, not to the expected value")


# The CAs' domain names in CAA records, by whether Sectigo is the supplier.
_CAA_NAMES = {
    True: {"sectigo.com", "comodoca.com", "comodo.com", "usertrust.com", "trust-provider.com"},
    False: {
        "digicert.com",
        "www.digicert.com",
        "rapidssl.com",
        "geotrust.com",
        "thawte.com",
        "symantec.com",
        "digitalcertvalidation.com",
    },
}


def check_caa(product: Product, name: str, network: Network, timeout: float) -> None:
    """Check the closest CAA record set according to RFC 8659; without one, every CA is allowed."""
    labels = name.removeprefix("*.").split(".")
    for depth in range(len(labels) - 1):
        domain = ".".join(labels[depth:])
        records = [text.split(None, 2) for text in network.query(domain, "CAA", timeout)]
        if not records:
            continue
        tags: dict[str, list[str]] = {}
        for _unused, tag, value in records:
            tags.setdefault(tag.lower(), []).append(value.strip('"').split(";")[0].strip().lower())
        allowed = tags.get("issue")
        if name.startswith("*.") and "issuewild" in tags:
            allowed = tags["issuewild"]
        if allowed is not None and not _CAA_NAMES[product.sectigo] & set(allowed):
            raise ValidationFailed(f"the CAA records of {domain} do not allow this CA to issue for {name}")
        return
