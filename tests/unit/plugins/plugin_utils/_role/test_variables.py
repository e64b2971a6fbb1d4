# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables have their declared type, whatever text they were given as."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import publish_http
from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.variables import HTTP_PUBLISHERS, role_variables

ROLE = Path(__file__).resolve().parents[5] / "roles" / "gogetssl"


def load(path: str) -> Any:
    return yaml.safe_load((ROLE / path).read_text())


OPTIONS: dict[str, Any] = load("meta/argument_specs.yml")["argument_specs"]["main.yml"]["options"]
DEFAULTS: dict[str, Any] = load("defaults/main.yml")
SHOP = {"name": "shop", "names": ["shop.example.com"], "product": "68"}


def convert(**variables: Any) -> dict[str, Any]:
    """The settings and errors with these variables, without the prefix, and the role's defaults."""
    given = {"certificates": [SHOP], **{name.removeprefix("gogetssl_"): value for name, value in DEFAULTS.items()}}
    given.update(variables)
    return role_variables([given.get(name.removeprefix("gogetssl_"), "") for name in OPTIONS], OPTIONS, {})


def settings(**variables: Any) -> dict[str, Any]:
    found = convert(**variables)
    assert found["errors"] == []
    converted: dict[str, Any] = found["settings"]
    return converted


@pytest.mark.parametrize(("text", "value"), [("false", False), ("no", False), ("0", False), ("true", True), ("", True)])
def test_booleans(text: str, value: bool) -> None:
    assert settings(wait=text)["wait"] is value


def test_numbers() -> None:
    found = settings(wait_timeout="5", max_price="500", tax_percent="21.5")
    assert (found["wait_timeout"], found["max_price"], found["tax_percent"]) == (5, 500, 21.5)
    assert settings(max_price=0)["max_price"] == 0


def test_an_empty_text_is_not_given() -> None:
    names = [name.removeprefix("gogetssl_") for name in OPTIONS]
    empty = settings(**{**dict.fromkeys(names, ""), "certificates": [SHOP]})
    assert "max_price" not in empty
    for name, option in OPTIONS.items():
        if "default" in option and not option.get("no_log"):
            assert empty[name.removeprefix("gogetssl_")] == option["default"]


def test_defaults_of_the_argument_spec_are_those_of_the_role() -> None:
    for name, default in DEFAULTS.items():
        if "{{" not in str(default):
            assert str(OPTIONS[name].get("default", "")).lower() == str(default).lower(), name


def test_lists_and_dictionaries() -> None:
    found = settings(
        certificates=json.dumps([SHOP]),
        retire="shop",
        nameservers="192.0.2.1, 192.0.2.2",
        resolve='{"a.example": "::1"}',
    )
    assert found["certificates"] == [{**SHOP}]
    assert found["retire"] == ["shop"]
    assert found["nameservers"] == ["192.0.2.1", "192.0.2.2"]
    assert found["resolve"] == {"a.example": "::1"}


def test_options_of_a_certificate() -> None:
    entry = settings(certificates=[{**SHOP, "services": "nginx,postfix", "period": "", "abandon_intent": "false"}])
    assert entry["certificates"] == [{**SHOP, "services": ["nginx", "postfix"], "abandon_intent": False}]


def test_a_path_on_the_host_keeps_its_tilde() -> None:
    assert settings(directory="~/certificates")["directory"] == "~/certificates"


def test_secrets_are_not_returned() -> None:
    found = convert(api_password="secret", store_password="secret", route53_options={"secret_key": "secret"})
    assert "secret" not in str(found["settings"].values())
    assert found["errors"] == []


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"max_price": "cheap", "wait": "maybe"}, "gogetssl_max_price must be a whole number, not text."),
        ({"max_price": "10.00"}, "gogetssl_max_price: 10.00 is not a whole number. The unit is the minor unit"),
        ({"max_price_per_run": 10.5}, "gogetssl_max_price_per_run: 10.5 is not a whole number."),
        ({"serve_timeout": 0}, "gogetssl_serve_timeout must be at least 1."),
        ({"service_timeout": "-1"}, "gogetssl_service_timeout must be at least 1."),
        ({"keep_versions": 0}, "gogetssl_keep_versions must be at least 1."),
        ({"wait": "maybe"}, "gogetssl_wait must be true or false, not text."),
        ({"organization": {"postalcode": 104}}, "gogetssl_organization.postalcode: YAML reads the value as the number"),
    ],
)
def test_values_of_another_type(variables: dict[str, Any], message: str) -> None:
    assert message in " ".join(convert(**variables)["errors"])


def test_tasks_use_the_converted_variables() -> None:
    """Exceptions: secrets, options of module_defaults, the first task, and the web root of each web host."""
    raw = {name for name, option in OPTIONS.items() if option.get("no_log") or name.startswith("gogetssl_api_")}
    raw |= {"gogetssl_web_root"}
    for path in [*ROLE.glob("tasks/**/*.yml"), ROLE / "vars" / "main.yml"]:
        if path != ROLE / "tasks" / "main.yml":
            text = re.sub(
                r"^__gogetssl_has_web_root:.*?\}\}$", "", path.read_text(), flags=re.S | re.M
            )  # of the first task
            templates = " ".join(re.findall(r"\{\{.*?\}\}", text, re.S))
            used = set(re.findall(r"(?<![\w.'])gogetssl_\w+", templates)) & set(OPTIONS)
            assert used <= raw, path


def test_a_certificate_keeps_only_the_keys_that_were_given() -> None:
    certificate = {"name": "shop", "names": ["a.example.com"], "product": "68"}
    assert convert(certificates=[certificate])["settings"]["certificates"] == [certificate]


@pytest.mark.parametrize("key", CERTIFICATES_SPEC["certificates"]["options"])
def test_the_role_documents_the_keys_of_a_certificate_with_their_defaults(key: str) -> None:
    documented = OPTIONS["gogetssl_certificates"]["options"][key]
    expected = CERTIFICATES_SPEC["certificates"]["options"][key]
    assert documented.get("default") == expected.get("default")
    assert documented["type"] == expected["type"]


@pytest.mark.parametrize("contact", ["admin", "organization"])
def test_the_role_documents_the_keys_of_contacts_once(contact: str) -> None:
    options = OPTIONS[f"gogetssl_{contact}"]["options"]
    assert list(options) == list(CONTACTS_SPEC[contact]["options"])
    assert all(option["description"] for option in options.values())
    assert "options" not in OPTIONS["gogetssl_certificates"]["options"][contact]
    assert "options" not in OPTIONS["gogetssl_tech"]


@pytest.mark.parametrize("value", ["", None])
def test_an_empty_approved_plan_does_not_allow_every_purchase(value: Any) -> None:
    """An unset answer of a survey, or a template that refers to an undefined variable, arrives as empty text."""
    given = [value if name == "gogetssl_approved_plan" else "" for name in OPTIONS]
    found = role_variables(given, OPTIONS, {}, ["gogetssl_approved_plan", "my_gogetssl_approved_plan"])
    assert found["settings"] == {}
    assert "gogetssl_approved_plan is empty or refers to a variable that is not defined" in found["errors"][0]


@pytest.mark.parametrize(("value", "plan"), [([], []), ("[]", []), ('[{"name": "shop"}]', [{"name": "shop"}])])
def test_an_approved_plan_can_be_text(value: Any, plan: list[dict[str, Any]]) -> None:
    given = {"gogetssl_certificates": [SHOP], "gogetssl_approved_plan": value}
    found = role_variables([given.get(name, "") for name in OPTIONS], OPTIONS, {}, ["gogetssl_approved_plan"])
    assert found["settings"]["approved_plan"] == plan


def test_unknown_services_and_publishers() -> None:
    shop = {**SHOP, "services": ["ngnix", "mine"]}
    found = convert(certificates=[shop, {**SHOP, "name": "blog"}], service_tasks={"mine": "mine.yml"})
    assert (found["errors"], found["unknown"]) == ([], [])
    assert [one["name"] for one in found["settings"]["certificates"]] == ["blog"]
    [invalid] = found["settings"]["invalid"]
    assert (invalid["name"], invalid["certificate"]) == ("shop", shop)
    assert invalid["reason"].startswith("shop: unknown service ngnix. Use ")
    assert {"nginx,", "mine,"} <= set(invalid["reason"].split())
    assert convert(http_publisher="s3", http_tasks={"s3": "s3.yml"})["unknown"] == []
    assert convert(http_publisher="listener")["unknown"] == [
        "Unknown gogetssl_http_publisher listener. Use none, validation_server, web_root, or add a task file for it to"
        " gogetssl_http_tasks."
    ]


def test_a_certificate_with_an_unknown_service_can_be_retired() -> None:
    given = {"gogetssl_certificates": [{**SHOP, "services": ["ngnix"]}]}
    found = role_variables([given.get(name, "") for name in OPTIONS], OPTIONS, {}, any_service=True)
    assert (len(found["settings"]["certificates"]), found["settings"]["invalid"]) == (1, [])


def test_a_mistake_stops_one_certificate_only() -> None:
    wrong = {**SHOP, "name": "b", "names": ["b.example.com"], "dcv": "htpp"}
    found = settings(certificates=json.dumps([SHOP, wrong]))
    assert (found["certificates"], found["invalid"][0]["certificate"]) == ([SHOP], wrong)
    # Which certificate is meant is not known.
    assert convert(certificates=[SHOP, {**wrong, "name": 2026}])["settings"] == {}
    # The contacts are those of the host.
    assert convert(certificates=[SHOP, wrong], admin={"phone": 3712})["settings"] == {}


def test_each_http_publisher_is_built_in_or_none() -> None:
    assert sorted(HTTP_PUBLISHERS) == sorted(["none", *publish_http.SPEC["publisher"]["choices"]])
