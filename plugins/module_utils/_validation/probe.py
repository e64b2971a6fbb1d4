# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Probes for DCV files and records as the CA requests them, at every address of a name.

Evaluation is pure. The functions that fetch are thin and injected, so that tests do not require a network.
"""

from __future__ import annotations

import dataclasses
import errno
import http.client
import re
import socket
import time
import typing as t

from .._api.models import Validation
from .._core import deadline, names
from .._core.addresses import internal_kind
from .._dns.nameservers import Places
from .._dns.resolver import HAS_DNSPYTHON, Dns, DnsTrouble
from . import redirects

try:
    import urllib3

    HAS_URLLIB3 = True
except ImportError:  # a dependency of requests; the adapters report if that is missing
    HAS_URLLIB3 = False

MAX_BODY_BYTES = 64 * 1024
TIMEOUT_SECONDS = 10.0  # between two bytes, and for name resolution
REQUEST_SECONDS = 15.0  # for one complete request, even if the response is slow
REDIRECT_SECONDS = 15.0  # after this time, no further redirect is followed
_HASH_FILE = re.compile(rb"[0-9A-Fa-f]{64}\r?\n(?:comodoca|sectigo)\.com\b", re.IGNORECASE)
PROBE = "gogetssl-probe-"  # prefix of the content of every probe; the rest differs in each run


class Visibility(t.NamedTuple):
    """Whether a DCV file or record is visible. None: the controller cannot check it. `problem` is the reason."""

    visible: bool | None
    problem: str = ""


class Target(t.NamedTuple):
    """The address, port and name of a request."""

    scheme: str
    address: str
    port: int
    name: str
    path: str


class Page(t.NamedTuple):
    """The response of a web server."""

    status: int
    location: str | None
    body: bytes


class ProbeResult(t.NamedTuple):
    """The result of a request for a file at one address of a name."""

    address: str
    port: int
    problem: str = ""  # empty if the file is served
    trail: str = ""  # the followed redirects
    status: int | None = None  # of the last response; None if no server responded
    routed: bool = True  # False: the controller has no route to the address, so the server was not tested
    internal: bool = False  # the address is not public and not in `resolve`, so the server was not tested


class ProbeError(Exception):
    """The probe received no response. The message is the reason."""


class NoRoute(ProbeError):
    """The controller has no route to the address, usually because it has no IPv6."""


class InternalAddress(ProbeError):
    """The address is not public, and the operator has not set it in `resolve`."""


def fetch(target: Target) -> Page:
    """Send one HTTP request, without redirects. The certificate is not verified, because it will be replaced.

    The connection uses the checked address of the target. No name is resolved here.
    """
    bracketed = f"[{target.name}]" if ":" in target.name else target.name
    headers = {"Host": bracketed, "Accept-Encoding": "identity", "User-Agent": "certops.gogetssl"}
    timeout = urllib3.Timeout(connect=TIMEOUT_SECONDS, read=TIMEOUT_SECONDS)
    pool: urllib3.HTTPConnectionPool
    if target.scheme == "https":
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)
        pool = urllib3.HTTPSConnectionPool(
            target.address,
            target.port,
            timeout=timeout,
            cert_reqs="CERT_NONE",
            assert_hostname=False,
            server_hostname=target.name,
        )
    else:
        pool = urllib3.HTTPConnectionPool(target.address, target.port, timeout=timeout)
    exchange = deadline.Exchange()
    pool.ConnectionCls = deadline.watched(pool.ConnectionCls, exchange)
    late = ProbeError(f"no complete response within {REQUEST_SECONDS:g} seconds")
    try:
        with pool, exchange.limited(REQUEST_SECONDS):
            answer = pool.request(
                "GET", target.path, headers=headers, retries=False, redirect=False, preload_content=False
            )
            body = answer.read(MAX_BODY_BYTES + 1, decode_content=False)
            answer.close()
    except (urllib3.exceptions.HTTPError, http.client.HTTPException, OSError, ValueError) as error:
        if exchange.expired:
            raise late from None
        raise (NoRoute if _is_no_route(error) else ProbeError)(_why(error)) from None
    if exchange.expired:  # a truncated body without a length appears complete
        raise late
    return Page(answer.status, answer.headers.get("Location"), body)


def addresses_of(name: str) -> list[str]:
    """All A and AAAA addresses of a name."""
    try:
        found = deadline.call(TIMEOUT_SECONDS, lambda: socket.getaddrinfo(name, None, type=socket.SOCK_STREAM))
    except (OSError, UnicodeError) as error:
        raise ProbeError(f"{name} has no address ({_why(error)})") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclasses.dataclass(frozen=True)
class Prober:
    """Probes DCV files and records, with the configured addresses and ports and the functions that fetch."""

    resolve: Places = dataclasses.field(default_factory=dict)
    http_port: int = 80
    https_port: int = 443
    fetch: t.Callable[[Target], Page] = fetch
    addresses_of: t.Callable[[str], list[str]] = addresses_of
    dns: Dns = dataclasses.field(default_factory=Dns)

    def check(self, validation: Validation) -> Visibility:
        """Check whether the CA can see the file or record of a validation."""
        if validation.method == "email":
            return Visibility(
                None, f"The approval e-mail to {validation.email or 'the approver'} is not confirmed yet."
            )
        if not validation.ready:
            return Visibility(None, "GoGetSSL has not returned yet what to publish.")
        if validation.method == "dns":
            return self._check_dns(validation)
        return self._check_file(validation)

    def _check_dns(self, validation: Validation) -> Visibility:
        if not HAS_DNSPYTHON:
            return Visibility(None, "Not checked: DNS queries require the Python library dnspython on the controller.")
        try:
            comparison = self.dns.compare(validation.record or "", validation.type or "TXT", validation.value or "")
        except DnsTrouble as trouble:
            return Visibility(False, trouble.message)
        if comparison.lagging or comparison.none_answered:
            return Visibility(False, comparison.problem or comparison.silence)
        return Visibility(True, comparison.silence)

    def _check_file(self, validation: Validation) -> Visibility:
        try:
            probed = self.probe_file(validation)
        except ProbeError as error:
            return Visibility(False, f"{error}.")
        # Addresses that could not be tested are ignored if another address could be tested.
        reachable = [one for one in probed if one.routed and not one.internal]
        if not reachable and any(one.internal for one in probed):
            problems = " ".join(one.problem for one in probed)
            return Visibility(None, f"{validation.url} was not checked from here: {problems}")
        reachable = reachable or probed
        wrong = [one for one in reachable if one.problem]
        skipped = "" if wrong else " ".join(f"{one.address} was not probed." for one in probed if one not in reachable)
        shown = [f"{validation.url} on {one.address} port {one.port}: {one.trail}{one.problem}" for one in wrong]
        return Visibility(not wrong, " ".join(shown) or skipped)

    def probe_file(self, validation: Validation) -> list[ProbeResult]:
        """Probe the file at every address of the name; a `ProbeError` if the name has no address."""
        return [self.probe_target(target, validation.content or "") for target in self.targets(validation)]

    def targets(self, validation: Validation, addresses: t.Sequence[str] = ()) -> list[Target]:
        """The requests of a CA for a file, one for each address. `addresses` replace the addresses of the name."""
        name = names.base(validation.name)
        override = self.override(validation.name)
        port = (override[1] if override else None) or self._port(validation.method)
        places = [override[0]] if override else addresses or self._addresses(name)
        return [Target(validation.method, address, port, name, validation.path or "") for address in places]

    def probe_target(self, target: Target, content: str) -> ProbeResult:
        """Send a request and follow its redirects."""
        result, status = ProbeResult(target.address, target.port), None
        trail, until = "", time.monotonic() + REDIRECT_SECONDS
        for hop in range(redirects.LIMIT + 1):
            try:
                self._check_address(target)
                page = self.fetch(target)
                status = page.status
                if page.status not in redirects.STATUSES:
                    return result._replace(problem=compare_page(content, page), trail=trail, status=status)
                trail += f"redirected to '{redirects.describe_location(page.location or '')}': "
                if time.monotonic() > until:
                    raise ProbeError(f"the redirects took longer than {REDIRECT_SECONDS:g} seconds")
                target = self._redirected(target, page.location or "")
            except ProbeError as error:
                routed = not isinstance(error, NoRoute)
                internal = isinstance(error, InternalAddress) and hop == 0
                problem = f"{error}."
                return result._replace(problem=problem, trail=trail, status=status, routed=routed, internal=internal)
        return result._replace(problem=f"more than {redirects.LIMIT} redirects.", trail=trail, status=status)

    def _check_address(self, target: Target) -> None:
        """Refuse an internal address, unless the operator has set `resolve` for the name."""
        kind = internal_kind(target.address)
        if kind and not self.override(target.name):
            raise InternalAddress(
                f"{target.address} is not a public address ({kind}); add {target.name} to gogetssl_resolve if it may"
                " be requested"
            )

    def _redirected(self, target: Target, location: str) -> Target:
        """The request for a redirect. The name is resolved once, and the connection uses the resolved address."""
        found = redirects.read_location(_url(target), location)
        if found is None:
            raise ProbeError("the redirect has no valid target")
        scheme, name, port, path = found
        if port not in (None, *redirects.PORTS, self._port(scheme)):
            raise ProbeError(f"CAs do not follow a redirect to port {port}")
        same = name == target.name
        override = self.override(name)
        address = target.address if same else (override or (self._addresses(name)[0], None))[0]
        return Target(scheme, address, port or self._port_after(target, scheme, same), name, path)

    def _port_after(self, target: Target, scheme: str, same: bool) -> int:
        return target.port if same and scheme == target.scheme else self._port(scheme)

    def _port(self, scheme: str) -> int:
        return self.https_port if scheme == "https" else self.http_port

    def override(self, name: str) -> tuple[str, int | None] | None:
        """The address and port of the name in the option `resolve`, if set."""
        return self.resolve.get(name) or self.resolve.get(names.base(name))

    def _addresses(self, name: str) -> list[str]:
        if names.is_address(name):
            return [name]
        found = self.addresses_of(name)
        if not found:
            raise ProbeError(f"{name} has no address")
        return found


def make_prober(options: t.Mapping[str, t.Any], places: Places, dns: Dns) -> Prober:
    """The prober for the options of a task. `nameservers` replace the system's resolver for addresses, too."""
    ports = options["http_port"], options["https_port"]
    if not options["nameservers"] or not HAS_DNSPYTHON:
        return Prober(places, *ports, dns=dns)
    return Prober(places, *ports, addresses_of=lambda name: _query_addresses(dns, name), dns=dns)


def _query_addresses(dns: Dns, name: str) -> list[str]:
    """All A and AAAA addresses of a name, from the resolvers of `dns`."""
    try:
        answers = [dns.lookup(name, kind) for kind in ("A", "AAAA")]
    except DnsTrouble as trouble:
        raise ProbeError(trouble.message.rstrip(".")) from None
    found = [value for answer in answers for value in answer.values]
    silent = next((answer.sentence for answer in answers if not answer.outcome.conclusive), "")
    if not found and silent:
        raise ProbeError(silent)
    return found


def compare_page(content: str, page: Page) -> str:
    """The difference between the page and the DCV file; empty if they are equal. A final line end is ignored."""
    if page.status != 200:
        return f"the server answered HTTP {page.status}."
    if len(page.body) > MAX_BODY_BYTES:
        return f"the response is larger than {MAX_BODY_BYTES} bytes."
    expected, seen = content.encode(), page.body
    if _without_line_end(expected) == _without_line_end(seen):
        return ""
    if expected.split() == seen.split():
        return "the file's line ends or spaces were changed; it must be served byte by byte."
    return f"other content is served: {describe_content(seen)}."


def describe_content(seen: bytes) -> str:
    """Describe unexpected content by size and kind. Its beginning is shown only if it is a DCV file."""
    if _HASH_FILE.match(seen):
        return f"the validation file of another CSR, which begins with {seen[:8].decode()}"
    if seen.startswith(PROBE.encode()):
        return "a probe of this collection"
    return f"{len(seen)} bytes of HTML" if seen.lstrip()[:1] == b"<" else f"{len(seen)} bytes"


def _without_line_end(body: bytes) -> bytes:
    body = body[:-1] if body.endswith(b"\n") else body
    return body[:-1] if body.endswith(b"\r") else body


def _url(target: Target) -> str:
    name = f"[{target.name}]" if ":" in target.name else target.name
    return f"{target.scheme}://{name}{target.path}"


def _is_no_route(error: BaseException) -> bool:
    """True if the system has no route to the address. "Host unreachable" is a different error."""
    return any(getattr(one, "errno", None) in (errno.ENETUNREACH, errno.EADDRNOTAVAIL) for one in _causes(error))


def _causes(error: BaseException | None) -> t.Iterator[BaseException]:
    """The error and its causes."""
    while error is not None:
        yield error
        reason = getattr(error, "reason", None)
        error = error.__cause__ or error.__context__ or (reason if isinstance(reason, BaseException) else None)


def _why(error: BaseException) -> str:
    """The error message of the system, without addresses of Python objects."""
    for seen in _causes(error):
        if isinstance(seen, TimeoutError) or "Timeout" in type(seen).__name__:
            return f"no response within {TIMEOUT_SECONDS:g} seconds"
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror[0].lower() + seen.strerror[1:]
    return f"the connection failed: {type(error).__name__}"
