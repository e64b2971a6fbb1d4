# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Amounts as text."""

from __future__ import annotations


def money(minor_units: int | None, currency: str | None = None) -> str:
    """Format an amount for messages and reports."""
    if minor_units is None:
        return "an unknown price"
    sign, minor_units = ("-" if minor_units < 0 else ""), abs(minor_units)
    return f"{sign}{minor_units // 100}.{minor_units % 100:02d}" + (f" {currency}" if currency else "")
