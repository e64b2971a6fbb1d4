# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The bridge of a run and the network namespaces of its hosts, which have private addresses on this bridge only."""

from __future__ import annotations

import hashlib
import json

from .shell import HostsError, run, succeeds

# Each run has one /24 network.
NETWORKS = [f"10.99.{third}" for third in range(1, 255)]


def bridge_name(run_name: str) -> str:
    """Derive the bridge's name (15 characters at most) from the run, so that a later run finds it after a kill."""
    return f"gg{hashlib.sha256(run_name.encode()).hexdigest()[:8]}"


def namespaces(run_name: str) -> list[str]:
    prefix = f"{bridge_name(run_name)}-"
    listed = (line.split()[0] for line in run("ip", "netns", "list").splitlines() if line.strip())
    return [name for name in listed if name.startswith(prefix)]


def make_bridge(run_name: str) -> str:
    """Create the run's bridge and return the first three octets of its network. Call it with a lock held."""
    bridge = bridge_name(run_name)
    network = _free_network()
    run("ip", "link", "add", bridge, "type", "bridge")
    run("ip", "address", "add", f"{network}.1/24", "dev", bridge)
    run("ip", "link", "set", bridge, "up")
    return network


def _free_network() -> str:
    interfaces = json.loads(run("ip", "-json", "-4", "address", "show"))
    taken = {info["local"].rpartition(".")[0] for interface in interfaces for info in interface["addr_info"]}
    for network in NETWORKS:
        if network not in taken:
            return network
    raise HostsError("all networks for test hosts are in use; run 'make clean' to remove those of killed runs")


def connect(run_name: str, host: str, number: int, address: str) -> str:
    """Create the host's namespace with its address on the bridge."""
    bridge = bridge_name(run_name)
    namespace = f"{bridge}-{host}"
    port = f"{bridge}-{number}"
    run("ip", "netns", "add", namespace)
    run("ip", "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", namespace)
    run("ip", "link", "set", port, "master", bridge, "up")
    run("ip", "-n", namespace, "link", "set", "lo", "up")
    run("ip", "-n", namespace, "address", "add", f"{address}/24", "dev", "eth0")
    run("ip", "-n", namespace, "link", "set", "eth0", "up")
    return namespace


def remove(run_name: str) -> None:
    for namespace in namespaces(run_name):
        succeeds("ip", "netns", "delete", namespace)
    succeeds("ip", "link", "delete", bridge_name(run_name))
