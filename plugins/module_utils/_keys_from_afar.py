# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Keys that the vendor makes, on the way to the host they are for: through the controller's memory and nowhere else.

The host says which certificates lack a key, the controller has those made, sends each on the standard input of a shell
into `incoming/` beside `staged/`, and the host stages what came in. A module's options are no way for a key: Ansible's
debugging prints them. Only the key of the vendor's answer is used: its CSR knows one name, so that the host signs one
of its own.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import shlex
import typing as t

from . import _files, _store
from ._errors import input_error
from ._shell import CommandResult, output
from ._task import Params, Result
from ._wanted import Wanted, read_wanted

GENERATORS = ("local", "gogetssl")
KEY_TYPE = "rsa-2048"  # the only kind the vendor makes (API reference 5)
LACKING = "lacking"  # of the host's answer to the controller, not of the task's result
SPEC: dict[str, t.Any] = {"generator": {"type": "str", "choices": list(GENERATORS), "default": "local"}}
WARNING = (
    "{name}: GoGetSSL made the private key and sent it over the network, so that it was in more hands than the host's."
    " generator=local makes it on the host."
)
NO_STDIN = (
    "generator=gogetssl needs a connection with pipelining, such as ssh: over this one Ansible would write the private"
    " key into files on its way."
)
Make = t.Callable[[t.Mapping[str, str]], str]  # has the vendor make a key for a subject
Pipe = t.Callable[[str, bytes], CommandResult]  # a script for the host's shell, and its standard input


def arrived(found: _store.Paths) -> _store.Key | None:
    """On the host: a key that came in, also of a run that was killed then; one of another kind is thrown away."""
    key = _store.read_key(incoming(found))
    if key is not None and key.key_type == KEY_TYPE:
        return key
    clear(found)
    return None


def clear(found: _store.Paths) -> None:
    """On the host: what came in has been staged or is not wanted any more."""
    if os.path.lexists(incoming(found)):
        _files.discard(incoming(found))


def incoming(found: _store.Paths) -> str:
    return os.path.join(found.root, "incoming")


def check(params: Params) -> tuple[Wanted, ...]:
    """The wishes, refused before anything is sent if their keys are of a kind the vendor does not make."""
    wishes = read_wanted(params)
    others = [wanted.name for wanted in wishes if wanted.key_type != KEY_TYPE]
    if others and params["generator"] == "gogetssl":
        raise input_error(f"{', '.join(others)}: GoGetSSL makes {KEY_TYPE} keys only, set key_type or generator=local.")
    return wishes


def bring(make: Make, params: Params, lacking: t.Iterable[str], pipe: Pipe) -> None:
    """On the controller: have the keys made that are lacking, and send each as soon as it is here."""
    wishes = {wanted.name: wanted for wanted in check(params)}
    for name in lacking:
        key = make(_subject(wishes[name]))
        folder = shlex.quote(incoming(_store.Paths(os.path.join(os.path.normpath(params["directory"]), name))))
        script = f"umask 077 && mkdir -p {folder} && cat > {folder}/{_store.KEY}"
        output(pipe(script, key.encode("ascii")), f"{name}: writing the key that GoGetSSL made")


def _subject(wanted: Wanted) -> dict[str, str]:
    """The form of the vendor's generator, of what is known (API reference 5)."""
    company = wanted.organization
    fields = {
        "csr_commonname": wanted.common_name,
        "csr_organization": company.get("name"),
        "csr_department": company.get("division"),
        "csr_city": company.get("city"),
        "csr_state": company.get("region"),
        "csr_country": company.get("country"),
        "csr_email": wanted.admin.get("email"),
    }
    return {name: value for name, value in fields.items() if value}


def merged(first: Result, second: Result) -> Result:
    """One result of the two calls of the module; what the first has signed anew is a change too."""
    changed = {entry["name"] for entry in first["requests"] if entry["changed"]} - set(first[LACKING])
    for entry in second["requests"]:
        entry["changed"] = entry["changed"] or entry["name"] in changed
    second["changed"] = second["changed"] or bool(changed)
    if "diff" in first and "diff" in second:
        done = [part for part in first["diff"] if part["before_header"].rpartition(" ")[0] in changed]
        second["diff"] = [*done, *second["diff"]]
    return second
