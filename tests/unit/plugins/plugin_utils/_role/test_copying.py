# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that a host copies from their ordering hosts."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role import copying

FOUND = {"name": "shop", "step": "copy", "urgent": True}
SHOP = {"name": "shop", "order_host": "web1"}


@pytest.mark.parametrize(
    ("result", "why"),
    [
        ({"certificates": []}, None),
        (
            {"unreachable": True, "msg": "Failed to\n connect "},
            "cannot be reached (Failed to connect)",
        ),
        (
            {"failed": True, "msg": "Bad things.", "certificates": []},
            "could not be read: Bad things.",
        ),
        ({}, "could not be read: no error message"),
    ],
)
@pytest.mark.parametrize("urgent", [True, False])
def test_ordering_hosts_that_cannot_be_queried(result: dict[str, Any], why: str | None, urgent: bool) -> None:
    certificates = [{"name": "shop", "order_host": "web1"}]
    fetched = [{"__gogetssl_order_host": "web1", **result}]
    found = copying.uncopied_certificates(certificates, [{"name": "shop", "urgent": urgent}], fetched, ["web1"])
    kept = "" if urgent else "; the installed certificate is kept"
    assert found == (
        [{"name": "shop", "urgent": urgent, "reason": f"shop: the ordering host web1 {why}{kept}."}] if why else []
    )


def test_an_ordering_host_that_is_not_in_the_inventory() -> None:
    certificate = {"name": "shop", "order_host": "web9"}
    (found,) = copying.uncopied_certificates([certificate], [FOUND], [], ["web1"])
    assert found["reason"] == "shop: the ordering host web9 is not in the inventory."


def test_copies_of_several_hosts_with_their_keys() -> None:
    fetched = [
        {
            "__gogetssl_order_host": "web1",
            "certificates": [{"name": "shop"}],
            "private_keys": {"shop": "KEY"},
            "waiting": [],
            "stopped": [],
        },
        {"__gogetssl_order_host": "web2", "unreachable": True, "msg": "Timed out."},
    ]
    certificates = [SHOP, {"name": "mail", "order_host": "web2"}, {"name": "new", "order_host": "web2"}]
    installed = [{"name": name, "urgent": name == "new"} for name in ("shop", "mail", "new")]
    found = copying.copied_certificates(fetched, certificates, installed, ["web1", "web2"], False)
    assert (found["certificates"], found["private_keys"]) == ([{"name": "shop"}], {"shop": "KEY"})
    assert ([one["name"] for one in found["waiting"]], [one["name"] for one in found["stopped"]]) == (["mail"], ["new"])
    assert copying.copied_certificates(fetched, certificates, installed, ["web1", "web2"], True)["certificates"] == []
