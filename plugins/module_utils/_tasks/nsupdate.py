# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_nsupdate`: DCV records by dynamic updates of a zone (RFC 2136), signed by TSIG (RFC 8945).

Each zone gets one message: all its records are changed, or none. Other values of the same names are kept.
"""

from __future__ import annotations

import base64
import binascii
import typing as t

from ansible.module_utils.basic import env_fallback

from .._api.validations import DNS_NAME
from .._core.errors import GogetsslError, host_error, input_error
from .._core.task import Context, Params, Result, Task
from .._dns import wire
from .._dns.comparison import holds
from .._dns.nameservers import read_nameservers, read_place, read_resolve
from .._dns.records import PUBLISHER_SPEC, Record, as_result, read_records
from .._dns.resolver import Dns, Server
from .._dns.wire import ALGORITHMS, Answer, Change, Key, Outcome, Rejected, Verdict

SPEC: dict[str, t.Any] = {
    **PUBLISHER_SPEC,
    "server": {"type": "str"},
    "key_name": {"type": "str", "fallback": (env_fallback, ["GOGETSSL_TSIG_NAME"])},
    "key_secret": {"type": "str", "no_log": True, "fallback": (env_fallback, ["GOGETSSL_TSIG_SECRET"])},
    "key_algorithm": {"type": "str", "choices": list(ALGORITHMS), "default": "hmac-sha256"},
    "resolve": {"type": "dict", "default": {}},
    "nameservers": {"type": "list", "elements": "str", "default": []},
}
RULES = {"required_together": [("key_name", "key_secret")]}

_CLAUSES = {
    Verdict.IN_THE_WAY: "has other records at {names}, where the DCV record must be the only one: remove them, or"
    " publish at another name (gogetssl_dns_alias)",
    Verdict.BAD_KEY: "does not know the key {key} that signs for {names}: check key_name and key_algorithm"
    " against the server's configuration",
    Verdict.BAD_SIGNATURE: "knows the key {key} that signs for {names} with another secret: check key_secret",
    Verdict.BAD_TIME: "finds the signature too old or too new: the clocks of the controller and the server differ",
    Verdict.REFUSED: "refuses updates of {zone} by {key}: its update-policy or allow-update has to permit {names}",
    Verdict.NOT_PRIMARY: "is not the primary server of {zone} or does not accept updates of it: set the right server,"
    " or the right zone (gogetssl_dns_zones)",
    Verdict.SERVFAIL: "failed to update {zone}: see its log for the reason",
    Verdict.TIMEOUT: "did not answer an update of {zone} in time",
    Verdict.UNREACHABLE: "cannot be reached for an update of {zone}",
    Verdict.GARBLED: "returned an unusable answer to an update of {zone}",
}


def run(context: Context) -> Result:
    """Read the records on each zone's primary server and send the differences."""
    params = context.params
    records, key = read_records(params["records"]), read_key(params)
    dns = Dns(read_nameservers(params["nameservers"]), read_resolve(params["resolve"]))
    changed: list[Record] = []
    for zone in dict.fromkeys(record.zone for record in records):
        server = find_server(dns, zone, params["server"])
        ours = [record for record in records if record.zone == zone]
        try:
            found = {record.key: wire.peek(server, record.name, record.type, key) for record in ours}
            if params["verify_only"]:
                _verify(server, zone, plan_updates("present", ours, found), key)
                continue
            todo = plan_updates(params["state"], ours, found)
            if todo and not context.check_mode:
                changes = [_change(record, params["state"] == "present") for record in todo]
                wire.update(server, zone, changes, key)
        except Rejected as rejection:
            raise explain(rejection, server, zone, key, ours) from None
        changed += todo
    shown_changes = [str(record) + "\n" for record in changed]
    before, after = ("", "".join(shown_changes)) if params["state"] == "present" else ("".join(shown_changes), "")
    return {
        "changed": bool(changed),
        "records": list(map(as_result, changed)),
        "diff": {"before": before, "after": after},
    }


def plan_updates(
    state: str, records: t.Sequence[Record], found: t.Mapping[tuple[str, str, str], Answer]
) -> list[Record]:
    """The records to create or remove. The server itself reports conflicts: a DNS response does not distinguish
    the target of a wildcard from a record of the name."""
    todo = []
    for record in records:
        answer = found[record.key]
        if answer.outcome in (Outcome.REFUSED, Outcome.LAME, Outcome.REFERRAL):
            raise host_error(
                f"{answer.server} does not serve {record.zone}, the zone of {record.name}: set the right server, or"
                " the right zone (gogetssl_dns_zones)."
            )
        there = record.value in answer.values if record.type == "TXT" else holds("CNAME", record.value, answer.values)
        if there is not (state == "present"):
            todo.append(record)
    return todo


def _verify(server: Server, zone: str, missing: t.Sequence[Record], key: Key | None) -> None:
    """Request the removal of records that do not exist: this verifies the permissions and changes nothing."""
    if missing:
        wire.update(server, zone, [_change(record, False) for record in missing], key)


def _change(record: Record, add: bool) -> Change:
    return Change(add, record.name, record.type, record.value, record.ttl)


def read_key(params: Params) -> Key | None:
    """The key of the options. Errors do not contain its secret."""
    if not params["key_name"]:
        return None
    name = str(params["key_name"]).strip().rstrip(".").lower()
    if not DNS_NAME.match(name + ".key"):
        raise input_error(f"key_name: {params['key_name'][:120]!r} is not a valid key name.")
    try:
        secret = base64.b64decode("".join(str(params["key_secret"]).split()), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not secret:
        raise input_error("key_secret must be Base64, as printed by tsig-keygen.")
    return Key(name, secret, params["key_algorithm"])


def find_server(dns: Dns, zone: str, given: str | None) -> Server:
    """The server that accepts updates: the given address or name, or the primary from the zone's SOA record."""
    if given:
        try:
            address, port = read_place(given)
            return Server("", address, port or 53)
        except ValueError:
            name, _colon, port_text = given.partition(":")
            candidates = dns.addresses(name.strip().rstrip(".").lower())
            if not candidates or not (port_text.isdigit() or not port_text):
                raise input_error(
                    f"server: {given!r} is not an address, address:port or name with an address."
                ) from None
            first = candidates[0]
            return Server(first.name, first.address, int(port_text) if port_text else first.port)
    found = dns.zone_of(zone)
    candidates = dns.addresses(found.soa.primary) if found.soa else ()
    if not candidates:
        raise host_error(f"The primary server of {zone} could not be found. Set gogetssl_nsupdate_server.")
    if not dns.may_query(candidates[0]):
        raise host_error(
            f"The primary server of {zone}, {candidates[0]}, has no public address. If updates may be sent to it, set"
            " gogetssl_nsupdate_server."
        )
    return candidates[0]


def explain(
    rejection: Rejected, server: Server, zone: str, key: Key | None, records: t.Sequence[Record]
) -> GogetsslError:
    """The error for the operator, with the cause and the remedy."""
    verdict = rejection.verdict
    signer = key.name if key else "anybody"
    names = " or ".join(sorted({record.name for record in records})[:5])
    explanation = f" ({rejection.explanation})" if rejection.explanation and verdict is not Verdict.IN_THE_WAY else ""
    return host_error(f"{server} {_CLAUSES[verdict].format(zone=zone, key=signer, names=names)}{explanation}.")


TASK = Task(argument_spec=SPEC, run=run, rules=RULES, needs=(wire.DNSPYTHON,))
