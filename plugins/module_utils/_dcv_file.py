# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_dcv_file`: proof files under a web root that somebody less trusted may own.

Below the web root everything is reached through open directories, never through a path, so that no link planted there
at any moment can lead a write or a removal elsewhere.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import typing as t

from . import _files, _leftovers
from ._errors import host_error, input_error
from ._task import Context, Params, Result, Task

SPEC: dict[str, t.Any] = {
    "web_root": {"type": "path", "required": True},
    # Without sub-options: the proofs of gogetssl_dcv are taken as they are, whatever else they hold.
    "files": {"type": "list", "elements": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
PARTS = (".well-known", "pki-validation")
# Stands in the directories made here: only these are removed again.
MARKER = ".made-by-gogetssl"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


class File(t.NamedTuple):
    """A file that is wished for, or to be gone. Without contents, it is to be gone whatever it holds."""

    name: str
    contents: bytes | None


class Step(t.NamedTuple):
    """A file and what becomes of it."""

    name: str
    before: bytes | None
    after: bytes | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


def plan(wanted: t.Sequence[File], found: t.Mapping[str, bytes], state: str) -> list[Step]:
    """Other contents are replaced: the authority says what a proof is. They are not removed: another order's, maybe."""
    steps = []
    for file in wanted:
        before = found.get(file.name)
        if state == "present":
            steps.append(Step(file.name, before, file.contents))
        else:
            ours = file.contents is None or before == file.contents
            steps.append(Step(file.name, before, None if ours else before))
    return steps


def read_files(params: Params) -> list[File]:
    """The files asked for, each once; an input error for names that could reach elsewhere."""
    files: dict[str, File] = {}
    for item in params["files"]:
        name, content = item.get("file_name"), item.get("content")
        if not isinstance(name, str) or not _FILE_NAME.fullmatch(name) or ".." in name:
            raise input_error(f"{name!r} is refused as the name of a proof file.")
        if not isinstance(content, str) and (content is not None or params["state"] == "present"):
            raise input_error(f"The proof file {name} needs its content as text.")
        file = File(name, None if content is None else content.encode("utf-8"))
        if files.setdefault(name, file) != file:
            raise input_error(f"The proof file {name} is asked for with two different contents.")
    return list(files.values())


def run(context: Context) -> Result:
    """Read what is there, then bring about what differs."""
    wanted, state = read_files(context.params), context.params["state"]
    root = os.path.normpath(context.params["web_root"])
    if not os.path.isabs(root):
        raise input_error(f"web_root must be an absolute path, not {root!r}.")
    with _files.os_errors_as_sentences(os.path.join(root, *PARTS)):
        if not os.path.isdir(root):
            if state == "absent":
                return _report(root, plan(wanted, {}, state))
            raise host_error(f"The web root {root} is not a directory.")
        steps = plan(wanted, _read_all(root, wanted), state)
        if context.check_mode or not any(step.changed for step in steps):
            return _report(root, steps)
        with _files.locked(root, context.sleep):
            steps = plan(wanted, _read_all(root, wanted), state)
            (_publish if state == "present" else _remove)(root, [step for step in steps if step.changed])
    return _report(root, steps)


def _publish(root: str, steps: t.Sequence[Step]) -> None:
    with _opened(root, make=True) as handles:
        for step in steps:
            _replace(handles[-1], step.name, step.after or b"")


def _remove(root: str, steps: t.Sequence[Step]) -> None:
    with _opened(root) as handles:
        if len(handles) <= len(PARTS):
            return
        for step in steps:
            os.unlink(step.name, dir_fd=handles[-1])
        for name in os.listdir(handles[-1]):
            if name.startswith(_leftovers.SCRATCH):  # left by a run that was killed
                os.unlink(name, dir_fd=handles[-1])
        for parent, part, handle in reversed(list(zip(handles, PARTS, handles[1:]))):
            if os.listdir(handle) != [MARKER]:
                return
            os.unlink(MARKER, dir_fd=handle)
            os.rmdir(part, dir_fd=parent)


def _read_all(root: str, wanted: t.Sequence[File]) -> dict[str, bytes]:
    with _opened(root) as handles:
        if len(handles) <= len(PARTS):
            return {}
        found = {file.name: _files.read(file.name, handles[-1]) for file in wanted}
    return {name: contents for name, contents in found.items() if contents is not None}


@contextlib.contextmanager
def _opened(root: str, make: bool = False) -> t.Iterator[list[int]]:
    """The web root and the directories of proofs below it, opened as far as they are there (or made)."""
    with contextlib.ExitStack() as stack:

        def keep(handle: int) -> int:
            stack.callback(os.close, handle)
            return handle

        handles = [keep(os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC))]
        for number, part in enumerate(PARTS):
            try:
                if make:
                    _make_directory(handles[-1], part)
                handles.append(keep(os.open(part, os.O_RDONLY | os.O_DIRECTORY | _FLAGS, dir_fd=handles[-1])))
            except FileNotFoundError:
                break
            except OSError as error:
                raise _with_path(error, os.path.join(root, *PARTS[: number + 1])) from None
        yield handles


def _make_directory(parent: int, name: str) -> None:
    umask = os.umask(0)
    try:
        os.mkdir(name, 0o755, dir_fd=parent)
    except FileExistsError:
        return
    finally:
        os.umask(umask)
    handle = os.open(name, os.O_RDONLY | os.O_DIRECTORY | _FLAGS, dir_fd=parent)
    try:
        _replace(handle, MARKER, b"")
    finally:
        os.close(handle)


def _replace(directory: int, name: str, contents: bytes) -> None:
    scratch = _leftovers.SCRATCH + name
    with contextlib.suppress(FileNotFoundError):
        os.unlink(scratch, dir_fd=directory)
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o644, dir_fd=directory)
    try:
        os.fchmod(handle, 0o644)  # whatever the umask: the web server is another user
        _files.write_all(handle, contents)
        os.replace(scratch, name, src_dir_fd=directory, dst_dir_fd=directory)
    except OSError as error:
        with contextlib.suppress(OSError):
            os.unlink(scratch, dir_fd=directory)
        raise _with_path(error, name) from None
    finally:
        os.close(handle)
    os.fsync(directory)


def _with_path(error: OSError, path: str) -> Exception:
    if error.errno in (errno.ELOOP, errno.ENOTDIR, errno.EMLINK):
        return host_error(f"{path} is a symbolic link or no directory; refused. Is the web root the right one?")
    return OSError(error.errno, error.strerror, path)


def _report(root: str, steps: t.Sequence[Step]) -> Result:
    paths = {step.name: os.path.join(root, *PARTS, step.name) for step in steps}
    return {
        "changed": any(step.changed for step in steps),
        "files": [{"path": paths[step.name], "changed": step.changed} for step in steps],
        "diff": [
            {
                "before_header": paths[step.name],
                "after_header": paths[step.name],
                "before": _shown(step.before),
                "after": _shown(step.after),
            }
            for step in steps
            if step.changed
        ],
    }


def _shown(contents: bytes | None) -> str:
    return (contents or b"").decode("utf-8", "backslashreplace")


TASK = Task(argument_spec=SPEC, run=run)
