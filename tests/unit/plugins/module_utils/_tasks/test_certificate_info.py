# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Warnings for a healthy host, without API calls."""

from __future__ import annotations

import dataclasses
import datetime as dt
from typing import Any
from unittest import mock

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core import task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._host import interrupted_files
from ansible_collections.certops.gogetssl.plugins.module_utils._host import journal as _journal
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate_info

from .._order.test_plan import NAMES, installed

NOW = dt.datetime(2026, 11, 24, 12, tzinfo=dt.timezone.utc)


def no_api() -> Any:
    raise AssertionError("a healthy host must not call the API")


def warnings(term_end: str | None = None, **options: Any) -> list[str]:
    """The warnings for a host whose journal has this end of the paid term."""
    journal = _journal.Journal("https://api", 7, 68, "k", term_end) if term_end else None
    reported: list[str] = []
    inspected(_journal.HostState(journal=journal), reported, **options)
    return reported


def inspected(found: _journal.HostState, reported: list[str] | None = None, **options: Any) -> dict[str, Any]:
    """The result of the task for this host state."""
    given = {"certificates": [{"name": "shop", "names": list(NAMES), "product": "68"}], **options}
    checked = ArgumentSpecValidator(certificate_info.TASK.argument_spec).validate(given)
    assert not checked.error_messages
    warn = (reported if reported is not None else []).append
    context = task.Context(checked.validated_parameters, False, mock.Mock(), no_api, warn, NOW.timestamp)
    with mock.patch.object(_journal, "inspect", return_value={"shop": found}):
        return certificate_info.run(context)


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
def test_an_ending_term_that_may_not_be_renewed(term_end: str | None, spend: list[str], warned: bool) -> None:
    reported = warnings(term_end, spend=spend)
    assert bool(reported) is warned
    assert all(f"shop: the paid term of order 7 ends on {term_end}" in text for text in reported)


@pytest.mark.parametrize(
    ("password_date", "message"),
    [
        ("2025-12-25", ""),
        ("2025-12-24", "The API password of 2025-12-24 ends on 2026-12-24"),
        ("2025-11-25", "ends on 2026-11-25"),
        ("2025-11-24", "has ended on 2026-11-24"),
    ],
)
def test_the_end_of_the_password(password_date: str, message: str) -> None:
    reported = warnings(api_password_date=password_date)
    assert [message in text for text in reported] == ([True] if message else [])


@pytest.mark.parametrize(("interrupted_files", "due"), [(False, False), (True, True)])
def test_files_of_an_interrupted_run_are_due_on_a_healthy_host(interrupted_files: bool, due: bool) -> None:
    found = dataclasses.replace(installed(), interrupted_files=interrupted_files)
    result = inspected(found)
    assert (result["interrupted_files"], result["due"]) == (interrupted_files, due)
    assert [one["step"] for one in result["certificates"]] == ["keep"]
    assert [one["complete"] for one in result["certificates"]] == [True]


def test_an_invalid_day() -> None:
    with pytest.raises(GogetsslError, match="takes a day such as"):
        warnings(api_password_date="24.11.2026")


def test_the_summary_of_a_healthy_host_contains_the_end_of_the_validity() -> None:
    found = installed()
    assert found.certificate is not None
    line = inspected(found)["summary"][0]
    assert line.startswith(f"shop: valid until {found.certificate.not_after:%Y-%m-%d}, to be replaced from 20")
    assert inspected(_journal.HostState())["summary"] == ["shop: no certificate is installed"]


@pytest.mark.parametrize(
    ("state", "damaged"),
    [
        (_journal.HostState(), False),
        (_journal.HostState(damage="the installed certificate cannot be read"), True),
        (_journal.HostState(key="abc"), True),
        (installed(key="another"), False),
    ],
)
def test_a_key_without_a_certificate_that_can_be_read_is_damage(state: _journal.HostState, damaged: bool) -> None:
    assert inspected(state)["certificates"][0]["damaged"] is damaged


def test_a_record_that_cannot_be_read_stops_its_certificate_and_others_of_the_name() -> None:
    damaged = {"b/order.json": '{"format": 1, "order_', "b/intent.json": "{}"}
    output = "".join(f"{_journal.MARK}{name.replace('/', ' ', 1)}\n{text}\n" for name, text in damaged.items())
    given = [
        {"name": "a", "names": ["a.example.com"], "product": "68"},
        {"name": "b", "names": ["b.example.com"], "product": "68"},
        {"name": "c", "names": ["b.example.com", "c.example.com"], "product": "68"},
    ]

    def result(keep_going: bool) -> dict[str, Any]:
        options = {"certificates": given, "keep_going": keep_going}
        checked = ArgumentSpecValidator(certificate_info.TASK.argument_spec).validate(options)
        shell = mock.Mock(return_value=CommandResult(0, output, ""))
        context = task.Context(checked.validated_parameters, False, shell, no_api, print, NOW.timestamp)
        return certificate_info.run(context)

    found = result(keep_going=True)
    assert (found["obtain"], [one["name"] for one in found["stopped"]]) == (["a"], ["b", "c"])
    assert "b/intent.json, b/order.json on the host cannot be read" in found["stopped"][1]["reason"]
    with pytest.raises(GogetsslError, match="cannot be read as a record"):
        result(keep_going=False)


def test_a_host_has_a_few_probes_of_its_own_removed() -> None:
    """A host can print any number of names, also those of other hosts with the same web root."""
    own = tuple(f"{interrupted_files.probe_prefix('web1')}{number:020}.txt" for number in range(5000))
    other = f"{interrupted_files.probe_prefix('web2')}{0:020}.txt"
    result = inspected(_journal.HostState(probes=(other, *own)), host="web1")
    assert result["probes"] == [{"file_name": name} for name in own[: interrupted_files.MOST_PROBES]]
    result = inspected(_journal.HostState(probes=(other,)), host="web1")
    assert (result["probes"], result["due"]) == ([], inspected(_journal.HostState())["due"])
