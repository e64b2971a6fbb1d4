# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The settings: one for each behaviour that the API reference leaves open."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

_field = dataclasses.field  # evaluated for each field below


def _choice(default: str, *others: str) -> Any:
    return _field(default=default, metadata={"choices": (default, *others)})


@dataclass
class Settings:
    """Names and defaults. README.md explains each setting; a test compares both."""

    # Money (API reference 3).
    initial_balance: float = 10000.0
    currency: str = "EUR"
    tax_percent: float = 21.0
    insufficient_balance: str = _choice("unpaid", "error")
    cancel_refund: bool = True

    # Keys, verbs and transport (API reference 1 and 13).
    key_life_days: float = 365.0
    bad_key_status: int = 403
    post_reads: bool = True
    json_bodies: bool = True
    acting_gets: str = _choice("both", "get", "post")
    reissue_put: bool = False
    whois_path: str = _choice("both", "domain", "plain")

    # Shapes and types (API reference 13).
    orders_shape: str = _choice("array", "object")
    statuses_shape: str = _choice("object", "array")
    alternative_shape: str = _choice("wrapped", "bare")
    email_shape: str = _choice("string", "object")
    cancel_shape: str = _choice("all", "order_id", "message")
    geotrust_emails_key: str = _choice("GeotrustApprovalEmails", "getDomainEmailsForGeotrust")
    products_shape: str = _choice("list", "object", "array")
    revoked_filter: bool = True
    ids_in_writes: str = _choice("int", "string")
    ids_in_reads: str = _choice("string", "int")
    san_status_in_writes: str = _choice("int", "string")
    san_status_in_reads: str = _choice("string", "int")
    empty_date: str = _choice("0000-00-00", "")
    empty_approver_method: str = _choice("array", "absent")
    csr_in_status: str = _choice("always", "active")
    dns_newline: bool = False
    acme_products: bool = False

    # Ordering and the lifecycle of an order (API reference 6, 7, 9).
    tech_contact: str = _choice("required", "optional")
    foreign_webservers: bool = True
    fresh_order_status: str = "active"
    initial_status: str = _choice("processing", "new_order", "pending", "incomplete")
    initial_status_seconds: float = 0.0
    instructions_delay: float = 0.0
    san_instructions_delay: float = 0.0
    issuance_delay: float = 1.0
    max_days: int = 199
    validity_schedule: bool = False
    manual_check: str = _choice("manual", "auto")
    brand_check_words: str = ""
    reissue_status: str = _choice("reissue", "processing")
    reissue_keeps_crt: bool = True
    reissue_extra_names: str = _choice("refuse", "charge")
    renewal_window_days: int = 30
    renewal_adds_days: bool = True
    cancel_review_hours: float = 24.0
    cancel_review: str = _choice("accept", "refuse")
    unpaid_cancel_days: int = 20
    trial_cancel_days: int = 30
    dv_cancel_days: int = 45
    ovev_cancel_days: int = 60
    auto_www: bool = True
    ca_code_root: bool = False
    lei_seconds: float = 1.0
    lei_need_action: bool = False
    lei_register_delay: float = 0.0
    lei_price: str = _choice("listed", "unlisted")

    # Domain control validation (API reference 8).
    dcv_mode: str = _choice("real", "pass")
    dcv_interval: float = 5.0
    dcv_timeout: float = 5.0
    dcv_redirects: int = 5
    dcv_reuse_days: int = 0
    dcv_ipv6: str = _choice("strict", "fallback")
    dns_follow_cname: bool = False
    dcv_ca_domain: str = _choice("comodoca.com", "sectigo.com")
    digicert_methods: str = _choice("all", "email")
    digicert_mixed: str = _choice("refuse", "accept")
    unique_code_reuse: str = _choice("accept", "refuse")
    change_lock_seconds: float = 30.0
    revalidate_lock_seconds: float = 5.0
    caa: bool = False
    caa_recheck_seconds: float = 600.0

    # Lists (API reference 7.4 to 7.6).
    list_delay: float = 0.0
    list_seconds: float = 0.0
    invoice_delay: float = 0.0
    list_newest_first: bool = True
    list_limit_max: int = 1000
    list_offset_max: int = 1000
    statuses_max: int = 0

    def changed(self, values: dict[str, Any]) -> Settings:
        """A copy with these values. An unknown name, wrong type or invalid choice raises a ValueError."""
        known = {field.name: field for field in dataclasses.fields(self)}
        checked = {}
        for name, value in values.items():
            if name not in known:
                raise ValueError(f"unknown setting {name!r}")
            checked[name] = _checked(known[name], value)
        return dataclasses.replace(self, **checked)


def _checked(field: dataclasses.Field[Any], value: Any) -> Any:
    kind = type(field.default)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        value = float(value)
    if not isinstance(value, kind) or isinstance(value, bool) is not (kind is bool):
        raise ValueError(f"setting {field.name!r} must be {kind.__name__}, not {value!r}")
    choices = field.metadata.get("choices")
    if choices and value not in choices:
        raise ValueError(f"setting {field.name!r} must be one of {', '.join(map(repr, choices))}, not {value!r}")
    return value
