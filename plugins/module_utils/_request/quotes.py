# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unquoted texts that YAML reads as another type: `NO`, `0150`, `2026`. Pure.

Ansible converts option values to text, so the CA would receive `country: NO` as `False` and `postalcode: 0150` as
`104`. The options are therefore checked before that conversion.
"""

from __future__ import annotations

import datetime as dt
import re
import typing as t

CONTACTS = ("admin", "tech", "organization")
# Options of a certificate that must be text. Options that can be numbers are excluded: product, owner, group, mode.
_TEXTS = ("name", "alias", "webserver", "signature_hash", "unique_code", "order_host")
# Prices in minor units. Ansible would convert `10.00` to 10, which is 0.10.
_AMOUNTS = ("max_price", "max_price_per_year", "max_price_per_run", "max_price_per_day")
_MISREAD = (bool, int, float, dt.date)  # a datetime is a date


def unquoted(options: t.Mapping[str, t.Any], prefix: str = "") -> str:
    """A message about the first value that YAML or Ansible misreads; empty if there is none.

    The message names options with the prefix, for variables of the role.
    """
    certificates = options.get("certificates")
    return next(_problems(options, certificates if isinstance(certificates, list) else [], prefix), "")


def _problems(options: t.Mapping[str, t.Any], certificates: t.Sequence[t.Any], prefix: str) -> t.Iterator[str]:
    for amount in _AMOUNTS:
        yield from _of_amount(f"{prefix}{amount}", options.get(amount))
    for contact in CONTACTS:
        yield from _in_contact("", f"{prefix}{contact}", options.get(contact))
    for number, item in enumerate(certificates, 1):
        if not isinstance(item, t.Mapping):
            continue
        name = item.get("name")
        where = f"{name}: " if isinstance(name, str) else f"Certificate {number} of the list: "
        for option in _TEXTS:
            yield from _of(where, option, item.get(option))
        names = item.get("names")
        for value in names if isinstance(names, list) else [names]:
            yield from _of(where, "names", value)
        for contact in CONTACTS:
            yield from _in_contact(where, contact, item.get(contact))


def _in_contact(where: str, contact: str, given: t.Any) -> t.Iterator[str]:
    for field, value in given.items() if isinstance(given, t.Mapping) else ():
        yield from _of(where, f"{contact}.{field}", value)


def _of_amount(option: str, value: t.Any) -> t.Iterator[str]:
    if isinstance(value, (str, float)) and re.fullmatch(r"\d+[.,]\d+", str(value).strip()):
        yield (
            f"{option}: {value} is not a whole number. The unit is the minor unit of the currency (cents): for a"
            " price of 10.00 set 1000."
        )


def _of(where: str, option: str, value: t.Any) -> t.Iterator[str]:
    if isinstance(value, _MISREAD):
        kind = "the boolean" if isinstance(value, bool) else "a date," if isinstance(value, dt.date) else "the number"
        yield f"{where}{option}: YAML reads the value as {kind} {value}. Write it in quotes."
