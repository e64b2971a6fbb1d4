# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The frequent scripts of the journal in this process, as a shell and its commands take most of a seed's time.

Each function does what its script does, in the same order; `test_quick.py` compares both. A script of another form runs
in a shell, and so does one that is interrupted or killed.
"""

from __future__ import annotations

import glob
import os
import re

from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._host import files, journal

_TEXT = r"(?P<text>'[^']*')"
_PLACE = r"(?P<place>[\w/.-]+)"
_SYNC = re.escape('sync "$t" 2>/dev/null || sync\n')
_WRITTEN = re.escape(" && printf '%s\\n' ") + _TEXT + re.escape(' > "$t" || exit 1\n') + _SYNC
_SETTLED = re.escape(' && rm -f "$d/intent.json"')
_RECORD = re.compile(
    rf"\numask 022\nd={_PLACE}\n"
    + re.escape('mkdir -p "$d" && t="$d/.order.$$"')
    + _WRITTEN
    + re.escape('mv -f "$t" "$d/order.json"')
    + f"(?P<settled>{_SETTLED})?\n"
)
_INTENT = re.compile(
    rf"\numask 077\nd={_PLACE}\n"
    + re.escape('(umask 022; mkdir -p "$d") && t="$d/.intent.$$"')
    + _WRITTEN
    + re.escape(
        'if ln "$t" "$d/intent.json" 2>/dev/null; then r=0; elif [ -e "$d/intent.json" ]; then r=17; else r=1; fi\n'
        'rm -f "$t"\n'
        '[ $r = 0 ] && [ -e "$d/order.json" ] && cat "$d/order.json"\n'
        '[ $r = 0 ] && { sync "$d/intent.json" 2>/dev/null || sync; }\n'
        "exit $r\n"
    )
)
_HELD = re.compile(
    rf"\nfor f in {_PLACE}"
    + re.escape(
        "/*/order.json; do\n"
        f'  [ ! -r "$f" ] || [ ! -f "$f" ] || [ -L "$f" ] || {{ echo "{journal.MARK}$f";'
        f' head -c {files.LARGEST} "$f"; echo; }}\ndone\n'
    )
)
_REMOVE = re.compile(
    rf'(?:\[ "\$\(cat {_PLACE} 2>/dev/null\)" != {_TEXT} \] \|\| )?rm -f (?P<path>[\w/.-]+/intent\.json)'
)


def run(script: str) -> CommandResult | None:
    """The result of a script that is not interrupted; None if a shell must run it."""
    for form, done in ((_RECORD, _record), (_HELD, _held), (_INTENT, _intent), (_REMOVE, _remove)):
        found = form.fullmatch(script)
        if found:
            return done(found)
    return None


def _written(found: re.Match[str], name: str, umask: int) -> str:
    """Write the text of a script to a new file beside its target."""
    place = found["place"]
    if not os.path.isdir(place):
        os.makedirs(place)
        os.chmod(place, 0o755)
    path = f"{place}/{name}"
    target = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o666)
    try:
        os.fchmod(target, 0o666 & ~umask)
        os.write(target, found["text"][1:-1].encode() + b"\n")
    finally:
        os.close(target)
    return path


def _record(found: re.Match[str]) -> CommandResult:
    os.replace(_written(found, ".order.1", 0o022), f"{found['place']}/order.json")
    if found["settled"]:
        _discard(f"{found['place']}/intent.json")
    return CommandResult(0, "", "")


def _intent(found: re.Match[str]) -> CommandResult:
    written, place = _written(found, ".intent.1", 0o077), found["place"]
    try:
        os.link(written, f"{place}/intent.json")
    except FileExistsError:
        return CommandResult(17, "", "")
    finally:
        os.unlink(written)
    try:
        return CommandResult(0, read(f"{place}/order.json"), "")
    except FileNotFoundError:
        return CommandResult(0, "", "")


def _held(found: re.Match[str]) -> CommandResult:
    paths = sorted(glob.glob(f"{found['place']}/*/order.json"))
    plain = [path for path in paths if os.path.isfile(path) and not os.path.islink(path)]
    return CommandResult(0, "".join(f"{journal.MARK}{path}\n{read(path)}\n" for path in plain), "")


def _remove(found: re.Match[str]) -> CommandResult | None:
    path = found["path"]
    if found["text"] is not None:
        if found["place"] != path:
            return None
        try:
            content = read(path)
        except FileNotFoundError:
            content = ""
        if content.rstrip("\n") != found["text"][1:-1]:
            return CommandResult(0, "", "")
    _discard(path)
    return CommandResult(0, "", "")


def _discard(path: str) -> None:
    if os.path.lexists(path):
        os.unlink(path)


def read(path: str) -> str:
    with open(path, encoding="utf-8", newline="") as file:
        return file.read(files.LARGEST)
