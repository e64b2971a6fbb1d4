# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The chaos runner with few seeds, for `make test`; GOGETSSL_CHAOS_COUNT and GOGETSSL_CHAOS_SEED ask for others."""

from __future__ import annotations

import os

import pytest

from tests.chaos.runner import main

COUNT = os.environ.get("GOGETSSL_CHAOS_COUNT", "60")
SEED = os.environ.get("GOGETSSL_CHAOS_SEED", "1")


@pytest.mark.slow
def test_no_seed_breaks_an_invariant(capsys: pytest.CaptureFixture[str]) -> None:
    code = main(["--seed", SEED, "--count", COUNT])
    report = capsys.readouterr().out
    with capsys.disabled():
        print(f"\n{report}")
    assert code == 0, report
