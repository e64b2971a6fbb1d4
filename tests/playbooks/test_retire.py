# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The end of a certificate: announced in check mode, refused for names that nobody knows, and complete."""

from __future__ import annotations

import pytest

from .conftest import Bench

PLAYBOOK = "certops.gogetssl.retire"


@pytest.mark.slow
def test_retired_with_its_order(bench: Bench) -> None:
    assert bench.run().code == 0
    before = bench.snapshot()
    wish = {"playbook": PLAYBOOK, "gogetssl_retire": ["shop"], "gogetssl_retire_cancel": True}

    stranger = bench.run(**{**wish, "gogetssl_retire": ["shop", "blog"]})
    assert stranger.code != 0
    assert "not among them: blog" in stranger.output
    foretold = bench.run("--check", "--diff", **wish)
    assert foretold.code == 0, foretold.output
    assert "shop: would be removed" in foretold.output
    assert bench.snapshot() == before
    assert not [call for call in bench.emulator.requests() if "cancel" in call["path"]]

    run = bench.run(**wish)
    assert run.code == 0, run.output
    assert "shop: removed" in run.output
    assert "or the next run buys it again" in run.output
    assert [call for call in bench.emulator.requests() if "cancel" in call["path"]]
    assert list(bench.store.iterdir()) == []
    again = bench.run(**{**wish, "gogetssl_retire_cancel": False})
    assert (again.code, again.recap["changed"]) == (0, 0), again.output
