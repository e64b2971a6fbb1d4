# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of the API's methods: path, verb, function (API reference 2)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from . import account, auth, dcv, lei, orders, products, reading, tools
from .settings import Settings


@dataclass(frozen=True)
class Route:
    """A method of the API. `verbs` is GET, POST, BOTH (a GET that acts) or REISSUE; `<id>` is passed on as text."""

    number: int
    verbs: str
    path: str
    handler: Callable[..., Any]
    needs_key: bool = True
    slow_list: bool = False

    def allows(self, method: str, settings: Settings) -> bool:
        if self.verbs == "BOTH":
            return settings.acting_gets in ("both", method.lower())
        if method == "GET":
            return self.verbs == "GET"
        if method == "PUT":
            return self.verbs == "REISSUE" and settings.reissue_put
        return method == "POST" and (self.verbs != "GET" or settings.post_reads)


ROUTES = (
    Route(1, "POST", "/auth/", auth.login, needs_key=False),
    Route(2, "GET", "/account/", account.details),
    Route(3, "GET", "/account/balance/", account.balance),
    Route(4, "GET", "/account/total_orders/", account.total_orders),
    Route(5, "GET", "/account/total_transactions/", account.total_transactions),
    Route(6, "GET", "/account/invoices/", account.invoices),
    Route(7, "GET", "/account/invoices/unpaid/", account.unpaid_invoices),
    Route(8, "GET", "/orders/invoice/<id>", account.order_invoice),
    Route(9, "GET", "/invoice/", account.invoices_by_period),
    Route(10, "GET", "/invoice/<id>", account.invoice),
    Route(11, "POST", "/accounts/sandbox/add/", account.add_sandbox),
    Route(12, "GET", "/products/", products.all_products),
    Route(13, "GET", "/products/all_prices/", products.all_prices),
    Route(14, "GET", "/products/details/<id>", products.details),
    Route(15, "GET", "/products/price/<id>", products.price),
    Route(16, "GET", "/products/agreement/<id>", products.agreement),
    Route(17, "GET", "/products/ssl/", products.ssl_products),
    Route(18, "GET", "/products/ssl/<id>", products.ssl_product),
    Route(19, "GET", "/tools/webservers/<id>", tools.webservers),
    Route(20, "POST", "/tools/csr/decode/", tools.decode_csr, needs_key=False),
    Route(21, "POST", "/tools/csr/validate/", tools.validate_csr, needs_key=False),
    Route(22, "POST", "/tools/csr/generate/", tools.generate_csr, needs_key=False),
    Route(23, "POST", "/tools/csr/get/", tools.get_csr),
    Route(24, "POST", "/tools/domain/emails/", tools.domain_emails),
    Route(25, "POST", "/tools/domain/emails/geotrust", tools.domain_emails_geotrust),
    Route(26, "POST", "/tools/domain/domain_get_from_whois", tools.whois_emails),
    Route(26, "POST", "/tools/domain_get_from_whois/", tools.whois_emails_plain),
    Route(27, "POST", "/tools/domain/alternative/", tools.alternative),
    Route(28, "POST", "/orders/add_ssl_order/", orders.add),
    Route(29, "POST", "/orders/add_ssl_order1/", orders.add),
    Route(30, "POST", "/orders/add_ssl_renew_order/", orders.renew),
    Route(31, "POST", "/orders/add_ssl_san_order/", orders.add_sans),
    Route(32, "REISSUE", "/orders/ssl/reissue/<id>", orders.reissue),
    Route(33, "POST", "/orders/cancel_ssl_order/", orders.cancel),
    Route(34, "GET", "/orders/status/<id>", reading.status),
    Route(35, "POST", "/orders/statuses/", reading.statuses),
    Route(36, "GET", "/orders/", reading.common_details, slow_list=True),
    Route(37, "GET", "/orders/ssl/all/", reading.all_orders, slow_list=True),
    Route(38, "GET", "/orders/list/unpaid/", reading.unpaid, slow_list=True),
    Route(39, "BOTH", "/orders/ssl/recheck-caa/<id>", dcv.recheck_caa),
    Route(40, "POST", "/orders/ssl/comodo_claim_free_ev/<id>", orders.claim_free_ev),
    Route(41, "POST", "/orders/ssl/change_validation_method/<id>", dcv.change_method),
    Route(42, "POST", "/orders/ssl/change_domains_validation_method/<id>", dcv.change_methods),
    Route(43, "POST", "/orders/ssl/change_validation_email/<id>", dcv.change_email),
    Route(44, "POST", "/orders/ssl/change_dcv/<id>", dcv.change_dcv),
    Route(45, "BOTH", "/orders/ssl/resend_validation_email/<id>", dcv.resend_all),
    Route(46, "POST", "/orders/ssl/resend/<id>", dcv.resend),
    Route(47, "POST", "/orders/ssl/revalidate/<id>", dcv.revalidate),
    Route(48, "GET", "/orders/ssl/activate/<id>", orders.activate),
    Route(49, "POST", "/orders/lei/create/", lei.create),
    Route(50, "POST", "/orders/lei/renew/<id>", lei.renew),
    Route(51, "GET", "/lei/jurisdictions/", lei.jurisdictions),
    Route(52, "POST", "/lei/confirm/<id>", lei.confirm),
    Route(53, "GET", "/lei/status/<id>", lei.status),
    Route(54, "GET", "/lei/lookup/", lei.lookup),
)
