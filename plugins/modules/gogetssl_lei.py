#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_lei
short_description: Buy, renew or confirm a Legal Entity Identifier
version_added: 1.0.0
description:
  - Buys a Legal Entity Identifier (LEI), which some OV and EV certificates may name, unless the entity has one.
  - GoGetSSL has no list of LEI orders. Before buying, the register of LEIs is asked for an entity of the same
    jurisdiction with the same registration number or legal name. What was ordered but is not in the register yet is
    looked for in the invoices of the last 90 days. An order says no name, so that one in work for the same city, postal
    code and country counts as the entity's own, unless O(other_orders) names it.
  - A purchase is sent once. If its outcome is unknown, the task fails and says so; nothing is sent again.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
  - certops.gogetssl.attributes.controller
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - The reason is in the result.
  idempotent:
    support: full
    details:
      - If the API refuses the list of invoices, a warning says that an order in work cannot be seen; give O(order_id)
        then.
options:
  state:
    description:
      - With V(present), buys the LEI if there is neither O(order_id) nor an entry in the register.
      - With V(renewed), buys the next term of O(order_id) if the LEI ends within O(renew_within) days.
      - With V(confirmed) and V(rejected), answers whether the data found for O(order_id) is right, if that is asked.
    type: str
    choices: [present, renewed, confirmed, rejected]
    default: present
  order_id:
    description:
      - The LEI order. Required with another O(state) than V(present).
    type: int
  legal_name:
    description:
      - The legal name of the entity. Required to buy.
    type: str
  registration_id:
    description:
      - The number of the entity in its register of companies. Required to buy.
    type: str
  jurisdiction:
    description:
      - The jurisdiction, ISO 3166-2; see M(certops.gogetssl.gogetssl_lei_info). Required to buy.
    type: str
  firstname:
    description:
      - First name of the person who signs. Required to buy.
    type: str
  lastname:
    description:
      - Last name of the person who signs. Required to buy.
    type: str
  legal_address:
    description:
      - Where the entity is registered. Required to buy.
    type: dict
    suboptions:
      addressline1:
        description:
          - Street and number.
        type: str
        required: true
      city:
        description:
          - The city.
        type: str
        required: true
      postalcode:
        description:
          - The postal code.
        type: str
        required: true
      country:
        description:
          - The country, two letters.
        type: str
        required: true
      region:
        description:
          - The region.
        type: str
  headquarters_address:
    description:
      - Where the entity is led from, if elsewhere.
    type: dict
    suboptions:
      addressline1:
        description:
          - Street and number.
        type: str
        required: true
      city:
        description:
          - The city.
        type: str
        required: true
      postalcode:
        description:
          - The postal code.
        type: str
        required: true
      country:
        description:
          - The country, two letters.
        type: str
        required: true
      region:
        description:
          - The region.
        type: str
  years:
    description:
      - The term to pay for.
    type: int
    choices: [1, 2, 3, 4, 5]
    default: 1
  product_id:
    description:
      - The product.
    type: int
    default: 161
  level2_data:
    description:
      - Whether there is data on who owns the entity (level 2).
    type: bool
    default: false
  data_unchanged:
    description:
      - Whether the entity's data (level 1) is still the same, with O(state=renewed).
    type: bool
    default: true
  transfer:
    description:
      - Whether an existing LEI is moved to GoGetSSL.
    type: bool
    default: false
  incorporation_date:
    description:
      - When the entity was founded, in the form C(YYYY-MM-DD).
    type: str
  renew_within:
    description:
      - How many days before its end an LEI is renewed, with O(state=renewed).
    type: int
    default: 60
  other_orders:
    description:
      - LEI orders in work that are known to be for other entities at the same address.
    type: list
    elements: int
    default: []
seealso:
  - module: certops.gogetssl.gogetssl_lei_info
"""

EXAMPLES = r"""
- name: Have an LEI
  certops.gogetssl.gogetssl_lei:
    legal_name: Example SIA
    registration_id: "40003000000"
    jurisdiction: LV
    firstname: Ada
    lastname: Lovelace
    legal_address:
      addressline1: Street 1
      city: Riga
      postalcode: LV-1001
      country: LV
  register: lei

- name: Confirm the data that was found
  certops.gogetssl.gogetssl_lei:
    state: confirmed
    order_id: "{{ lei.order_id }}"

- name: Renew it when it is time
  certops.gogetssl.gogetssl_lei:
    state: renewed
    order_id: "{{ lei.order_id }}"
"""

RETURN = r"""
reason:
  description: What was done or not done, in words.
  returned: success
  type: str
  sample: An LEI was bought.
order_id:
  description: The order; of a renewal, the new one. Null if the register has the entity and no order was given.
  returned: success
  type: int
  sample: 1234567
charged:
  description: What was paid, in minor units of RV(currency); null if nothing was bought.
  returned: success
  type: int
  sample: 6900
currency:
  description: The currency of RV(charged).
  returned: success
  type: str
  sample: EUR
order:
  description: How the order is doing; null if there is none or it cannot be read yet.
  returned: success
  type: dict
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
lei:
  description: The entity's entry in the register, if that is why nothing was bought.
  returned: success
  type: dict
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
"""

from ..module_utils._lei import TASK
from ..module_utils._task import run_module


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
