# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Limits of purchases that are no limits are refused before the API is called."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import order


def policy(**options: Any) -> Any:
    validated = ArgumentSpecValidator(dict(order.ARGUMENT_SPEC)).validate({"certificates": [], **options})
    assert not validated.error_messages
    return order._policy(validated.validated_parameters)


@pytest.mark.parametrize("tax", [None, 0, 21, 100])
def test_a_tax_is_a_percentage(tax: float | None) -> None:
    assert policy(tax_percent=tax).tax_percent == tax


@pytest.mark.parametrize("tax", [-1, 100.5, float("nan"), float("inf")])
def test_a_tax_that_is_none_is_refused(tax: float) -> None:
    """A negative one would lower prices below the limits."""
    with pytest.raises(GogetsslError, match="tax_percent must be from 0 to 100"):
        policy(tax_percent=tax)
