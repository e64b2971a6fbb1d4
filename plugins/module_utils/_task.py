# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task is, and the adapter that runs one as an ordinary module.

The only file that knows `AnsibleModule`. Its twin for tasks inside the controller is `plugin_utils/_controller.py`.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import functools
import os
import time
import traceback
import typing as t

from ansible.module_utils.basic import AnsibleModule, env_fallback, missing_required_lib

from ._api import Api
from ._client import HAS_REQUESTS, PRODUCTION_URL, Client, Credentials, Limits
from ._dns_wire import HAS_DNSPYTHON
from ._errors import GogetsslError
from ._shell import CommandResult, Shell
from ._x509 import HAS_CRYPTOGRAPHY

Params = t.Mapping[str, t.Any]
Result = dict[str, t.Any]

PACKAGES = {
    "cryptography": (
        " Debian, Red Hat and SUSE call its package python3-cryptography, Alpine py3-cryptography; the role installs it"
        " with gogetssl_install_packages: true."
    )
}

NEEDS_NO_LOG = (
    "The result of this task holds private keys; run it with no_log: true, so that nothing shows or logs them."
)

API_SPEC: dict[str, t.Any] = {
    "api_url": {"type": "str", "default": PRODUCTION_URL, "fallback_env": "GOGETSSL_API_URL"},
    "api_user": {"type": "str", "fallback_env": "GOGETSSL_API_USER"},
    "api_password": {"type": "str", "no_log": True, "fallback_env": "GOGETSSL_API_PASSWORD"},
    "auth_key": {"type": "str", "no_log": True, "fallback_env": "GOGETSSL_API_KEY"},
    "api_ca_path": {"type": "path", "fallback_env": "GOGETSSL_API_CA"},
    "api_timeout": {"type": "float", "default": 30.0},
    "api_deadline": {"type": "float", "default": 120.0},
}


@dataclasses.dataclass(frozen=True)
class Context:
    """All a task function may touch."""

    params: Params
    check_mode: bool
    shell: Shell
    api: t.Callable[[], Api]  # opens no connection before the first call of a method
    warn: t.Callable[[str], None]
    now: t.Callable[[], float] = time.time  # seconds since the epoch
    sleep: t.Callable[[float], None] = time.sleep
    host: str = ""  # the inventory's name, inside the controller
    run_directory: str | None = None  # of this run of Ansible alone, on the controller


@dataclasses.dataclass(frozen=True)
class Task:
    """A task: what it accepts and the function that does it."""

    argument_spec: Params
    run: t.Callable[[Context], Result]
    rules: Params = dataclasses.field(default_factory=dict)  # mutually_exclusive and the like
    needs: tuple[str, ...] = ("requests", "cryptography")
    check_mode: bool = True
    secret_result: bool = False  # the result holds secrets, so the task must be run with no_log


def run_module(task: Task) -> None:
    """Run a task as an ordinary module, on the host the module was sent to."""
    module = AnsibleModule(
        argument_spec=ansible_spec(task.argument_spec), supports_check_mode=task.check_mode, **task.rules
    )
    for library in missing_libraries(task):
        module.fail_json(msg=missing_required_lib(library) + PACKAGES.get(library, ""))

    if task.secret_result and not module.no_log:
        module.fail_json(msg=NEEDS_NO_LOG)

    def shell(script: str) -> CommandResult:
        return CommandResult(*module.run_command(["/bin/sh", "-c", script], errors="surrogateescape"))

    try:
        api = functools.partial(open_api, module.params)
        context = Context(module.params, module.check_mode, shell, api, module.warn)
        result = task.run(context)
    except GogetsslError as error:
        module.fail_json(msg=error.message, failure=error.kind.value)
    except Exception as error:  # pylint: disable=broad-exception-caught
        module.fail_json(msg=unexpected(error))
    module.exit_json(**result)


def ansible_spec(spec: Params) -> dict[str, t.Any]:
    """The spec with `fallback_env` spelled out as Ansible wants it."""
    plain: dict[str, t.Any] = {}
    for name, option in spec.items():
        option = dict(option)
        variable = option.pop("fallback_env", None)
        if variable:
            option["fallback"] = (env_fallback, [variable])
        plain[name] = option
    return plain


def missing_libraries(task: Task) -> list[str]:
    """The Python libraries a task needs and this interpreter lacks."""
    present = {"requests": HAS_REQUESTS, "cryptography": HAS_CRYPTOGRAPHY, "dnspython": HAS_DNSPYTHON}
    return [library for library in task.needs if not present[library]]


def open_api(params: Params) -> Api:
    """The API as the task's options describe it."""
    credentials = Credentials(params["api_user"], params["api_password"], params["auth_key"])
    limits = Limits(timeout=params["api_timeout"], deadline=params["api_deadline"])
    return Api(Client(params["api_url"], credentials, limits, params["api_ca_path"]))


def unexpected(error: BaseException) -> str:
    """An unforeseen exception by its type and place; its text might hold a secret and stays out."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{os.path.basename(frames[-1].filename)}, line {frames[-1].lineno}" if frames else "unknown place"
    return f"Unexpected {type(error).__name__} ({place}). This is a bug in certops.gogetssl: please report it."
