# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes back, what stays and what is said when services do not take an installation."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _rollback

NEWER = {"name": "shop", "moved": True, "previous_serial": "0A"}
FIRST = {"name": "mail", "moved": True, "previous_serial": None}
ADDED = {"name": "wiki", "moved": False, "previous_serial": "0B"}
WISHES = [
    {"name": "shop", "services": ["nginx"]},
    {"name": "mail", "services": ["postfix", "dovecot"]},
    {"name": "wiki"},
]
WELL: dict[str, Any] = {
    "staying": [],
    "failure": "",
    "unserved": [],
    "asked": True,
    "reloaded": True,
    "several": False,
}
SILENT = {"listener": "a.example at 192.0.2.1:443", "answers": False}
OTHER = {"listener": "a.example at 192.0.2.2:443", "answers": True}


@pytest.mark.parametrize(
    ("reloading", "in_want", "names"),
    [
        (False, [], []),
        (False, ["nginx"], []),
        (False, ["dovecot"], ["mail"]),
        (True, [], ["mail"]),
    ],
)
def test_first_versions_stay_where_services_need_them(reloading: bool, in_want: list[str], names: list[str]) -> None:
    assert _rollback.first_ones([NEWER, FIRST, ADDED], WISHES, reloading, in_want) == names


@pytest.mark.parametrize(
    ("changed", "how", "sentence"),
    [
        ([], {}, "what lies on the disk was there before this run and stays there."),
        ([], {"reloaded": False}, "what lies on the disk was there before this run and stays there."),
        ([NEWER], {}, "what was there before is back in place and served."),
        ([NEWER], {"asked": False}, "what was there before is back in place."),
        ([NEWER], {"reloaded": False}, "no service was reloaded, and what was there before is back in place."),
        (
            [NEWER],
            {"unserved": [OTHER, SILENT]},
            "what was there before is back in place, but a.example at 192.0.2.2:443, a.example at 192.0.2.1:443 does"
            " not serve it: look at the service now.",
        ),
        (
            [NEWER],
            {"failure": "No space left."},
            "what was there before could NOT be put back (No space left): look at current and previous in its"
            " directory now.",
        ),
        (
            [FIRST],
            {"reloaded": False},
            "no service was reloaded, and its first version was taken away again, as the services took their"
            " configuration without it.",
        ),
        (
            [FIRST],
            {"staying": ["mail"]},
            "its first version stays on the disk, as services that name it could not start without it.",
        ),
        (
            [ADDED],
            {},
            "it is the certificate that was there before; files that it lacked were added or mended and stay.",
        ),
        (
            [NEWER, FIRST, ADDED],
            {"staying": ["mail"], "several": True},
            "shop: what was there before is back in place and served; mail: its first version stays on the disk, as"
            " services that name it could not start without it; wiki: it is the certificate that was there before;"
            " files that it lacked were added or mended and stay.",
        ),
    ],
)
def test_the_way_back_is_told(changed: list[dict[str, Any]], how: dict[str, Any], sentence: str) -> None:
    assert _rollback.way_back(changed, **{**WELL, **how}) == sentence


@pytest.mark.parametrize(
    ("unserved", "words"),
    [
        ([OTHER], "a.example at 192.0.2.2:443 did not serve the new certificate after the reload."),
        ([SILENT], "a.example at 192.0.2.1:443 served no certificate at all after the reload."),
        (
            [SILENT, OTHER],
            "a.example at 192.0.2.2:443 did not serve the new certificate after the reload. a.example at 192.0.2.1:443"
            " served no certificate at all after the reload.",
        ),
    ],
)
def test_listeners_that_serve_something_else(unserved: list[dict[str, Any]], words: str) -> None:
    assert _rollback.unserved_words(unserved) == words


@pytest.mark.parametrize(
    ("result", "words"),
    [
        ({}, "it gave no reason."),
        ({"rc": 1, "stderr": " ", "stdout": "nginx: bad", "msg": "non-zero return code"}, "nginx: bad."),
        ({"rc": 1, "stderr": "It failed.\n"}, "It failed."),
        ({"rc": 1, "stderr": "word " * 300}, "word " * 199 + "..."),
        ({"rc": 124, "cmd": ["timeout", "-k", "5", "60", "nginx", "-t"], "stderr": "x"},
         "nginx -t had not ended after 60 seconds, so it was stopped."),
    ],
)  # fmt: skip
def test_the_words_of_a_command(result: dict[str, Any], words: str) -> None:
    assert _rollback.command_words(result, 60) == words


def test_the_journal() -> None:
    heard = [
        {"__gogetssl_service": "nginx", "stdout": "...", "stdout_lines": [str(number) for number in range(9)]},
        {"__gogetssl_service": "postfix", "stdout": "", "stdout_lines": []},
        {"skipped": True},
    ]
    assert _rollback.journal_words(heard) == "The journal of nginx: 4 | 5 | 6 | 7 | 8"
