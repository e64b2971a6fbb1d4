# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Sends one query or update to one name server and classifies the answer. Only this file imports dnspython.

`query_server`, `peek` and `update` send; `classify_answer` reads a message and is pure. `resolver` selects the servers.
"""

from __future__ import annotations

import dataclasses
import enum
import errno
import typing as t

from .._core.libraries import Library

try:
    import dns.edns
    import dns.exception
    import dns.flags
    import dns.message
    import dns.name
    import dns.query
    import dns.rcode
    import dns.rdataclass
    import dns.rdatatype
    import dns.resolver
    import dns.tsig
    import dns.update

    HAS_DNSPYTHON = True
except ImportError:  # optional: file and email validation do not need it
    HAS_DNSPYTHON = False

DNSPYTHON = Library("dnspython", HAS_DNSPYTHON)

TIMEOUT_SECONDS = 5.0  # per query; the query is resent after half of it, in case a datagram was lost
UPDATE_SECONDS = 15.0  # a primary server writes the zone to disk before it answers
PAYLOAD_BYTES = 1232  # not fragmented on any common path (DNS flag day 2020)
MAX_EXPLANATION = 160  # maximum length of a server's explanation
_ATTEMPTS = 2
_NO_ROUTE = frozenset({errno.ENETUNREACH, errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT})


class Outcome(enum.Enum):
    """The outcome of a query. The first four are answers; the others give no information about the name."""

    FOUND = "found"
    ALIAS = "alias"  # the name is an alias, and its target is not in this answer
    NODATA = "nodata"  # the name exists, without records of this type
    NXDOMAIN = "nxdomain"  # the name does not exist
    REFERRAL = "referral"  # other servers are responsible
    LAME = "lame"  # a name server of a zone that does not serve the zone
    REFUSED = "refused"
    SERVFAIL = "servfail"
    BOGUS = "bogus"  # a resolver rejects the zone's DNSSEC signatures
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    NO_ROUTE = "no_route"  # no route to the address, such as IPv6 from an IPv4-only host
    INTERNAL = "internal"  # not queried, because the address is not public
    GARBLED = "garbled"

    @property
    def conclusive(self) -> bool:
        """True if the answer gives information about the name."""
        return self in (Outcome.FOUND, Outcome.ALIAS, Outcome.NODATA, Outcome.NXDOMAIN)

    @property
    def broken(self) -> bool:
        """True if the zone is faulty, so that queries from any other client fail too."""
        return self in (Outcome.SERVFAIL, Outcome.BOGUS)


@dataclasses.dataclass(frozen=True)
class Server:
    """A name server at one of its addresses. A server specified by address only has no name."""

    name: str
    address: str
    port: int = 53

    def __str__(self) -> str:
        place = self.address if self.port == 53 else f"{self.address} port {self.port}"
        return f"{self.name} ({place})" if self.name else place


class Alias(t.NamedTuple):
    """One hop of a chain of CNAME records."""

    name: str
    target: str
    ttl: int


class Soa(t.NamedTuple):
    """The SOA record of a zone."""

    zone: str
    primary: str
    serial: int
    negative_ttl: int  # seconds for which resolvers cache a negative answer


class Referral(t.NamedTuple):
    """A delegation to the servers of another zone."""

    zone: str
    servers: tuple[str, ...]
    addresses: tuple[tuple[str, str], ...]  # (server, address), if the answer includes them


@dataclasses.dataclass(frozen=True)
class Answer:
    """The answer of one server to one query. Names are in lower case, without a trailing dot."""

    server: Server
    name: str
    kind: str
    outcome: Outcome
    values: tuple[str, ...] = ()  # of the requested type, sorted, at the end of the aliases
    ttl: int | None = None
    aliases: tuple[Alias, ...] = ()
    authoritative: bool = False
    authenticated: bool = False  # AD flag: a resolver has validated the DNSSEC signatures
    soa: Soa | None = None
    referral: Referral | None = None
    explanation: str = ""  # the server's explanation, if any

    @property
    def sentence(self) -> str:
        """Describe the answer in a clause that names the server: the error, the missing record, or the values."""
        suffix = f" ({self.explanation})" if self.explanation else ""
        return f"{self.server} " + _CLAUSES[self.outcome].format(self=self, shown=shown(self.values)) + suffix


_CLAUSES = {
    Outcome.FOUND: "has {shown} as {self.kind} of {self.name}",
    Outcome.ALIAS: "has {self.name} as an alias of {self.aliases[0].target}",
    Outcome.NODATA: "has no {self.kind} record for {self.name}",
    Outcome.NXDOMAIN: "reports that {self.name} does not exist",
    Outcome.REFERRAL: "refers to the servers of {self.referral.zone} for {self.name}",
    Outcome.LAME: "is named as a server of {self.name} but does not serve it",
    Outcome.REFUSED: "refuses to answer for {self.name}",
    Outcome.SERVFAIL: "cannot answer for {self.name}: SERVFAIL",
    Outcome.BOGUS: "rejects {self.name}: its DNSSEC signatures are invalid",
    Outcome.TIMEOUT: "did not answer for {self.name} in time",
    Outcome.UNREACHABLE: "cannot be reached",
    Outcome.NO_ROUTE: "cannot be reached: this machine has no route to its address",
    Outcome.INTERNAL: "is not queried, because it has no public address; add it to gogetssl_resolve to allow it",
    Outcome.GARBLED: "returned an unusable answer for {self.name}",
}


def shown(values: t.Sequence[str]) -> str:
    """Format values for messages: at most five, each of limited length."""
    return ", ".join(repr(value[:120]) for value in values[:5]) + (" and more" if len(values) > 5 else "")


ALGORITHMS = ("hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512")


@dataclasses.dataclass(frozen=True)
class Key:
    """A TSIG key (RFC 8945)."""

    name: str
    secret: bytes = dataclasses.field(repr=False)
    algorithm: str = "hmac-sha256"


class Change(t.NamedTuple):
    """One value to add to a name or to remove from it."""

    add: bool
    name: str
    kind: str
    value: str
    ttl: int


class Verdict(enum.Enum):
    """A server's response to an update, or to the key that signed it."""

    DONE = "done"
    IN_THE_WAY = "in_the_way"  # a conflicting record exists, so nothing was changed
    BAD_KEY = "bad_key"
    BAD_SIGNATURE = "bad_signature"
    BAD_TIME = "bad_time"
    REFUSED = "refused"
    NOT_PRIMARY = "not_primary"
    SERVFAIL = "servfail"
    TIMEOUT = "timeout"
    UNREACHABLE = "unreachable"
    GARBLED = "garbled"


class Rejected(Exception):
    """A server rejected a query or an update."""

    def __init__(self, verdict: Verdict, explanation: str = "") -> None:
        super().__init__(verdict.value)
        self.verdict = verdict
        self.explanation = explanation


def peek(server: Server, name: str, kind: str, key: Key | None) -> Answer:
    """Send a signed query: on servers with views, the key selects the zone. Raises `Rejected`."""
    query = dns.message.make_query(_wire_name(name), kind, flags=0)
    return classify_answer(server, name, kind, _converse(server, query, key), recurse=False)


def update(server: Server, zone: str, changes: t.Sequence[Change], key: Key | None) -> None:
    """Apply all changes of a zone or none (RFC 2136); none if a record conflicts. Raises `Rejected`."""
    message = dns.update.UpdateMessage(_wire_name(zone))
    for change in changes:
        name = _wire_name(change.name)
        value = f'"{change.value}"' if change.kind == "TXT" else f"{change.value}."
        if not change.add:
            message.delete(name, change.kind, value)
            continue
        if change.kind == "CNAME":
            message.absent(name)  # a CNAME excludes other records
        else:
            message.absent(name, "CNAME")
        message.add(name, change.ttl, change.kind, value)
    rcode = _converse(server, message, key).rcode()
    if rcode != dns.rcode.NOERROR:
        raise Rejected(_VERDICTS.get(dns.rcode.to_text(rcode), Verdict.GARBLED), dns.rcode.to_text(rcode))


_VERDICTS = {
    "YXDOMAIN": Verdict.IN_THE_WAY,
    "YXRRSET": Verdict.IN_THE_WAY,
    "REFUSED": Verdict.REFUSED,
    "NOTAUTH": Verdict.NOT_PRIMARY,
    "NOTZONE": Verdict.NOT_PRIMARY,
    "NOTIMP": Verdict.NOT_PRIMARY,
    "SERVFAIL": Verdict.SERVFAIL,
}


def _converse(server: Server, message: dns.message.Message, key: Key | None) -> dns.message.Message:
    """Exchange one message over TCP, signed if a key is set."""
    if key:
        ring = {_wire_name(key.name): dns.tsig.Key(_wire_name(key.name), key.secret, key.algorithm)}
        message.use_tsig(ring)
    try:
        return dns.query.tcp(message, server.address, UPDATE_SECONDS, server.port)
    except dns.exception.Timeout:
        raise Rejected(Verdict.TIMEOUT) from None
    except dns.tsig.PeerBadKey:
        raise Rejected(Verdict.BAD_KEY) from None
    except (dns.tsig.PeerBadSignature, dns.tsig.BadSignature, dns.tsig.PeerBadTruncation):
        raise Rejected(Verdict.BAD_SIGNATURE) from None
    except (dns.tsig.PeerBadTime, dns.tsig.BadTime):
        raise Rejected(Verdict.BAD_TIME) from None
    except OSError as error:
        raise Rejected(Verdict.UNREACHABLE, error.strerror or "") from None
    except (dns.exception.DNSException, EOFError, ValueError) as error:
        raise Rejected(Verdict.GARBLED, type(error).__name__) from None


def query_server(server: Server, name: str, kind: str, recurse: bool) -> Answer:
    """Send one query. If a resolver (`recurse`) fails, query it again without DNSSEC to determine the reason.

    No exception is raised: a timeout is returned as an `Answer` too.
    """
    answer = _exchange(server, name, kind, recurse, checking=True)
    if recurse and answer.outcome is Outcome.SERVFAIL:
        unchecked = _exchange(server, name, kind, recurse, checking=False)
        if unchecked.outcome.conclusive:
            return dataclasses.replace(answer, outcome=Outcome.BOGUS)
    return answer


def _exchange(server: Server, name: str, kind: str, recurse: bool, checking: bool) -> Answer:
    # AD requests that a resolver report whether it has validated the signatures (RFC 6840).
    flags = (dns.flags.RD | dns.flags.AD if recurse else 0) | (0 if checking else dns.flags.CD)
    try:
        query = dns.message.make_query(_wire_name(name), kind, use_edns=0, payload=PAYLOAD_BYTES, flags=flags)
        for attempt in range(1, _ATTEMPTS + 1):
            try:
                message, _tcp = dns.query.udp_with_fallback(
                    query, server.address, TIMEOUT_SECONDS / _ATTEMPTS, server.port, ignore_unexpected=True
                )
                break
            except dns.exception.Timeout:
                if attempt == _ATTEMPTS:
                    return Answer(server, name, kind, Outcome.TIMEOUT)
    except OSError as error:
        outcome = Outcome.NO_ROUTE if error.errno in _NO_ROUTE else Outcome.UNREACHABLE
        return Answer(server, name, kind, outcome)
    except (dns.exception.DNSException, EOFError, ValueError) as error:
        return Answer(server, name, kind, Outcome.GARBLED, explanation=type(error).__name__)
    return classify_answer(server, name, kind, message, recurse)


def classify_answer(server: Server, name: str, kind: str, message: dns.message.Message, recurse: bool) -> Answer:
    """Classify a message as the answer to a query."""
    aliases, end = _aliases(message, name, kind)
    values, ttl = _values(message, end, kind)
    answer = Answer(
        server=server,
        name=name,
        kind=kind,
        outcome=Outcome.GARBLED,
        values=values,
        ttl=ttl,
        aliases=aliases,
        authoritative=bool(message.flags & dns.flags.AA),
        authenticated=bool(message.flags & dns.flags.AD),
        soa=_soa(message),
        referral=_referral(message),
        explanation=_explanation(message),
    )
    return dataclasses.replace(answer, outcome=_outcome(answer, message.rcode(), recurse))


def _outcome(answer: Answer, rcode: int, recurse: bool) -> Outcome:
    if rcode not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
        failures = {dns.rcode.SERVFAIL: Outcome.SERVFAIL, dns.rcode.REFUSED: Outcome.REFUSED}
        return failures.get(rcode, Outcome.GARBLED)  # type: ignore[call-overload, no-any-return, unused-ignore]
    if not recurse and not answer.authoritative:
        # Only a referral to a child zone counts. An upward referral, as from old servers, means a lame server.
        return Outcome.REFERRAL if answer.referral else Outcome.LAME
    if answer.values:
        return Outcome.FOUND
    if answer.aliases:
        return Outcome.ALIAS
    if rcode == dns.rcode.NXDOMAIN:
        return Outcome.NXDOMAIN
    if answer.referral and not answer.authoritative and not answer.soa:
        return Outcome.REFERRAL
    return Outcome.NODATA


def _aliases(message: dns.message.Message, name: str, kind: str) -> tuple[tuple[Alias, ...], str]:
    """Return the chain of aliases in the answer section, and the name at its end."""
    known = {
        plain(rrset.name): (plain(rrset[0].target), rrset.ttl)
        for rrset in message.answer
        if rrset.rdtype == dns.rdatatype.CNAME and len(rrset) > 0
    }
    chain: list[Alias] = []
    end = name
    while kind != "CNAME" and end in known:
        target, ttl = known.pop(end)
        chain.append(Alias(end, target, ttl))
        end = target
    return tuple(chain), end


def _values(message: dns.message.Message, name: str, kind: str) -> tuple[tuple[str, ...], int | None]:
    for rrset in message.answer:
        if plain(rrset.name) == name and dns.rdatatype.to_text(rrset.rdtype) == kind:
            return tuple(sorted(_text(entry, kind) for entry in rrset)), rrset.ttl
    return (), None


def _text(entry: t.Any, kind: str) -> str:
    if kind == "TXT":
        return b"".join(entry.strings).decode("utf-8", "replace")
    if kind in ("CNAME", "NS"):
        return plain(entry.target)
    if kind == "CAA":
        return f"{entry.flags} {entry.tag.decode('ascii', 'replace')} {entry.value.decode('utf-8', 'replace')}"
    return str(entry.to_text())


def _soa(message: dns.message.Message) -> Soa | None:
    for rrset in (*message.answer, *message.authority):
        if rrset.rdtype == dns.rdatatype.SOA and len(rrset) > 0:
            entry = rrset[0]
            return Soa(plain(rrset.name), plain(entry.mname), entry.serial, min(rrset.ttl, entry.minimum))
    return None


def _referral(message: dns.message.Message) -> Referral | None:
    for rrset in message.authority:
        if rrset.rdtype == dns.rdatatype.NS:
            servers = tuple(sorted(plain(entry.target) for entry in rrset))
            glue = tuple(
                (plain(extra.name), str(entry.address))
                for extra in message.additional
                if extra.rdtype in (dns.rdatatype.A, dns.rdatatype.AAAA) and plain(extra.name) in servers
                for entry in extra
            )
            return Referral(plain(rrset.name), servers, glue)
    return None


def _explanation(message: dns.message.Message) -> str:
    """Return the text of an extended DNS error (RFC 8914), without non-printable characters."""
    for option in message.options:
        if option.otype == 15 and getattr(option, "text", None):
            text = str(option.text)
            return "".join(char if char.isprintable() else " " for char in text)[:MAX_EXPLANATION].strip()
    return ""


def plain(name: t.Any) -> str:
    """Return a dnspython name in this collection's format; the root is an empty string."""
    return str(name.to_text(omit_final_dot=True)).lower() if name != dns.name.root else ""


def _wire_name(name: str) -> dns.name.Name:
    return dns.name.from_text(name + ".")


def system_servers() -> list[str]:
    """Return the addresses of this machine's resolvers."""
    try:
        return [str(server) for server in dns.resolver.Resolver().nameservers]
    except (dns.exception.DNSException, OSError):
        return []
