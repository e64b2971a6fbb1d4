# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that the role installs."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.installation import certificates_to_install

CERTIFICATES = [
    {"name": "shop", "names": ["a.example"], "owner": "www", "forms": ["der"], "product": "68"},
    {"name": "mail", "names": ["b.example"], "services": ["postfix"]},
]
ISSUED = {"name": "mail", "names": ["b.example"], "issued": True, "certificate": "PEM", "chain": None, "step": "buy"}


@pytest.mark.parametrize("lacks", [{"issued": False}, {"certificate": ""}, {"step": "keep"}])
def test_completed_and_issued_certificates_are_installed(lacks: dict[str, Any]) -> None:
    completed = {"name": "shop", "names": ["a.example"], "owner": "www", "forms": ["der"], "unverified": False}
    issued = {"name": "mail", "names": ["b.example"], "certificate": "PEM", "chain": "", "unverified": True}
    assert certificates_to_install(CERTIFICATES, completed=["shop"], orders=[ISSUED]) == [completed, issued]
    assert certificates_to_install(CERTIFICATES, orders=[{**ISSUED, **lacks}]) == []


def test_fetched_certificates_are_installed() -> None:
    fetched = [
        {"certificates": [{"name": "shop", "certificate": "PEM"}], "private_keys": {"shop": "KEY"}},
        {"certificates": [{"name": "mail"}], "private_keys": {"mail": "OTHER"}},
        {"failed": True},
    ]
    assert certificates_to_install(CERTIFICATES, fetched=fetched) == [
        {"owner": "www", "forms": ["der"], "name": "shop", "certificate": "PEM", "unverified": False},
        {"name": "mail", "unverified": True},
    ]
