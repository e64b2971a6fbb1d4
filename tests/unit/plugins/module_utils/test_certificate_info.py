# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a healthy host is warned of, without a call of the API."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils import _certificate_info, _journal, _task
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError

from .test__plan import NAMES, installed

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)


def no_api() -> Any:
    raise AssertionError("a healthy host calls nobody")


def warnings(term_end: str | None = None, **options: Any) -> list[str]:
    """What the task warns of, for a host whose journal has this end of the paid term."""
    journal = _journal.Journal("https://api", 7, 68, "k", term_end) if term_end else None
    told: list[str] = []
    inspected(_journal.HostState(journal=journal), told, **options)
    return told


def inspected(found: _journal.HostState, told: list[str] | None = None, **options: Any) -> dict[str, Any]:
    """The result of the task for what was found."""
    given = {"certificates": [{"name": "shop", "names": list(NAMES), "product": "68"}], **options}
    checked = ArgumentSpecValidator(_task.ansible_spec(_certificate_info.TASK.argument_spec)).validate(given)
    assert not checked.error_messages
    warn = (told if told is not None else []).append
    context = _task.Context(checked.validated_parameters, False, mock.Mock(), no_api, warn, NOW.timestamp)
    with mock.patch.object(_journal, "inspect", return_value={"shop": found}):
        return _certificate_info.run(context)


@pytest.mark.parametrize(
    ("term_end", "spend", "warned"),
    [
        ("2027-01-23", ["reissue"], True),
        ("2027-01-24", ["reissue"], False),
        ("2026-11-01", ["none"], True),
        ("2027-01-23", ["renew"], False),
        ("2027-01-23", ["buy"], False),
        ("2027-01-23", ["reissue", "add_names"], True),
        (None, ["none"], False),
    ],
)
def test_a_term_that_ends_and_may_not_be_renewed(term_end: str | None, spend: list[str], warned: bool) -> None:
    told = warnings(term_end, spend=spend)
    assert bool(told) is warned
    assert all(f"shop: the paid term of order 7 ends on {term_end}" in text for text in told)


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ("2025-12-25", ""),
        ("2025-12-24", "The API password of 2025-12-24 ends on 2026-12-24"),
        ("2025-11-25", "ends on 2026-11-25"),
        ("2025-11-24", "has ended on 2026-11-24"),
    ],
)
def test_the_end_of_the_password(made: str, words: str) -> None:
    told = warnings(api_password_date=made)
    assert [words in text for text in told] == ([True] if words else [])


@pytest.mark.parametrize(("leftovers", "due"), [(False, False), (True, True)])
def test_what_a_killed_run_left_is_due_on_a_healthy_host(leftovers: bool, due: bool) -> None:
    found = dataclasses.replace(installed(), leftovers=leftovers)
    result = inspected(found)
    assert (result["leftovers"], result["due"]) == (leftovers, due)
    assert [one["step"] for one in result["certificates"]] == ["keep"]
    assert [one["complete"] for one in result["certificates"]] == [True]


def test_a_day_that_is_none() -> None:
    with pytest.raises(GogetsslError, match="takes a day such as"):
        warnings(api_password_date="24.11.2026")
