# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.addresses import internal_kind

INTERNAL = {
    "unspecified": ("0.0.0.0", "0.1.2.3", "::"),
    "loopback": (
        *("127.0.0.1", "127.255.255.255", "::1", "::127.0.0.1", "::ffff:127.0.0.1", "::ffff:7f00:1"),
        *("64:ff9b::127.0.0.1", "2002:7f00:1::1", "::ffff:0:127.0.0.1", "2606:4700::5efe:127.0.0.1"),
    ),
    "private": ("10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1", "fc00::1", "fdff::1", "fec0::1"),
    "link-local": ("169.254.169.254", "fe80::1", "fe80::1%eth0", "::ffff:169.254.169.254"),
    "carrier-grade NAT": ("100.64.0.1", "100.127.255.255"),
    "multicast": ("224.0.0.1", "239.255.255.255", "ff02::1"),
    "translation or tunnel": ("64:ff9b:1::1", "2001:0:7f00:1::1"),
    "reserved": ("255.255.255.255", "240.0.0.1", "198.18.0.1", "192.0.0.1"),
    "invalid": ("", "localhost", "2130706433", "0x7f.1", "127.1", "0177.0.0.1"),
}


@pytest.mark.parametrize(("kind", "address"), [(kind, one) for kind, given in INTERNAL.items() for one in given])
def test_internal_addresses(kind: str, address: str) -> None:
    assert internal_kind(address) == kind


@pytest.mark.parametrize(
    "address",
    [
        *("1.1.1.1", "100.63.255.255", "100.128.0.1", "172.15.0.1", "172.32.0.1", "169.253.0.1", "192.0.2.80"),
        *("2606:4700::1111", "::ffff:1.1.1.1", "64:ff9b::1.1.1.1", "2002:101:101::1", "2001:db8::80"),
    ],
)
def test_public_addresses(address: str) -> None:
    assert internal_kind(address) == ""
