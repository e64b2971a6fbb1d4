# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Removal of a certificate: planned in check mode, refused for unknown names, and complete."""

from __future__ import annotations

import pytest

from .conftest import Bench

PLAYBOOK = "certops.gogetssl.retire"


@pytest.mark.slow
def test_retire_removes_files_and_cancels_the_order(bench: Bench) -> None:
    assert bench.run().code == 0
    before = bench.snapshot()
    variables = {"playbook": PLAYBOOK, "gogetssl_retire": ["shop"], "gogetssl_retire_cancel": True}

    unknown = bench.run(**{**variables, "gogetssl_retire": "blog"})
    assert unknown.code != 0
    assert "unknown: blog." in unknown.output, "a text is a list of one"
    check = bench.run("--check", "--diff", **variables)
    assert check.code == 0, check.output
    assert "shop: would be removed" in check.output
    assert bench.snapshot() == before
    assert not [call for call in bench.emulator.requests() if "cancel" in call["path"]]

    run = bench.run(**variables)
    assert run.code == 0, run.output
    assert "shop: removed" in run.output
    assert "otherwise the next run buys it again" in run.output
    assert [call for call in bench.emulator.requests() if "cancel" in call["path"]]
    assert list(bench.store.iterdir()) == []
    again = bench.run(**{**variables, "gogetssl_retire_cancel": False})
    assert (again.code, again.recap["changed"]) == (0, 0), again.output
