# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The preflight checks, which convert facts to rows with the result pass, warn or stop. Pure.

`stop` means that the CA would refuse, too. The result of what the controller cannot check is `warn`, never `pass`.
"""

from __future__ import annotations

import typing as t

from .._core import names as _names
from .account_checks import check_approver, check_balance, check_product
from .dns_checks import check_address, check_caa, check_dnssec, check_servers
from .file_checks import check_file, check_one_file
from .name_checks import check_name
from .table import CertificateFacts, Facts, NameFacts, Result, Row

CHECKS = (
    "name",
    "product",
    "approver",
    "address",
    "dnssec",
    "servers",
    "caa",
    "http",
    "https",
    "balance",
)


def checks(facts: Facts) -> list[Row]:
    """All rows of the table, by certificate. The row of the account is the last one."""
    rows: list[Row] = []
    user = ""  # the certificate that uses the only DCV file name of its family
    for one in facts.certificates:
        own = [check_product(facts, one)]
        for name in one.names:
            own += [row for row in _name_rows(facts, one, name, user) if row is not None]
        if one.one_file and not user and all(row.result is not Result.STOP for row in own):
            user = one.spec.name
        rows += own
    if facts.check_balance and facts.certificates:
        rows.append(check_balance(facts))
    return rows


def _name_rows(facts: Facts, one: CertificateFacts, name: NameFacts, user: str) -> t.Iterator[Row | None]:
    def row(check: str, found: tuple[Result, str, str] | None) -> Row | None:
        return Row(one.spec.name, name.name, check, *found) if found else None

    yield row("name", check_name(name, name.name == one.spec.common_name))
    if name.method:
        yield row("approver", check_approver(facts, name))
        yield row("address", check_address(name))
    if not _names.is_address(name.name):
        yield row("dnssec", check_dnssec(name))
        if name.method:
            yield row("servers", check_servers(name))
        yield row("caa", check_caa(one, name))
    if name.by_file:
        yield row(name.method, check_one_file(facts, one, name, user) or check_file(facts, name))
