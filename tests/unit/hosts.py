# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Helpers for the tests of host modules: a CA, task contexts, and kills at any file operation."""

from __future__ import annotations

import datetime as dt
import errno
import ipaddress
import os
import signal
import sys
import time
import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context, Result, Task
from ansible_collections.certops.gogetssl.plugins.module_utils._host import files as _files

DAY = dt.timedelta(days=1)
LONG = (-DAY, 900 * DAY)
CA = x509.BasicConstraints(ca=True, path_length=None)
NOW = dt.datetime.now(dt.timezone.utc).replace(tzinfo=None, microsecond=0)


class CertificateAuthority:
    """A CA with one intermediate, so that chains have an order."""

    name = "Test CA"

    def __init__(self) -> None:
        self.root_key, self.key = (ec.generate_private_key(ec.SECP256R1()) for _unused in range(2))
        self.root = _certificate("Test root", self.root_key.public_key(), "Test root", self.root_key, *LONG, CA)
        self.intermediate = _certificate("Test CA", self.key.public_key(), "Test root", self.root_key, *LONG, CA)
        # The intermediate cross-signed: the same name and key, but signed by another root.
        self.other_root_key = ec.generate_private_key(ec.SECP256R1())
        cross = "Test CA", self.key.public_key(), "Other root", self.other_root_key
        self.cross = _certificate(*cross, *LONG, CA)
        self.expired_cross = _certificate(*cross, -900 * DAY, -DAY, CA)

    def issue(self, csr: str, start: dt.timedelta = -DAY, end: dt.timedelta = 90 * DAY) -> str:
        request = x509.load_pem_x509_csr(csr.encode())
        names = request.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        return _certificate("leaf", request.public_key(), self.name, self.key, start, end, names)


def _certificate(
    subject: str,
    public_key: t.Any,
    issuer: str,
    key: t.Any,
    start: dt.timedelta,
    end: dt.timedelta,
    *extensions: t.Any,
) -> str:
    builder = x509.CertificateBuilder().serial_number(x509.random_serial_number()).public_key(public_key)
    builder = builder.subject_name(_name(subject)).issuer_name(_name(issuer))
    builder = builder.not_valid_before(NOW + start).not_valid_after(NOW + end)
    for extension in extensions:
        builder = builder.add_extension(extension, False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def _name(common_name: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common_name)])


def _no_warning(text: str) -> None:
    raise AssertionError(text)


def run(task: Task, check_mode: bool = False, warn: t.Callable[[str], None] = _no_warning, **params: t.Any) -> Result:
    """Run a task with parameters validated as by Ansible."""
    validated = ArgumentSpecValidator(task.argument_spec).validate(params)
    assert not validated.error_messages, validated.error_messages
    return task.run(Context(validated.validated_parameters, check_mode, _no_shell, _no_api, warn, time.time))


def _no_shell(script: str) -> t.Any:
    raise AssertionError("a host task must not use the shell")


def _no_api() -> t.Any:
    raise AssertionError("a host task must not use the API")


CHANGING = (
    *("chmod", "fchmod", "fchown", "fsync", "mkdir", "open", "rename", "replace", "rmdir", "symlink"),
    *("unlink", "write"),
)


class FaultyOs:
    """Replaces `os` in the module `files` and interrupts one call.

    Counts the calls that change something. `stop` is called at call number `at`: before it takes effect, or after half
    of a write. Records which written files have not been synchronised to the disk yet.
    """

    def __init__(self, at: int, stop: t.Callable[[FaultyOs], None]) -> None:
        self.at, self.stop, self.calls = at, stop, 0
        self.open_files: dict[int, str] = {}
        self.unsynced: dict[int, str] = {}  # inode -> path

    def __getattr__(self, name: str) -> t.Any:
        real = getattr(os, name)
        return self._counted(name, real) if name in CHANGING else real

    def _counted(self, name: str, real: t.Any) -> t.Any:
        def call(*args: t.Any, **options: t.Any) -> t.Any:
            self.calls += 1
            if self.calls == self.at:
                if name == "write":
                    self.unsynced[os.fstat(args[0]).st_ino] = self.open_files[args[0]]
                    real(args[0], args[1][: len(args[1]) // 2])
                self.stop(self)
            result = real(*args, **options)
            self._record(name, args, result)
            return result

        return call

    def _record(self, name: str, args: t.Any, result: t.Any) -> None:
        if name == "open":
            self.open_files[result] = args[0]
        elif name == "write":
            self.unsynced[os.fstat(args[0]).st_ino] = self.open_files[args[0]]
        elif name == "fsync":
            self.unsynced.pop(os.fstat(args[0]).st_ino, None)


def disk_full(_fault: FaultyOs) -> None:
    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def killed(call: t.Callable[[], t.Any], at: int, lose_power: str | None = None) -> bool:
    """Run in a child process that is killed at its n-th change. Return False if there are fewer changes.

    `lose_power` is a directory in which files that were not synchronised to the disk are emptied, as by a power loss.
    """

    def stop(fault: FaultyOs) -> None:
        if lose_power:
            for folder, _folders, files in os.walk(lose_power):
                for file in files:
                    path = os.path.join(folder, file)
                    if os.lstat(path).st_ino in fault.unsynced:
                        os.truncate(path, 0)
        os.kill(os.getpid(), signal.SIGKILL)

    child = os.fork()
    if child == 0:
        status = 1
        try:
            _files.os = t.cast(t.Any, FaultyOs(at, stop))
            call()
            status = 0
        except BaseException as error:
            print(f"child: {error!r}", file=sys.stderr)
        os._exit(status)
    status = os.waitpid(child, 0)[1]
    assert status == 0 or (os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL), status
    return status != 0


def tree(root: str) -> dict[str, str]:
    """All paths below a directory with contents, link targets and modes, to detect changes."""
    found: dict[str, str] = {}
    for folder, folders, files in os.walk(root):
        for name in (*folders, *files):
            path = os.path.join(folder, name)
            key = os.path.relpath(path, root)
            if os.path.islink(path):
                found[key] = "-> " + os.readlink(path)
            elif os.path.isdir(path):
                found[key] = f"{os.lstat(path).st_mode & 0o777:o}"
            else:
                with open(path, "rb") as stream:
                    found[key] = f"{os.lstat(path).st_mode & 0o777:o} {stream.read()!r}"
    return found


def mode(path: t.Any) -> int:
    return os.lstat(path).st_mode & 0o777


def address(text: str) -> x509.IPAddress:
    return x509.IPAddress(ipaddress.ip_address(text))
