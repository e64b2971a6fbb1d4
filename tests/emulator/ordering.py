# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of an order's form before anything is sold (API reference 6.1)."""

from __future__ import annotations

import re

from . import csrs, errors, validation
from .backend import Call
from .catalogue import Product
from .errors import ApiError
from .model import Name
from .products import supported_methods
from .tools import approver_emails, webserver_table

EMAIL = re.compile(r"[^@\s,]+@[^@\s,]+\.[^@\s,.]+")
_UNIQUE = re.compile(r"[A-Za-z0-9]{15,20}")
_PERSON = ("firstname", "lastname", "phone", "title", "email")
# OV and EV require more. The vendor's page is inconsistent (API reference 6.1), so both are treated alike.
_PERSON_MORE = ("organization", "addressline1", "city", "country", "postalcode", "region")
_ORGANISATION = ("name", "division", "addressline1", "city", "country", "phone", "postalcode", "region")
_KEPT = re.compile(r"(admin|tech|org)_[a-z0-9]+|server_count|webserver_type|signature_hash|test|only_validate")


def checked_csr(call: Call) -> csrs.Csr:
    try:
        return csrs.parse(call.need("csr"))
    except csrs.BadCsr as error:
        raise ApiError(str(error)) from error


def main_name(csr: csrs.Csr, product: Product) -> str:
    """The common name, or the only name of a CSR for a public IP (API reference 8.4)."""
    name = csr.common_name or next(iter(csr.dns_names), "")
    if product.ip and csrs.is_ip(name):
        return name
    if not csrs.is_host_name(name):
        raise ApiError(errors.INVALID_COMMON_NAME.format(name=name))
    if "*" in name and not product.wildcard and not product.wildcard_sans:
        raise ApiError(errors.UNEXPECTED_WILDCARD.format(name=name))
    if product.wildcard and not name.startswith("*."):
        raise ApiError(f"The Common Name (Domain Name: {name}) must contain a * for a Wildcard SSL Certificate")
    return name


def split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def names(call: Call, product: Product, csr: csrs.Csr) -> list[Name]:
    """The common name and the SANs, each with its validation method."""
    common_name = main_name(csr, product)
    sans = [csrs.ascii_name(name) for name in split(call.text("dns_names"))]
    if sans and not product.multi:
        raise ApiError(errors.NO_SANS.format(product=product.name))
    _check_sans(product, common_name, sans)
    # Empty items count: both lists must have the same length.
    san_methods = [part.strip() for part in call.text("approver_emails").split(",")] if sans else []
    if len(san_methods) != len(sans):
        raise ApiError(
            "Wrong approver_emails",
            "Quantity of items in the approver_emails list must be always equal to quantity of items in dns_names",
        )
    method = call.need("dcv_method").lower()
    first = Name(common_name, method, call.text("approver_email") if method == "email" else "")
    all_names = [first] + [requested_validation(name, text) for name, text in zip(sans, san_methods, strict=True)]
    for name in all_names:
        check_method(call, product, name)
    _check_mixture(call, product, all_names)
    if not product.sectigo:
        for name in all_names:
            name.token = validation.new_token()
    return all_names


def _check_sans(product: Product, common_name: str, sans: list[str]) -> None:
    if common_name in sans:
        raise ApiError("Wrong dns_names", f"The list must not contain the primary domain {common_name}")
    if len(set(sans)) != len(sans):
        raise ApiError("Wrong dns_names", "The list contains a domain twice")
    for name in sans:
        if "*" in name and not product.wildcard_sans:
            raise ApiError("Wrong dns_names", f"The product {product.name} does not support wildcard SAN`s: {name}")
        if not csrs.is_host_name(name) and not (product.ip and csrs.is_ip(name)):
            raise ApiError("Wrong dns_names", f"The domain {name} is not valid")
    if len(sans) > product.san_max:
        raise ApiError("Wrong dns_names", f"The product {product.name} supports at most {product.san_max} SAN`s")


def requested_validation(name: str, text: str) -> Name:
    """The name with its requested method: http, https or dns in any case, or an approver's address (8.5)."""
    method = text.lower()
    return Name(name, method) if method in ("http", "https", "dns") else Name(name, "email", text)


def check_method(call: Call, product: Product, name: Name) -> None:
    if name.method not in validation.METHODS:
        raise ApiError("Wrong dcv_method", f"The validation method {name.method} is not supported")
    supported = set(supported_methods(product, call))
    if name.name.startswith("*."):
        supported -= {"http", "https"}
    if csrs.is_ip(name.name):
        supported &= {"http", "https"}
    elif product.ip:
        supported |= {"dns", "email"}
    if name.method not in supported:
        raise ApiError("Wrong dcv_method", f"The validation method {name.method} is not supported for {name.name}")
    if name.method == "email":
        _check_email(name)


def _check_email(name: Name) -> None:
    if not name.email:
        raise errors.wrong_approver("", name.name)
    if not EMAIL.fullmatch(name.email):
        raise ApiError(errors.INVALID_EMAIL)
    if name.email.lower() not in approver_emails(name.name):
        raise errors.wrong_approver(name.email, name.name)


def _check_mixture(call: Call, product: Product, names: list[Name]) -> None:
    mixed = len({name.method for name in names}) > 1
    if mixed and not product.sectigo and call.backend.settings.digicert_mixed == "refuse":
        raise ApiError("Wrong dcv_method", "All domains of this product must use one validation method")


def unique_code(call: Call, product: Product) -> str:
    """The client's value for Sectigo's products, a generated value for the others (API reference 8.3)."""
    code = call.text("unique_code")
    if not code or not product.sectigo:
        return validation.new_unique()
    if not _UNIQUE.fullmatch(code):
        raise ApiError("Wrong unique_code", "The unique code must have from 15 to 20 numbers and alphabetic characters")
    if call.backend.store.code_used(code) and call.backend.settings.unique_code_reuse == "refuse":
        raise ApiError("Wrong unique_code", "The unique code was already used")
    return code


def check_server(call: Call, product: Product) -> None:
    if call.number("server_count") < -1 or call.number("server_count") == 0:
        raise ApiError("Wrong server_count", "Use -1 for unlimited servers")
    own, other = ("1", "2") if product.sectigo else ("2", "1")
    # According to the vendor the value is hardly used any more (API reference 4.7).
    tables = (own, other) if call.backend.settings.foreign_webservers else (own,)
    known = {row["id"] for name in tables for row in webserver_table()[name]}
    if call.number("webserver_type") not in known:
        raise ApiError("Wrong webserver_type", f"The web server {call.text('webserver_type')} does not exist")


def fields(call: Call, product: Product) -> dict[str, str]:
    """The contacts and the organisation from the form, checked."""
    contacts = ("admin", "tech") if call.backend.settings.tech_contact == "required" else ("admin",)
    required = [f"{who}_{part}" for who in contacts for part in _PERSON]
    if product.organisation:
        required += [f"{who}_{part}" for who in contacts for part in _PERSON_MORE]
        required += [f"org_{part}" for part in _ORGANISATION]
    for name in required:
        call.need(name)
    for name in ("admin_email", "tech_email"):
        if call.text(name) and not EMAIL.fullmatch(call.text(name)):
            raise ApiError(errors.INVALID_EMAIL)
    if product.organisation and not re.fullmatch("[A-Za-z]{2}", call.text("org_country")):
        raise ApiError("Wrong org_country", "The country must be an ISO code of two letters")
    if len(call.text("org_lei")) > 20:
        raise ApiError("Wrong org_lei", "Max length for org lei should be 20 characters")
    return {name: value.strip() for name, value in call.form.items() if _KEPT.fullmatch(name)}
