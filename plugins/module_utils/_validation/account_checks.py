# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks against the account: product, approver e-mail address, balance. Pure."""

from __future__ import annotations

from .._core.money import money
from .._request import methods
from .table import CertificateFacts, Evaluation, Facts, NameFacts, Row, passed, stopped, warned

TAX_MARGIN = 130  # percent of the price, sufficient for any tax: the highest VAT rate is 27


def check_product(facts: Facts, one: CertificateFacts) -> Row:
    if one.problem:
        found = stopped(one.problem, "Change product, names, dcv or contacts of this certificate.")
    elif one.product is None:
        found = warned(
            f"not checked whether {one.spec.product} fits: {facts.account_reason}",
            "Set gogetssl_api_user and gogetssl_api_password.",
        )
    else:
        price = f", {money(one.price)} {facts.currency}".rstrip() if one.price is not None else ""
        found = passed(f"{one.product.name} fits{price}")
    return Row(one.spec.name, "", "product", *found)


def check_approver(facts: Facts, name: NameFacts) -> Evaluation | None:
    if methods.kind_of(name.method) != "email":
        return None
    if name.approvers is None:
        return warned(
            f"not checked whether {name.method} may approve: {facts.account_reason}",
            "Set gogetssl_api_user and gogetssl_api_password.",
        )
    if name.method in name.approvers:
        return passed(f"{name.method} may approve")
    allowed = ", ".join(name.approvers) or "none"
    return stopped(f"{name.method} may not approve {name.shown}", f"Allowed: {allowed}.")


def check_balance(facts: Facts) -> Row:
    prices = [one.price for one in facts.certificates]
    known = [price for price in prices if price is not None]
    total, currency = sum(known), facts.currency
    if facts.balance is None:
        found = warned(
            f"the balance is not known: {facts.account_reason}", "Set gogetssl_api_user and gogetssl_api_password."
        )
    elif len(known) < len(prices):
        found = warned(
            f"the balance is {money(facts.balance)} {currency}; not all prices are known",
            "Check the price before you buy.",
        )
    elif facts.balance < total:
        found = stopped(
            f"the balance is {money(facts.balance)} {currency}; all certificates cost {money(total)} before tax",
            "Add funds. Without them the order stays unpaid.",
        )
    elif facts.balance * 100 < total * TAX_MARGIN:
        found = warned(
            f"the balance is {money(facts.balance)} {currency}; all certificates cost {money(total)} before tax",
            "The balance may not cover the tax. Add funds.",
        )
    else:
        found = passed(f"{money(facts.balance)} {currency} for a price of {money(total)} before tax")
    return Row("", "", "balance", *found)
