# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Classifies responses: accepted or refused by the API, or not from the API. Pure.

Proxies, firewalls and CDNs are between the client and the API. They can respond before or after the API has acted.
Therefore only JSON in the API's own form is evidence of what the API did.
"""

from __future__ import annotations

import enum
import json
import typing as t

from .._core.text import printable

Json = t.Any
REPEATABLE_STATUS_CODES = frozenset({408, 425, 429})  # and all from 500: a read can be retried
_KEY_STATUS_CODES = (401, 403)  # 403 was observed, 401 is expected by some clients (API reference 1.4)
MAX_NESTING = 50  # of an answer; the deepest real ones have five levels


class Verdict(enum.Enum):
    """The meaning of a response."""

    ACCEPTED = "accepted"
    REFUSED = "refused"  # by the API: the call had no effect
    KEY_REFUSED = "key refused"  # by the API: the call had no effect
    NOT_THE_API = "not the API"  # no JSON in the API's form: whether the call had an effect is unknown


def parse(body: bytes) -> Json:
    """Return the JSON of a body, or None if the body is not JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        return None


def evaluate(status: int, payload: Json) -> Verdict:
    """Classify the response to a call (API reference 1.4, 1.6)."""
    succeeded = 200 <= status < 300
    if not isinstance(payload, dict):
        # Some lists are bare arrays; a write that returns one is checked by its method.
        return Verdict.ACCEPTED if succeeded and isinstance(payload, list) else Verdict.NOT_THE_API
    message = message_of(payload)
    refused = payload.get("error") is True and bool(message)
    if _mentions_key(message) and (status in _KEY_STATUS_CODES or (succeeded and refused)):
        return Verdict.KEY_REFUSED
    if status == 404 and message.startswith("The requested method"):
        return Verdict.REFUSED
    if not succeeded:
        return Verdict.NOT_THE_API
    if refused:
        return Verdict.REFUSED
    failed = payload.get("error") not in (None, False, 0, "0", "", "false", [])
    denied = "success" in payload and payload["success"] in (False, 0, "0", "false", None)
    return Verdict.NOT_THE_API if failed or denied else Verdict.ACCEPTED


def login_refusal(status: int, body: bytes) -> str:
    """The reason of a refused login, or an empty text. A login has no effect, so any error in the API's form counts."""
    payload = parse(body)
    if not isinstance(payload, dict) or status >= 500 or status in REPEATABLE_STATUS_CODES:
        return ""
    refused = payload.get("error") is True or payload.get("success") in (False, 0, "0", "false")
    return (message_of(payload) or f"HTTP {status} without a reason") if refused else ""


def confirms(payload: Json) -> bool:
    """True if the API accepted a write: its response reports success or contains the order's id."""
    return isinstance(payload, dict) and (payload.get("success") in (True, 1, "1", "true") or "order_id" in payload)


def repeatable(status: int) -> bool:
    """True if a read can be retried after a response that is not from the API, because the failure may be temporary."""
    return status in REPEATABLE_STATUS_CODES or status >= 500 or 200 <= status < 300


def message_of(payload: Json) -> str:
    """Return the vendor's `message` and `description` without duplicates, safe to print (API reference 1.6)."""
    if not isinstance(payload, dict):
        return ""
    parts: list[str] = []
    for key in ("message", "description"):
        text = payload.get(key)
        if isinstance(text, str) and text.strip() and printable(text) not in parts:
            parts.append(printable(text))
    return ": ".join(parts)


def describe(status: int, body: bytes) -> str:
    """Describe a response that is not from the API."""
    if not body.strip():
        what = "an empty body"
    elif body.lstrip()[:1] == b"<":
        what = "HTML (a page of a proxy, firewall or CDN such as Cloudflare, not of the API)"
    elif parse(body) is None:
        what = "text that is cut off or garbled"
    else:
        what = "JSON in another form"
    return f"HTTP {status} with {what}"


def collect_texts(value: Json, texts: list[str], depth: int = 0) -> bool:
    """Collect all texts of a response, field names included. Return False if it is nested too deeply."""
    if isinstance(value, str):
        texts.append(value)
    elif isinstance(value, (list, dict)):
        if isinstance(value, dict):
            texts.extend(value)
            value = value.values()
        for entry in value:
            if isinstance(entry, str):  # as most entries; without a call for each
                texts.append(entry)
            elif isinstance(entry, (list, dict)) and (
                depth >= MAX_NESTING or not collect_texts(entry, texts, depth + 1)
            ):
                return False
    return True


def sentence(text: str) -> str:
    """Return the text, with a full stop at the end."""
    return text if text.endswith((".", "!", "?")) else text + "."


def _mentions_key(message: str) -> bool:
    lowered = message.lower()
    return "auth key" in lowered or "auth_key" in lowered
