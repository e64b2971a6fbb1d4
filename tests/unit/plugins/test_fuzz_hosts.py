# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whatever a host answers leads to a result or a `GogetsslError`, without secrets, and touches no order of others.

The answers of a sound host are mutated: what it has on its disk, results of modules, facts. GOGETSSL_FUZZ_EXAMPLES is
the number of all examples. GOGETSSL_FUZZ_SEED repeats a run.
"""

from __future__ import annotations

import copy
import datetime as dt
import json
import os
import random
import tempfile
from collections.abc import Callable
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography.hazmat.primitives import serialization

from ansible_collections.certops.gogetssl.plugins.module_utils._api import models, orders
from ansible_collections.certops.gogetssl.plugins.module_utils._api.run_cache import RunCache
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError, Kind
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context, Task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.text import escaped_lines
from ansible_collections.certops.gogetssl.plugins.module_utils._deploy import commands, progress, services
from ansible_collections.certops.gogetssl.plugins.module_utils._deploy import report as deploy_report
from ansible_collections.certops.gogetssl.plugins.module_utils._request.duplicates import HostRequest
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import (
    certificate_fetch,
    certificate_info,
    dcv_dns_info,
    order,
)
from ansible_collections.certops.gogetssl.plugins.plugin_utils import _facts, _play
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller import answers
from ansible_collections.certops.gogetssl.plugins.plugin_utils._role import copying
from tests.unit.plugins.module_utils._order.test_plan import KEY, NAMES, NOW, leaf, request

EXAMPLES = int(os.environ.get("GOGETSSL_FUZZ_EXAMPLES", "300"))
SEED = int(os.environ.get("GOGETSSL_FUZZ_SEED", "0")) or random.SystemRandom().getrandbits(32)
RATE = 0.03  # of mutations, for each part of an answer
OWN, FOREIGN, EVALUATED = 7, 4711, str(7919 * 7907)
URL = "https://vendor.test/api"
PRIVATE = KEY.private_bytes(
    serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
).decode()
SECRETS = ("p4ss-w0rd-secret", "k3y-secret", PRIVATE.splitlines()[1])
SPEC = {"name": "shop", "names": list(NAMES), "product": "68", "dcv": "http", "listeners": [{"port": 443}]}
OPTIONS = {"certificates": certificate_info.TASK.argument_spec["certificates"]}
VALIDATED = ArgumentSpecValidator(OPTIONS).validate({"certificates": [SPEC]})
DEFAULTS = VALIDATED.validated_parameters["certificates"][0]
JUNK: tuple[Any, ...] = (
    *(None, True, False, 0, -1, FOREIGN, 10**30, 1.5, float("inf"), float("nan"), "", "x", str(FOREIGN), [], {}, [[]]),
    *(
        "{{ 7919 * 7907 }}",
        "{% if true %}x{% endif %}",
        "!!python/object/apply:os.system [id]",
        "!unsafe x",
        "!vault |",
    ),
    *({"__ansible_unsafe": "{{ 7919 * 7907 }}"}, {"__ansible_vault": "x"}, {"__ansible_type": "TrustedAsTemplate"}),
    *("\x1b]0;x\x07\x1b[2J", "\u202eevil\u2066", "a\r\nb\n\n#gogetssl other order.json", "\ud800", "\0", "x" * 5000),
    *("../../../etc/passwd", "7/../../cancel/7", "shop;reboot", "$(reboot)", "=cmd|' /C calc'!A0", "other.example.org"),
    *("2026-01-01", "9999-12-31", "0001-01-01T00:00:00", "2026-01-01T00:00:00", "٣", "web2", "shop", "names:a", "ends"),
)
JOURNAL = {
    **{"format": 1, "api": URL, "order_id": OWN, "product_id": 68, "public_key": request().public_key},
    **{"end_date": "2027-11-24", "ordered": "2026-11-01T00:00:00+00:00", "keyed": "2026-11-01T00:00:00+00:00"},
    "purchases": [{"date": "2026-11-01", "step": "buy", "order_id": OWN, "price": 1000, "currency": "USD", "slots": 2}],
    **{"adopted": None, "flagged": False},
    "reissued": {"reason": "ends", "key": "k", "leaf": "l", "ends": "2026-12-01T00:00:00+00:00"},
}
INTENT = {
    **{"format": 1, "api": URL, "step": "buy", "product_id": 68, "period": 12, "names": list(NAMES), "created": 1.5e9},
    **{"public_key": request().public_key, "md5": request().md5, "unique_code": "u", "price": 1, "currency": "USD"},
    **{"newest": 0, "flagged": False},
}
ORIGIN = {"format": 1, "host": "web2", "order_id": OWN, "end_date": "2027-11-24", "keyed": "2026-11-01T00:00:00+00:00"}
NOTE = {
    "format": 1,
    "records": [
        {
            **{"zone": "example.com", "name": "_a.shop.example.com", "type": "CNAME", "ttl": 60, "order_id": OWN},
            **{"value": f"{'a' * 32}.{'b' * 32}.x.comodoca.com", "provider": "nsupdate"},
        }
    ],
}
CERTIFICATE = {
    **{"name": "shop", "serial": "1f", "previous_serial": "", "path": "/etc/gogetssl/shop/current", "forms": ["jks"]},
    **{"not_after": "2027-03-01T00:00:00+00:00", "changed": True, "moved": True, "unverified": False},
}
REQUEST = {
    **{"name": "shop", "csr": request().pem, "common_name": NAMES[0], "names": list(NAMES), "key_type": "ecdsa-p256"},
    **{"public_key": request().public_key, "matches_spec": True, "reason": "x", "changed": True},
}
FAILED = {
    "failed": True,
    "rc": 1,
    "cmd": ["timeout", "-k", "5", "60", "nginx", "-t"],
    "stderr": "no",
    "stdout": "",
    "msg": "x",
}


class Vendor(orders.Api):
    """Two orders: that of the certificate, and one of another host. Changes are counted and refused."""

    def __init__(self) -> None:
        self.acted: list[int] = []
        self.cache = RunCache(None)

    url = URL

    def products(self, max_age: float = 0) -> tuple[models.Product, ...]:
        family, level, prices = models.Family.SECTIGO, models.ValidationLevel.DV, {12: 1000}
        methods = frozenset({"http", "dns", "email"})
        return (models.Product(68, "X", "X", family, level, False, True, False, methods, True, prices, {12: 1}, {}),)

    def any_order(self, order_id: int) -> models.AnyOrder:
        assert isinstance(order_id, int)
        assert not isinstance(order_id, bool)
        if order_id not in (OWN, FOREIGN):
            raise GogetsslError(f"order {order_id}: unknown.", Kind.REFUSED)
        names = NAMES if order_id == OWN else ("other.example.org",)
        day = NOW.date()
        times = (day, day, day, day + dt.timedelta(days=300))
        return models.Order(
            *(order_id, models.Status.ACTIVE, 68, names[0], names, None, leaf(names=names).pem, "", *times),
            *(False, 1, 0, (), False, False, ""),
        )

    order = any_order  # type: ignore[assignment]

    def orders_with_status(self, status: str, max_age: float = 0) -> list[models.OrderSummary]:
        return [
            models.OrderSummary(OWN, "active", NAMES[0]),
            models.OrderSummary(FOREIGN, "active", "other.example.org"),
        ]

    def all_orders(self, max_age: float = 0) -> list[models.OrderSummary]:
        return self.orders_with_status("active")

    def included_sans(self, product_id: int) -> int:
        return 0

    def _read(self, *_given: Any, **_named: Any) -> Any:
        raise GogetsslError("refused.", Kind.REFUSED)

    def unpaid_invoices(self) -> list[Any]:
        return []

    def balance(self) -> tuple[int, str]:
        return 10**6, "USD"

    def csr_problem(self, csr: str, wildcard: bool) -> str:
        return ""

    def _act(self, order_id: Any, *_given: Any) -> Any:
        self.acted.append(order_id if isinstance(order_id, int) else OWN)
        raise GogetsslError("refused.", Kind.REFUSED)

    place = renew = add_names = reissue = cancel = change_methods = revalidate = _act  # type: ignore[assignment]


def mutated(value: Any, chance: random.Random) -> Any:
    """The value with some of its parts replaced, removed, repeated or nested."""
    if chance.random() < RATE:
        alike = [one for one in JUNK if type(one) is type(value)]  # passes more checks
        return copy.deepcopy(chance.choice(alike if alike and chance.random() < 0.6 else JUNK))
    if isinstance(value, dict):
        kept = {key: mutated(one, chance) for key, one in value.items() if chance.random() > RATE / 2}
        return {**kept, str(chance.choice(JUNK))[:20]: chance.choice(JUNK)} if chance.random() < RATE else kept
    if isinstance(value, list):
        times = [chance.choice((0, 2)) if chance.random() < RATE else 1 for _one in value]
        return [mutated(one, chance) for one, count in zip(value, times) for _time in range(count)]
    if isinstance(value, str) and chance.random() < RATE:
        place = chance.randrange(len(value) + 1)
        return value[:place] + str(chance.choice(JUNK))[:40] + value[place + chance.randrange(3) :]
    return value


def record(value: Any, chance: random.Random) -> str:
    """JSON, truncated or nested now and then."""
    text = json.dumps(mutated(value, chance))
    if chance.random() < RATE:
        return chance.choice(("[" * 50_000, '{"format": 1, "x": ' * 3000, "9" * 6000, text[: len(text) // 2]))
    return text


def disk(chance: random.Random) -> str:
    """The output of the inspection script."""
    parts = {
        "order.json": record(JOURNAL, chance),
        "intent.json": record(INTENT, chance) if chance.random() < 0.2 else "",
        "staged/request.csr": mutated(request().pem, chance),
        "current/cert.pem": mutated(leaf().pem, chance),
        "current/chain.pem": mutated("", chance),
        "current/origin.json": record(ORIGIN, chance),
        "current/files": mutated("privkey.pem/600/0/root/0/root\ncert.pem/644/0/root/0/root", chance),
        "current/public": mutated("unknown", chance),
        f"listener/0 {mutated('127.0.0.1', chance)} {mutated(leaf().sha256, chance)}": "",
        "unverified": mutated(leaf().serial, chance),
    }
    shown = [(key, text) for key, text in parts.items() if text and chance.random() > 0.1]
    return "".join(f"\n#gogetssl shop {key}\n{text}\n" for key, text in shown)


def call(task: Task, text: str, api: Any = None, **options: Any) -> Any:
    """The result of the task on a host that answers everything with this text."""
    params = {name: option.get("default") for name, option in task.argument_spec.items()}
    params.update(options)
    if "certificates" in task.argument_spec:
        params["certificates"] = [{**DEFAULTS, **options.get("certificate", {})}]
    warnings: list[str] = []
    context = Context(
        *(params, False, lambda script: CommandResult(0, text, ""), lambda: api, warnings.append),
        now=NOW.timestamp,
        sleep=lambda seconds: None,
        host="web1",
        run_directory=RUN_DIRECTORY,
    )
    return task.run(context), warnings


RUN_DIRECTORY = tempfile.gettempdir()
CONTACT = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+37100000000"}


def fuzz_info(chance: random.Random) -> Any:
    return call(certificate_info.TASK, disk(chance), spend=["none"])


def fuzz_order(chance: random.Random) -> Any:
    vendor = Vendor()
    state = chance.choice(("present", "present", "cancelled"))
    request_ = answers.checked("gogetssl_csr", {"requests": [mutated(REQUEST, chance)], "stopped": []}, ["shop"])
    try:
        return call(
            *(order.TASK, disk(chance), vendor),
            requests=request_.get("requests", []),
            reason="x",
            spend=["buy", "renew", "add_names", "reissue"],
            admin=CONTACT,
            tech=CONTACT,
            state=state,
        )
    finally:
        assert set(vendor.acted) <= {OWN}, "an order of others was touched"


def fuzz_fetch(chance: random.Random) -> Any:
    text = disk(chance) + f"\n#gogetssl shop\n{mutated(PRIVATE, chance)}\n"
    have = mutated(HAVE, chance)
    options = {"host": "web1", "installed": [have] if isinstance(have, dict) else []}
    result, warnings = call(certificate_fetch.TASK, text, certificate={"order_host": "web2"}, **options)
    assert set(result.pop("private_keys")) <= {"shop"}
    return result, warnings


STOPPED = {"name": "shop", "reason": "shop: There is no user tomcat on this host."}
HAVE = {"name": "shop", "sha256": "x", "not_before": "2026-01-01T00:00:00+00:00", "usable": True, "urgent": False}


def fuzz_notes(chance: random.Random) -> Any:
    result, _warnings = call(dcv_dns_info.TASK, record(NOTE, chance), pending_order_ids=[])
    for one in result["stale_records"]:
        assert one["type"] == "TXT" or one["value"].endswith((".comodoca.com", ".sectigo.com"))
        assert "/" not in one["provider"]
    return result


def fuzz_modules(chance: random.Random) -> Any:
    lists = {"certificates": [CERTIFICATE], "requests": [REQUEST], "stopped": [STOPPED], "lacking": ["shop"]}
    given = mutated({"changed": True, **lists}, chance)
    for module in ("gogetssl_csr", "gogetssl_certificate", "gogetssl_deploy", "gogetssl_haproxy"):
        result = answers.checked(module, given, ["shop"])
        assert isinstance(result, dict)
    result = answers.checked("gogetssl_certificate", given, ["shop"])
    changed = [] if result.get("failed") or result.get("skipped") else result.get("certificates", [])
    return changed, deploy_report.rollback_report(deploy_report.RolledBack(["shop"], "x", changed))


def fuzz_commands(chance: random.Random) -> Any:
    failed = mutated(FAILED, chance)
    result = failed if isinstance(failed, dict) else {}
    stop = copying.uncopied_certificates(
        [{"name": "shop", "order_host": "web2"}],
        [{"name": "shop", "urgent": True}],
        [{**result, "__gogetssl_order_host": "web2"}],
        ["web2"],
    )
    said = CommandResult(chance.choice((0, 1, 124, 127, 137)), *(str(mutated("no", chance)) for _stream in range(2)))
    journals = {"nginx": commands.journal(lambda script: said, services.TABLE["nginx"])}
    failure = commands.test(lambda script: said, services.TABLE["nginx"], 60)
    cause = failure.error if failure else ""
    told = deploy_report.RolledBack(["shop"], cause, [], reloaded=True, journals=journals)
    return stop, cause, deploy_report.rollback_report(told), progress_of(chance)


def progress_of(chance: random.Random) -> Any:
    try:
        return progress.read_progress(record(PROGRESS, chance)).dump()
    except GogetsslError as error:
        return error.message


PROGRESS = {
    "groups": [{"names": ["shop"], "cause": "x", "reloaded": True}],
    "live": ["shop"],
    "hook": "exim",
    "entries": {"shop": {"name": "shop", "changed": True}},
}


def fuzz_facts(chance: random.Random) -> Any:
    facts = mutated({"os_family": "Debian", "gogetssl_spend": ["buy"], "company": "x"}, chance)
    variables = {"inventory_hostname": "web1", "ansible_facts": facts, "company": 1, "ansible_os_family": "x"}
    refused = _facts.refusal(variables)
    assert not refused or "web1" in refused
    return refused


def fuzz_play(chance: random.Random) -> Any:
    """Facts of a host change neither what the hosts of the play request, nor who shares a key with it."""
    others = {"names": ["evil.example.org"], "product": "1", "order_host": "web1"}
    given = {"os_family": "Debian", "gogetssl_certificates": [{**SPEC, **others}], "hostvars": {}, "company": "x"}
    facts = mutated(given if chance.random() < 0.3 else {"os_family": "Debian"}, chance)
    inventory = {"web1": {"gogetssl_certificates": [SPEC]}, "web2": {"gogetssl_certificates": [SPEC]}}
    injected = facts if isinstance(facts, dict) else {}
    known = {**inventory["web2"], **injected, "ansible_facts": facts, "inventory_hostname": "web2"}
    variables = {**known, "hostvars": {**inventory, "web2": known}}
    requests = list(_play.read(variables, ["web1", "web2"]))
    refused = _facts.refusal(variables)
    expected = [HostRequest(host, NAMES[0], "68", name=SPEC["name"]) for host in ("web1", "web2")]
    assert requests == (expected[:1] if refused else expected)
    if not refused:  # the task stops otherwise
        assert _play.not_shared(variables, [{**SPEC, "order_host": "web1"}]) == ["shop"]
    return refused


TARGETS: dict[str, tuple[Callable[[random.Random], Any], int]] = {  # with their share in percent
    "info": (fuzz_info, 20),
    "order": (fuzz_order, 20),
    "fetch": (fuzz_fetch, 15),
    "notes": (fuzz_notes, 15),
    "modules": (fuzz_modules, 10),
    "commands": (fuzz_commands, 10),
    "facts": (fuzz_facts, 5),
    "play": (fuzz_play, 5),
}


@pytest.fixture(scope="module", autouse=True)
def print_seed(request: pytest.FixtureRequest) -> None:
    with request.config.pluginmanager.getplugin("capturemanager").global_and_fixture_disabled():
        print(f"\nfuzzing hosts with GOGETSSL_FUZZ_SEED={SEED} GOGETSSL_FUZZ_EXAMPLES={EXAMPLES}")


def check_texts(value: Any) -> None:
    """No text of the result can reach the terminal as a command, and none was evaluated as a template."""
    if isinstance(value, str):
        assert escaped_lines(value) == value
        assert EVALUATED not in value
        assert not any(secret in value for secret in SECRETS)
    elif isinstance(value, dict):
        for key, one in value.items():
            check_texts(key)
            check_texts(one)
    elif isinstance(value, (list, tuple)):
        for one in value:
            check_texts(one)


def check_message(message: str) -> None:
    check_texts(message)
    assert "\n" not in message
    assert len(message) < 2000


@pytest.mark.parametrize("target", TARGETS)
def test_any_answer_of_a_host(target: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(globals(), "RUN_DIRECTORY", str(tmp_path))
    run_examples(target, *TARGETS[target])


def run_examples(target: str, fuzz: Callable[[random.Random], Any], share: int) -> None:
    """Run the target's share of the examples, and check what they return."""
    for number in range(max(10, EXAMPLES * share // 100)):
        chance = random.Random(f"{SEED} {target} {number}")
        try:
            check_texts(fuzz(chance))
        except GogetsslError as error:
            check_message(error.message)
        except Exception as error:
            raise AssertionError(f"example {number} of GOGETSSL_FUZZ_SEED={SEED}: {error!r}") from error
