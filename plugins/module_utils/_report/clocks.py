# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The three clocks: the ends of the certificate, of the paid term, and of the reuse of validations. Pure."""

from __future__ import annotations

import datetime as dt

RENEWAL_WARNING = dt.timedelta(days=60)
# API reference 9.3: from this day on, a CA may use a domain validation for so many days.
REUSE = (
    (dt.date(2020, 9, 1), 398),
    (dt.date(2026, 3, 15), 200),
    (dt.date(2027, 3, 15), 100),
    (dt.date(2029, 3, 15), 10),
)

EXPLANATION = {
    "certificate": "When the installed certificate expires. A reissue within the paid term is free of charge.",
    "term": "Until when the order is paid. After that, a new certificate costs the price of a term.",
    "reuse": (
        "Until when the CA may issue again without a new domain validation, at the latest: the validation is assumed to"
        " be as new as the certificate, and a CA may require it earlier."
    ),
}


def reuse_end(validated: dt.date) -> dt.date | None:
    """The last day on which a CA may use a validation of this day. Later, shorter limits apply to older validations."""
    limits = [(start, days) for start, days in REUSE if start <= validated]
    if not limits:
        return None
    end = validated + dt.timedelta(days=limits[-1][1])
    for start, days in REUSE:
        if validated < start <= end:
            end = max(start - dt.timedelta(days=1), min(end, validated + dt.timedelta(days=days)))
    return end
