# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_powerdns`: proofs in the zones of a PowerDNS server, through its HTTP API.

The API replaces all records of a name and type at once. So what is there is read first, and goes back along with ours,
as it was: other values, those that are switched off, the set's own time to live. Comments stay if they are not sent.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import re
import typing as t
import urllib.error
from urllib.parse import quote, urlsplit

from ansible.module_utils.urls import open_url

from ._errors import GogetsslError, host_error, input_error
from ._records import PUBLISHER_SPEC, Record, read_records, told
from ._task import Context, Params, Result, Task

SPEC: dict[str, t.Any] = {
    **PUBLISHER_SPEC,
    "url": {"type": "str", "required": True, "fallback_env": "GOGETSSL_POWERDNS_URL"},
    "key": {"type": "str", "required": True, "no_log": True, "fallback_env": "GOGETSSL_POWERDNS_KEY"},
    "server_id": {"type": "str", "default": "localhost"},
    "ca_path": {"type": "path"},
}
TIMEOUT_SECONDS = 20.0
MAX_BODY_BYTES = 64 * 1024 * 1024  # of a whole zone: some half a million records
WORDS_SHOWN = 200  # characters of the server's own words
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')
_COPIES = ("slave", "secondary", "consumer")

RrSet = t.Mapping[str, t.Any]


class Refusal(Exception):
    """The server answered with an error."""

    def __init__(self, status: int, words: str) -> None:
        super().__init__(status)
        self.status = status
        self.words = words


class Answers(t.Protocol):
    """One exchange with the API: method, path below the server's own, body."""

    def __call__(self, method: str, path: str, body: t.Any = None) -> t.Any:
        """The answer; a `Refusal` for an error."""


def run(context: Context) -> Result:
    """Look at what the server has, and send what differs, zone by zone."""
    params = context.params
    records = read_records(params["records"])
    call = api(params)
    changed: list[Record] = []
    for zone in dict.fromkeys(record.zone for record in records):
        ours = [record for record in records if record.zone == zone]
        try:
            changed += _in_zone(context, call, zone, ours)
        except Refusal as refusal:
            raise explain(refusal, params, zone) from None
    lines = "".join(f"{record}\n" for record in changed)
    before, after = ("", lines) if params["state"] == "present" else (lines, "")
    return {
        "changed": bool(changed),
        "records": list(map(told, changed)),
        "diff": {"before": before, "after": after},
    }


def _in_zone(context: Context, call: Answers, zone: str, records: t.Sequence[Record]) -> list[Record]:
    """The records that were made or removed. All are looked at before the first is touched."""
    state = context.params["state"]
    found = _look(call, zone)
    check_kind(found, zone, context.params["url"])
    if state == "checked":
        return []
    todo, sets = plan(state, records, found["rrsets"])
    if not sets or context.check_mode:
        return todo
    call("PATCH", _path(zone), {"rrsets": sets})
    again, _sets = plan(state, todo, _look(call, zone)["rrsets"])
    if again:
        raise host_error(
            f"PowerDNS at {context.params['url']} took the change of {again[0].name}, but it is undone already:"
            " somebody else changes the same name at the same time. Run again."
        )
    if str(found.get("kind", "")).lower() in ("master", "primary", "producer"):
        _notify(call, zone)
    return todo


def check_kind(answer: t.Mapping[str, t.Any], zone: str, url: str) -> None:
    """An error for a copy of a zone: the API would change it, and its primary would undo that."""
    if str(answer.get("kind", "")).lower() in _COPIES:
        raise host_error(
            f"PowerDNS at {url} has {zone} as a copy of another server's: records are to be made there, or the zone is"
            " the wrong one (gogetssl_dns_zones)."
        )


def plan(
    state: str, records: t.Sequence[Record], found: t.Sequence[RrSet]
) -> tuple[list[Record], list[dict[str, t.Any]]]:
    """The records that are to be made or removed, and the sets that do it; an error for what stands in the way."""
    todo: list[Record] = []
    sets = []
    for name, kind in dict.fromkeys((record.name, record.type) for record in records):
        wanted = [record for record in records if (record.name, record.type) == (name, kind)]
        standing = [one for one in found if str(one["name"]).lower() == f"{name}."]
        there: RrSet = next((one for one in standing if one["type"] == kind), {})
        held = list(there.get("records", ()))
        active = {plain(kind, one["content"]) for one in held if not one.get("disabled")}
        if state == "present":
            missing = [record for record in wanted if _value(record) not in active]
            if missing:
                _check_room(missing, standing)
        else:
            known = {plain(kind, one["content"]) for one in held}
            missing = [record for record in wanted if _value(record) in known]
        if missing:
            todo += missing
            sets.append(_merged(state, missing, there, held))
    return todo, sets


def _check_room(missing: t.Sequence[Record], standing: t.Sequence[RrSet]) -> None:
    """An alias stands at a name alone, also beside what is switched off for a while."""
    record = missing[0]
    values = list(dict.fromkeys(_value(one) for one in missing))
    in_the_way = [
        f"{one['content']!r} as {rrset['type']}"
        for rrset in standing
        if record.type == "CNAME" or rrset["type"] == "CNAME"
        for one in rrset.get("records", ())
        if not (rrset["type"] == record.type and plain(record.type, one["content"]) == values[0])
    ]
    if in_the_way or (record.type == "CNAME" and len(values) > 1):
        what = ", ".join(in_the_way[:5]) or "more than one alias to get"
        raise host_error(
            f"{record.name} has {what} in PowerDNS, where {values[0]!r} is to stand as {record.type}: remove that, or"
            " publish elsewhere (gogetssl_dns_alias)."
        )


def _merged(state: str, changed: t.Sequence[Record], there: RrSet, held: t.Sequence[t.Any]) -> dict[str, t.Any]:
    """The whole set as it is to be: what others have, as they wrote it, with ours or without."""
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


def written(record: Record) -> str:
    """A record's value in the words of a zone file; what could need an escape is no proof's and refused before."""
    return f'"{record.value}"' if record.type == "TXT" else f"{record.value.rstrip('.')}."


def plain(kind: str, content: str) -> str:
    """The value in what a zone file says."""
    if kind == "TXT":
        return "".join(re.sub(r"\\(.)", r"\1", part) for part in _QUOTED.findall(content)) or content
    return content.rstrip(".").lower()


# ---- the API -----------------------------------------------------------------------------------------------------


def api(params: Params) -> Answers:
    """The API of one server. Its key goes to that address alone: redirects are not followed."""
    url = str(params["url"]).strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and not parts.username
        usable = usable and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable:
        raise input_error("The address of PowerDNS is http:// or https://, a host and a port, without a user.")
    key = str(params["key"]).strip()
    if not key.isascii() or not key.isprintable() or not key:
        raise input_error("The key of PowerDNS has characters that no HTTP header can hold, or none.")
    server = quote(str(params["server_id"]), safe="")
    base = url if url.endswith("/api/v1") else f"{url}/api/v1"
    headers = {"X-API-Key": key, "Content-Type": "application/json", "Accept": "application/json"}

    def call(method: str, path: str, body: t.Any = None) -> t.Any:
        try:
            with open_url(
                f"{base}/servers/{server}/{path}",
                method=method,
                data=None if body is None else json.dumps(body).encode(),
                headers=headers,
                timeout=TIMEOUT_SECONDS,
                ca_path=params["ca_path"],
                follow_redirects="none",
                http_agent="certops.gogetssl",
                use_netrc=False,
            ) as answer:
                text = answer.read(MAX_BODY_BYTES + 1)
        except urllib.error.HTTPError as error:
            raise Refusal(error.code, words_of(error.read(MAX_BODY_BYTES))) from None
        except (OSError, http.client.HTTPException, ValueError) as error:
            raise host_error(f"PowerDNS at {url} cannot be reached: {_why(error)}.") from None
        return _read(text, url)

    return call


def _read(text: bytes, url: str) -> t.Any:
    if len(text) > MAX_BODY_BYTES:
        raise host_error(f"PowerDNS at {url} has a zone of more than {MAX_BODY_BYTES >> 20} MiB: publish by nsupdate.")
    try:
        return json.loads(text) if text else None
    except ValueError:
        raise host_error(f"What answers at {url} is not the API of PowerDNS: it gave no JSON.") from None


def _look(call: Answers, zone: str) -> dict[str, t.Any]:
    """The zone with all its sets: asked for those of one name, PowerDNS 4.7 keeps silent of what is switched off."""
    answer = call("GET", _path(zone))
    if not isinstance(answer, dict) or not isinstance(answer.get("rrsets"), list):
        raise Refusal(200, "its answer does not tell the records of a zone")
    return answer


def _path(zone: str) -> str:
    return f"zones/{quote(zone)}."


def _notify(call: Answers, zone: str) -> None:
    """Have the zone's copies fetch it now. They do so later by themselves, so a refusal is nothing."""
    with contextlib.suppress(Refusal, GogetsslError):
        call("PUT", f"{_path(zone)}/notify")


def words_of(body: bytes) -> str:
    """The server's own words, in one line."""
    try:
        told = json.loads(body)
        text = str(told["error"])
    except (ValueError, KeyError, TypeError):
        text = body.decode("utf-8", "replace") if b"<" not in body else ""
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())[:WORDS_SHOWN].rstrip(".")


def explain(refusal: Refusal, params: Params, zone: str) -> GogetsslError:
    """Whose refusal it was, and what to do."""
    where = f"PowerDNS at {params['url']}"
    words = f" ({refusal.words})" if refusal.words else ""
    if refusal.status in (401, 403):
        return host_error(
            f"{where} does not let us in: HTTP {refusal.status}. Check gogetssl_powerdns_key against its api-key, and"
            " webserver-allow-from against the controller's address."
        )
    if refusal.status == 404:
        return host_error(
            f"{where} has no zone {zone} as its server {params['server_id']!r}: name the right server, or the right"
            " zone (gogetssl_dns_zones)."
        )
    return host_error(f"{where} did not do what it was asked for in {zone}: HTTP {refusal.status}{words}.")


def _why(error: BaseException) -> str:
    """The reason in the system's own short words."""
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError):
        return f"no answer within {TIMEOUT_SECONDS:g} seconds"
    if isinstance(reason, OSError) and reason.strerror:
        return reason.strerror[0].lower() + reason.strerror[1:]
    return type(reason).__name__


TASK = Task(argument_spec=SPEC, run=run, needs=())
