# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every API call has an end."""

from __future__ import annotations

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api import api_task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError

LIMITS = {"api_timeout": 30.0, "api_deadline": 120.0}


@pytest.mark.parametrize("option", list(LIMITS))
@pytest.mark.parametrize("seconds", [0, -1, float("nan"), float("inf")])
def test_a_time_that_is_no_limit_is_refused(option: str, seconds: float) -> None:
    with pytest.raises(GogetsslError, match=f"{option} must be more than 0 seconds"):
        api_task.open_api({**LIMITS, option: seconds})
