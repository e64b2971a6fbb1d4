# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""SELinux: files made elsewhere and moved into place get the labels that the host's policy has for their place.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import os
import shlex

from ._shell import Shell, output

# There only while the kernel enforces or watches.
_SELINUX = "/sys/fs/selinux/enforce"


@dataclasses.dataclass(frozen=True)
class Labels:
    """The labels of directories. Does nothing on a host without SELinux or without its tool."""

    shell: Shell

    def are_wrong(self, directory: str) -> bool:
        """True if the policy has other labels for what is in the directory."""
        return bool(self._restorecon("-n -v", directory).strip())

    def restore(self, directory: str) -> None:
        """Give everything in the directory the labels of the policy."""
        self._restorecon("", directory)

    def _restorecon(self, options: str, directory: str) -> str:
        if not os.path.exists(_SELINUX):
            return ""
        script = f"! command -v restorecon >/dev/null || restorecon -R {options} -- {shlex.quote(directory)}"
        return output(self.shell(script), f"Looking after the SELinux labels of {directory}")
