# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificates that the role passes to `gogetssl_certificate`. Pure functions."""

from __future__ import annotations

import typing as t

from .entries import Entries, Entry

LAYOUT = ("forms", "alias", "owner", "group", "mode")


def certificates_to_install(
    certificates: Entries, *, completed: t.Container[str] = (), orders: Entries = (), fetched: Entries = ()
) -> list[dict[str, t.Any]]:
    """The options for certificates that are completed, that were issued in this run, or that were fetched."""
    certificates = list(certificates)
    layouts = {certificate["name"]: _layout(certificate) for certificate in certificates}
    entries = [
        *({"name": one["name"], "names": one["names"]} for one in certificates if one["name"] in completed),
        *(_issued(order) for order in orders if order["issued"] and order["certificate"] and order["step"] != "keep"),
        *(entry for result in fetched for entry in result.get("certificates", [])),
    ]
    return [{**layouts[entry["name"]], **entry} for entry in entries]


def _issued(order: Entry) -> dict[str, t.Any]:
    return {
        "name": order["name"],
        "names": order["names"],
        "certificate": order["certificate"],
        "chain": order["chain"] or "",
    }


def _layout(certificate: Entry) -> dict[str, t.Any]:
    """Formats, owner, mode, and whether the new version is unverified until its services serve it."""
    layout = {option: certificate[option] for option in LAYOUT if option in certificate}
    return {**layout, "unverified": bool(certificate.get("services"))}
