# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The options `nameservers` and `resolve`: addresses that are used instead of those in the DNS."""

from __future__ import annotations

import ipaddress
import typing as t

from .._core import names
from .._core.errors import input_error
from .wire import Server

Places = t.Mapping[str, tuple[str, t.Optional[int]]]  # name -> address, port


def read_nameservers(given: t.Iterable[t.Any] | None) -> tuple[Server, ...]:
    """Read the option `nameservers`: address, address:port or [address]:port."""
    servers = []
    for text in (str(entry).strip() for entry in given or ()):
        try:
            address, port = read_place(text)
        except ValueError:
            raise input_error(f"nameservers: {text!r} is not an address or address:port.") from None
        servers.append(Server("", address, port or 53))
    return tuple(servers)


def read_place(text: str) -> tuple[str, int | None]:
    """Read address, address:port or [address]:port; a ValueError for any other format."""
    bare = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    with_port = text.count(":") == 1 or "]:" in text
    if not with_port:
        return ipaddress.ip_address(bare).compressed, None
    address, _colon, port = text.rpartition(":")
    number = int(port)
    if not 0 < number < 65536:
        raise ValueError(text)
    return ipaddress.ip_address(address.strip("[]")).compressed, number


def read_resolve(given: t.Mapping[str, t.Any] | None) -> Places:
    """Read the option `resolve`: name -> address, address:port or [address]:port."""
    result: dict[str, tuple[str, int | None]] = {}
    for name, place in (given or {}).items():
        text = str(place).strip()
        try:
            result[names.canonical(str(name))] = read_place(text)
        except ValueError:
            raise input_error(f"resolve: {text!r} for {name} is not an address or address:port.") from None
    return result
