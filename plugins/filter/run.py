# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role works out between its tasks, in Python rather than in templates; the functions tell what each takes."""

from __future__ import annotations

import typing as t

from ..module_utils import _deliveries, _report, _rollback


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, t.Callable[..., t.Any]]:
        return {
            "run_deliveries": _deliveries.deliveries,
            "run_copies": _deliveries.copies,
            "run_private_keys": _deliveries.private_keys,
            "run_unanswered": _report.unanswered,
            "run_unseen": _report.unseen,
            "run_errands": _report.errands,
            "run_report": _report.report,
            "run_total": _report.total,
            "run_farewell": _report.farewell,
            "run_first_ones": _rollback.first_ones,
            "run_way_back": _rollback.way_back,
            "run_unserved": _rollback.unserved_words,
            "run_words": _rollback.command_words,
            "run_journal": _rollback.journal_words,
        }
