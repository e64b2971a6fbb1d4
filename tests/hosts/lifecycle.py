# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Start and remove the hosts of a run.

The resources of a run are found through the kernel (namespaces, mounts, processes) and not through recorded state,
which may be missing or wrong after a kill.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from . import cgroups, network
from .rootfs import CACHE, locked, rootfs
from .shell import HostsError, mounts_below, run, succeeds

RUNS = CACHE / "runs"
# Each systemd needs several inotify instances. The default limit of Linux is 128.
INOTIFY = Path("/proc/sys/fs/inotify/max_user_instances")
INOTIFY_INSTANCES = 2048


@dataclass(frozen=True)
class Host:
    """Connection data of a host."""

    name: str
    address: str
    identity_file: str
    known_hosts: str
    user: str = "root"
    port: int = 22


def up(run_name: str, names: list[str], extra_packages: Iterable[str] = (), timeout: float = 60) -> list[Host]:
    """Start hosts and wait for their sshd. Hosts of an earlier run of the same name are removed first."""
    tree = rootfs(extra_packages)
    down(run_name)
    if int(INOTIFY.read_text()) < INOTIFY_INSTANCES:
        INOTIFY.write_text(str(INOTIFY_INSTANCES))
    folder = RUNS / run_name
    folder.mkdir(parents=True)
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / "id")
    with locked("network"):
        prefix = network.make_bridge(run_name)
    hosts = [
        Host(name, f"{prefix}.{number}", str(folder / "id"), str(folder / "known_hosts"))
        for number, name in enumerate(names, start=2)
    ]
    for number, host in enumerate(hosts, start=2):
        namespace = network.connect(run_name, host.name, number, host.address)
        _prepare(folder / host.name, tree, host, hosts)
        _boot(folder / host.name, host, namespace)
    _wait_for_sshd(hosts, folder, timeout)
    return hosts


def _prepare(folder: Path, tree: Path, host: Host, hosts: list[Host]) -> None:
    """Create the host's layer over the common tree: host name, SSH keys, /etc/hosts."""
    upper, work, root = folder / "upper", folder / "work", folder / "root"
    for layer in (upper, work, root):
        layer.mkdir(parents=True)
    run("mount", "-t", "overlay", "overlay", "-o", f"lowerdir={tree},upperdir={upper},workdir={work}", root)

    key = root / "etc/ssh/ssh_host_ed25519_key"
    run("ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", host.name, "-f", key)
    with Path(host.known_hosts).open("a") as known_hosts:
        known_hosts.write(f"{host.address} {key.with_suffix('.pub').read_text()}")

    ssh = root / "root/.ssh"
    ssh.mkdir(mode=0o700, exist_ok=True)
    shutil.copy(f"{host.identity_file}.pub", ssh / "authorized_keys")
    (root / "etc/hostname").write_text(f"{host.name}\n")
    lines = ["127.0.0.1 localhost", *(f"{other.address} {other.name}" for other in hosts)]
    (root / "etc/hosts").write_text("\n".join(lines) + "\n")


def _boot(folder: Path, host: Host, namespace: str) -> None:
    command = [
        "systemd-nspawn",
        "--quiet",
        "--register=no",
        "--keep-unit",
        f"--network-namespace-path=/run/netns/{namespace}",
        f"--machine={host.name}",
        f"--directory={folder / 'root'}",
        "--resolv-conf=off",
        "--timezone=off",
        "--link-journal=no",
        "--console=pipe",
        "--boot",
        "systemd.mask=systemd-firstboot.service",
        "systemd.mask=getty.target",
        "systemd.mask=systemd-logind.service",
    ]
    with (folder / "console.log").open("w") as log:
        subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            # In its own session, so that Ctrl-C in the tests does not kill parts of the hosts.
            start_new_session=True,
            preexec_fn=partial(cgroups.enter, cgroups.make(namespace)),
        )


def _wait_for_sshd(hosts: list[Host], folder: Path, timeout: float) -> None:
    deadline = time.monotonic() + timeout
    for host in hosts:
        if not _until(partial(_greets, host), deadline):
            console = (folder / host.name / "console.log").read_text(errors="replace")
            raise HostsError(f"{host.name}: no sshd after {timeout:.0f} s; console output:\n{console[-3000:]}")


def _greets(host: Host) -> bool:
    try:
        with socket.create_connection((host.address, host.port), timeout=1) as connection:
            connection.settimeout(1)
            return connection.recv(4) == b"SSH-"
    except OSError:
        return False


def down(run_name: str) -> None:
    """Remove all resources of a run, even if incomplete or missing."""
    for namespace in network.namespaces(run_name):
        _kill(namespace)
        cgroups.remove(namespace)
    folder = RUNS / run_name
    for mount in mounts_below(folder):
        if not _until(partial(succeeds, "umount", mount), time.monotonic() + 10):
            raise HostsError(f"{mount} cannot be unmounted: it is in use")
    network.remove(run_name)
    if not _until(partial(_removed, folder), time.monotonic() + 10):
        raise HostsError(f"{folder} cannot be removed: a process still writes to it")


def _removed(folder: Path) -> bool:
    """Remove a directory, from which a terminating systemd-nspawn may remove its lock files at the same time."""
    with contextlib.suppress(FileNotFoundError):
        shutil.rmtree(folder)
    return not folder.exists()


def runs() -> list[str]:
    return sorted(entry.name for entry in RUNS.iterdir()) if RUNS.is_dir() else []


def _kill(namespace: str) -> None:
    """Kill all processes of a host: those in its network namespace, including its init."""

    def gone() -> bool:
        alive = [int(pid) for pid in run("ip", "netns", "pids", namespace).split() if not _zombie(pid)]
        for pid in alive:
            _kill_process(pid)
        return not alive

    if not _until(gone, time.monotonic() + 20):
        raise HostsError(f"processes in {namespace} cannot be killed")


def _kill_process(pid: int) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def _zombie(pid: str) -> bool:
    # A killed process may be reaped seconds later, but it holds no resource any more.
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"
    except OSError:
        return True


def _until(condition: Callable[[], bool], deadline: float) -> bool:
    while not condition():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
