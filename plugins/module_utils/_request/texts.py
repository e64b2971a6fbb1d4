# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options as text: an empty text means that the option is not set, and a list can be JSON. Pure.

Extra variables (`-e name=value`) and surveys are always text.
"""

from __future__ import annotations

import json
import typing as t


def given(options: t.Mapping[str, t.Any], spec: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    """The options that are set, including those in list items. Lists that are text are converted."""
    found = {}
    for name, value in options.items():
        option = spec.get(name) or {}
        inner = option.get("options")
        if option.get("type") == "list":
            value = as_list(value)
            if inner and isinstance(value, list):
                value = [given(one, inner) if isinstance(one, t.Mapping) else one for one in value]
        elif inner and isinstance(value, t.Mapping):
            value = given(value, inner)
        if value is not None and value != "":
            found[name] = value
    return found


def as_list(value: t.Any) -> t.Any:
    """Convert JSON or comma-separated text to a list. Other values are returned unchanged."""
    if not isinstance(value, str) or not value.strip():
        return value
    if value.lstrip().startswith("["):
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return value
    return [part.strip() for part in value.split(",")]
