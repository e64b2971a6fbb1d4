# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is kept and what is reported when an installation fails."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role import rollback

NEWER = {"name": "shop", "moved": True, "previous_serial": "0A"}
FIRST = {"name": "mail", "moved": True, "previous_serial": None}
ADDED = {"name": "wiki", "moved": False, "previous_serial": "0B"}
CERTIFICATES = [
    {"name": "shop", "services": ["nginx"]},
    {"name": "mail", "services": ["postfix", "dovecot"]},
    {"name": "wiki"},
]
DEFAULTS: dict[str, Any] = {
    "names": ["shop"],
    "kept": [],
    "failure": "",
    "listeners": [{"listener": "a.example at 192.0.2.3:443", "matches": True}],
    "reloaded": True,
    "cause": "nginx: bad.",
    "journals": [],
}
SILENT = {"listener": "a.example at 192.0.2.1:443", "answers": False, "matches": False}
OTHER = {"listener": "a.example at 192.0.2.2:443", "answers": True, "matches": False}


@pytest.mark.parametrize(
    ("reloaded", "deferred", "names"),
    [
        (False, [], []),
        (False, ["nginx"], []),
        (False, ["dovecot"], ["mail"]),
        (True, [], ["mail"]),
    ],
)
def test_first_versions_are_kept_if_services_need_them(reloaded: bool, deferred: list[str], names: list[str]) -> None:
    assert rollback.first_versions_to_keep([NEWER, FIRST, ADDED], CERTIFICATES, reloaded, deferred) == names


@pytest.mark.parametrize(
    ("changed", "options", "message"),
    [
        ([], {}, "this run changed no files."),
        ([], {"reloaded": False}, "this run changed no files."),
        ([NEWER], {}, "the previous version was restored and is served."),
        ([NEWER], {"listeners": []}, "the previous version was restored."),
        ([NEWER], {"reloaded": False}, "no service was reloaded, and the previous version was restored."),
        (
            [NEWER],
            {"listeners": [OTHER, SILENT]},
            "the previous version was restored, but a.example at 192.0.2.2:443, a.example at 192.0.2.1:443 does not"
            " serve it: check the service now.",
        ),
        (
            [NEWER],
            {"failure": "No space left."},
            "the previous version could NOT be restored (No space left): check current and previous in its directory"
            " now.",
        ),
        (
            [FIRST],
            {"reloaded": False},
            "no service was reloaded, and the first version was removed, because the services accepted their"
            " configuration without it.",
        ),
        (
            [FIRST],
            {"kept": ["mail"]},
            "the first version was kept, because services that use it might not start without it.",
        ),
        ([ADDED], {}, "the certificate is unchanged, and files that were added or repaired are kept."),
        (
            [NEWER, FIRST, ADDED],
            {"kept": ["mail"], "names": ["shop", "mail", "wiki"]},
            "shop: the previous version was restored and is served; mail: the first version was kept, because services"
            " that use it might not start without it; wiki: the certificate is unchanged, and files that were added or"
            " repaired are kept.",
        ),
    ],
)
def test_rollback_report(changed: list[dict[str, Any]], options: dict[str, Any], message: str) -> None:
    options = {**DEFAULTS, **options}
    names = ", ".join(options["names"])
    assert rollback.rollback_report(changed, **options) == f"{names}: not served; {message} nginx: bad."


def test_the_rollback_report_ends_with_the_journal() -> None:
    journals = [
        {"__gogetssl_service": "nginx", "stdout": "...", "stdout_lines": [str(number) for number in range(9)]},
        {"__gogetssl_service": "postfix", "stdout": "", "stdout_lines": []},
        {"skipped": True},
    ]
    message = rollback.rollback_report([NEWER], **{**DEFAULTS, "journals": journals})
    assert message.endswith("nginx: bad. Journal of nginx: 4 | 5 | 6 | 7 | 8")


@pytest.mark.parametrize(
    ("served", "message"),
    [
        ([OTHER], "a.example at 192.0.2.2:443 did not serve the new certificate after the reload."),
        ([SILENT], "a.example at 192.0.2.1:443 did not serve any certificate after the reload."),
        (
            [SILENT, *DEFAULTS["listeners"], OTHER],
            "a.example at 192.0.2.2:443 did not serve the new certificate after the reload. a.example at 192.0.2.1:443"
            " did not serve any certificate after the reload.",
        ),
    ],
)
def test_the_error_of_a_service_is_what_its_listeners_serve(served: list[dict[str, Any]], message: str) -> None:
    assert rollback.service_error({"failed": True, "certificates": [{"served": served}]}, 60) == message


@pytest.mark.parametrize(
    ("result", "message"),
    [
        ({}, "no error message."),
        ({"certificates": [], "msg": "No such host."}, "No such host."),
        ({"rc": 1, "stderr": " ", "stdout": "nginx: bad", "msg": "non-zero return code"}, "nginx: bad."),
        ({"rc": 1, "stderr": "It failed.\n"}, "It failed."),
        ({"rc": 1, "stderr": "word " * 300}, "word " * 199 + "..."),
        ({"rc": 124, "cmd": ["timeout", "-k", "5", "60", "nginx", "-t"], "stderr": "x"},
         "nginx -t did not finish within 60 seconds and was stopped."),
    ],
)  # fmt: skip
def test_the_error_of_a_service_is_the_output_of_its_command(result: dict[str, Any], message: str) -> None:
    assert rollback.service_error(result, 60) == message
