# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Addresses that are not reachable from the public internet, from which a CA validates."""

from __future__ import annotations

import ipaddress
import typing as t

_Address = t.Union[ipaddress.IPv4Address, ipaddress.IPv6Address]

# The IANA registries of special-purpose addresses. The results of `ipaddress` differ between Python versions.
# Documentation ranges are omitted, because no host uses them.
_INTERNAL: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("unspecified", ("0.0.0.0/8", "::/128")),
    ("loopback", ("127.0.0.0/8", "::1/128")),
    ("private", ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fec0::/10")),
    ("link-local", ("169.254.0.0/16", "fe80::/10")),
    ("carrier-grade NAT", ("100.64.0.0/10",)),
    ("multicast", ("224.0.0.0/4", "ff00::/8")),
    ("translation or tunnel", ("64:ff9b:1::/48", "2001::/32", "192.88.99.0/24")),
    ("reserved", ("192.0.0.0/24", "198.18.0.0/15", "240.0.0.0/4", "100::/64", "2001:2::/48", "5f00::/16")),
)
_NETWORKS = tuple((kind, ipaddress.ip_network(text)) for kind, texts in _INTERNAL for text in texts)
# Prefixes that embed an IPv4 address, and its offset in bits: compatible, mapped, translated, NAT64, 6to4.
_EMBEDDING = tuple(
    (ipaddress.IPv6Network(text), shift)
    for text, shift in (
        ("::/96", 0),
        ("::ffff:0:0/96", 0),
        ("::ffff:0:0:0/96", 0),
        ("64:ff9b::/96", 0),
        ("2002::/16", 80),
    )
)
_ISATAP = (0x00005EFE, 0x02005EFE)  # bits 64 to 95, before an embedded IPv4 address


def internal_kind(address: str) -> str:
    """Return the kind of a non-public address, such as `loopback`; an empty text for a public address."""
    try:
        parsed = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return "invalid"
    return next((kind for one in (parsed, *_embedded(parsed)) if (kind := _kind(one))), "")


def _kind(address: _Address) -> str:
    return next(
        (kind for kind, network in _NETWORKS if address.version == network.version and address in network),
        "",
    )


def _embedded(address: _Address) -> t.Iterator[_Address]:
    """The IPv4 addresses to which a router may forward packets for an IPv6 address."""
    if isinstance(address, ipaddress.IPv4Address):
        return
    number = int(address)
    for network, shift in _EMBEDDING:
        if address in network:
            yield ipaddress.IPv4Address((number >> shift) & 0xFFFFFFFF)
    if (number >> 32) & 0xFFFFFFFF in _ISATAP:
        yield ipaddress.IPv4Address(number & 0xFFFFFFFF)
