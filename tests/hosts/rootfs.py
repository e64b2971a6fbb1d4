# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Debian root file system below each host: built once, then read only."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from .shell import mounts_below, run

CACHE = Path(os.environ.get("GOGETSSL_TEST_CACHE", "/var/cache/gogetssl-test"))
SUITE = "bookworm"
# Installed servers that start with a host. Scenarios start the others, as several use the same port.
STARTED = ("nginx.service", "ssh.service")

# A small server with the packages that Ansible needs, and the first service that uses a certificate.
# Hosts have no Internet access, so a scenario names additional packages when it starts its hosts.
PACKAGES = (
    "ca-certificates",
    "dbus",
    "init",
    "iproute2",
    "nginx-light",
    "openssh-server",
    "openssl",
    "procps",
    "python3",
    "python3-apt",
    "python3-cryptography",
    "sudo",
    "systemd",
    "systemd-sysv",
)


@contextmanager
def locked(name: str) -> Iterator[None]:
    """Hold a lock: concurrent test runs must not build the same tree or use the same addresses."""
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def rootfs(extra: Iterable[str] = ()) -> Path:
    """The tree with PACKAGES and `extra`, which is built if it does not exist."""
    packages = sorted({*PACKAGES, *extra})
    key = hashlib.sha256(" ".join([SUITE, *STARTED, *packages]).encode()).hexdigest()[:12]
    tree = CACHE / f"rootfs-{key}"
    with locked("rootfs"):
        if not tree.exists():
            _build(tree, packages)
    return tree


def _build(tree: Path, packages: list[str]) -> None:
    for left in CACHE.glob("unfinished-*"):
        _discard(left)
    # Renamed when complete, so that a killed build leaves no incomplete tree under this name.
    unfinished = Path(tempfile.mkdtemp(prefix="unfinished-", dir=CACHE))
    try:
        run("mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(packages)}", SUITE, unfinished)
        # Each host generates its own host keys, so that no client trusts a key that all hosts share.
        for key in (unfinished / "etc/ssh").glob("ssh_host_*"):
            key.unlink()
        (unfinished / "etc/machine-id").unlink(missing_ok=True)
        for unit in (unfinished / "etc/systemd/system/multi-user.target.wants").glob("*.service"):
            if unit.name not in STARTED:
                unit.unlink()
        unfinished.chmod(0o755)
        unfinished.rename(tree)
    except BaseException:
        _discard(unfinished)
        raise


def _discard(tree: Path) -> None:
    # Do not delete through mounts: an incomplete tree may contain the /sys of this machine.
    if not mounts_below(tree):
        shutil.rmtree(tree, ignore_errors=True)
