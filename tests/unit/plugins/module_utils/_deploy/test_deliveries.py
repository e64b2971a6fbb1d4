# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that a deployment installs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._deploy import deliveries

CERTIFICATES = [
    {"name": "shop", "names": ["a.example"], "owner": "www", "forms": ["der"], "product": "68", "services": []},
    {"name": "mail", "names": ["b.example"], "services": ["postfix"], "group": None},
]
ISSUED = {"name": "mail", "names": ["b.example"], "issued": True, "certificate": "PEM", "chain": None, "step": "buy"}


def options(*given: dict[str, Any], complete: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"certificates": CERTIFICATES, "deliveries": given, "complete": complete}


@pytest.mark.parametrize("lacks", [{"issued": False}, {"certificate": ""}, {"step": "keep"}])
def test_completed_and_issued_certificates_are_installed(lacks: dict[str, Any]) -> None:
    completed = {"name": "shop", "names": ["a.example"], "owner": "www", "forms": ["der"], "unverified": False}
    issued = {"name": "mail", "names": ["b.example"], "certificate": "PEM", "chain": "", "unverified": True}
    params = options(ISSUED, complete=("shop",))
    assert deliveries.names_to_deploy(params) == ["shop", "mail"]
    assert deliveries.to_install(params, ["shop", "mail"]) == [completed, issued]
    assert deliveries.names_to_deploy(options({**ISSUED, **lacks})) == []


def test_fetched_certificates_are_installed() -> None:
    fetched = ({"name": "shop", "certificate": "PEM", "origin": {"host": "web1"}}, {"name": "mail", "certificate": "X"})
    params = options(*fetched)
    assert deliveries.to_install(params, deliveries.names_to_deploy(params)) == [
        {
            **{"owner": "www", "forms": ["der"], "name": "shop", "names": ["a.example"], "unverified": False},
            **{"certificate": "PEM", "chain": "", "origin": {"host": "web1"}},
        },
        {"name": "mail", "names": ["b.example"], "unverified": True, "certificate": "X", "chain": ""},
    ]


def test_what_is_settled_is_not_deployed_again() -> None:
    params = options(ISSUED, complete=("shop",))
    assert deliveries.names_to_deploy(params, {"mail"}) == ["shop"]
    assert deliveries.names_to_deploy(options(), set(), ["shop"]) == ["shop"]
