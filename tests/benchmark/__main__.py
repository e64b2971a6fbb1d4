# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""All benchmarks: `make bench`."""

from __future__ import annotations

import sys

from . import emergency, fleet, report, rival, simulated

sys.exit(fleet.main() or report.main() or emergency.main() or simulated.main() or rival.main())
