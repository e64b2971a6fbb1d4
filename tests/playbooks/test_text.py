# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Extra variables and answers of surveys are text. The role converts them once, before anything is done."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from .conftest import ROOT, Bench

ROLE = ROOT / "roles" / "gogetssl"


def as_text(value: Any) -> str:
    return value if isinstance(value, str) else json.dumps(value)


def every_variable(bench: Bench) -> dict[str, str]:
    """All variables of the role with their defaults or those of the bench, as text, which may be empty."""
    options = yaml.safe_load((ROLE / "meta" / "argument_specs.yml").read_text())["argument_specs"]["main.yml"][
        "options"
    ]
    given = {name: option.get("default", "") for name, option in options.items()}
    inventory = yaml.safe_load((bench.directory / "inventory.yml").read_text())["all"]["vars"]
    given.update({name: value for name, value in inventory.items() if name in options})
    del given["gogetssl_approved_plan"]  # an empty one is refused, as it would restrict nothing
    return {name: as_text(value) for name, value in given.items()}


@pytest.mark.outermost
def test_every_variable_as_text(bench: Bench) -> None:
    bench.command()  # writes the inventory
    texts = {**every_variable(bench), "gogetssl_max_price": "5000"}
    arguments = [argument for name, text in texts.items() for argument in ("-e", json.dumps({name: text}))]
    first = bench.run(*arguments)
    assert first.code == 0, first.output
    assert len(bench.orders) == 1
    assert bench.installed()
    assert bench.proofs == []
    again = bench.run(*arguments)
    assert again.code == 0, again.output
    assert again.recap["changed"] == 0, again.output
    assert len(bench.orders) == 1


@pytest.mark.outermost
def test_booleans_as_text(bench: Bench) -> None:
    bench.emulator.set(issuance_delay=3600.0)
    run = bench.run("-e", "gogetssl_wait=false", gogetssl_keep_dcv="false", gogetssl_max_price="")
    assert run.code == 0, run.output
    assert not bench.installed()
    assert len(bench.orders) == 1


@pytest.mark.parametrize("price", ["10.00", "cheap"])
def test_a_price_that_is_not_a_whole_number(bench: Bench, price: str) -> None:
    run = bench.run("-e", f"gogetssl_max_price={price}")
    assert run.code != 0
    assert "gogetssl_max_price" in run.output
    assert not bench.orders
