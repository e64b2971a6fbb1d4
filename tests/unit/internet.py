# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A simulated network of DNS servers with zones and faults, which answers with real DNS messages."""

from __future__ import annotations

import contextlib
import dataclasses
import socketserver
import threading
from collections.abc import Iterator
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import dns.rdatatype
import dns.rrset

from ansible_collections.certops.gogetssl.plugins.module_utils._dns import wire as _wire
from ansible_collections.certops.gogetssl.plugins.module_utils._dns.resolver import Answer, Dns, Outcome, Server

RESOLVER = Server("", "192.0.2.53")
Records = dict[tuple[str, str], list[str]]


def zone(name: str, text: str) -> tuple[str, Records]:
    """A zone from lines of name, type and value. @ is the zone itself; names with a trailing dot are absolute."""
    records: Records = {(name, "SOA"): [f"ns1.{name}. hostmaster.{name}. 7 3600 600 86400 300"]}
    for line in filter(None, map(str.strip, text.strip().splitlines())):
        owner, kind, value = line.split(maxsplit=2)
        full = name if owner == "@" else owner[:-1] if owner.endswith(".") else f"{owner}.{name}"
        records.setdefault((full, kind), []).append(value)
    return name, records


@dataclasses.dataclass
class Internet:
    """The zones of each server address. `moods` make an address silent, lame or refusing."""

    served: dict[str, dict[str, Records]]
    moods: dict[str, Outcome | dns.rcode.Rcode | str] = dataclasses.field(default_factory=dict)
    queries: list[tuple[str, str, str]] = dataclasses.field(default_factory=list)
    # Names with invalid DNSSEC signatures.
    bogus: set[str] = dataclasses.field(default_factory=set)

    def dns(self, **options: Any) -> Dns:
        return Dns(**{"nameservers": (RESOLVER,), "query_server": self.query_server, **options})

    def query_server(self, server: Server, name: str, kind: str, recurse: bool) -> Answer:
        self.queries.append((server.address, name, kind))
        mood = self.moods.get(server.address)
        if isinstance(mood, Outcome):
            return Answer(server, name, kind, mood)
        if server == RESOLVER and any(name.endswith(zone) for zone in self.bogus):
            return Answer(server, name, kind, Outcome.BOGUS)
        query = dns.message.make_query(name + ".", kind)
        reply = self.resolve(query) if server == RESOLVER else self.reply(query, server.address)
        return _wire.classify_answer(server, name, kind, dns.message.from_wire(reply.to_wire()), recurse)

    def reply(self, query: dns.message.Message, address: str) -> dns.message.Message:
        """The answer of the server at this address."""
        reply = dns.message.make_response(query)
        mood = self.moods.get(address)
        if isinstance(mood, dns.rcode.Rcode):
            reply.set_rcode(mood)
            return reply
        zones = self.served.get(address, {})
        name, kind = _question(query)
        home = _deepest(zones, name)
        if home is None:
            reply.set_rcode(dns.rcode.REFUSED)
        elif mood != "lame":
            _answer(reply, zones[home], home, name, kind)
        return reply

    def resolve(self, query: dns.message.Message) -> dns.message.Message:
        """The answer of a resolver, which uses the first working server of each zone."""
        reply = dns.message.make_response(query)
        reply.flags |= dns.flags.RA
        name, kind = _question(query)
        for _hop in range(20):
            everybody = {zone for zones in self.served.values() for zone in zones}
            home = _deepest(everybody, name)
            address = next((at for at, zones in self.served.items() if home in zones and at not in self.moods), None)
            if home is None or address is None:
                reply.set_rcode(dns.rcode.SERVFAIL if home else dns.rcode.NXDOMAIN)
                return reply
            part = dns.message.make_response(dns.message.make_query(name + ".", kind))
            _answer(part, self.served[address][home], home, name, kind)
            reply.answer += part.answer
            reply.authority = part.authority
            reply.set_rcode(part.rcode())
            last = part.answer[-1] if part.answer else None
            if last is None or last.rdtype != dns.rdatatype.CNAME or kind == "CNAME":
                return reply
            name = _wire.plain(last[0].target)
        return reply


def _question(query: dns.message.Message) -> tuple[str, str]:
    question = query.question[0]
    return _wire.plain(question.name), dns.rdatatype.to_text(question.rdtype)


def _deepest(zones: Any, name: str) -> str | None:
    inside = [zone for zone in zones if zone == "" or name == zone or name.endswith("." + zone)]
    return max(inside, key=len, default=None)


def _answer(reply: dns.message.Message, records: Records, home: str, name: str, kind: str) -> None:
    """The answer of an authoritative server from one zone."""
    for depth in range(name.count("."), -1, -1):
        cut = name.split(".", depth)[-1]
        if cut != home and _within(cut, home) and (cut, "NS") in records:
            reply.authority.append(_rrset(cut, "NS", records[cut, "NS"]))
            for server in records[cut, "NS"]:
                for kind_of_glue in ("A", "AAAA"):
                    glue = records.get((server.rstrip("."), kind_of_glue))
                    reply.additional += [_rrset(server.rstrip("."), kind_of_glue, glue)] if glue else []
            return
    reply.flags |= dns.flags.AA
    source = name
    if not any(owner == name or owner.endswith("." + name) for owner, _kind in records):
        source = "*." + name.partition(".")[2]
    known = {of for owner, of in records if owner == source}
    if "CNAME" in known and kind != "CNAME":
        (target,) = records[source, "CNAME"]
        reply.answer.append(_rrset(name, "CNAME", [target]))
        if _within(target.rstrip("."), home):
            _answer(reply, records, home, target.rstrip("."), kind)
    elif kind in known:
        reply.answer.append(_rrset(name, kind, records[source, kind]))
    else:
        reply.authority.append(_rrset(home, "SOA", records[home, "SOA"]))
        if not known and source != name:
            reply.set_rcode(dns.rcode.NXDOMAIN)


def _within(name: str, zone: str) -> bool:
    return zone == "" or name == zone or name.endswith("." + zone)


def _rrset(name: str, kind: str, values: list[str]) -> dns.rrset.RRset:
    return dns.rrset.from_text(name + ".", 300, "IN", kind, *values)


@contextlib.contextmanager
def listening(internet: Internet, address: str) -> Iterator[int]:
    """The server of this address on a loopback port, over UDP and TCP."""

    def reply(data: bytes) -> bytes:
        return internet.reply(dns.message.from_wire(data), address).to_wire(max_size=65535)

    class Udp(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            data, socket = self.request
            wire = reply(data)
            if len(wire) > _wire.PAYLOAD_BYTES:
                short = dns.message.make_response(dns.message.from_wire(data))
                short.flags |= dns.flags.TC
                wire = short.to_wire()
            socket.sendto(wire, self.client_address)

    class Tcp(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            size = int.from_bytes(self.rfile.read(2), "big")
            wire = reply(self.rfile.read(size))
            self.wfile.write(len(wire).to_bytes(2, "big") + wire)

    with contextlib.ExitStack() as stack:
        tcp = stack.enter_context(socketserver.ThreadingTCPServer(("127.0.0.1", 0), Tcp))
        port: int = tcp.server_address[1]
        udp = stack.enter_context(socketserver.ThreadingUDPServer(("127.0.0.1", port), Udp))
        for server in (tcp, udp):
            threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
            stack.callback(server.shutdown)
        yield port
