# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many API calls a first order needs: what the hosts of a run can share is read once."""

from __future__ import annotations

from collections import Counter

from .conftest import Bench

HOSTS = ("web1", "web2", "web3")
ONCE = (
    "/api/auth/",
    "/api/products/ssl/",
    "/api/products/details/68",
    "/api/account/balance/",
    "/api/orders/statuses/",
)


def test_the_hosts_of_a_run_share_what_is_the_same_for_all(bench: Bench) -> None:
    names = {host: [f"{host}.example.com", f"www.{host}.example.com"] for host in HOSTS}
    run = bench.run(
        hosts=HOSTS,
        gogetssl_directory=str(bench.store) + "/{{ inventory_hostname }}",
        gogetssl_resolve={name: "127.0.0.1" for both in names.values() for name in both},
        gogetssl_certificates=[
            bench.shop(names=["{{ inventory_hostname }}.example.com", "www.{{ inventory_hostname }}.example.com"])
        ],
    )
    assert run.code == 0, run.output
    assert len(bench.orders) == len(HOSTS)
    calls = [request["path"] for request in bench.emulator.requests()]
    counted = Counter(calls)
    # A poll may have to be repeated.
    assert [
        path for path in ONCE if counted[path] != 1 and not (path == "/api/orders/statuses/" and counted[path])
    ] == []
    own = [path for path in calls if path not in ONCE]
    # 9 a host, and 3 more if another host buys at the same time: the lists are read again, and its new order as well.
    assert len(own) <= 12 * len(HOSTS), Counter(own)
