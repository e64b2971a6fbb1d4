# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pending order requires before it can be issued."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._api.models import Status, Validation, ValidationLevel
from ansible_collections.certops.gogetssl.plugins.module_utils._order.report import required_for_issuance

from .test_included import product
from .test_plan import order

EMAIL = Validation("example.com", "email", email="admin@example.com")
OV, EV = ValidationLevel.OV, ValidationLevel.EV


@pytest.mark.parametrize(
    ("level", "changes", "requires"),
    [
        (ValidationLevel.DV, {}, ""),
        (ValidationLevel.DV, {"status": Status.UNPAID}, "a payment"),
        (ValidationLevel.DV, {"manual_check": True}, "a manual check by the brand"),
        (ValidationLevel.DV, {"validations": (EMAIL,)}, "the answer to an email to admin@example.com"),
        (OV, {}, "the CA's check of the organization (OV)"),
        (EV, {}, "the CA's check of the organization (EV)"),
        (OV, {"pre_signing": True}, ""),
        (OV, {"reissuing": True}, ""),
        (OV, {"status": Status.REISSUE}, ""),
        (OV, {"status": Status.REJECTED}, ""),
        (OV, {"status": Status.ACTIVE, "certificate": "PEM"}, ""),
    ],
)
def test_what_an_order_requires(level: ValidationLevel, changes: dict[str, Any], requires: str) -> None:
    base = dataclasses.replace(order(), certificate=None, validations=())
    pending = dataclasses.replace(base, **{"status": Status.PROCESSING, **changes})
    assert required_for_issuance(product(validation=level), pending) == requires
