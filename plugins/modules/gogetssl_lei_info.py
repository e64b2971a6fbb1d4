#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_lei_info
short_description: Look at LEI orders, and look LEIs up
version_added: 1.0.0
description:
  - Tells how orders of Legal Entity Identifiers (LEI) are doing, finds LEIs by number or legal name, and lists
    where they can be had.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
  - certops.gogetssl.info
  - certops.gogetssl.raw
options:
  order_ids:
    description:
      - LEI orders to look at, at one request each.
      - One of O(order_ids), O(query) and O(jurisdictions) is required.
    type: list
    elements: int
  query:
    description:
      - An LEI or a part of a legal name to look up.
    type: str
  jurisdictions:
    description:
      - Whether to list where LEIs can be had, and how fast.
    type: bool
seealso:
  - module: certops.gogetssl.gogetssl_lei
"""

EXAMPLES = r"""
- name: Look up an entity
  certops.gogetssl.gogetssl_lei_info:
    query: Example SIA
  register: found
"""

RETURN = r"""
orders:
  description: The orders, in the order of O(order_ids).
  returned: when O(order_ids) is given
  type: list
  elements: dict
  contains:
    order_id:
      description: The order.
      type: int
      sample: 1234567
    lei_id:
      description: Number of the LEI at GoGetSSL.
      type: int
      sample: 35
    status:
      description: The status in the words of GoGetSSL. V(need_action) waits for a confirmation.
      type: str
      sample: active
    pending:
      description: Whether the order is still under way.
      type: bool
      sample: false
    product_id:
      description: The product.
      type: int
      sample: 161
    confidence_level:
      description: How sure the register is of the data.
      type: int
      sample: 10
    lei_number:
      description: The LEI; null until there is one.
      type: str
      sample: 984500A1B2C3D4E5F678
    valid_from:
      description: Begin of the term, ISO date with time.
      type: str
      sample: "2026-11-23T10:00:00Z"
    valid_till:
      description: End of the term, ISO date with time.
      type: str
      sample: "2027-11-23T10:00:00Z"
    legal_address:
      description: Where the entity is registered.
      type: dict
      sample: {city: Riga, country: LV, postalcode: LV-1001}
    headquarters_address:
      description: Where it is led from; null if not told.
      type: dict
      sample: {city: Riga, country: LV, postalcode: LV-1001}
found:
  description: What fits O(query).
  returned: when O(query) is given
  type: list
  elements: dict
  contains:
    lei_number:
      description: The LEI.
      type: str
      sample: 984500A1B2C3D4E5F678
    legal_name:
      description: The legal name.
      type: str
      sample: Example SIA
    registration_id:
      description: Number in the register of companies.
      type: str
      sample: "40003000000"
    legal_form:
      description: Code of the legal form.
      type: str
      sample: null
    jurisdiction:
      description: The jurisdiction, ISO 3166-2.
      type: str
      sample: LV
    entity_status:
      description: Status of the entity.
      type: str
      sample: ACTIVE
    lei_status:
      description: Status of the LEI.
      type: str
      sample: ISSUED
    next_renewal:
      description: Day of the next renewal.
      type: str
      sample: "2027-11-23"
    legal_address:
      description: Where the entity is registered.
      type: dict
      sample: {city: Riga, country: LV}
    headquarters_address:
      description: Where it is led from.
      type: dict
      sample: {city: Riga, country: LV}
jurisdictions:
  description: Where LEIs can be had.
  returned: when O(jurisdictions) is true
  type: list
  elements: dict
  contains:
    code:
      description: The jurisdiction, ISO 3166-2.
      type: str
      sample: LV
    group:
      description: V(A) is automatic, V(B) takes 1 to 36 hours, V(C) is done by hand.
      type: str
      sample: A
    notes:
      description: Remarks of GoGetSSL.
      type: str
      sample: null
raw:
  description: The answers of GoGetSSL in the order of the calls.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: Verb and path of the call.
      type: str
      sample: GET /account/
    body:
      description: What was answered.
      type: raw
"""

from ..module_utils._lei_info import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
