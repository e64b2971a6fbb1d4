#!/usr/bin/python
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
module: gogetssl_lei
short_description: Buy, renew or confirm a Legal Entity Identifier (LEI)
version_added: 1.0.0
description:
  - Buys a Legal Entity Identifier (LEI) if the legal entity does not have one. OV and EV certificates can contain an
    LEI.
  - Before it buys an LEI, the module searches the LEI register. An entry matches if it has the same jurisdiction and
    either the same registration number or the same legal name.
  - GoGetSSL does not provide a list of LEI orders. The module searches the invoices of the last 364 days for orders
    that are not in the register yet. These orders do not contain the legal name. An order for the same city, postal
    code and country is assumed to be for the same entity, unless it is in O(other_orders) or the register has its LEI
    for another entity.
  - The module sends a purchase only once. It records an intent on the controller before it sends the purchase, and the
    order afterwards. One run of the controller buys at a time, so that hosts of one play that request the LEI
    of one entity buy one LEI. If the response is lost, the module searches the account for the order for
    O(settle_time) seconds. If it does not find the order, it fails and buys nothing until the order is found or an
    operator decides.
  - A legal entity is the same if the jurisdiction and either the registration number or the legal name are the same.
    For O(state=renewed), it is the LEI of the order.
  - An order that ended without an LEI is not replaced until it is in O(other_orders).
  - The records are in C(~/.ansible/gogetssl/lei), or below E(ANSIBLE_HOME). They must outlive the run, for example on a
    volume of the container. Controllers with different records protect each other only as far as the account's
    invoices contain the order already. Buy LEIs from one controller.
author:
  - The certops.gogetssl contributors (@certops)
extends_documentation_fragment:
  - certops.gogetssl.api
  - certops.gogetssl.attributes
  - certops.gogetssl.attributes.action_group
requirements:
  - Python 3.10 or later on the controller.
attributes:
  action:
    description: Runs on the controller.
    support: full
  async:
    description: Supports the C(async) keyword.
    support: none
    details:
      - The journal of purchases is on the controller.
  check_mode:
    support: full
  diff_mode:
    support: none
    details:
      - RV(reason) describes the change.
  idempotent:
    support: full
    details:
      - If the API rejects the request for the invoices, the module warns that it cannot find orders of other
        controllers.
options:
  state:
    description:
      - V(present) buys an LEI if O(order_id) is not set and the LEI register has no matching entry.
      - V(renewed) buys the next term for O(order_id) if the LEI ends within O(renew_within) days.
      - V(confirmed) and V(rejected) confirm or reject the data of O(order_id), if GoGetSSL waits for a confirmation.
    type: str
    choices: [present, renewed, confirmed, rejected]
    default: present
  order_id:
    description:
      - ID of the LEI order. Required unless O(state=present).
    type: int
  legal_name:
    description:
      - Legal name of the entity. Required to buy an LEI.
    type: str
  registration_id:
    description:
      - Registration number of the entity in its company register. Required to buy an LEI.
    type: str
  jurisdiction:
    description:
      - Jurisdiction of the entity, as ISO 3166-2 code. M(certops.gogetssl.gogetssl_lei_info) lists the available
        codes. Required to buy an LEI.
    type: str
  firstname:
    description:
      - First name of the signatory. Required to buy an LEI.
    type: str
  lastname:
    description:
      - Last name of the signatory. Required to buy an LEI.
    type: str
  legal_address:
    description:
      - Registered address of the entity. Required to buy an LEI.
    type: dict
    suboptions:
      addressline1:
        description:
          - Street and house number.
        type: str
        required: true
      city:
        description:
          - City.
        type: str
        required: true
      postalcode:
        description:
          - Postal code.
        type: str
        required: true
      country:
        description:
          - Two-letter country code.
        type: str
        required: true
      region:
        description:
          - State, province or region.
        type: str
  headquarters_address:
    description:
      - Address of the headquarters, if it differs from O(legal_address).
    type: dict
    suboptions:
      addressline1:
        description:
          - Street and house number.
        type: str
        required: true
      city:
        description:
          - City.
        type: str
        required: true
      postalcode:
        description:
          - Postal code.
        type: str
        required: true
      country:
        description:
          - Two-letter country code.
        type: str
        required: true
      region:
        description:
          - State, province or region.
        type: str
  years:
    description:
      - Length of the term in years.
    type: int
    choices: [1, 2, 3, 4, 5]
    default: 1
  product_id:
    description:
      - ID of the LEI product.
    type: int
    default: 161
  level2_data:
    description:
      - Whether there is data about the owners of the entity (level 2 data).
    type: bool
    default: false
  data_unchanged:
    description:
      - Whether the data of the entity (level 1 data) is unchanged. Used with O(state=renewed).
    type: bool
    default: true
  transfer:
    description:
      - Whether to transfer an existing LEI to GoGetSSL.
    type: bool
    default: false
  incorporation_date:
    description:
      - Date of incorporation of the entity, in the format C(YYYY-MM-DD).
    type: str
  renew_within:
    description:
      - Number of days before its end at which the LEI is renewed. Used with O(state=renewed).
    type: int
    default: 60
  other_orders:
    description:
      - IDs of LEI orders that are for other entities at the same address.
      - Also, IDs of orders of this entity that ended without an LEI or a term, so that a new one is bought.
    type: list
    elements: int
    default: []
  abandon_intent:
    description:
      - Whether to buy again if the outcome of an earlier purchase is unknown and its order is not found. Look into the
        account first. Set it for one run. If it remains, it has no effect a second time.
    type: bool
    default: false
  settle_time:
    description:
      - Number of seconds to search the account for the order if the outcome of a purchase is unknown.
    type: int
    default: 60
  max_price:
    description:
      - Maximum price of a term before tax, in minor units of the account's currency (cents). If GoGetSSL lists no price
        for O(product_id) and O(years), the module buys nothing.
    type: int
seealso:
  - module: certops.gogetssl.gogetssl_lei_info
"""

EXAMPLES = r"""
- name: Buy an LEI unless the entity has one
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

- name: Confirm the data of the entity
  certops.gogetssl.gogetssl_lei:
    state: confirmed
    order_id: "{{ lei.order_id }}"

- name: Renew the LEI if it ends within 60 days
  certops.gogetssl.gogetssl_lei:
    state: renewed
    order_id: "{{ lei.order_id }}"
"""

RETURN = r"""
reason:
  description: What the module did, and why.
  returned: success
  type: str
  sample: An LEI was bought.
order_id:
  description:
    - ID of the order. After a renewal, it is the ID of the new order. It is null if the entity is in the LEI register
      and O(order_id) is not set.
  returned: success
  type: int
  sample: 1234567
charged:
  description:
    - Price of the purchase, in minor units of RV(currency) (cents). It is null if nothing was bought, or if the
      response was lost and the order was found in the account.
  returned: success
  type: int
  sample: 6900
currency:
  description: Currency of RV(charged).
  returned: success
  type: str
  sample: EUR
order:
  description: The order, or null if there is no order or the order cannot be read yet.
  returned: success
  type: dict
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
lei:
  description: The entry of the entity in the LEI register, if it is the reason why nothing was bought.
  returned: success
  type: dict
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
"""

from ..module_utils._core.task import run_module
from ..module_utils._tasks.lei import TASK


def main() -> None:
    run_module(TASK)


if __name__ == "__main__":
    main()
