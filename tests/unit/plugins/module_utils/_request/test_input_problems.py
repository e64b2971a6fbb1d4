# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values that cannot be what the user meant, as YAML reads them: each gives one sentence with certificate and key."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils import _tasks
from ansible_collections.certops.gogetssl.plugins.module_utils._request import input_problems, texts
from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC

SPEC: dict[str, Any] = {
    **CERTIFICATES_SPEC,
    **CONTACTS_SPEC,
    "max_price": {"type": "int"},
    "password": {"type": "str", "no_log": True},
    "tax_percent": {"type": "float"},
    "batches": {"type": "list", "elements": "str"},
    "since": {"type": "str"},
    "wait": {"type": "bool"},
}
SHOP = {"name": "shop", "names": ["shop.example.com"], "product": "66"}
ROLE = Path(__file__).resolve().parents[5] / "roles/gogetssl/meta/argument_specs.yml"


def problem(options: dict[str, Any], prefix: str = "") -> str:
    return input_problems.first_problem(texts.given(options, SPEC), SPEC, prefix)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("admin: {country: NO}", "admin.country: YAML reads the value as the boolean False. Write it in quotes."),
        ("admin: {postalcode: 0150}", "admin.postalcode: YAML reads the value as the number 104. Write it in quotes."),
        ("tech: {phone: +4722000000}", "tech.phone: YAML reads the value as the number 4722000000."),
        ("organization: {duns: 1_0}", "organization.duns: YAML reads the value as the number 10."),
        ("admin: {frstname: Ada}", "admin: unknown key frstname; did you mean firstname?"),
        ("admin: {firstname: [Ada]}", "admin.firstname must be text, not a list."),
        ("admin: Ada", "admin must be a dictionary, not text."),
        ("admin: [{firstname: Ada}]", "admin must be a dictionary, not a list."),
        ("certificates: [{name: 2026}]", "Certificate 1 of the list: name: YAML reads the value as the number 2026."),
        ("certificates: [{}]", "Certificate 1 of the list: name is missing."),
        ("certificates: shop", "each item of certificates must be a dictionary, not text."),
        ("certificates: {name: shop}", "certificates must be a list, not a dictionary."),
        ("certificates: [null]", "certificates: item 1 is empty. Remove it, or the comma before it."),
        ("password: 0123456", "password: YAML reads the value as a number. Write it in quotes."),
        ("tax_percent: .nan", "tax_percent must be a number, not nan."),
        ("wait: 2", "wait must be true or false, not 2."),
        ("max_price: yes", "max_price must be a whole number, not a boolean."),
    ],
)
def test_options(written: str, sentence: str) -> None:
    found = {"certificates": [SHOP], **yaml.safe_load(written)}
    if written.startswith("certificates: [{name: 2026"):
        found["certificates"] = [{**SHOP, "name": 2026}]
    assert sentence in problem(found)


@pytest.mark.parametrize(
    ("written", "sentence"),
    [
        ("names: [a.example.com, 1.5]", "names: YAML reads the value as the number 1.5. Write it in quotes."),
        ("names: yes", "names: YAML reads the value as the boolean True. Write it in quotes."),
        ("names: [1:30:45]", "names: YAML reads the value as the number 5445. Write it in quotes."),
        ("names: [2026-11-26]", "names: YAML reads the value as the date 2026-11-26. Write it in quotes."),
        ("names: [a.example.com, null]", "names: item 2 is empty. Remove it, or the comma before it."),
        ("names: 'a.example.com,'", "names: item 2 is empty. Remove it, or the comma before it."),
        ("names: [[a.example.com]]", "each item of names must be text, not a list."),
        ("names: null", "names is missing."),
        ("names: {a.example.com: http}", "names must be a list, not a dictionary."),
        ("product: 68.0", "product: YAML reads the value as the number 68.0. Write it in quotes."),
        ("product: ''", "product is missing."),
        ("period: a year", "period must be a whole number, not text."),
        ("period: yes", "period must be a whole number, not a boolean."),
        ("period: 12.5", "period must be a whole number, not 12.5."),
        ("alias: 0123", "alias: YAML reads the value as the number 83. Write it in quotes."),
        ("owner: yes", "owner: YAML reads the value as the boolean True. Write it in quotes."),
        ("key_type: 2048", "key_type must be one of rsa-2048, rsa-3072, rsa-4096, ecdsa-p256, ecdsa-p384, not 2048."),
        ("services: [nginx, '']", "services: item 2 is empty. Remove it, or the comma before it."),
        ("listeners: '443'", "each item of listeners must be a dictionary, not text."),
        ("listeners: [443]", "each item of listeners must be a dictionary, not 443."),
        ("listeners: [{port: 443, adress: all}]", "listeners: unknown key adress; did you mean address?"),
        ("listeners: [{port: https}]", "listeners.port must be a whole number, not text."),
        ("listeners: [{server_name: 2026}]", "listeners.server_name: YAML reads the value as the number 2026."),
        ("forms: [JKS]", "forms must be one of haproxy, der, pkcs12, pkcs12_legacy, jks, not JKS."),
        ("adopt: yes", "adopt must be a whole number, not a boolean."),
        ("adopt_files: /etc/shop.pem", "adopt_files must be a dictionary, not text."),
        ("adopt_files: {certificate: /etc/shop.pem}", "adopt_files.key is missing."),
        ("admin: {country: no}", "admin.country: YAML reads the value as the boolean False. Write it in quotes."),
        ("admin: {emial: ada@example.com}", "admin: unknown key emial; did you mean email?"),
        ("organization: {name: .inf}", "organization.name: YAML reads the value as the number inf."),
        ("prodct: 68", "unknown key prodct; did you mean product?"),
        ("colour: green", "unknown key colour. Known keys: name, names, product"),
    ],
)
def test_keys_of_a_certificate(written: str, sentence: str) -> None:
    message = problem({"certificates": [{**SHOP, **yaml.safe_load(written)}]})
    assert f"shop: {sentence}" in message


@pytest.mark.parametrize(
    "written",
    [
        "admin: {country: 'NO', postalcode: '0150', phone: '+4722000000', fax: }",
        "certificates: [{name: '2026', names: shop.example.com, product: 66, owner: 0, period: 12, rekey: 2026-11-24}]",
        "certificates: [{name: shop, names: a.example.com, product: 6, period: '12', alias: , listeners: [], admin: }]",
        'certificates: \'[{"name": "shop", "names": "a.example.com", "product": 66, "period": ""}]\'',
        "{admin: 'firstname=Ada', wait: 'no', tax_percent: '21.5', max_price: '500'}",
        "{batches: [1, 10%, 100%], since: 2026-11-24T10:00:00Z}",
    ],
)
def test_accepted(written: str) -> None:
    assert problem({"certificates": [SHOP], **yaml.safe_load(written)}) == ""


def test_messages_name_the_variables_of_the_role() -> None:
    assert problem({}, "gogetssl_") == "gogetssl_certificates is missing."
    assert "gogetssl_admin.country: YAML" in problem({"certificates": [SHOP], "admin": {"country": True}}, "gogetssl_")


def test_a_secret_is_not_in_the_message() -> None:
    for secret in (7401, 74.01, ["7401"], {"7401": 1}):
        assert "74" not in problem({"password": secret})


def task_names() -> list[str]:
    [folder] = _tasks.__path__
    return sorted(path.stem for path in Path(folder).glob("*.py") if "\nTASK = " in path.read_text())


@pytest.mark.parametrize("name", [*task_names(), "the role"])
def test_every_choice_and_default_is_accepted(name: str) -> None:
    if name == "the role":
        spec = yaml.safe_load(ROLE.read_text())["argument_specs"]["main.yml"]["options"]
    else:
        spec = importlib.import_module(f"{_tasks.__name__}.{name}").TASK.argument_spec
    for option, described in spec.items():
        values = [*described.get("choices", ()), described.get("default")]
        values += [str(one) for one in described.get("choices", ())]
        if described.get("type") == "list":
            values = [value if isinstance(value, (list, type(None))) else [value] for value in values]
        for value in values:
            assert input_problems.first_problem({option: value}, spec) == "", (option, value)


def test_a_wrong_number() -> None:
    spec = {"years": {"type": "int", "choices": [1, 2]}}
    assert input_problems.first_problem({"years": 3}, spec) == "years must be one of 1, 2, not 3."
