# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Command line of the test hosts.

python -m tests.hosts up RUN NAME...    bring hosts up; prints a JSON list telling how to reach each
python -m tests.hosts down RUN          take them down; --all for every run on this machine
python -m tests.hosts rootfs            only build the root file system, to have the time behind oneself
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
    top = argparse.ArgumentParser(prog="python -m tests.hosts", description="Real test hosts without containers.")
    commands = top.add_subparsers(dest="command", required=True)
    up = commands.add_parser("up", help="bring hosts up and print how to reach them")
    up.add_argument("run", help="name of the run, for instance of the scenario")
    up.add_argument("names", nargs="+", metavar="NAME", help="host name")
    down = commands.add_parser("down", help="take hosts down")
    down.add_argument("run", nargs="?")
    down.add_argument("--all", action="store_true", help="every run on this machine")
    build = commands.add_parser("rootfs", help="build the root file system")
    for command in (up, build):
        command.add_argument("--package", action="append", default=[], help="a Debian package beside the usual ones")
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
