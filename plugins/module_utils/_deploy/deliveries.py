# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which certificates a deployment installs, and how. Pure functions of the options of `gogetssl_deploy`."""

from __future__ import annotations

import typing as t

LAYOUT = ("forms", "alias", "owner", "group", "mode")

Params = t.Mapping[str, t.Any]


def is_delivery(entry: t.Mapping[str, t.Any]) -> bool:
    """Whether a certificate has been issued or fetched, and is not the one that is installed already."""
    return bool(entry.get("certificate")) and entry.get("issued", True) and entry.get("step") != "keep"


def names_to_deploy(params: Params, settled: t.Container[str] = (), retry: t.Iterable[str] = ()) -> list[str]:
    """The certificates to deploy: delivered ones, those that only lack files or services, and those tried again."""
    delivered = [entry["name"] for entry in params["deliveries"] if is_delivery(entry)]
    return [name for name in dict.fromkeys([*params["complete"], *delivered, *retry]) if name not in settled]


def to_install(params: Params, names: t.Sequence[str]) -> list[dict[str, t.Any]]:
    """The options of `gogetssl_certificate` for these certificates. Without a delivery, its files are completed."""
    specs = {one["name"]: one for one in params["certificates"]}
    delivered = {one["name"]: one for one in params["deliveries"] if is_delivery(one)}
    return [_options(specs[name], delivered.get(name, {})) for name in names]


def _options(spec: t.Mapping[str, t.Any], delivery: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """Formats, owner and mode are the host's. A new version is unverified until its services serve it."""
    options: dict[str, t.Any] = {option: spec[option] for option in LAYOUT if spec.get(option) is not None}
    options.update(name=spec["name"], names=delivery.get("names") or spec["names"], unverified=bool(spec["services"]))
    if delivery:
        options.update(certificate=delivery["certificate"], chain=delivery.get("chain") or "")
    if delivery.get("origin"):
        options["origin"] = delivery["origin"]
    return options
