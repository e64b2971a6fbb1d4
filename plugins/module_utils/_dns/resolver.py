# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DNS lookups at authoritative servers: the zone of a name, its servers, and the answer of each server.

Resolvers are queried for delegations only. Results come from the servers of the zone, because these do not cache.
All queries go through `Dns.query_server`, which tests replace. Whoever controls a zone chooses its name servers.
Therefore a server at an address that is not public is queried only if the operator has named it.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import functools
import threading
import time
import typing as t

from .._core.addresses import internal_kind
from .._core.errors import GogetsslError, Kind
from .._core.names import within
from . import wire
from .comparison import Comparison, compare_record
from .nameservers import Places
from .wire import DNSPYTHON, HAS_DNSPYTHON, Alias, Answer, Outcome, Server, Soa, shown

__all__ = ["DNSPYTHON", "HAS_DNSPYTHON", "Answer", "Dns", "DnsTrouble", "Outcome", "Server", "shown"]

CONCURRENT_QUERIES = 16  # servers queried concurrently, because an unreachable one takes seconds to time out
WALK_SECONDS = 60.0  # for all queries of one lookup; a query in progress is completed
MAX_HOPS = 12  # maximum length of an alias chain, and maximum depth of nested delegations


class DnsTrouble(GogetsslError):
    """A DNS lookup failed, or a zone is broken. The message names the server and its answer."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message, Kind.HOST)
        self.outcome = outcome


@dataclasses.dataclass(frozen=True)
class Zone:
    """A zone with all addresses of all its name servers."""

    name: str
    servers: tuple[Server, ...]
    unresolved: tuple[str, ...] = ()  # servers without an address
    soa: Soa | None = None


@dataclasses.dataclass(frozen=True)
class Chain:
    """A resolved alias chain: every alias, and the answer of each server at the end of the chain."""

    name: str
    kind: str
    hops: tuple[Alias, ...]
    zone: Zone
    answers: tuple[Answer, ...]

    @property
    def end(self) -> str:
        return self.hops[-1].target if self.hops else self.name


class Caa(t.NamedTuple):
    """One CAA record (RFC 8659)."""

    flags: int
    tag: str
    value: str

    @property
    def critical(self) -> bool:
        return bool(self.flags & 128)

    @property
    def issuer(self) -> str:
        """The domain before the parameters; an empty one forbids every CA."""
        return self.value.partition(";")[0].strip().lower()

    @property
    def parameters(self) -> dict[str, str]:
        pairs = (part.partition("=") for part in self.value.split(";")[1:] if part.strip())
        return {key.strip().lower(): value.strip() for key, _equals, value in pairs}


class CaaSet(t.NamedTuple):
    """The relevant CAA records of a name, and the name that has them; both empty if every CA may issue."""

    found_at: str
    records: tuple[Caa, ...]
    ttl: int | None = None


class _Walk(threading.local):
    """The deadline of the current lookup of this thread."""

    until: float | None = None


_Method = t.TypeVar("_Method", bound=t.Callable[..., t.Any])


def _limited(method: _Method) -> _Method:
    """Give all queries of a lookup a common deadline. Nested lookups share the deadline of the outer one."""

    @functools.wraps(method)
    def run(dns: Dns, *arguments: t.Any) -> t.Any:
        if dns._walk.until is not None:
            return method(dns, *arguments)
        dns._walk.until = time.monotonic() + WALK_SECONDS
        try:
            return method(dns, *arguments)
        finally:
            dns._walk.until = None

    return t.cast(_Method, run)


@dataclasses.dataclass
class Dns:
    """DNS lookups from this machine.

    `nameservers` replace this machine's resolvers. They can be resolvers or, in a rehearsal, authoritative servers.
    `places` maps server names to addresses, which replace the addresses in the DNS.
    """

    nameservers: tuple[Server, ...] = ()
    places: Places = dataclasses.field(default_factory=dict)
    query_server: t.Callable[[Server, str, str, bool], Answer] = wire.query_server
    _zones: dict[str, Zone] = dataclasses.field(default_factory=dict, repr=False)
    _addresses: dict[str, tuple[Server, ...]] = dataclasses.field(default_factory=dict, repr=False)
    _walk: _Walk = dataclasses.field(default_factory=_Walk, repr=False, compare=False)

    @_limited
    def lookup(self, name: str, kind: str) -> Answer:
        """Return the first conclusive answer of the resolvers. It may come from a cache."""
        if not self.nameservers:
            self.nameservers = tuple(Server("", address) for address in wire.system_servers())
        answer: Answer | None = None
        for server in self.nameservers:
            latest = self._query(server, name, kind, True)
            if latest.outcome.conclusive or latest.outcome in (Outcome.REFERRAL, Outcome.BOGUS):
                return latest
            # A failure that a server reports is more specific than a timeout.
            if answer is None or answer.outcome in _SILENT:
                answer = latest
        if answer is None:
            raise DnsTrouble("This machine has no name server configured. Set nameservers.", Outcome.UNREACHABLE)
        return answer

    @_limited
    def zone_of(self, name: str) -> Zone:
        """Return the zone of a name, as delimited by the zone's servers. Results are cached."""
        if name not in self._zones:
            cut = self._climb(name)
            zone = self._descend(name, cut, MAX_HOPS)
            _refuse_top_level(zone.name, name)
            self._zones[name] = zone
        return self._zones[name]

    @_limited
    def everywhere(self, name: str, kind: str) -> tuple[Answer, ...]:
        """Query each server of the name's zone at each of its addresses."""
        return self.query_servers(self.zone_of(name), name, kind)

    @_limited
    def query_servers(self, zone: Zone, name: str, kind: str) -> tuple[Answer, ...]:
        """Query each of the zone's servers for a name."""
        until = self._walk.until or 0.0

        def query(server: Server) -> Answer:
            if time.monotonic() > until:
                return Answer(server, name, kind, Outcome.TIMEOUT)
            return self._send(server, name, kind, False)

        with concurrent.futures.ThreadPoolExecutor(CONCURRENT_QUERIES) as workers:
            return tuple(workers.map(query, zone.servers))

    def _query(self, server: Server, name: str, kind: str, recurse: bool) -> Answer:
        """Query one server, unless the deadline of the lookup has passed."""
        if self._walk.until is not None and time.monotonic() > self._walk.until:
            raise DnsTrouble(
                f"{name}: the DNS queries took longer than {WALK_SECONDS:g} seconds. Check its name servers.",
                Outcome.TIMEOUT,
            )
        return self._send(server, name, kind, recurse)

    def _send(self, server: Server, name: str, kind: str, recurse: bool) -> Answer:
        """Query one server, unless it is at an address that is not public and only the DNS has it."""
        if self.may_query(server):
            return self.query_server(server, name, kind, recurse)
        return Answer(server, name, kind, Outcome.INTERNAL)

    def may_query(self, server: Server) -> bool:
        """True for a server at a public address, and for one that the operator or the system has named."""
        named = server.name in self.places or server.address in {one.address for one in self.nameservers}
        return named or not internal_kind(server.address)

    @_limited
    def follow(self, name: str, kind: str) -> Chain:
        """Follow a name through all its aliases. Each alias is queried at the servers of its own zone."""
        hops: list[Alias] = []
        current = name
        while True:
            zone = self.zone_of(current)
            answers = self.query_servers(zone, current, kind)
            hop = next((one.aliases[0] for one in answers if one.outcome.conclusive and one.aliases), None)
            if hop is None:
                return Chain(name, kind, tuple(hops), zone, answers)
            hops.append(hop)
            current = hop.target
            if current in [name, *(earlier.target for earlier in hops[:-1])] or len(hops) > MAX_HOPS:
                path = " -> ".join([name, *(earlier.target for earlier in hops)])
                raise DnsTrouble(
                    f"The aliases of {name} form a loop or a chain that is too long: {path}.", Outcome.GARBLED
                )

    @_limited
    def compare(self, record: str, kind: str, expected: str) -> Comparison:
        """Compare an expected record with the answers of all servers, at the end of its aliases.

        If no server of the zone is reachable, as behind some firewalls, the resolvers' answers are used.
        """
        answers = self.everywhere(record, kind) if kind == "CNAME" else self.follow(record, kind).answers
        comparison = compare_record(kind, expected, answers)
        if comparison.none_answered:
            return compare_record(kind, expected, (self.lookup(record, kind),))
        further = self._compare_further(answers, expected, MAX_HOPS) if kind == "CNAME" and comparison.lagging else None
        return further or comparison

    def _compare_further(self, answers: t.Sequence[Answer], expected: str, hops: int) -> Comparison | None:
        """Compare at the target of an alias at the DCV record's name; None unless all servers have the record there."""
        targets = {answer.values for answer in answers if answer.outcome.conclusive}
        if len(targets) != 1 or targets == {()} or not hops:
            return None
        try:
            answers = self.everywhere(targets.pop()[0], "CNAME")
        except DnsTrouble:
            return None
        comparison = compare_record("CNAME", expected, answers)
        if comparison.lagging:
            return self._compare_further(answers, expected, hops - 1)
        return None if comparison.none_answered else comparison

    @_limited
    def caa(self, name: str) -> CaaSet:
        """Return the relevant CAA records of a name: its own, or those of its closest parent with any (RFC 8659)."""
        for level in ancestors(name):
            answer = self._at_source(level, "CAA")
            if answer.values:
                return CaaSet(level, tuple(_read_caa(value) for value in answer.values), answer.ttl)
            # The servers of a rehearsal refuse queries for parents of their zones.
            if not answer.outcome.conclusive and answer.outcome is not Outcome.REFUSED:
                raise DnsTrouble(f"CAA records could not be looked up: {answer.sentence}.", answer.outcome)
        return CaaSet("", ())

    @_limited
    def addresses(self, name: str) -> tuple[Server, ...]:
        """Return the addresses of a name server, IPv4 before IPv6; empty if it has none."""
        if name not in self._addresses:
            self._addresses[name] = self._find_addresses(name)
        return self._addresses[name]

    def _find_addresses(self, name: str) -> tuple[Server, ...]:
        if name in self.places:
            address, port = self.places[name]
            return (Server(name, address, port or 53),)
        found = (value for kind in ("A", "AAAA") for value in self.lookup(name, kind).values)
        return tuple(Server(name, value) for value in found)

    def _at_source(self, name: str, kind: str) -> Answer:
        """Return the first answer of the name's authoritative servers; the resolvers' answer if none is reachable."""
        if "." in name:
            try:
                answer = best(self.follow(name, kind).answers)
                if answer.outcome.conclusive:
                    return answer
            except DnsTrouble as trouble:
                if trouble.outcome is Outcome.GARBLED:  # no resolver can resolve an alias loop
                    raise
        return self.lookup(name, kind)

    def _climb(self, name: str) -> _Cut:
        """Return the zone according to the resolvers, searched from the name upwards."""
        failure: Answer | None = None
        for candidate in ancestors(name):
            answer = self.lookup(candidate, "SOA")
            if answer.outcome is Outcome.REFERRAL and answer.referral:
                return _Cut(answer.referral.zone, answer.referral.servers, answer.referral.addresses)
            if answer.outcome.conclusive:
                if answer.soa and not answer.aliases and within(candidate, answer.soa.zone):
                    _refuse_top_level(answer.soa.zone, name)
                    return self._cut_at(answer.soa.zone)
            elif answer.outcome is Outcome.REFUSED:  # by a server that answers for its own zones only
                failure = failure or answer
            else:
                raise DnsTrouble(f"The zone of {name} could not be found: {answer.sentence}.", answer.outcome)
        if failure:
            raise DnsTrouble(f"The zone of {name} could not be found: {failure.sentence}.", failure.outcome)
        raise DnsTrouble(f"The zone of {name} could not be found: no name above it has an SOA record.", Outcome.NODATA)

    def _cut_at(self, zone: str) -> _Cut:
        answer = self.lookup(zone, "NS")
        if not answer.values:
            raise DnsTrouble(f"The name servers of {zone} could not be found: {answer.sentence}.", answer.outcome)
        return _Cut(zone, answer.values, ())

    def _descend(self, name: str, cut: _Cut, hops: int) -> Zone:
        """Descend from a parent zone to the zone of the name, following the delegations of the servers.

        The servers of a zone know a new delegation before the resolvers do.
        """
        servers, unresolved = self._servers_of(cut)
        for server in servers:
            answer = self._own_soa(server, name, cut.zone)
            referral, soa = answer.referral, answer.soa
            if answer.outcome is Outcome.REFERRAL and referral and _leads_down(referral.zone, cut.zone, name) and hops:
                return self._descend(name, _Cut(*referral), hops - 1)
            if answer.outcome.conclusive:
                if soa and _leads_down(soa.zone, cut.zone, name):  # the same server also serves a child zone
                    return Zone(soa.zone, *self._servers_of(self._inside(soa.zone, cut)), soa)
                return Zone(cut.zone, servers, unresolved, soa if soa and soa.zone == cut.zone else None)
        return Zone(cut.zone, servers, unresolved)

    def _own_soa(self, server: Server, name: str, zone: str) -> Answer:
        """Query a server for the SOA record of a name's zone. An alias belongs to the zone of its parent name."""
        answer = self._query(server, name, "SOA", False)
        while answer.outcome.conclusive and answer.aliases and name != zone:
            name = parent(name)
            answer = self._query(server, name, "SOA", False)
        return answer

    def _inside(self, zone: str, cut: _Cut) -> _Cut:
        """Return the zone cut of a child zone, according to the servers of its parent zone, which also serve it."""
        for server in self._servers_of(cut)[0]:
            answer = self._query(server, zone, "NS", False)
            if answer.authoritative and answer.values:
                return _Cut(zone, answer.values, ())
        return _Cut(zone, cut.servers, cut.addresses)

    def _servers_of(self, cut: _Cut) -> tuple[tuple[Server, ...], tuple[str, ...]]:
        """Return every address of a zone's servers, and the servers without an address."""
        servers: list[Server] = []
        unresolved: list[str] = []
        for name in cut.servers:
            found = self.addresses(name) or tuple(
                Server(name, address) for glued, address in cut.addresses if glued == name
            )
            servers += found
            if not found:
                unresolved.append(name)
        if not servers:
            raise DnsTrouble(
                f"No name server of {cut.zone} has an address: {', '.join(unresolved)}.", Outcome.UNREACHABLE
            )
        return tuple(dict.fromkeys(servers)), tuple(unresolved)


class _Cut(t.NamedTuple):
    """A zone cut: the apex of a zone and its name servers."""

    zone: str
    servers: tuple[str, ...]
    addresses: tuple[tuple[str, str], ...]


_SILENT = frozenset({Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.NO_ROUTE, Outcome.INTERNAL})


def best(answers: t.Sequence[Answer]) -> Answer:
    """Return the first conclusive answer, otherwise the first answer."""
    return next((answer for answer in answers if answer.outcome.conclusive), answers[0])


def ancestors(name: str) -> list[str]:
    """Return the name and all its parents, without the root."""
    labels = name.split(".")
    return [".".join(labels[number:]) for number in range(len(labels))]


def parent(name: str) -> str:
    """Return the parent name; empty for a top-level domain."""
    return name.partition(".")[2]


def _refuse_top_level(zone: str, name: str) -> None:
    if "." not in zone:
        raise DnsTrouble(
            f"{name} has no zone of its own: the nearest is that of {repr(zone) if zone else 'the root'}."
            " Check that the domain is registered and delegated.",
            Outcome.NXDOMAIN,
        )


def _leads_down(zone: str, above: str, name: str) -> bool:
    return zone != above and within(zone, above) and within(name, zone)


def _read_caa(text: str) -> Caa:
    flags, tag, value = text.split(" ", 2)
    return Caa(int(flags), tag.lower(), value)
