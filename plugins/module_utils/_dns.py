# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The DNS as the world has it: the zone of a name, its servers, and what each of them says.

A resolver is asked for delegations only; what counts is said by the servers of the zone, which have it from no cache.
All that is sent goes through `Dns.ask`, which tests replace.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import ipaddress
import typing as t

from . import _dns_wire
from ._dns_wire import DNSPYTHON, HAS_DNSPYTHON, Alias, Answer, Outcome, Server, Soa, shown
from ._errors import GogetsslError, Kind, input_error
from ._names import within

__all__ = ["DNSPYTHON", "HAS_DNSPYTHON", "Answer", "Dns", "DnsTrouble", "Outcome", "Server", "shown"]

ASKERS = 16  # servers asked at a time: a dead one takes seconds to say so
MAX_HOPS = 12  # of a chain of aliases, and of delegations below each other
Places = t.Mapping[str, tuple[str, t.Optional[int]]]  # name -> address, port


class DnsTrouble(GogetsslError):
    """The DNS could not be asked, or is broken; says which server said what."""

    def __init__(self, message: str, outcome: Outcome) -> None:
        super().__init__(message, Kind.HOST)
        self.outcome = outcome


@dataclasses.dataclass(frozen=True)
class Zone:
    """A zone with every address of every server that is named for it."""

    name: str
    servers: tuple[Server, ...]
    unresolved: tuple[str, ...] = ()  # servers without an address
    soa: Soa | None = None


@dataclasses.dataclass(frozen=True)
class Chain:
    """A name followed to its end: every alias on the way, and what each server of the end says."""

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
        """The domain before the parameters; nothing forbids everybody."""
        return self.value.partition(";")[0].strip().lower()

    @property
    def parameters(self) -> dict[str, str]:
        pairs = (part.partition("=") for part in self.value.split(";")[1:] if part.strip())
        return {key.strip().lower(): value.strip() for key, _equals, value in pairs}


class CaaSet(t.NamedTuple):
    """The CAA records that count for a name, and the name they were found at; both empty where everybody may issue."""

    found_at: str
    records: tuple[Caa, ...]
    ttl: int | None = None


@dataclasses.dataclass
class Dns:
    """The DNS, seen from here.

    `nameservers` are asked first, instead of this machine's resolvers. They may be resolvers or, in a rehearsal,
    themselves authoritative. `places` says where servers are found, by name, instead of their addresses in the DNS.
    """

    nameservers: tuple[Server, ...] = ()
    places: Places = dataclasses.field(default_factory=dict)
    ask: t.Callable[[Server, str, str, bool], Answer] = _dns_wire.ask
    _zones: dict[str, Zone] = dataclasses.field(default_factory=dict, repr=False)
    _addresses: dict[str, tuple[Server, ...]] = dataclasses.field(default_factory=dict, repr=False)

    def lookup(self, name: str, kind: str) -> Answer:
        """What the resolvers say, the first that says something; their caches included."""
        if not self.nameservers:
            self.nameservers = tuple(Server("", address) for address in _dns_wire.system_servers())
        answer: Answer | None = None
        for server in self.nameservers:
            latest = self.ask(server, name, kind, True)
            if latest.outcome.tells or latest.outcome in (Outcome.REFERRAL, Outcome.BOGUS):
                return latest
            # Of several failures a server's own word is worth more than a silence.
            if answer is None or answer.outcome in _SILENT:
                answer = latest
        if answer is None:
            raise DnsTrouble("This machine has no name server configured; give some.", Outcome.UNREACHABLE)
        return answer

    def zone_of(self, name: str) -> Zone:
        """The zone a record of this name belongs to, as its own servers delimit it. Known ones are remembered."""
        if name not in self._zones:
            cut = self._climb(name)
            zone = self._descend(name, cut, MAX_HOPS)
            _refuse_top_level(zone.name, name)
            self._zones[name] = zone
        return self._zones[name]

    def everywhere(self, name: str, kind: str) -> tuple[Answer, ...]:
        """What each server of the name's zone says, at each of its addresses."""
        return self.ask_all(self.zone_of(name), name, kind)

    def ask_all(self, zone: Zone, name: str, kind: str) -> tuple[Answer, ...]:
        """What each of the zone's servers says about a name."""
        with concurrent.futures.ThreadPoolExecutor(ASKERS) as askers:
            return tuple(askers.map(lambda server: self.ask(server, name, kind, False), zone.servers))

    def follow(self, name: str, kind: str) -> Chain:
        """The name followed through all its aliases, each asked for at the servers of its own zone."""
        hops: list[Alias] = []
        current = name
        while True:
            zone = self.zone_of(current)
            answers = self.ask_all(zone, current, kind)
            hop = next((one.aliases[0] for one in answers if one.outcome.tells and one.aliases), None)
            if hop is None:
                return Chain(name, kind, tuple(hops), zone, answers)
            hops.append(hop)
            current = hop.target
            if current in [name, *(earlier.target for earlier in hops[:-1])] or len(hops) > MAX_HOPS:
                path = " -> ".join([name, *(earlier.target for earlier in hops)])
                raise DnsTrouble(f"The aliases of {name} lead in a circle or too far: {path}.", Outcome.GARBLED)

    def compare(self, record: str, kind: str, wanted: str) -> Comparison:
        """A wished-for record against what every server says, at the end of its aliases.

        Where no server of the zone can be asked from here, as behind some firewalls, the resolvers have to do.
        """
        answers = self.everywhere(record, kind) if kind == "CNAME" else self.follow(record, kind).answers
        comparison = compare_record(kind, wanted, answers)
        if comparison.nobody_answered:
            return compare_record(kind, wanted, (self.lookup(record, kind),))
        further = self._compare_further(answers, wanted, MAX_HOPS) if kind == "CNAME" and comparison.lagging else None
        return further or comparison

    def _compare_further(self, answers: t.Sequence[Answer], wanted: str, hops: int) -> Comparison | None:
        """The same where an alias in the proof's place leads; nothing unless the proof is there on all servers."""
        targets = {answer.values for answer in answers if answer.outcome.tells}
        if len(targets) != 1 or targets == {()} or not hops:
            return None
        try:
            answers = self.everywhere(targets.pop()[0], "CNAME")
        except DnsTrouble:
            return None
        comparison = compare_record("CNAME", wanted, answers)
        if comparison.lagging:
            return self._compare_further(answers, wanted, hops - 1)
        return None if comparison.nobody_answered else comparison

    def caa(self, name: str) -> CaaSet:
        """The CAA records that count for a name: its own, or those of the nearest name above it (RFC 8659)."""
        for level in ancestors(name):
            answer = self._at_source(level, "CAA")
            if answer.values:
                return CaaSet(level, tuple(_read_caa(value) for value in answer.values), answer.ttl)
            # The servers of a rehearsal refuse what is above their own zones.
            if not answer.outcome.tells and answer.outcome is not Outcome.REFUSED:
                raise DnsTrouble(f"CAA records could not be looked up: {answer.sentence}.", answer.outcome)
        return CaaSet("", ())

    def addresses(self, name: str) -> tuple[Server, ...]:
        """The addresses of a name server, IPv4 before IPv6; none if it has none."""
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
        """The first word of the name's own servers; the resolver's where they cannot be found or asked."""
        if "." in name:
            try:
                answer = best(self.follow(name, kind).answers)
                if answer.outcome.tells:
                    return answer
            except DnsTrouble as trouble:
                if trouble.outcome is Outcome.GARBLED:  # aliases in a circle lead no resolver anywhere
                    raise
        return self.lookup(name, kind)

    def _climb(self, name: str) -> _Cut:
        """The zone as the resolvers know it, from the name upwards."""
        failure: Answer | None = None
        for candidate in ancestors(name):
            answer = self.lookup(candidate, "SOA")
            if answer.outcome is Outcome.REFERRAL and answer.referral:
                return _Cut(answer.referral.zone, answer.referral.servers, answer.referral.addresses)
            if answer.outcome.tells:
                if answer.soa and not answer.aliases and within(candidate, answer.soa.zone):
                    _refuse_top_level(answer.soa.zone, name)
                    return self._cut_at(answer.soa.zone)
            elif answer.outcome is Outcome.REFUSED:  # by a server that knows its own zones only
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
        """From a zone the name is in to the one it belongs to, as the servers on the way delimit them.

        A resolver may not know yet that part of a zone has been given away; the servers of the zone do.
        """
        servers, unresolved = self._servers_of(cut)
        for server in servers:
            answer = self._own_soa(server, name, cut.zone)
            referral, soa = answer.referral, answer.soa
            if answer.outcome is Outcome.REFERRAL and referral and _leads_down(referral.zone, cut.zone, name) and hops:
                return self._descend(name, _Cut(*referral), hops - 1)
            if answer.outcome.tells:
                if soa and _leads_down(soa.zone, cut.zone, name):  # the same server serves a zone inside the zone
                    return Zone(soa.zone, *self._servers_of(self._inside(soa.zone, cut)), soa)
                return Zone(cut.zone, servers, unresolved, soa if soa and soa.zone == cut.zone else None)
        return Zone(cut.zone, servers, unresolved)

    def _own_soa(self, server: Server, name: str, zone: str) -> Answer:
        """A server's word on the zone of a name. An alias belongs to the zone of the name above it."""
        answer = self.ask(server, name, "SOA", False)
        while answer.outcome.tells and answer.aliases and name != zone:
            name = parent(name)
            answer = self.ask(server, name, "SOA", False)
        return answer

    def _inside(self, zone: str, cut: _Cut) -> _Cut:
        """A zone inside another, as the servers of both have it."""
        for server in self._servers_of(cut)[0]:
            answer = self.ask(server, zone, "NS", False)
            if answer.authoritative and answer.values:
                return _Cut(zone, answer.values, ())
        return _Cut(zone, cut.servers, cut.addresses)

    def _servers_of(self, cut: _Cut) -> tuple[tuple[Server, ...], tuple[str, ...]]:
        """Every address of a zone's servers, and those that have none."""
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
    """Where a zone begins, and the servers named for it."""

    zone: str
    servers: tuple[str, ...]
    addresses: tuple[tuple[str, str], ...]


_SILENT = frozenset({Outcome.TIMEOUT, Outcome.UNREACHABLE, Outcome.NO_ROUTE})


def best(answers: t.Sequence[Answer]) -> Answer:
    """The first answer that tells something, or else the first."""
    return next((answer for answer in answers if answer.outcome.tells), answers[0])


def ancestors(name: str) -> list[str]:
    """The name and all names above it, without the root."""
    labels = name.split(".")
    return [".".join(labels[number:]) for number in range(len(labels))]


def parent(name: str) -> str:
    """The name above; nothing above a top-level domain."""
    return name.partition(".")[2]


def _refuse_top_level(zone: str, name: str) -> None:
    if "." not in zone:
        raise DnsTrouble(
            f"{name} has no zone of its own: the nearest is that of {repr(zone) if zone else 'the root'}."
            " Is the domain registered, delegated and spelt right?",
            Outcome.NXDOMAIN,
        )


def _leads_down(zone: str, above: str, name: str) -> bool:
    return zone != above and within(zone, above) and within(name, zone)


def _read_caa(text: str) -> Caa:
    flags, tag, value = text.split(" ", 2)
    return Caa(int(flags), tag.lower(), value)


def read_nameservers(given: t.Iterable[t.Any] | None) -> tuple[Server, ...]:
    """The option `nameservers`: addresses, address:port or [address]:port."""
    servers = []
    for text in (str(entry).strip() for entry in given or ()):
        try:
            address, port = read_place(text)
        except ValueError:
            raise input_error(f"nameservers: {text!r} is not an address or address:port.") from None
        servers.append(Server("", address, port or 53))
    return tuple(servers)


def read_place(text: str) -> tuple[str, int | None]:
    """An address, address:port or [address]:port; a ValueError for anything else."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    with_port = text.count(":") == 1 or "]:" in text
    if not with_port:
        return ipaddress.ip_address(bare).compressed, None
    address, _colon, port = text.rpartition(":")
    number = int(port)
    if not 0 < number < 65536:
        raise ValueError(text)
    return ipaddress.ip_address(address.strip("[]")).compressed, number


def compare_record(kind: str, wanted: str, answers: t.Sequence[Answer]) -> Comparison:
    """Which servers lack a record and which could not be asked. Names ignore case, texts do not."""
    lagging, silent = [], []
    for answer in answers:
        if not answer.outcome.tells:
            silent.append(answer)
        elif not holds(kind, wanted, answer.values):
            lagging.append(answer)
    return Comparison(kind, wanted, len(answers), tuple(lagging), tuple(silent))


def holds(kind: str, wanted: str, values: t.Sequence[str]) -> bool:
    """True if a name with these values proves what is wanted: an alias has one target, texts stand side by side."""
    if kind == "CNAME":
        return list(values) == [wanted.rstrip(".").lower()]
    return wanted in values


class Comparison(t.NamedTuple):
    """A wished-for record against what the servers say."""

    kind: str
    wanted: str
    asked: int
    lagging: tuple[Answer, ...]
    silent: tuple[Answer, ...]

    @property
    def nobody_answered(self) -> bool:
        return len(self.silent) == self.asked

    @property
    def problem(self) -> str:
        """Who lacks the record, in words; nothing if everybody who answers has it."""
        parts = []
        for answer in self.lagging:
            instead = f" instead of {self.wanted!r}" if answer.values else ""
            parts.append(f"{answer.sentence}{instead}")
        return "; ".join(parts) + "." if parts else ""

    @property
    def silence(self) -> str:
        """Who could not be asked, in words; an address this machine has no route to is nobody's fault."""
        parts = [answer.sentence for answer in self.silent if answer.outcome is not Outcome.NO_ROUTE]
        return "; ".join(parts) + "." if parts else ""
