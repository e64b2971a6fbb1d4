# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The CA's view of the network: a map or resolver for names, and real HTTP requests for files."""

from __future__ import annotations

import fnmatch
import ipaddress
from dataclasses import dataclass, field
from urllib.parse import urljoin, urlsplit

import dns.exception
import dns.resolver
import urllib3

_LIMIT = 64 * 1024
_REDIRECTS = (301, 302, 303, 307, 308)


class ValidationFailed(Exception):
    """A name could not be validated; the text is the reason that the client receives."""


def split_address(text: str) -> tuple[str, int | None]:
    """`127.0.0.1:53`, `[::1]:53`, `127.0.0.1` or `::1`."""
    if text.startswith("["):
        host, _unused, port = text[1:].partition("]")
        return host, int(port[1:]) if port else None
    if text.count(":") == 1:
        host, port = text.split(":")
        return host, int(port)
    return text, None


@dataclass(frozen=True)
class Address:
    host: str
    port: int


@dataclass(frozen=True)
class Answer:
    status: int
    location: str
    body: bytes


@dataclass
class Network:
    http_port: int = 80
    https_port: int = 443
    resolver: str = ""
    # Keys may be patterns such as `*.example.com`; the first match is used.
    names: dict[str, str] = field(default_factory=dict)

    def query(self, name: str, kind: str, timeout: float) -> list[str]:
        """The records of this name and type, empty if there are none."""
        if not self.resolver:
            raise ValidationFailed(f"DNS lookup of {name} failed: the emulator runs without --resolver")
        host, port = split_address(self.resolver)
        resolver = dns.resolver.Resolver(configure=False)
        resolver.nameservers = [dns.nameserver.Do53Nameserver(host, port or 53)]
        resolver.lifetime = timeout
        try:
            answer = resolver.resolve(name, kind, search=False)
        except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
            return []
        except dns.exception.DNSException as error:
            if kind == "CAA" and "REFUSED" in str(error):
                # An authoritative server refuses queries above its zone, where a recursive resolver returns no record.
                return []
            raise ValidationFailed(f"DNS lookup of {name} {kind} failed: {error}") from error
        if kind == "TXT":
            return [b"".join(record.strings).decode("latin-1") for record in answer]
        return [record.to_text() for record in answer]

    def addresses(self, name: str, port: int, timeout: float) -> list[Address]:
        """The addresses of a name, IPv6 first, in the order in which CAs query them."""
        try:
            return [Address(str(ipaddress.ip_address(name)), port)]
        except ValueError:
            pass
        for pattern, target in self.names.items():
            if fnmatch.fnmatchcase(name, pattern):
                host, own_port = split_address(target)
                return [Address(host, own_port if own_port and port == self.http_port else port)]
        found = [Address(text, port) for kind in ("AAAA", "A") for text in self.query(name, kind, timeout)]
        if not found:
            raise ValidationFailed(f"{name} has no address")
        return found

    def fetch(self, url: str, timeout: float, redirects: int, ipv6_strict: bool) -> bytes:
        for _unused in range(redirects + 1):
            answer = self._get(url, timeout, ipv6_strict)
            if answer.status in _REDIRECTS and answer.location:
                url = urljoin(url, answer.location)
                continue
            if answer.status != 200:
                raise ValidationFailed(f"{url} answered HTTP {answer.status}")
            return answer.body
        raise ValidationFailed(f"{url} redirects more than {redirects} times")

    def _get(self, url: str, timeout: float, ipv6_strict: bool) -> Answer:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValidationFailed(f"the redirect to {url} cannot be followed")
        # An explicit port in a redirect is used as is. Otherwise the configured ports replace 80 and 443.
        port = parts.port or (self.https_port if parts.scheme == "https" else self.http_port)
        found = self.addresses(parts.hostname, port, timeout)
        problem = ""
        for address in found[:1] if ipv6_strict else found:
            try:
                return _request(address, url, timeout)
            except (urllib3.exceptions.HTTPError, OSError) as error:
                problem = f"{url} could not be fetched from {address.host}: {_short(error)}"
        raise ValidationFailed(problem)


def _request(address: Address, url: str, timeout: float) -> Answer:
    parts = urlsplit(url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    pool: urllib3.HTTPConnectionPool
    if parts.scheme == "https":
        # No verification: DCV files must be reachable before the host has a trusted certificate.
        pool = urllib3.HTTPSConnectionPool(
            address.host, address.port, cert_reqs="CERT_NONE", assert_hostname=False, server_hostname=parts.hostname
        )
    else:
        pool = urllib3.HTTPConnectionPool(address.host, address.port)
    headers = {"Host": parts.netloc, "User-Agent": "GoGetSSL-Emulator-DCV/1"}
    with pool:
        answer = pool.urlopen(
            "GET",
            path,
            headers=headers,
            redirect=False,
            retries=False,
            timeout=urllib3.Timeout(total=timeout),
            preload_content=False,
            assert_same_host=False,
        )
        body = answer.read(_LIMIT)
        answer.close()
    return Answer(answer.status, answer.headers.get("Location", ""), body)


def _short(error: Exception) -> str:
    cause = error.__cause__ or error.__context__ or error
    return str(cause).rsplit(": ", maxsplit=1)[-1] or type(error).__name__
