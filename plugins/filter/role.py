# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Filters of the role `gogetssl`, for expressions that would be hard to read and to test in templates."""

from __future__ import annotations

import typing as t

from ..module_utils._deploy import services
from ..module_utils._request import texts
from ..plugin_utils._role import adoption, copying, fleet, plan, products, report, run, variables


class FilterModule:
    """The class that Ansible loads."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "adoption_report": adoption.adoption_report,
            "adopted_certificates": fleet.adopted_certificates,
            "as_list": texts.as_list,
            "certificate_report": report.certificate_report,
            "copied_certificates": copying.copied_certificates,
            "fleet_hosts": fleet.fleet_hosts,
            "fleet_plan": plan.fleet_plan,
            "manual_steps": report.manual_steps,
            "one_run_certificates": fleet.one_run_certificates,
            "play_state": run.play_state,
            "product_table": products.product_table,
            "purchase_total": plan.play_total,
            "removal_report": report.removal_report,
            "replaced_certificates": fleet.replaced_certificates,
            "role_options": variables.role_options,
            "role_variables": variables.role_variables,
            "run_state": run.run_state,
            "service_commands": services.service_commands,
            "trusted_hostvars": fleet.trusted_hostvars,
            "unknown_orders": adoption.unknown_orders,
        }
