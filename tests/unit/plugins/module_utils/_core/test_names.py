# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names: their canonical form, and names that are refused without an API call."""

from __future__ import annotations

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core import names
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError

pytestmark = pytest.mark.host


@pytest.mark.parametrize(
    ("given", "canonical"),
    [
        ("Shop.Example.COM", "shop.example.com"),
        ("shop.example.com.", "shop.example.com"),
        (" shop.example.com ", "shop.example.com"),
        ("*.Example.com", "*.example.com"),
        ("bücher.example", "xn--bcher-kva.example"),
        ("*.bücher.example", "*.xn--bcher-kva.example"),
        ("xn--bcher-kva.example", "xn--bcher-kva.example"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:DB8:0::1", "2001:db8::1"),
    ],
)
def test_canonical(given, canonical):
    assert names.canonical(given) == canonical


@pytest.mark.parametrize(
    "given",
    [
        "", "localhost", "com", "a..b", "-a.example.com", "a-.example.com", "a b.example.com", "a/b.example.com",
        "*", "*.", "**.example.com", "a.*.example.com", "shop.example.com\n", "999.0.2.1", "x" * 64 + ".example.com",
        ".".join(["abcdefgh"] * 30), "$(id).example.com", "../etc.example.com", "shop,example.com",
    ],
)  # fmt: skip
def test_refused(given):
    if given == "shop.example.com\n":  # a trailing line ending is white space
        assert names.canonical(given) == "shop.example.com"
        return
    with pytest.raises(GogetsslError, match="is not a"):
        names.canonical(given)


def test_lists():
    with pytest.raises(GogetsslError, match=r"a\.example\.com is listed twice"):
        names.canonical_list(["a.example.com", "A.example.com."])
    with pytest.raises(GogetsslError, match="at least one"):
        names.canonical_list([])


@pytest.mark.parametrize("name", ["", "..", ".hidden", "a/b", "a b", "-x", "x" * 65, "a\n", "$(id)"])
def test_certificate_names_are_restricted_to_their_directory(name):
    with pytest.raises(GogetsslError, match="is not a valid certificate name"):
        names.check_certificate_name(name)


@pytest.mark.parametrize(
    ("certified", "spec", "left_out"),
    [
        (["a.example.com"], ["a.example.com"], ()),
        (["*.example.com"], ["a.example.com", "example.com", "a.b.example.com"], ("example.com", "a.b.example.com")),
        (["a.example.com"], ["*.example.com"], ("*.example.com",)),
        (["*.0.2.1"], ["192.0.2.1"], ("192.0.2.1",)),
    ],
)
def test_missing(certified, spec, left_out):
    assert names.missing(certified, spec) == left_out
