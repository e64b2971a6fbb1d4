# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates shared by several hosts: the ordering host, when copies are due, and what is fetched for them."""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import subprocess
import typing as t
from pathlib import Path

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from cryptography.hazmat.primitives import serialization

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context, Task
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import journal as _journal
from ansible_collections.certops.gogetssl.plugins.module_utils._host.journal import HostState, Intent, Journal, Origin
from ansible_collections.certops.gogetssl.plugins.module_utils._order import assess, lifetime, plan
from ansible_collections.certops.gogetssl.plugins.module_utils._order import installed as installed_files
from ansible_collections.certops.gogetssl.plugins.module_utils._order.decision import Step
from ansible_collections.certops.gogetssl.plugins.module_utils._request import duplicates
from ansible_collections.certops.gogetssl.plugins.module_utils._request import spec as _spec
from ansible_collections.certops.gogetssl.plugins.module_utils._request.duplicates import HostRequest, SharedRunState
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate_fetch, certificate_info
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks.certificate_fetch import Have, Verdict

from .._order.test_plan import DAY, KEY, NAMES, NOW, OTHER_KEY, installed, leaf, spec

ORIGIN = Origin("web1", 7, "2027-11-24")
INTENT = Intent("https://api", "buy", 68, 12, NAMES, "k", "m", "u", 1.5)


def copy(**changes: t.Any) -> _spec.CertificateSpec:
    """The spec of a host that copies."""
    return spec(order_host="web1", source="web1", **changes)


def holding(certificate: x509.Certificate | None = None, **changes: t.Any) -> HostState:
    """A host with a copy."""
    return installed(certificate, **{"journal": None, "origin": ORIGIN, **changes})


def read(host: str | None, order_host: str | None) -> _spec.CertificateSpec:
    item = {"name": "shop", "names": list(NAMES), "product": "68", "order_host": order_host}
    spec = {**_spec.CERTIFICATES_SPEC, **_spec.CONTACTS_SPEC}
    checked = ArgumentSpecValidator(spec).validate({"certificates": [item], "host": host})
    assert not checked.error_messages
    return _spec.read_specs(checked.validated_parameters)[0]


@pytest.mark.parametrize(
    ("host", "order_host", "source"),
    [
        ("web2", "web1", "web1"),
        ("web1", "web1", None),
        ("web1", None, None),
        ("web1", "", None),
        (None, "web1", None),
        ("web2", " web1 ", "web1"),
    ],
)
def test_order_host_and_source(host: str | None, order_host: str | None, source: str | None) -> None:
    one = read(host, order_host)
    assert (one.source, one.order_host) == (source, (order_host or "").strip() or None)


def other(host: str, common_name: str = "shop.example.com", product: t.Any = "68") -> dict[str, t.Any]:
    return {"host": host, "common_name": common_name, "product": product}


@pytest.mark.parametrize(
    ("others", "expected"),
    [
        ([], []),
        ([other("web2")], ["web2"]),
        ([other("web3"), other("web2"), other("web2")], ["web2", "web3"]),
        ([other("web2", "SHOP.Example.com.")], ["web2"]),
        ([other("web2", "www.example.com")], []),
        ([other("web2", product=68)], ["web2"]),
        ([other("web2", product="45")], []),
        ([other("web2", product="Some UCC")], ["web2"]),  # may be the same product
        ([other("web2", ""), other("web3", "localhost"), other("web4", "{{ x }}")], []),
        ([{}, {"host": "web2"}], []),
    ],
)
def test_conflicting_hosts(others: list[dict[str, t.Any]], expected: list[str]) -> None:
    assert duplicates.conflicting_hosts(spec(), others) == expected
    assert duplicates.conflicting_hosts(spec(order_host="web1"), others) == [], "an order_host is set"


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        (HostRequest("web1", "shop.example.com", "68", "", "shop-ec", "ecdsa-p384"), ["shop-ec"]),
        (HostRequest("web1", "SHOP.example.com.", "45", "", "shop-ec", "ecdsa-p256"), ["shop-ec"]),
        (HostRequest("web1", "shop.example.com", "68", "", "shop-2", "rsa-4096"), []),
        (HostRequest("web1", "shop.example.com", "68", "", "shop-2", "rsa4096"), []),  # a mistake, perhaps the same
        (HostRequest("web1", "shop.example.com", "68", "", "shop", "ecdsa-p256"), []),  # its own key type was changed
        (HostRequest("web1", "www.example.com", "68", "", "www", "ecdsa-p256"), []),
        (HostRequest("web1", "not a name", "68", "", "odd", "ecdsa-p256"), []),
        (HostRequest("web1", "shop.example.com", "68", "", "odd", "ec-dsa"), []),  # a mistake
    ],
)
def test_siblings_have_the_same_name_and_the_other_algorithm(request_: HostRequest, expected: list[str]) -> None:
    assert duplicates.siblings(spec(), [request_]) == expected


class Fleet:
    """The specs of hosts. Records how often they are read."""

    def __init__(self, **names_by_host: str) -> None:
        self.requests, self.read_hosts = names_by_host, []  # type: dict[str, str], list[str]

    def read(self, hosts: t.Sequence[str]) -> t.Iterator[HostRequest]:
        for host in hosts:
            self.read_hosts.append(host)
            yield HostRequest(host, self.requests[host], "68")


def test_all_specs_are_read_once_for_all_hosts(tmp_path: Path) -> None:
    fleet = Fleet(web1="shop.example.com", web2="Shop.Example.com", web3="blog.example.com", web4="no name at all")
    for host in fleet.requests:
        shared = SharedRunState(str(tmp_path / "board"), fleet.read)
        shared.fill(list(fleet.requests), list(fleet.requests))
        assert {request.host for request in shared.requests("shop.example.com")} == {"web1", "web2"}, host
    assert fleet.read_hosts == list(fleet.requests)
    assert [request.host for request in shared.requests("blog.example.com")] == ["web3"]
    assert shared.requests("no name at all") == []


def test_a_batch_publishes_its_specs_again(tmp_path: Path) -> None:
    fleet = Fleet(web1="shop.example.com", web2="not begun", web3="not begun")
    shared = SharedRunState(str(tmp_path), fleet.read)
    shared.fill(["web1", "web2", "web3"], ["web1"])
    assert [request.host for request in shared.requests("shop.example.com")] == ["web1"]
    fleet.requests["web2"] = "shop.example.com"
    shared.fill(["web1", "web2", "web3"], ["web2"])
    shared.fill(["web1", "web2", "web3"], ["web2"])
    assert {request.host for request in shared.requests("shop.example.com")} == {"web1", "web2"}
    assert fleet.read_hosts == ["web1", "web2", "web3", "web2"]


def test_later_hosts_see_the_requests_of_earlier_ones(tmp_path: Path) -> None:
    """Specs in task variables: the first host finds no conflict, and later hosts find the first one."""
    shared = SharedRunState(str(tmp_path), lambda hosts: [])
    shared.fill(["web1", "web2"], ["web1", "web2"])
    request = spec(order_host=None)
    assert duplicates.others(shared, request, "web1") == []
    assert duplicates.conflicting_hosts(request, duplicates.others(shared, request, "web2")) == ["web1"]
    assert duplicates.conflicting_hosts(request, duplicates.others(shared, request, "web1")) == ["web2"]


def test_many_conflicting_hosts_are_counted() -> None:
    assert duplicates.name_hosts(["a", "b"]) == "a and b"
    assert (
        duplicates.name_hosts([f"web{number}" for number in range(500)]) == "web0, web1, web2, web3 and 496 more hosts"
    )


@pytest.mark.parametrize(
    ("host", "step", "message"),
    [
        (HostState(), Step.COPY, "no certificate is installed"),
        (holding(), Step.KEEP, "to be replaced from"),
        (holding(journal=Journal("https://api", 9, 68, "of an order of its own once")), Step.KEEP, ""),
        (holding(leaf(age=150)), Step.COPY, "ends on"),
        (holding(leaf(names=NAMES[:1])), Step.COPY, "www.shop.example.com is not in"),
        (holding(key="another"), Step.COPY, "does not belong"),
        (holding(damage="torn"), Step.COPY, "torn"),
        (holding(intent=INTENT), Step.STOP, "a purchase was started on this host"),
        (holding(served=(_journal.Served("here", None),)), Step.INSTALL, "does not serve"),
    ],
)
def test_a_host_that_copies_calls_no_api(host: HostState, step: Step, message: str) -> None:
    decision = plan.evaluate_host(copy(), host, NOW)
    assert decision.step is step
    assert message in decision.reason


def test_copies_are_due_on_the_same_day_as_the_original() -> None:
    certificate = leaf()
    journal = Journal("https://api", 7, 68, certificate.public_key, "2027-06-02")
    last_of_term = installed(certificate, journal=journal)
    ordered = lifetime.due_on("shop", certificate, lifetime.term_end(last_of_term))
    copied = holding(certificate, origin=Origin("web1", 7, "2027-06-02"))
    assert lifetime.due_on("shop", certificate, lifetime.term_end(copied)) == ordered
    assert ordered != lifetime.due_on("shop", certificate, None)
    for day in range(199):
        now = NOW + day * DAY
        their_state, own_state = plan.evaluate_host(spec(), last_of_term, now), plan.evaluate_host(copy(), copied, now)
        assert (their_state.step is Step.KEEP) == (own_state.step is Step.KEEP), f"day {day}"


def test_a_rekey_date_applies_to_the_original_and_its_copies() -> None:
    start = leaf().not_before
    request = start + dt.timedelta(hours=5)  # later than the CA's date, earlier than the key
    sent = (start + dt.timedelta(hours=6)).isoformat()
    assert plan.evaluate_host(copy(rekey=request), holding(origin=Origin("web1", 7, None, sent)), NOW).step is Step.KEEP
    assert plan.evaluate_host(copy(rekey=request), holding(), NOW).step is Step.COPY


@pytest.mark.parametrize(
    ("certificate", "changes", "expected"),
    [
        (None, {}, True),
        ("leaf", {}, False),
        ("leaf", {"damage": "torn"}, True),
        ("leaf", {"key": "another"}, True),
        ("ending", {}, True),
        ("due", {}, False),
        ("short", {}, False),
    ],
)
def test_urgent(certificate: str | None, changes: dict[str, t.Any], expected: bool) -> None:
    kinds = {"leaf": leaf(), "ending": leaf(age=193), "due": leaf(age=150), "short": leaf(age=5, lifetime=7)}
    host = holding(kinds[certificate], **changes) if certificate else HostState()
    assert installed_files.urgent(host, NOW) is expected


def test_a_certificate_that_is_only_due_is_used() -> None:
    assert installed_files.usable(copy(), holding(leaf(age=198)), NOW)
    assert not installed_files.usable(copy(), holding(leaf(names=NAMES[:1])), NOW)
    assert not installed_files.usable(copy(), holding(damage="torn"), NOW)
    assert not installed_files.usable(copy(), HostState(), NOW)


def have(certificate: x509.Certificate | None, **changes: t.Any) -> Have:
    if certificate is None:
        return dataclasses.replace(Have(), **changes)
    return dataclasses.replace(Have(certificate.sha256, certificate.not_before, True, False), **changes)


OLD, NEW = leaf(age=150), leaf(age=1, key="other")
OPEN = Journal("https://api", 8, 68, "the key of an order that is under way")


@pytest.mark.parametrize(
    ("own_state", "their_state", "in_progress", "verdict", "message"),
    [
        (have(None), installed(NEW), False, Verdict.COPY, ""),
        (have(OLD), installed(NEW), False, Verdict.COPY, ""),
        (have(OLD), installed(OLD), False, Verdict.WAIT, "waits for web1, which orders it: it has nothing newer yet"),
        (have(OLD, urgent=True), installed(OLD), False, Verdict.STOP, "nothing newer yet"),
        (have(OLD, urgent=True), installed(OLD), True, Verdict.WAIT, "nothing newer yet"),
        (have(OLD, urgent=True), installed(OLD, journal=OPEN), False, Verdict.WAIT, "nothing newer yet"),
        (have(OLD, urgent=True), installed(OLD, intent=INTENT), False, Verdict.WAIT, "nothing newer yet"),
        # A version to which the ordering host rolled back must not be copied.
        (have(NEW), installed(OLD), False, Verdict.WAIT, "nothing newer yet"),
        # The same certificate repairs a damaged copy.
        (have(OLD, usable=False, urgent=True), installed(OLD), False, Verdict.COPY, ""),
        (
            have(None),
            HostState(),
            False,
            Verdict.STOP,
            "it has no certificate yet, and no order of its own is under way",
        ),
        (have(None), HostState(), True, Verdict.WAIT, "it has no certificate yet"),
        (have(None), HostState(journal=OPEN), False, Verdict.WAIT, "it has no certificate yet"),
        (have(OLD), HostState(), False, Verdict.WAIT, "it has no certificate yet"),
        (have(None), installed(NEW, key="another"), False, Verdict.STOP, "cannot be used: the installed key"),
        (have(None), installed(leaf(age=200)), False, Verdict.STOP, "expired"),
        (have(None), installed(leaf(names=NAMES[:1])), False, Verdict.STOP, "not for www.shop.example.com"),
        (have(OLD, usable=False), installed(leaf(names=NAMES[:1])), False, Verdict.STOP, "not for www."),
        # A certificate that the ordering host's services do not use yet replaces no valid one.
        (have(OLD), installed(NEW, unverified=True), False, Verdict.WAIT, "have not been seen to take"),
        (have(OLD, urgent=True), installed(NEW, unverified=True), False, Verdict.STOP, "have not been seen to take"),
        (have(OLD), installed(OLD, unverified=True), False, Verdict.WAIT, "nothing newer yet"),
        (have(None), installed(NEW, unverified=True), False, Verdict.COPY, ""),
        (have(OLD, usable=False, urgent=True), installed(NEW, unverified=True), False, Verdict.COPY, ""),
        (have(None), installed(NEW, key=None), False, Verdict.COPY, ""),  # a host without openssl
    ],
)
def test_decide(own_state: Have, their_state: HostState, in_progress: bool, verdict: Verdict, message: str) -> None:
    decision = certificate_fetch.decide(copy(), own_state, their_state, in_progress, NOW)
    assert decision.verdict is verdict
    assert message in decision.reason


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "host": "a", "end_date": "soon"}', '{"host": "a"}']
)
def test_an_unreadable_origin_is_ignored(text: str) -> None:
    assert _journal.read_origin(text) is None


def test_an_origin_round_trip() -> None:
    origin = Origin("web1", 7, "2027-11-24", "2026-11-24T12:00:00+00:00")
    assert _journal.read_origin(_journal.dump_origin(origin)) == origin


def pem(key: t.Any) -> str:
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode())


class Owner:
    """The directory of the ordering host, and the scripts run on it."""

    def __init__(self, root: Path) -> None:
        self.root, self.scripts = root, []  # type: Path, list[str]

    def install(self, certificate: x509.Certificate, key: t.Any = KEY, name: str = "shop") -> None:
        version = self.root / name / certificate.serial
        version.mkdir(parents=True)
        (version / "cert.pem").write_text(certificate.pem)
        (version / "chain.pem").write_text("")
        (version / "privkey.pem").write_text(pem(key))
        (self.root / name / "current").symlink_to(certificate.serial)
        record = {"format": 1, "api": "a", "order_id": 7, "product_id": 68, "end_date": "2027-11-24"}
        record.update(public_key=certificate.public_key, keyed=None)
        (self.root / name / "order.json").write_text(json.dumps(record))

    def shell(self, script: str) -> CommandResult:
        self.scripts.append(script)
        done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
        return CommandResult(done.returncode, done.stdout, done.stderr)

    def task(self, task: Task, check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        item = {"name": "shop", "names": list(NAMES), "product": "68", "order_host": "web1"}
        given = {"certificates": [item], "host": "web2", "directory": str(self.root), **params}
        spec = {name: {k: v for k, v in one.items() if k != "fallback_env"} for name, one in task.argument_spec.items()}
        checked = ArgumentSpecValidator(spec).validate(given)
        assert not checked.error_messages, checked.error_messages
        context = Context(checked.validated_parameters, check_mode, self.shell, no_api, print, NOW.timestamp)
        return task.run(context)

    def fetch(self, **params: t.Any) -> dict[str, t.Any]:
        return self.task(certificate_fetch.TASK, **params)


def no_api() -> t.Any:
    raise AssertionError("a copy must not call the API")


@pytest.fixture
def owner(tmp_path: Path) -> Owner:
    return Owner(tmp_path / "with space")


def test_fetches_certificate_and_key(owner: Owner) -> None:
    owner.install(leaf())
    result = owner.fetch()
    (delivery,) = result["certificates"]
    assert delivery["certificate"] == leaf().pem
    assert delivery["origin"] == {"host": "web1", "order_id": 7, "end_date": "2027-11-24", "keyed": None}
    assert result["private_keys"] == {"shop": pem(KEY)}
    assert (result["waiting"], result["stopped"], result["changed"]) == ([], [], False)


def test_keys_are_read_only_if_needed(owner: Owner) -> None:
    owner.install(leaf())
    entry = owner.task(certificate_info.TASK)["certificates"][0]
    before = len(owner.scripts)
    result = owner.fetch(installed=[entry])
    assert result["private_keys"] == {}
    assert [one["name"] for one in result["waiting"]] == ["shop"]
    assert len(owner.scripts) == before + 1
    assert len(owner.fetch(check_mode=True)["certificates"]) == 1
    assert not any("privkey.pem" in script and "#gogetssl shop'; cat" in script for script in owner.scripts)


def test_a_mismatched_key_is_not_copied(owner: Owner) -> None:
    owner.install(leaf(), OTHER_KEY)
    result = owner.fetch()
    assert (result["certificates"], result["private_keys"]) == ([], {})
    assert "cannot be used" in result["stopped"][0]["reason"]


def test_a_key_that_changed_between_the_reads_is_not_copied(owner: Owner) -> None:
    owner.install(leaf())
    shell, path = owner.shell, owner.root / "shop" / leaf().serial / "privkey.pem"

    def swapped(script: str) -> CommandResult:
        result = shell(script)
        path.write_text(pem(OTHER_KEY))
        return result

    owner.shell = swapped  # type: ignore[method-assign]
    result = owner.fetch()
    assert (result["certificates"], result["private_keys"]) == ([], {})
    assert result["stopped"][0]["reason"] == "shop: the private key of web1 does not belong to its certificate."


def test_only_certificates_of_other_hosts_can_be_fetched(owner: Owner) -> None:
    with pytest.raises(GogetsslError, match="nothing to fetch"):
        owner.fetch(host="web1")
    item = {"names": list(NAMES), "product": "68"}
    two = [{**item, "name": name, "order_host": name} for name in ("a", "b")]
    with pytest.raises(GogetsslError, match="one host at a time"):
        owner.fetch(certificates=two)
    with pytest.raises(GogetsslError, match="entries of gogetssl_certificate_info"):
        owner.fetch(installed=[{"name": "shop"}])


def test_a_host_that_copies_cannot_order(owner: Owner) -> None:
    duplicate = t.cast(t.Any, None)
    with pytest.raises(GogetsslError, match="web1 orders it for this host"):
        assess.assess(duplicate, copy(), HostState(), None)
