# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_powerdns`: DCV records in the zones of a PowerDNS server, through its HTTP API.

The API replaces all records of a name and type at once. The task therefore reads the existing records first and sends
them back unchanged: other values, disabled records and the TTL of the set. PowerDNS keeps comments that are not sent.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import typing as t
import urllib.error
from urllib.parse import quote, urlsplit

from ansible.module_utils.basic import env_fallback
from ansible.module_utils.urls import open_url

from .._core import deadline
from .._core.errors import GogetsslError, host_error, input_error, peer_errors_as_sentences
from .._core.task import Context, Params, Result, Task
from .._dns.records import PUBLISHER_SPEC, Record, as_result, plain, read_records, written

SPEC: dict[str, t.Any] = {
    **PUBLISHER_SPEC,
    "url": {"type": "str", "required": True, "fallback": (env_fallback, ["GOGETSSL_POWERDNS_URL"])},
    "key": {"type": "str", "required": True, "no_log": True, "fallback": (env_fallback, ["GOGETSSL_POWERDNS_KEY"])},
    "server_id": {"type": "str", "default": "localhost"},
    "ca_path": {"type": "path"},
}
TIMEOUT_SECONDS = 20.0  # without receiving a byte
EXCHANGE_SECONDS = 60.0  # for one exchange, even if data keeps arriving
MAX_BODY_BYTES = 64 * 1024 * 1024  # of a whole zone: about half a million records
MAX_MESSAGE = 200  # characters of the server's error message
_COPIES = ("slave", "secondary", "consumer")

RrSet = t.Mapping[str, t.Any]


class Refusal(Exception):
    """The server returned an error."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(status)
        self.status = status
        self.message = message


class Answers(t.Protocol):
    """One exchange with the API: method, path relative to the server's URL, body."""

    def __call__(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """Return the decoded response; raise `Refusal` for an HTTP error."""


def run(context: Context) -> Result:
    """Read each zone and send the differences."""
    params = context.params
    records = read_records(params["records"])
    call = api(params)
    changed: list[Record] = []
    for zone in dict.fromkeys(record.zone for record in records):
        ours = [record for record in records if record.zone == zone]
        with peer_errors_as_sentences(f"PowerDNS at {params['url']}"):
            try:
                changed += _in_zone(context, call, zone, ours)
            except Refusal as refusal:
                raise explain(refusal, params, zone) from None
    lines = "".join(f"{record}\n" for record in changed)
    before, after = ("", lines) if params["state"] == "present" else (lines, "")
    return {
        "changed": bool(changed),
        "records": list(map(as_result, changed)),
        "diff": {"before": before, "after": after},
    }


def _in_zone(context: Context, call: Answers, zone: str, records: t.Sequence[Record]) -> list[Record]:
    """The records that were created or removed. All records are read before the first change."""
    state = context.params["state"]
    found = _read_zone(call, zone)
    check_kind(found, zone, context.params["url"])
    if context.params["verify_only"]:
        return []
    todo, sets = plan_changes(state, records, found["rrsets"])
    if not sets or context.check_mode:
        return todo
    call("PATCH", _path(zone), {"rrsets": sets})
    again, _sets = plan_changes(state, todo, _read_zone(call, zone)["rrsets"])
    if again:
        raise host_error(
            f"PowerDNS at {context.params['url']} accepted the change of {again[0].name}, but the change was undone:"
            " another client changes the same name at the same time. Run again."
        )
    if str(found.get("kind", "")).lower() in ("master", "primary", "producer"):
        _notify(call, zone)
    return todo


def check_kind(answer: t.Mapping[str, t.Any], zone: str, url: str) -> None:
    """Raise an error for a secondary zone: the API would change it, and the primary would undo the change."""
    if str(answer.get("kind", "")).lower() in _COPIES:
        raise host_error(
            f"PowerDNS at {url} is a secondary server of {zone}: publish at the primary server, or set the right zone"
            " (gogetssl_dns_zones)."
        )


def plan_changes(
    state: str, records: t.Sequence[Record], found: t.Sequence[RrSet]
) -> tuple[list[Record], list[dict[str, t.Any]]]:
    """The records to create or remove, and the sets to send. Conflicting records raise an error."""
    todo: list[Record] = []
    sets = []
    for name, kind in dict.fromkeys((record.name, record.type) for record in records):
        expected = [record for record in records if (record.name, record.type) == (name, kind)]
        existing = [one for one in found if str(one["name"]).lower() == f"{name}."]
        there: RrSet = next((one for one in existing if one["type"] == kind), {})
        held = list(there.get("records", ()))
        active = {plain(kind, one["content"]) for one in held if not one.get("disabled")}
        if state == "present":
            missing = [record for record in expected if _value(record) not in active]
            if missing:
                _check_room(missing, existing)
        else:
            known = {plain(kind, one["content"]) for one in held}
            missing = [record for record in expected if _value(record) in known]
        if missing:
            todo += missing
            sets.append(_merged(state, missing, there, held))
    return todo, sets


def _check_room(missing: t.Sequence[Record], existing: t.Sequence[RrSet]) -> None:
    """A CNAME record must be the only record of its name. Disabled records count, too."""
    record = missing[0]
    values = list(dict.fromkeys(_value(one) for one in missing))
    in_the_way = [
        f"{one['content']!r} as {rrset['type']}"
        for rrset in existing
        if record.type == "CNAME" or rrset["type"] == "CNAME"
        for one in rrset.get("records", ())
        if not (rrset["type"] == record.type and plain(record.type, one["content"]) == values[0])
    ]
    if in_the_way or (record.type == "CNAME" and len(values) > 1):
        what = ", ".join(in_the_way[:5]) or "more than one CNAME value"
        raise host_error(
            f"{record.name} has {what} in PowerDNS, where {record.type} {values[0]!r} is required: remove that, or"
            " publish at another name (gogetssl_dns_alias)."
        )


def _merged(state: str, changed: t.Sequence[Record], there: RrSet, held: t.Sequence[t.Any]) -> dict[str, t.Any]:
    """The complete set to send: the other records as PowerDNS returned them, with or without the task's records."""
    first = changed[0]
    values = {_value(record) for record in changed}
    kept = [
        {"content": one["content"], "disabled": bool(one.get("disabled"))}
        for one in held
        if plain(first.type, one["content"]) not in values
    ]
    made = [{"content": written(record), "disabled": False} for record in changed] if state == "present" else []
    rrset: dict[str, t.Any] = {"name": f"{first.name}.", "type": first.type}
    if not kept and not made:
        return {**rrset, "changetype": "DELETE"}
    ttl = there["ttl"] if kept else first.ttl
    return {**rrset, "changetype": "REPLACE", "ttl": ttl, "records": kept + made}


def _value(record: Record) -> str:
    return record.value if record.type == "TXT" else record.value.rstrip(".").lower()


# ---- the API -----------------------------------------------------------------------------------------------------


def api(params: Params) -> Answers:
    """The API of one server. The key is sent to that address only: redirects are not followed."""
    url = _address(params)
    key = str(params["key"]).strip()
    if not key.isascii() or not key.isprintable() or not key:
        raise input_error("The key of PowerDNS is empty or has characters that HTTP headers do not allow.")
    base = url if url.endswith("/api/v1") else f"{url}/api/v1"
    server = f"{base}/servers/{quote(str(params['server_id']), safe='')}"
    headers = {"X-API-Key": key, "Content-Type": "application/json", "Accept": "application/json"}

    def call(method: str, path: str, body: t.Any = None) -> t.Any:
        try:
            with deadline.interrupted(EXCHANGE_SECONDS):
                text = _exchange(method, f"{server}/{path}", body, headers, params["ca_path"])
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise host_error(f"PowerDNS at {url} cannot be reached: {_why(error)}.") from None
        return _read(text, url)

    return call


def _address(params: Params) -> str:
    url = str(params["url"]).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in url
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise input_error("The address of PowerDNS must be http:// or https://, a host and a port, without a user.")
    return url


def _exchange(method: str, url: str, body: t.Any, headers: dict[str, str], ca_path: str | None) -> bytes:
    """The body of a response; raises `Refusal` for an HTTP error."""
    try:
        with open_url(
            url,
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers=headers,
            timeout=TIMEOUT_SECONDS,
            ca_path=ca_path,
            follow_redirects="none",
            http_agent="certops.gogetssl",
            use_netrc=False,
        ) as answer:
            return bytes(answer.read(MAX_BODY_BYTES + 1))
    except urllib.error.HTTPError as error:
        raise Refusal(error.code, message_of(error.read(MAX_BODY_BYTES))) from None


def _read(text: bytes, url: str) -> t.Any:
    if len(text) > MAX_BODY_BYTES:
        raise host_error(f"PowerDNS at {url} has a zone of more than {MAX_BODY_BYTES >> 20} MiB: publish by nsupdate.")
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise host_error(f"{url} is not the API of PowerDNS: the response is not JSON.") from None


def _read_zone(call: Answers, zone: str) -> dict[str, t.Any]:
    """The zone with all its sets. Queried for a single name, PowerDNS 4.7 omits disabled records."""
    answer = call("GET", _path(zone))
    if not isinstance(answer, dict) or not isinstance(answer.get("rrsets"), list):
        raise Refusal(200, "its answer does not contain the records of a zone")
    return answer


def _path(zone: str) -> str:
    return f"zones/{quote(zone)}."


def _notify(call: Answers, zone: str) -> None:
    """Notify the secondaries of the zone. They also refresh by themselves, so errors are ignored."""
    with contextlib.suppress(Refusal, GogetsslError):
        call("PUT", f"{_path(zone)}/notify")


def message_of(body: bytes) -> str:
    """The server's error message in one line."""
    try:
        payload = json.loads(body)
        text = str(payload["error"])
    except (ValueError, KeyError, TypeError, RecursionError):
        text = body.decode("utf-8", "replace") if b"<" not in body else ""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:MAX_MESSAGE].rstrip(".")


def explain(refusal: Refusal, params: Params, zone: str) -> GogetsslError:
    """The error for the operator, with the cause and the remedy."""
    where = f"PowerDNS at {params['url']}"
    message = f" ({refusal.message})" if refusal.message else ""
    if refusal.status in (401, 403):
        return host_error(
            f"{where} refuses access: HTTP {refusal.status}. Check gogetssl_powerdns_key against its api-key, and"
            " webserver-allow-from against the controller's address."
        )
    if refusal.status == 404:
        return host_error(
            f"{where} has no zone {zone} as its server {params['server_id']!r}: set the right server, or the right"
            " zone (gogetssl_dns_zones)."
        )
    return host_error(f"{where} did not make the requested change in {zone}: HTTP {refusal.status}{message}.")


def _why(error: BaseException) -> str:
    """A short reason, from the message of the operating system."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, deadline.Expired):
        return f"no complete answer within {EXCHANGE_SECONDS:g} seconds"
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:g} seconds"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror[0].lower() + reason.strerror[1:]
    return type(reason).__name__


TASK = Task(argument_spec=SPEC, run=run, needs=())
