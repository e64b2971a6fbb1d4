# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An LEI belongs to a company: the hosts of a play that all request it buy one."""

from __future__ import annotations

import pytest

from .conftest import Bench

PLAY = """
- hosts: all
  gather_facts: false
  tasks:
    - certops.gogetssl.gogetssl_lei: &lei
        legal_name: Example SIA
        registration_id: "40003000000"
        jurisdiction: LV
        firstname: Ada
        lastname: Lovelace
        legal_address: {addressline1: Street 1, city: Riga, postalcode: LV-1001, country: LV}
      register: lei
    - certops.gogetssl.gogetssl_lei: {state: renewed, renew_within: 400, years: 2, order_id: "{{ lei.order_id }}"}
      when: renew | default(false)
"""
HOSTS = ("web1", "web2", "web3")


def purchases(bench: Bench) -> int:
    return len(bench.emulator.ledger()["charges"])


def calls(bench: Bench) -> int:
    return sum("/orders/lei/" in call["path"] for call in bench.emulator.requests())


@pytest.mark.parametrize("fault", [None, {"kind": "status", "status": 403, "body": "<html>Denied</html>"}], ids=str)
@pytest.mark.parametrize("invoice_delay", [0.0, 4.0])
def test_three_hosts_of_a_play_buy_one_lei_and_one_term(
    bench: Bench, fault: dict[str, object] | None, invoice_delay: float
) -> None:
    bench.emulator.clear_requests()
    bench.emulator.set(lei_seconds=3600.0, invoice_delay=invoice_delay)
    (bench.directory / "play.yml").write_text(PLAY)
    if fault:
        bench.emulator.fault(path="/orders/lei/create", when="after", **fault)
    first = bench.run(playbook="play.yml", hosts=HOSTS)
    assert first.code == 0, first.output
    assert (purchases(bench), calls(bench)) == (1, 1)
    bench.emulator.set(lei_seconds=1.0)
    bench.emulator.advance(seconds=4000)
    bench.emulator.set(lei_seconds=3600.0, lei_register_delay=9e6)
    second = bench.run(playbook="play.yml", hosts=HOSTS, renew=True)
    assert second.code == 0, second.output
    assert (purchases(bench), calls(bench)) == (2, 2)


def test_async_is_refused(bench: Bench) -> None:
    """The module would run on the hosts, each with a journal of its own."""
    (bench.directory / "play.yml").write_text(PLAY.replace("register: lei", "async: 30"))
    done = bench.run(playbook="play.yml", hosts=HOSTS)
    # ansible-core's own sentence, before and since 2.19
    assert "async is not supported" in done.output or "does not support async" in done.output
    assert purchases(bench) == 0
