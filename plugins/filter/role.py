# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the role `gogetssl`, for expressions that would be hard to read and to test in templates."""

from __future__ import annotations

import typing as t

from ..module_utils._deploy import services
from ..module_utils._request import texts
from ..plugin_utils._role import fleet, plan, products, report, variables, waiting


class FilterModule:
    """The class that Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "adopted_certificates": fleet.adopted_certificates,
            "as_list": texts.as_list,
            "certificate_report": report.certificate_report,
            "fleet_hosts": fleet.fleet_hosts,
            "fleet_plan": plan.fleet_plan,
            "manual_steps": report.manual_steps,
            "orders_to_wait_for": waiting.orders_to_wait_for,
            "one_run_certificates": fleet.one_run_certificates,
            "product_table": products.product_table,
            "purchase_total": report.purchase_total,
            "removal_report": report.removal_report,
            "replaced_certificates": fleet.replaced_certificates,
            "role_variables": variables.role_variables,
            "service_commands": services.service_commands,
            "stopped_orders": report.stopped_orders,
            "trusted_hostvars": fleet.trusted_hostvars,
            "uncopied_certificates": report.uncopied_certificates,
        }
