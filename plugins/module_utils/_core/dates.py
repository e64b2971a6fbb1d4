# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Dates and times as ISO 8601 text."""

from __future__ import annotations

import datetime as dt
import re


def iso(moment: dt.date | None) -> str | None:
    """Format a date as 2026-11-24, and a time with seconds and offset. Return None for None."""
    if isinstance(moment, dt.datetime):
        return moment.isoformat(timespec="seconds")
    return moment.isoformat() if moment else None


def read_moment(text: str) -> dt.datetime:
    """Read a date or time of an operator; a ValueError if it is none.

    A date means the start of the day, and a time without a zone is UTC.
    """
    moment = dt.datetime.fromisoformat(re.sub("[zZ]$", "+00:00", text.strip()))  # Python before 3.11 does not support Z
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)
