# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Chaos tests: certificates under faults, killed and concurrent runs, checked against the emulator's ledger."""

import sys
from pathlib import Path

# Lets `python -m tests.chaos` find the collection as pytest does.
_COLLECTIONS = str(Path(__file__).resolve().parents[2] / ".venv" / "collections")
if _COLLECTIONS not in sys.path:
    sys.path.insert(0, _COLLECTIONS)
