# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The adapter that sends a module with secrets to its host, and pipes some of the secrets."""

from __future__ import annotations

import contextlib
import typing as t

from .base import Sender, failure

_NO_PIPE = (
    "{option} would have to be written to a file on the controller, because nothing can be piped to this host: use a"
    " connection that supports pipelining, become by sudo rather than su, and no ANSIBLE_KEEP_REMOTE_FILES."
)


class HostAction(Sender):
    """Sends the module with the name of the action to the host, and sends some secrets only through a pipe.

    Without a pipe, Ansible writes the module and its options to temporary files on the controller and on the host.
    """

    piped: tuple[str, ...] = ()  # secret options that must not be written to a file
    _supports_check_mode = True
    _supports_async = False  # the result would not be validated

    def run(self, tmp: str | None = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        """Run the action. Ansible calls this method."""
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        known = self._known_result()
        if known is not None:
            return {**result, **known}
        given = [option for option in self.piped if self._task.args.get(option)]
        if given:
            with contextlib.suppress(KeyError, AttributeError):
                self._connection.set_option("pipelining", True)
            if not self._is_pipelining_enabled("new"):
                return {**result, **failure(_NO_PIPE.format(option=given[0]))}
        result.update(self._send(task_vars))
        self._remove_tmp_path(self._connection._shell.tmpdir)
        return result

    def _known_result(self) -> dict[str, t.Any] | None:
        """The result of a task that has nothing to do on the host; None if the module has to be sent."""
        return None
