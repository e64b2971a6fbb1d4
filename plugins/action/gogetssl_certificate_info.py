# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Runs gogetssl_certificate_info on the controller. The documentation is in the module."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleActionFail
from ansible.module_utils.parsing.convert_bool import boolean

from ..module_utils._request.spec import CONTACTS_SPEC
from ..module_utils._tasks.certificate_info import TASK, with_invalid
from ..plugin_utils import _invalid
from ..plugin_utils._controller.controller import ControllerAction


class ActionModule(ControllerAction):
    task = TASK

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Read the host. If that is refused because of single certificates, read it for the others.

        Certificates are validated one by one only after a failure, because that takes longer. Invalid options are
        found before the host is read.
        """
        refusal: AnsibleActionFail | None = None
        try:
            result = super().run(tmp, task_vars)
        except AnsibleActionFail as error:
            refusal, result = error, {"failed": True}
        given = self._task.args
        valid, invalid = self._separated(given) if result.get("failed") else ([], [])
        if invalid:
            self._task.args = {**given, "certificates": valid}
            try:
                result = super().run(tmp, task_vars)
            finally:
                self._task.args = given  # for a retry of the task
            return result if result.get("failed") else with_invalid(result, given["certificates"], invalid)
        if refusal:
            raise refusal
        return result

    def _separated(self, given: t.Mapping[str, t.Any]) -> tuple[t.Any, list[dict[str, t.Any]]]:
        if self._task.async_val or not boolean(given.get("keep_going", False), strict=False):
            return [], []
        return _invalid.separate(
            given.get("certificates"), {name: given[name] for name in CONTACTS_SPEC if name in given}
        )
