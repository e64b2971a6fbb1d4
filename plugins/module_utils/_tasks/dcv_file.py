# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: DCV files in a web root whose owner may be less trusted.

Below the web root the task uses only open directory handles, never paths. A symbolic link created at any moment
therefore cannot redirect a write or a removal.
"""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import typing as t

from .._core.errors import host_error, input_error
from .._core.task import Context, Params, Result, Task
from .._host import directory_lock, interrupted_files
from .._host import files as _files

SPEC: dict[str, t.Any] = {
    "web_root": {"type": "path", "required": True},
    # Without suboptions: the validations of gogetssl_dcv are accepted with all their keys.
    "files": {"type": "list", "elements": "dict", "required": True},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}
PARTS = (".well-known", "pki-validation")
# Marks the directories that this task created: only these are removed again.
MARKER = ".made-by-gogetssl"
_FILE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_HASH_LINE = re.compile(rb"[0-9A-Fa-f]{64}(?=\r?\n)")
_FLAGS = os.O_NOFOLLOW | os.O_CLOEXEC


class File(t.NamedTuple):
    """A file to publish or remove. Without contents, it is removed whatever its content is."""

    name: str
    contents: bytes | None


class Step(t.NamedTuple):
    """A file with its content before and after."""

    name: str
    before: bytes | None
    after: bytes | None

    @property
    def changed(self) -> bool:
        return self.before != self.after


def plan_files(expected: t.Sequence[File], found: t.Mapping[str, bytes], state: str) -> list[Step]:
    """The steps. Content of another order or application is neither replaced nor removed."""
    steps = []
    for file in expected:
        before = found.get(file.name)
        if state == "present":
            _check_replaceable(file, before)
            steps.append(Step(file.name, before, file.contents))
        else:
            ours = file.contents is None or before == file.contents
            steps.append(Step(file.name, before, None if ours else before))
    return steps


def _check_replaceable(file: File, before: bytes | None) -> None:
    """Raise an error for content of another validation. The hash in the first line is the hash of the CSR."""
    if before is None or before == file.contents:
        return
    old, new = (_HASH_LINE.match(contents or b"") for contents in (before, file.contents))
    if not (old and new and old.group().lower() == new.group().lower()):
        raise host_error(
            f"{file.name} exists with other content ({len(before)} bytes) and is kept: another order or application may"
            " need it. Remove the file when its validation has ended, then run again."
        )


def read_files(params: Params) -> list[File]:
    """The requested files, each once. A name that could reach outside the directory raises an input error.

    One name can be removed with several contents: orders of some CAs share a file name.
    """
    files: dict[t.Any, File] = {}
    for item in params["files"]:
        name, content = item.get("file_name"), item.get("content")
        if not isinstance(name, str) or not _FILE_NAME.fullmatch(name) or ".." in name:
            raise input_error(f"{name!r} is not allowed as the name of a DCV file.")
        if not isinstance(content, str) and (content is not None or params["state"] == "present"):
            raise input_error(f"The DCV file {name} needs its content as text.")
        file = File(name, None if content is None else content.encode("utf-8"))
        key = name if params["state"] == "present" else file
        if files.setdefault(key, file) != file:
            raise input_error(
                f"{name} is required with two different contents, one for each validation. Publish the second one"
                " after the first one is validated."
            )
    return list(files.values())


def run(context: Context) -> Result:
    """Read the existing files, then publish or remove those that differ."""
    expected, state = read_files(context.params), context.params["state"]
    root = os.path.normpath(context.params["web_root"])
    if not os.path.isabs(root):
        raise input_error(f"web_root must be an absolute path, not {root!r}.")
    with _files.os_errors_as_sentences(os.path.join(root, *PARTS)):
        if not os.path.isdir(root):
            if state == "absent":
                return _report(root, plan_files(expected, {}, state), expected)
            raise host_error(
                f"The web root {root} is not a directory. Create it, or set gogetssl_web_root (web_root) to the"
                " directory that the web server serves."
            )
        steps = plan_files(expected, _read_all(root, expected), state)
        if context.check_mode or not any(step.changed for step in steps):
            return _report(root, steps, expected)
        with directory_lock.web_root_locked(root, context.sleep):
            steps = plan_files(expected, _read_all(root, expected), state)
            (_publish if state == "present" else _remove)(root, [step for step in steps if step.changed])
    return _report(root, steps, expected)


def _publish(root: str, steps: t.Sequence[Step]) -> None:
    with _opened(root, make=True) as handles:
        for step in steps:
            _remove_older_probes(handles[-1], step.name)
            _replace(handles[-1], step.name, step.after or b"")


def _remove_older_probes(directory: int, name: str) -> None:
    """Remove probe files left by interrupted runs for the same host."""
    probe = interrupted_files.PROBE_NAME.fullmatch(name)
    if probe is None:
        return
    for other in os.listdir(directory):
        found = interrupted_files.PROBE_NAME.fullmatch(other)
        if found and found.group(1) == probe.group(1) and other != name:
            _unlink(directory, other)


def _remove(root: str, steps: t.Sequence[Step]) -> None:
    with _opened(root) as handles:
        if len(handles) <= len(PARTS):
            return
        for step in steps:
            _unlink(handles[-1], step.name)
        for name in os.listdir(handles[-1]):
            if name.startswith(interrupted_files.SCRATCH):  # left by an interrupted run
                _unlink(handles[-1], name)
        for parent, part, handle in reversed(list(zip(handles, PARTS, handles[1:]))):
            if os.listdir(handle) != [MARKER]:
                return
            os.unlink(MARKER, dir_fd=handle)
            os.rmdir(part, dir_fd=parent)


def _unlink(directory: int, name: str) -> None:
    """Remove a name. A directory of that name does not belong to this collection and is kept."""
    with contextlib.suppress(FileNotFoundError, IsADirectoryError):
        os.unlink(name, dir_fd=directory)


def _read_all(root: str, expected: t.Sequence[File]) -> dict[str, bytes]:
    with _opened(root) as handles:
        if len(handles) <= len(PARTS):
            return {}
        found = {file.name: _read(handles[-1], file) for file in expected}
    return {name: contents for name, contents in found.items() if contents is not None}


def _read(directory: int, file: File) -> bytes | None:
    """The contents. They are read only if they matter, so that other applications' content is never shown."""
    if file.contents is not None:
        return _files.read(file.name, directory)
    try:
        found = os.stat(file.name, dir_fd=directory, follow_symlinks=False)
    except FileNotFoundError:
        return None
    if not stat.S_ISREG(found.st_mode):
        raise host_error(f"{file.name} is a symbolic link or not a plain file; refused.")
    return b""


@contextlib.contextmanager
def _opened(root: str, make: bool = False) -> t.Iterator[list[int]]:
    """Handles of the web root and its DCV directories, as far as they exist or are created."""
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
    scratch = interrupted_files.SCRATCH + name
    with contextlib.suppress(FileNotFoundError):
        os.unlink(scratch, dir_fd=directory)
    handle = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _FLAGS, 0o644, dir_fd=directory)
    try:
        os.fchmod(handle, 0o644)  # regardless of the umask: the web server runs as another user
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


def _report(root: str, steps: t.Sequence[Step], files: t.Sequence[File]) -> Result:
    expected = [file.contents for file in files]
    paths = {step.name: os.path.join(root, *PARTS, step.name) for step in steps}
    return {
        "changed": any(step.changed for step in steps),
        "files": [{"path": paths[step.name], "changed": step.changed} for step in steps],
        "diff": [
            {
                "before_header": paths[step.name],
                "after_header": paths[step.name],
                "before": _shown(step.before, expected),
                "after": _shown(step.after, expected),
            }
            for step in steps
            if step.changed
        ],
    }


def _shown(contents: bytes | None, own: t.Collection[bytes | None]) -> str:
    """Content for a diff. Content that was not passed to this task is never printed."""
    if contents is None:
        return ""
    return contents.decode("utf-8", "backslashreplace") if contents in own else "(other content)"


TASK = Task(argument_spec=SPEC, run=run)
