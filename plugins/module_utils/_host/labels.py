# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SELinux: restores the labels that the host's policy defines for the path of moved files."""

from __future__ import annotations

import dataclasses
import os
import shlex

from .._core.shell import Shell, output

# Exists only while SELinux is enforcing or permissive.
_SELINUX = "/sys/fs/selinux/enforce"


@dataclasses.dataclass(frozen=True)
class Labels:
    """The labels of directories. Does nothing on a host without SELinux or without its tool."""

    shell: Shell

    def are_wrong(self, directory: str) -> bool:
        """True if labels in the directory differ from the policy."""
        return bool(self._restorecon("-n -v", directory).strip())

    def restore(self, directory: str) -> None:
        """Restore the policy's labels in the directory."""
        self._restorecon("", directory)

    def _restorecon(self, options: str, directory: str) -> str:
        if not os.path.exists(_SELINUX):
            return ""
        script = f"! command -v restorecon >/dev/null || restorecon -R {options} -- {shlex.quote(directory)}"
        return output(self.shell(script), f"Looking after the SELinux labels of {directory}")
