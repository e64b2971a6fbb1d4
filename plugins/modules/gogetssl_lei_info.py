#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_lei_info
short_description: Read LEI orders and search the LEI register
version_added: 1.0.0
description:
  - Reads the status of orders for Legal Entity Identifiers (LEI), searches for LEIs by number or legal name, and
    lists the jurisdictions for which GoGetSSL sells LEIs.
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
      - IDs of the LEI orders to read. Each order takes one request.
      - At least one of O(order_ids), O(query) and O(jurisdictions) is required.
    type: list
    elements: int
  query:
    description:
      - The LEI or the part of a legal name to search for.
    type: str
  jurisdictions:
    description:
      - Whether to list the jurisdictions for which GoGetSSL sells LEIs.
    type: bool
seealso:
  - module: certops.gogetssl.gogetssl_lei
"""

EXAMPLES = r"""
- name: Search for an entity
  certops.gogetssl.gogetssl_lei_info:
    query: Example SIA
  register: lei
"""

RETURN = r"""
orders:
  description: The orders, in the order of O(order_ids).
  returned: when O(order_ids) is given
  type: list
  elements: dict
  contains:
    order_id:
      description: ID of the order.
      type: int
      sample: 1234567
    lei_id:
      description: ID of the LEI at GoGetSSL.
      type: int
      sample: 35
    status:
      description:
        - Status of the order as GoGetSSL reports it. With V(need_action), GoGetSSL waits until the data is confirmed.
      type: str
      sample: active
    pending:
      description: Whether the order is still in progress.
      type: bool
      sample: false
    product_id:
      description: ID of the product.
      type: int
      sample: 161
    confidence_level:
      description: Confidence level of the data in the LEI register.
      type: int
      sample: 10
    lei_number:
      description: The LEI, or null if it is not assigned yet.
      type: str
      sample: 984500A1B2C3D4E5F678
    valid_from:
      description: Start of the term, in ISO 8601 format.
      type: str
      sample: "2026-11-23T10:00:00Z"
    valid_till:
      description: End of the term, in ISO 8601 format.
      type: str
      sample: "2027-11-23T10:00:00Z"
    legal_address:
      description: Registered address of the entity.
      type: dict
      sample: {city: Riga, country: LV, postalcode: LV-1001}
    headquarters_address:
      description: Address of the headquarters, or null if it is not known.
      type: dict
      sample: {city: Riga, country: LV, postalcode: LV-1001}
entities:
  description: The entries that match O(query).
  returned: when O(query) is given
  type: list
  elements: dict
  contains:
    lei_number:
      description: The LEI.
      type: str
      sample: 984500A1B2C3D4E5F678
    legal_name:
      description: Legal name of the entity.
      type: str
      sample: Example SIA
    registration_id:
      description: Registration number of the entity in its company register.
      type: str
      sample: "40003000000"
    legal_form:
      description: Code of the legal form.
      type: str
      sample: null
    jurisdiction:
      description: Jurisdiction, as ISO 3166-2 code.
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
      description: Date of the next renewal.
      type: str
      sample: "2027-11-23"
    legal_address:
      description: Registered address of the entity.
      type: dict
      sample: {city: Riga, country: LV}
    headquarters_address:
      description: Address of the headquarters.
      type: dict
      sample: {city: Riga, country: LV}
jurisdictions:
  description: The jurisdictions for which GoGetSSL sells LEIs.
  returned: when O(jurisdictions) is true
  type: list
  elements: dict
  contains:
    code:
      description: Jurisdiction, as ISO 3166-2 code.
      type: str
      sample: LV
    group:
      description: V(A) is issued automatically, V(B) takes 1 to 36 hours, and V(C) is processed manually.
      type: str
      sample: A
    notes:
      description: Notes of GoGetSSL.
      type: str
      sample: null
raw:
  description: The unmodified responses of the GoGetSSL API, in the order of the requests.
  returned: when O(raw=true)
  type: list
  elements: dict
  contains:
    call:
      description: HTTP method and path of the request.
      type: str
      sample: GET /account/
    body:
      description: Body of the response.
      type: raw
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.lei_info import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
