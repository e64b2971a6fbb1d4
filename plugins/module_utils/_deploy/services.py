# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The services that the role knows: how each is tested and reloaded. One table, for the role, the key and the host."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import typing as t

from .._core.errors import host_error, input_error

OPTIONS = ("test", "reload", "unit")  # what a user may set for each service


class Service(t.NamedTuple):
    """A service of the host. Commands run without a shell."""

    name: str
    test: str = ""  # the command that checks its configuration; empty: none
    reload: str = ""  # the command that makes it read its files again; empty: its unit is reloaded
    unit: str = ""  # empty: nothing is reloaded, for a service that watches its files
    restart: bool = False  # restart the unit instead of reloading it
    hook: bool = False  # the user's task file tests and reloads it

    @property
    def reloads(self) -> bool:
        """Whether anything is done to make it read its files again."""
        return bool(self.hook or self.reload or self.unit)

    @property
    def journal(self) -> str:
        """The pattern of its units in the system journal."""
        return self.unit if self.name in _OTHER_UNITS else f"{self.name}*"


class Failure(t.NamedTuple):
    """Why a test or reload of a service failed, as a sentence."""

    error: str
    missing: bool = False  # its program is not on the host


# nginx keeps running unchanged if it rejects a reload, and the command still succeeds: what is served shows it.
# `apachectl configtest` opens the files of every certificate, `postfix check` opens none, and `doveconf` opens every
# file that the configuration references with `<`, whatever setting is requested. Tomcat reads its certificates at its
# start only.
TABLE: dict[str, Service] = {
    one.name: one
    for one in (
        Service("nginx", "nginx -t", unit="nginx"),
        Service("apache", "apachectl configtest", unit="apache2"),
        Service("haproxy", "haproxy -c -q -f /etc/haproxy/haproxy.cfg", unit="haproxy"),
        Service("postfix", "postfix check", unit="postfix"),
        Service("dovecot", "doveconf -h protocols", unit="dovecot"),
        Service("tomcat", unit="tomcat10", restart=True),
        Service("custom"),
    )
}
_OTHER_UNITS = frozenset({"apache", "tomcat"})  # services whose unit has another name in each distribution
SLOW = frozenset({"tomcat"})  # services that take up to a minute until they serve again


# Words of a command that would reach the program as arguments, because no shell interprets them.
_SHELLS = frozenset({"sh", "bash", "dash", "ash", "ksh", "zsh", "busybox"})
_OPERATOR = re.compile(r"[0-9&]?[<>].*|\|{1,2}&?|&{1,2}|.*;|.*(?:\$\(|`).*", re.DOTALL)
_BUILTIN = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*|cd|eval|exec|export|set|source|ulimit|umask|unset|\.", re.DOTALL)


def service_commands(settings: t.Mapping[str, t.Any]) -> dict[str, dict[str, str]]:
    """The option `services` of the modules, from the settings of the role, without services with a task file."""
    return {
        service: {
            option: str(settings[f"{service}_{option}"])
            for option in OPTIONS
            if settings.get(f"{service}_{option}") is not None
        }
        for service in TABLE
        if service not in (settings.get("service_tasks") or {})
    }


def read_services(names: t.Iterable[str], given: t.Mapping[str, t.Any], hooks: t.Container[str]) -> dict[str, Service]:
    """The services with these names, in the same order, with the commands that are given.

    A name that the table does not hold and that is no hook has no commands, so nothing is done for it.
    """
    return {name: _read(name, given.get(name), name in hooks) for name in names}


def _read(name: str, given: t.Any, hook: bool) -> Service:
    usual = TABLE.get(name, Service(name))
    if hook:
        return Service(name, hook=True)
    options = {key: str(value) for key, value in dict(given or {}).items() if value}
    return usual._replace(
        test=options.get("test", usual.test),
        reload=options.get("reload", usual.reload),
        unit=options.get("unit", usual.unit),
    )


def command_problem(command: str) -> str:
    """Return why a command cannot run without a shell, as a clause, or an empty string."""
    try:
        words = shlex.split(command)
    except ValueError:
        return "it has an unclosed quote"
    if not words or os.path.basename(words[0]) in _SHELLS:
        return ""
    syntax = next(filter(_OPERATOR.fullmatch, words), words[0] if _BUILTIN.fullmatch(words[0]) else "")
    return f"{syntax} has a meaning in a shell only; write sh -c and the quoted command" if syntax else ""


def check_command(service: str, option: str, command: str) -> None:
    """Refuse a command that cannot run on the host: no certificate could be installed for such a service."""
    why = command_problem(command)
    if why:
        raise input_error(f"gogetssl_{service}_{option}: {command!r} runs without a shell, and {why}.")
    program = os.path.expanduser(os.path.expandvars(next(iter(shlex.split(command)), "")))
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/local/sbin", "/usr/sbin", "/sbin"))
    if program and shutil.which(program, path=path) is None:
        raise host_error(
            f"{service}: {program}, the program of its {option} command, is not on this host. Install it, or correct"
            f" gogetssl_{service}_{option}."
        )
