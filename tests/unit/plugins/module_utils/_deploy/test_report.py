# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is said when a deployment fails."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._deploy import report

NEWER = {"name": "shop", "moved": True, "previous_serial": "0A"}
FIRST = {"name": "mail", "moved": True, "previous_serial": ""}
ADDED = {"name": "wiki", "moved": False, "previous_serial": "0B"}
DEFAULTS: dict[str, Any] = {
    "names": ["shop"],
    "kept": [],
    "failure": "",
    "listeners": [{"listener": "a.example at 192.0.2.3:443", "matches": True}],
    "reloaded": True,
    "cause": "nginx: bad.",
    "journals": {},
}
SILENT = {"listener": "a.example at 192.0.2.1:443", "answers": False, "matches": False}
OTHER = {"listener": "a.example at 192.0.2.2:443", "answers": True, "matches": False}


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
    assert (
        report.rollback_report(report.RolledBack(changed=changed, **options))
        == f"{names}: not served; {message} nginx: bad."
    )


def test_the_rollback_report_ends_with_the_journal() -> None:
    journals = {"nginx": [str(number) for number in range(9)], "postfix": []}
    message = report.rollback_report(report.RolledBack(changed=[NEWER], **{**DEFAULTS, "journals": journals}))
    assert message.endswith("nginx: bad. Journal of nginx: 4 | 5 | 6 | 7 | 8")


ADVICE = "Configure the service to listen there, or set listeners to where it serves the certificate."


@pytest.mark.parametrize(
    ("served", "message"),
    [
        ([OTHER], "a.example at 192.0.2.2:443 did not serve the new certificate after the reload."),
        ([SILENT], f"a.example at 192.0.2.1:443 did not serve any certificate after the reload. {ADVICE}"),
        (
            [SILENT, OTHER],
            "a.example at 192.0.2.2:443 did not serve the new certificate after the reload. a.example at 192.0.2.1:443"
            f" did not serve any certificate after the reload. {ADVICE}",
        ),
    ],
)
def test_the_error_of_a_service_is_what_its_listeners_serve(served: list[dict[str, Any]], message: str) -> None:
    assert report.listener_error(served) == message


@pytest.mark.parametrize(
    ("missing", "words"), [(True, "is not installed on this host"), (False, "rejects its current configuration")]
)
def test_a_service_that_is_in_no_condition(missing: bool, words: str) -> None:
    message = report.not_installed(["a", "b"], "nginx", missing, "No.")
    assert message.startswith(f"a, b: nothing was installed because nginx {words}: No. Fix this and run again.")


def test_texts_of_hosts_are_escaped_and_shortened() -> None:
    assert report.shortened("word " * 300) == "word " * 199 + "..."
    assert report.shortened("a\x1b[2J") == "a\\x1b[2J"
