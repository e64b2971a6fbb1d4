# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The catalogue as a table, filtered by what is needed."""

from __future__ import annotations

from .conftest import Bench


def test_products_are_a_table_that_can_be_read(bench: Bench) -> None:
    run = bench.run("-e", "gogetssl_product_validation=dv", playbook="certops.gogetssl.products")
    assert run.code == 0, run.output
    rows = [line for line in run.output.splitlines() if "  DV  " in line]
    assert 5 < len(rows) <= 30, run.output
    assert "  OV  " not in run.output
    assert not bench.orders
