# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command line of the test hosts.

python -m tests.hosts up RUN NAME...    start hosts and print their connection data as a JSON list
python -m tests.hosts down RUN          remove the hosts of a run; --all for all runs on this machine
python -m tests.hosts rootfs            build the root file system in advance
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import asdict

from . import lifecycle
from .rootfs import rootfs
from .shell import HostsError


def parser() -> argparse.ArgumentParser:
    top = argparse.ArgumentParser(prog="python -m tests.hosts", description="Test hosts without a container engine.")
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="start hosts and print their connection data")
    up.add_argument("run", help="name of the run, for example of the scenario")
    up.add_argument("names", nargs="+", metavar="NAME", help="host name")
    down = commands.add_parser("down", help="remove hosts")
    down.add_argument("run", nargs="?")
    down.add_argument("--all", action="store_true", help="all runs on this machine")
    build = commands.add_parser("rootfs", help="build the root file system")
    for command in (up, build):
        command.add_argument("--package", action="append", default=[], help="an additional Debian package")
    return top


def main() -> None:
    args = parser().parse_args()
    if os.geteuid() != 0:
        raise HostsError("test hosts need root: mounts, network namespaces and systemd")
    if args.command == "up":
        print(json.dumps([asdict(host) for host in lifecycle.up(args.run, args.names, args.package)], indent=2))
    elif args.command == "rootfs":
        print(rootfs(args.package))
    else:
        for name in lifecycle.runs() if args.all else [args.run]:
            lifecycle.down(name)


if __name__ == "__main__":
    try:
        main()
    except HostsError as error:
        sys.exit(f"tests.hosts: {error}")
