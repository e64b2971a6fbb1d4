# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Three years of twenty certificates; the table is printed."""

from __future__ import annotations

import pytest

from tests.chaos.years import main


@pytest.mark.slow
def test_the_ledger_shows_what_a_careful_person_would_have_bought(capsys: pytest.CaptureFixture[str]) -> None:
    code = main()
    report = capsys.readouterr().out
    with capsys.disabled():
        print(f"\n{report}")
    assert code == 0, report
