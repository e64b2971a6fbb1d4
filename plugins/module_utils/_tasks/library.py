# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: looks for the Python library of the modules for hosts, and for a package manager. The action installs it."""

from __future__ import annotations

import shutil
import typing as t

from .._core.errors import host_error
from .._core.task import Context, Result, Task
from .._crypto import x509

SPEC: dict[str, t.Any] = {"package": {"type": "str"}, "use": {"type": "str"}}
OTHER_PACKAGES = ("openssl",)  # checks keys and what is served, and writes keystores
_USUAL = "python3-cryptography"
# The module for each program, and the name of the library's package in its distributions.
MANAGERS = {
    "apt-get": ("ansible.builtin.apt", _USUAL),
    "dnf5": ("ansible.builtin.dnf5", _USUAL),
    "dnf": ("ansible.builtin.dnf", _USUAL),
    "zypper": ("community.general.zypper", _USUAL),
    "apk": ("community.general.apk", "py3-cryptography"),
    "pacman": ("community.general.pacman", "python-cryptography"),
}


def run(context: Context) -> Result:
    """Return the packages to install, [] if the library is present, and the module that installs them."""
    if x509.CRYPTOGRAPHY.present:
        return {"changed": False, "packages": [], "manager": ""}
    module, package = next((found for program, found in MANAGERS.items() if shutil.which(program)), ("", _USUAL))
    module = context.params["use"] or module
    package = context.params["package"] or package
    if not module:
        raise host_error(
            f"No package manager of {', '.join(MANAGERS)} is on this host. Install the Python library cryptography,"
            " or name a module that installs packages: option use, or the variable ansible_package_use for the role."
        )
    return {"changed": False, "packages": [package, *OTHER_PACKAGES], "manager": module}


TASK = Task(argument_spec=SPEC, run=run)
