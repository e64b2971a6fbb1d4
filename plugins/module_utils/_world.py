# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The world as the certificate authority will see it: is the proof there, on every address of the name?

Judging is pure; the functions that fetch are thin and given from outside, so that tests need no network.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import errno
import socket
import typing as t
from urllib.parse import urljoin, urlsplit

from . import _names
from ._dns import HAS_DNSPYTHON, Dns, DnsTrouble, Places, read_place
from ._errors import input_error
from ._models import Proof

try:
    import urllib3

    HAS_URLLIB3 = True
except ImportError:  # comes with requests, whose absence the adapters report
    HAS_URLLIB3 = False

MAX_BODY_BYTES = 64 * 1024
MAX_REDIRECTS = 5
TIMEOUT_SECONDS = 10.0
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
PROBE = "gogetssl-probe-"  # what the content of every run's probe begins with; the rest is the run's own


class Sighting(t.NamedTuple):
    """What was seen of a proof: there, not there (and why), or not to be known (and why)."""

    visible: bool | None
    problem: str = ""


class Target(t.NamedTuple):
    """One request: to this address and port, for this name."""

    scheme: str
    address: str
    port: int
    name: str
    path: str


class Page(t.NamedTuple):
    """What a web server answered."""

    status: int
    location: str | None
    body: bytes


class Look(t.NamedTuple):
    """What came of looking for a file on one address of a name."""

    address: str
    port: int
    problem: str = ""  # nothing if the file is there
    trail: str = ""  # the redirects that were followed
    status: int | None = None  # of the last answer; none if no server answered
    routed: bool = True  # False: the controller has no way to the address, which tells nothing of the server
    other_probe: bool = False  # the probe of another run is there, in place of this one's


class Unseen(Exception):
    """Nothing was seen, for the reason given."""


class NoRoute(Unseen):
    """Nothing can be seen from here: a controller without IPv6, as a rule."""


def fetch(target: Target) -> Page:
    """One HTTP exchange, without redirects; a certificate is not judged, as it is about to be replaced."""
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
    try:
        with pool:
            answer = pool.request(
                "GET", target.path, headers=headers, retries=False, redirect=False, preload_content=False
            )
            body = answer.read(MAX_BODY_BYTES + 1, decode_content=False)
            return Page(answer.status, answer.headers.get("Location"), body)
    except (urllib3.exceptions.HTTPError, OSError, ValueError) as error:
        raise (NoRoute if _is_no_route(error) else Unseen)(_why(error)) from None


def addresses_of(name: str) -> list[str]:
    """Every address of a name, A and AAAA."""
    try:
        found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unseen(f"{name} has no address ({_why(error)})") from None
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


@dataclasses.dataclass(frozen=True)
class World:
    """Where and with what to look."""

    resolve: Places = dataclasses.field(default_factory=dict)
    http_port: int = 80
    https_port: int = 443
    fetch: t.Callable[[Target], Page] = fetch
    addresses_of: t.Callable[[str], list[str]] = addresses_of
    dns: Dns = dataclasses.field(default_factory=Dns)

    def look(self, proof: Proof) -> Sighting:
        """Is the proof where the authority will look for it?"""
        if proof.method == "email":
            return Sighting(None, f"An e-mail to {proof.email or 'the approver'} waits for a click.")
        if not proof.ready:
            return Sighting(None, "GoGetSSL has not said yet what to publish.")
        if proof.method == "dns":
            return self._look_at_dns(proof)
        return self._look_at_file(proof)

    def _look_at_dns(self, proof: Proof) -> Sighting:
        if not HAS_DNSPYTHON:
            return Sighting(
                None, "Looking at DNS records needs the Python library dnspython on the controller; it was not checked."
            )
        try:
            comparison = self.dns.compare(proof.record or "", proof.type or "TXT", proof.value or "")
        except DnsTrouble as trouble:
            return Sighting(False, trouble.message)
        if comparison.lagging or comparison.nobody_answered:
            return Sighting(False, comparison.problem or comparison.silence)
        return Sighting(True, comparison.silence)

    def _look_at_file(self, proof: Proof) -> Sighting:
        try:
            looks = self.look_at_file(proof)
        except Unseen as error:
            return Sighting(False, f"{error}.")
        # An address the controller has no way to says nothing, as long as another one can be looked at.
        telling = [look for look in looks if look.routed] or looks
        wrong = [look for look in telling if look.problem]
        silent = "" if wrong else " ".join(f"{one.address} was not looked at." for one in looks if not one.routed)
        shown = [f"{proof.url} on {one.address} port {one.port}: {one.trail}{one.problem}" for one in wrong]
        return Sighting(not wrong, " ".join(shown) or silent)

    def look_at_file(self, proof: Proof) -> list[Look]:
        """The file on every address of the name; `Unseen` if it has none."""
        return [self.look_at(target, proof.content or "") for target in self.targets(proof)]

    def targets(self, proof: Proof, addresses: t.Sequence[str] = ()) -> list[Target]:
        """The requests an authority would make for a file: to all addresses, those given or those of the name."""
        name = _names.base(proof.name)
        override = self.override(proof.name)
        port = (override[1] if override else None) or self._port(proof.method)
        places = [override[0]] if override else addresses or self._addresses(name)
        return [Target(proof.method, address, port, name, proof.path or "") for address in places]

    def look_at(self, target: Target, content: str) -> Look:
        """One of these requests, with the redirects it leads to."""
        look, status = Look(target.address, target.port), None
        trail = ""
        for _hop in range(MAX_REDIRECTS + 1):
            try:
                page = self.fetch(target)
                status = page.status
                if page.status not in _REDIRECTS:
                    problem, other = compare_page(content, page), is_other_probe(content, page)
                    return look._replace(problem=problem, trail=trail, status=status, other_probe=other)
                trail += f"redirected to {(page.location or 'nowhere')[:200]!r}: "
                target = self._redirected(target, page.location or "")
            except Unseen as error:
                routed = not isinstance(error, NoRoute)
                return look._replace(problem=f"{error}.", trail=trail, status=status, routed=routed)
        return look._replace(problem=f"more than {MAX_REDIRECTS} redirects.", trail=trail, status=status)

    def _redirected(self, target: Target, location: str) -> Target:
        """The request a redirect asks for; authorities follow to the usual ports only."""
        try:
            parts = urlsplit(urljoin(_url(target), location))
            name, port = parts.hostname, parts.port
        except ValueError:
            name, port = None, None
        if not name or parts.scheme not in ("http", "https"):
            raise Unseen("the redirect leads nowhere")
        usual = self._port(parts.scheme)
        if port not in (None, 80, 443, usual):
            raise Unseen(f"authorities do not follow a redirect to port {port}")
        same = name == target.name
        override = self.override(name)
        address = target.address if same else (override or (self._addresses(name)[0], None))[0]
        path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Target(parts.scheme, address, port or self._port_after(target, parts.scheme, same), name, path)

    def _port_after(self, target: Target, scheme: str, same: bool) -> int:
        return target.port if same and scheme == target.scheme else self._port(scheme)

    def _port(self, scheme: str) -> int:
        return self.https_port if scheme == "https" else self.http_port

    def override(self, name: str) -> tuple[str, int | None] | None:
        """Where the option `resolve` says to look, if it says anything of the name."""
        return self.resolve.get(name) or self.resolve.get(_names.base(name))

    def _addresses(self, name: str) -> list[str]:
        if _names.is_address(name):
            return [name]
        found = self.addresses_of(name)
        if not found:
            raise Unseen(f"{name} has no address")
        return found


def read_resolve(given: t.Mapping[str, t.Any] | None) -> Places:
    """The option `resolve`: name -> address, address:port or [address]:port."""
    result: dict[str, tuple[str, int | None]] = {}
    for name, place in (given or {}).items():
        text = str(place).strip()
        try:
            result[_names.canonical(str(name))] = read_place(text)
        except ValueError:
            raise input_error(f"resolve: {text!r} for {name} is not an address or address:port.") from None
    return result


def compare_page(content: str, page: Page) -> str:
    """What is wrong with the page, in words; nothing if it is the proof, byte by byte but for a final line end."""
    if page.status != 200:
        return f"the server answered HTTP {page.status}."
    if len(page.body) > MAX_BODY_BYTES:
        return f"the answer is larger than {MAX_BODY_BYTES} bytes."
    wanted, seen = content.encode(), page.body
    if _without_line_end(wanted) == _without_line_end(seen):
        return ""
    if wanted.split() == seen.split():
        return "the file's line ends or spaces were changed; it must be served byte by byte."
    return f"other content is served: {seen[:60].decode('utf-8', 'replace')!r}."


def is_other_probe(content: str, page: Page) -> bool:
    """True if one run's probe was looked for and another one's is there: no less wrong, but for another reason."""
    both = content.startswith(PROBE) and page.body.startswith(PROBE.encode())
    return both and page.status == 200 and bool(compare_page(content, page))


def _without_line_end(body: bytes) -> bytes:
    body = body[:-1] if body.endswith(b"\n") else body
    return body[:-1] if body.endswith(b"\r") else body


def _url(target: Target) -> str:
    name = f"[{target.name}]" if ":" in target.name else target.name
    return f"{target.scheme}://{name}{target.path}"


def _is_no_route(error: BaseException) -> bool:
    """True if the system knows no way to the address; an unreachable *host* is another matter."""
    return any(getattr(one, "errno", None) in (errno.ENETUNREACH, errno.EADDRNOTAVAIL) for one in _causes(error))


def _causes(error: BaseException | None) -> t.Iterator[BaseException]:
    """The error and what is behind it."""
    while error is not None:
        yield error
        reason = getattr(error, "reason", None)
        error = error.__cause__ or error.__context__ or (reason if isinstance(reason, BaseException) else None)


def _why(error: BaseException) -> str:
    """The reason in the system's own short words, without addresses of Python objects."""
    for seen in _causes(error):
        if isinstance(seen, TimeoutError) or "Timeout" in type(seen).__name__:
            return f"no answer within {TIMEOUT_SECONDS:g} seconds"
        if isinstance(seen, OSError) and seen.strerror:
            return seen.strerror[0].lower() + seen.strerror[1:]
    return f"the connection failed: {type(error).__name__}"
