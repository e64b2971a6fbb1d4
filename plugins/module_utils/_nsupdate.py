# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_nsupdate`: proofs as dynamic updates of a zone (RFC 2136), signed by TSIG (RFC 8945).

One message for each zone: all its records or none. Other values of the same names stay as they are.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import base64
import binascii
import typing as t

from . import _dns_wire
from ._dns import Dns, Server, holds, read_nameservers, read_place
from ._dns_wire import ALGORITHMS, Answer, Change, Key, Outcome, Rejected, Verdict
from ._errors import GogetsslError, host_error, input_error
from ._proofs import DNS_NAME
from ._records import PUBLISHER_SPEC, Record, read_records, told
from ._task import Context, Params, Result, Task
from ._world import read_resolve

SPEC: dict[str, t.Any] = {
    **PUBLISHER_SPEC,
    "server": {"type": "str"},
    "key_name": {"type": "str", "fallback_env": "GOGETSSL_TSIG_NAME"},
    "key_secret": {"type": "str", "no_log": True, "fallback_env": "GOGETSSL_TSIG_SECRET"},
    "key_algorithm": {"type": "str", "choices": list(ALGORITHMS), "default": "hmac-sha256"},
    "resolve": {"type": "dict", "default": {}},
    "nameservers": {"type": "list", "elements": "str", "default": []},
}
RULES = {"required_together": [("key_name", "key_secret")]}

_CLAUSES = {
    Verdict.IN_THE_WAY: "has other records at {names}, where a proof is to stand alone: remove them, or publish"
    " elsewhere (gogetssl_dns_alias)",
    Verdict.BAD_KEY: "does not know the key {key}, which is to sign for {names}: check key_name and key_algorithm"
    " against the server's configuration",
    Verdict.BAD_SIGNATURE: "knows the key {key}, which is to sign for {names}, with another secret: check key_secret",
    Verdict.BAD_TIME: "finds the signature too old or too new: the clocks of the controller and the server differ",
    Verdict.REFUSED: "refuses updates of {zone} by {key}: its update-policy or allow-update has to permit {names}",
    Verdict.NOT_PRIMARY: "is not the primary server of {zone} or takes no updates of it: name the right server, or"
    " the right zone (gogetssl_dns_zones)",
    Verdict.SERVFAIL: "failed to update {zone}: its own log says why",
    Verdict.TIMEOUT: "did not answer an update of {zone} in time",
    Verdict.UNREACHABLE: "cannot be reached for an update of {zone}",
    Verdict.GARBLED: "answered an update of {zone} in a way that cannot be used",
}


def run(context: Context) -> Result:
    """Look at what the primary server has, and send what differs, zone by zone."""
    params = context.params
    records, key = read_records(params["records"]), read_key(params)
    dns = Dns(read_nameservers(params["nameservers"]), read_resolve(params["resolve"]))
    changed: list[Record] = []
    for zone in dict.fromkeys(record.zone for record in records):
        server = find_server(dns, zone, params["server"])
        ours = [record for record in records if record.zone == zone]
        try:
            found = {record.key: _dns_wire.peek(server, record.name, record.type, key) for record in ours}
            todo = plan(params["state"], ours, found)
            if params["state"] == "checked":
                _try_out(server, zone, ours, key)
            elif todo and not context.check_mode:
                changes = [_change(record, params["state"] == "present") for record in todo]
                _dns_wire.update(server, zone, changes, key)
        except Rejected as rejection:
            raise explain(rejection, server, zone, key, ours) from None
        changed += todo
    shown_changes = [str(record) + "\n" for record in changed]
    before, after = ("", "".join(shown_changes)) if params["state"] == "present" else ("".join(shown_changes), "")
    return {
        "changed": bool(changed),
        "records": list(map(told, changed)),
        "diff": {"before": before, "after": after},
    }


def plan(state: str, records: t.Sequence[Record], found: t.Mapping[tuple[str, str, str], Answer]) -> list[Record]:
    """The records that are to be made or removed. What stands in the way, the server itself says best: an answer does
    not tell a wildcard's target from a record of the name."""
    todo = []
    for record in records:
        answer = found[record.key]
        if answer.outcome in (Outcome.REFUSED, Outcome.LAME, Outcome.REFERRAL):
            raise host_error(
                f"{answer.server} does not serve {record.zone}, the zone of {record.name}: name the right server, or"
                " the right zone (gogetssl_dns_zones)."
            )
        there = record.value in answer.values if record.type == "TXT" else holds("CNAME", record.value, answer.values)
        if state == "checked" or there is (state == "present"):
            continue
        todo.append(record)
    return todo


def _try_out(server: Server, zone: str, records: t.Sequence[Record], key: Key | None) -> None:
    """Ask for the removal of records that are not there: what is permitted shows, and nothing changes."""
    _dns_wire.update(server, zone, [_change(record, False) for record in records], key)


def _change(record: Record, add: bool) -> Change:
    return Change(add, record.name, record.type, record.value, record.ttl)


def read_key(params: Params) -> Key | None:
    """The key of the options; an error that shows nothing of its secret."""
    if not params["key_name"]:
        return None
    name = str(params["key_name"]).strip().rstrip(".").lower()
    if not DNS_NAME.match(name + ".key"):
        raise input_error(f"key_name: {params['key_name'][:120]!r} cannot be the name of a key.")
    try:
        secret = base64.b64decode("".join(str(params["key_secret"]).split()), validate=True)
    except (binascii.Error, ValueError):
        secret = b""
    if not secret:
        raise input_error("key_secret is not what tsig-keygen gives: it has to be Base64.")
    return Key(name, secret, params["key_algorithm"])


def find_server(dns: Dns, zone: str, given: str | None) -> Server:
    """The server that takes updates: the one given by address or name, or the primary that the zone itself names."""
    if given:
        try:
            address, port = read_place(given)
            return Server("", address, port or 53)
        except ValueError:
            name, _colon, port_text = given.partition(":")
            candidates = dns.addresses(name.strip().rstrip(".").lower())
            if not candidates or not (port_text.isdigit() or not port_text):
                raise input_error(f"server: {given!r} is no address, address:port or name with an address.") from None
            first = candidates[0]
            return Server(first.name, first.address, int(port_text) if port_text else first.port)
    found = dns.zone_of(zone)
    candidates = dns.addresses(found.soa.primary) if found.soa else ()
    if not candidates:
        raise host_error(f"The primary server of {zone} could not be found; name it (gogetssl_nsupdate_server).")
    return candidates[0]


def explain(
    rejection: Rejected, server: Server, zone: str, key: Key | None, records: t.Sequence[Record]
) -> GogetsslError:
    """Whose refusal it was, and what to do."""
    verdict = rejection.verdict
    signer = key.name if key else "anybody"
    names = " or ".join(sorted({record.name for record in records})[:5])
    words = f" ({rejection.words})" if rejection.words and verdict is not Verdict.IN_THE_WAY else ""
    return host_error(f"{server} {_CLAUSES[verdict].format(zone=zone, key=signer, names=names)}{words}.")


TASK = Task(argument_spec=SPEC, run=run, rules=RULES, needs=(_dns_wire.DNSPYTHON,))
