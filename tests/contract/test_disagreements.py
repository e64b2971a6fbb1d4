# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The collection's tasks with every value of every setting: they must work whatever the API reference leaves open.

Each time, an order is placed, found again without its journal, validated, issued, installed and reissued with a new
key. The ledger must show one purchase, whatever the format of the vendor's responses.
"""

from __future__ import annotations

import dataclasses
import functools
import json
import time
from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._api import api_task
from ansible_collections.certops.gogetssl.plugins.module_utils._core import task as _task
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import (
    certificate,
    certificate_info,
    domain_info,
    order_info,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import csr as _csr
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv as _dcv
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import order as _order
from tests.emulator.settings import Settings
from tests.emulator.testing import Emulator

from .test_exactly_once import PERSON, run_shell

NAMES = ["shop.example.com", "www.shop.example.com"]
# These need DNS and web servers, with which other tests cover them.
EXCLUDED = {("dcv_mode", "real"), ("caa", True)}
OF_TOOLS = ("alternative_shape", "whois_path", "geotrust_emails_key", "dns_newline", "post_reads")
FAST = {"dcv_mode": "pass", "dcv_interval": 0.1, "issuance_delay": 0.0, "initial_status_seconds": 0.0}


def disagreements() -> list[tuple[str, Any]]:
    """All values of all settings with a limited number of values."""
    found: list[tuple[str, Any]] = [
        ("bad_key_status", 401),
        ("renewal_window_days", 90),
        ("key_life_days", 0.00001),  # less than a second: the key expires between the calls of one run
        ("fresh_order_status", "processing"),
    ]
    for field in dataclasses.fields(Settings):
        values = (True, False) if isinstance(field.default, bool) else field.metadata.get("choices", ())
        found += [(field.name, value) for value in values if (field.name, value) not in EXCLUDED]
    return found


# The rows of section 13 and the settings for their variants.
ROWS = {
    "renewal window": ["renewal_window_days"],
    "key life": ["key_life_days"],
    "bad key code": ["bad_key_status"],
    "GET /orders/": ["orders_shape"],
    "statuses body": ["statuses_shape"],
    "domain/alternative": ["alternative_shape"],
    "email in approver_method": ["email_shape"],
    "cancel result": ["cancel_shape"],
    "resend_validation_email, recheck-caa": ["acting_gets"],
    "reissue verb": ["reissue_put"],
    "geotrust emails key": ["geotrust_emails_key"],
    "whois path": ["whois_path"],
    "orders filter `revoked`": ["revoked_filter"],
    "san.status, order_id types": ["san_status_in_writes", "san_status_in_reads", "ids_in_writes", "ids_in_reads"],
    '"active" at once after add_ssl_order vs certificate processing': ["fresh_order_status", "initial_status"],
    "COMODOCA.COM vs sectigo.com": ["dcv_ca_domain"],
    "DigiCert methods": ["digicert_methods"],
}


def test_each_row_of_section_13_is_tested_with_another_value() -> None:
    text = (Path(__file__).parents[2] / "docs" / "api-reference.md").read_text(encoding="utf-8")
    section = text.partition("## 13.")[2].partition("## 14.")[0]
    rows = [line.split("|")[1].strip() for line in section.splitlines() if line.startswith("| ")][1:]
    assert rows == list(ROWS)
    tested = {
        name: [value for one, value in disagreements() if one == name] for names in ROWS.values() for name in names
    }
    default = Settings()
    assert [name for name, values in tested.items() if set(map(str, values)) <= {str(getattr(default, name))}] == []


class Chain:
    """The tasks of the collection for one certificate directory."""

    def __init__(self, directory: Path, emulator: Emulator) -> None:
        self.directory, self.emulator = directory, emulator
        self.api = {"api_url": emulator.url, "api_user": emulator.user, "api_password": emulator.password}

    def run(self, task: _task.Task, **given: Any) -> dict[str, Any]:
        if "api_url" in task.argument_spec:
            given.update(self.api)
        checked = ArgumentSpecValidator(task.argument_spec).validate(given)
        assert not checked.error_messages, checked.error_messages
        params = checked.validated_parameters
        api = functools.partial(api_task.open_api, params)
        return task.run(_task.Context(params, False, run_shell, api, lambda text: None))

    def params(self, **changes: Any) -> dict[str, Any]:
        dcv = {NAMES[0]: "http", NAMES[1]: "admin@shop.example.com"}
        item = {"name": "shop", "names": NAMES, "product": "68", "dcv": dcv, "key_type": "ecdsa-p256", "admin": PERSON}
        return {"certificates": [{**item, **changes}], "directory": str(self.directory)}

    def order(self, csr: str, **changes: Any) -> dict[str, Any]:
        requests = [{"name": "shop", "csr": csr}]
        (entry,) = self.run(_order.TASK, **self.params(**changes), requests=requests, settle_time=20)["orders"]
        return dict(entry)

    def csr(self, **changes: Any) -> str:
        return str(self.run(_csr.TASK, **self.params(**changes))["requests"][0]["csr"])

    def planned_step(self) -> str:
        return str(self.run(certificate_info.TASK, **self.params())["certificates"][0]["step"])

    def wait(self, order_id: int) -> dict[str, Any]:
        deadline = time.monotonic() + 20
        while True:
            (found,) = self.run(order_info.TASK, order_ids=[order_id], wait=5, interval=1)["orders"]
            if found["issued"]:
                return dict(found)
            assert time.monotonic() < deadline, found

    def install(self, entry: dict[str, Any]) -> None:
        keys = ("name", "names", "certificate", "chain")
        self.run(certificate.TASK, directory=str(self.directory), certificates=[{key: entry[key] for key in keys}])


@pytest.fixture(scope="module")
def emulator():
    with Emulator() as running:
        yield running


@pytest.mark.parametrize(("setting", "value"), disagreements(), ids=lambda one: json.dumps(one).strip('"'))
def test_order_to_reissue(tmp_path, emulator, setting, value):
    emulator.reset()
    emulator.set(**{**FAST, setting: value})
    chain = Chain(tmp_path, emulator)
    csr = chain.csr()
    bought = chain.order(csr)
    assert bought["step"] == "buy"
    chain.run(_dcv.TASK, order_ids=[bought["order_id"]], state="present", wait=10, interval=1)
    (tmp_path / "shop" / "order.json").unlink()
    emulator.expire_keys()
    again = chain.order(csr)
    assert (again["order_id"], again["step"] in ("resume", "install")) == (bought["order_id"], True)
    chain.wait(bought["order_id"])
    issued = chain.order(csr)
    assert (issued["step"], issued["issued"]) == ("install", True)
    chain.install(issued)
    assert chain.planned_step() == "keep"

    fresh = chain.csr(rekey=True)
    assert chain.order(fresh, rekey=True)["step"] == "reissue"
    chain.wait(bought["order_id"])
    replaced = chain.order(fresh)
    assert (replaced["step"], replaced["certificate"] != issued["certificate"]) == ("install", True)
    chain.install(replaced)
    assert chain.planned_step() == "keep"
    assert len(emulator.ledger()["orders"]) == 1


@pytest.mark.parametrize(("setting", "value"), [(name, value) for name, value in disagreements() if name in OF_TOOLS])
def test_approver_addresses_and_alternatives(tmp_path, emulator, setting, value):
    emulator.reset()
    emulator.set(**{setting: value})
    chain = Chain(tmp_path, emulator)
    for source, expected in (("standard", True), ("geotrust", True), ("whois", False)):  # WHOIS is always empty (5)
        answer = chain.run(domain_info.TASK, domains=[NAMES[0]], source=source)
        assert ("admin@shop.example.com" in answer["domains"][0]["approver_emails"]) is expected, source
    validations = chain.run(domain_info.TASK, csr=chain.csr())["validations"]
    assert {validation["method"] for validation in validations if validation["ready"]} == {"http", "https", "dns"}
