# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates that several hosts share: who orders, what a copy is due for, and what is fetched for it."""

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

from ansible_collections.certops.gogetssl.plugins.module_utils import (
    _assess,
    _certificate_fetch,
    _certificate_info,
    _journal,
    _plan,
    _sharing,
    _wanted,
    _x509,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._certificate_fetch import Have, Verdict
from ansible_collections.certops.gogetssl.plugins.module_utils._decision import Step
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._journal import HostState, Intent, Journal, Origin
from ansible_collections.certops.gogetssl.plugins.module_utils._sharing import Board, Wish
from ansible_collections.certops.gogetssl.plugins.module_utils._shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._task import Context, Task

from .test__plan import DAY, KEY, NAMES, NOW, OTHER_KEY, installed, leaf, wanted

ORIGIN = Origin("web1", 7, "2027-11-24")
INTENT = Intent("https://api", "buy", 68, 12, NAMES, "k", "m", "u", 1.5)


def copy(**changes: t.Any) -> _wanted.Wanted:
    """The wish of a host that copies."""
    return wanted(order_host="web1", source="web1", **changes)


def holding(certificate: _x509.Certificate | None = None, **changes: t.Any) -> HostState:
    """A host with a copy."""
    return installed(certificate, **{"journal": None, "origin": ORIGIN, **changes})


def read(host: str | None, order_host: str | None) -> _wanted.Wanted:
    item = {"name": "shop", "names": list(NAMES), "product": "68", "order_host": order_host}
    spec = {**_wanted.CERTIFICATES_SPEC, **_wanted.CONTACTS_SPEC}
    checked = ArgumentSpecValidator(spec).validate({"certificates": [item], "host": host})
    assert not checked.error_messages
    return _wanted.read_wanted(checked.validated_parameters)[0]


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
def test_whose_certificate_it_is(host: str | None, order_host: str | None, source: str | None) -> None:
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
        ([other("web2", product="Some UCC")], ["web2"]),  # could be the same one
        ([other("web2", ""), other("web3", "localhost"), other("web4", "{{ x }}")], []),
        ([{}, {"host": "web2"}], []),
    ],
)
def test_rivals(others: list[dict[str, t.Any]], expected: list[str]) -> None:
    assert _sharing.rivals(wanted(), others) == expected
    assert _sharing.rivals(wanted(order_host="web1"), others) == [], "somebody has chosen"


class Fleet:
    """Wishes of hosts, and how often they were asked for."""

    def __init__(self, **wishes: str) -> None:
        self.wishes, self.asked = wishes, []  # type: dict[str, str], list[str]

    def read(self, hosts: t.Sequence[str]) -> t.Iterator[Wish]:
        for host in hosts:
            self.asked.append(host)
            yield Wish(host, self.wishes[host], "68")


def test_all_wishes_are_read_once_for_all_hosts(tmp_path: Path) -> None:
    fleet = Fleet(web1="shop.example.com", web2="Shop.Example.com", web3="blog.example.com", web4="no name at all")
    for host in fleet.wishes:
        board = Board(str(tmp_path / "board"), fleet.read)
        board.fill(list(fleet.wishes), list(fleet.wishes))
        assert {wish.host for wish in board.wishes("shop.example.com")} == {"web1", "web2"}, host
    assert fleet.asked == list(fleet.wishes)
    assert [wish.host for wish in board.wishes("blog.example.com")] == ["web3"]
    assert board.wishes("no name at all") == []


def test_a_batch_puts_up_its_own_wishes_once_more(tmp_path: Path) -> None:
    fleet = Fleet(web1="shop.example.com", web2="not begun", web3="not begun")
    board = Board(str(tmp_path), fleet.read)
    board.fill(["web1", "web2", "web3"], ["web1"])
    assert [wish.host for wish in board.wishes("shop.example.com")] == ["web1"]
    fleet.wishes["web2"] = "shop.example.com"
    board.fill(["web1", "web2", "web3"], ["web2"])
    board.fill(["web1", "web2", "web3"], ["web2"])
    assert {wish.host for wish in board.wishes("shop.example.com")} == {"web1", "web2"}
    assert fleet.asked == ["web1", "web2", "web3", "web2"]


def test_who_asks_is_seen_by_all_who_ask_later(tmp_path: Path) -> None:
    """Wishes that only the task knows: the first one finds nobody, and nobody after it buys the same."""
    board = Board(str(tmp_path), lambda hosts: [])
    board.fill(["web1", "web2"], ["web1", "web2"])
    wish = wanted(order_host=None)
    assert _sharing.others(board, wish, "web1") == []
    assert _sharing.rivals(wish, _sharing.others(board, wish, "web2")) == ["web1"]
    assert _sharing.rivals(wish, _sharing.others(board, wish, "web1")) == ["web2"]


def test_many_rivals_are_counted() -> None:
    assert _sharing.listed(["a", "b"]) == "a and b"
    assert _sharing.listed([f"web{number}" for number in range(500)]) == "web0, web1, web2, web3 and 496 more hosts"


@pytest.mark.parametrize(
    ("found", "step", "words"),
    [
        (HostState(), Step.COPY, "no certificate is installed"),
        (holding(), Step.KEEP, "to be replaced from"),
        (holding(journal=Journal("https://api", 9, 68, "of an order of its own once")), Step.KEEP, ""),
        (holding(leaf(age=150)), Step.COPY, "ends on"),
        (holding(leaf(names=NAMES[:1])), Step.COPY, "www.shop.example.com is not in"),
        (holding(key="another"), Step.COPY, "does not belong"),
        (holding(damage="torn"), Step.COPY, "torn"),
        (holding(intent=INTENT), Step.STOP, "a purchase was begun on this host"),
        (holding(served=(_journal.Served("here", None),)), Step.INSTALL, "does not serve"),
    ],
)
def test_a_host_that_copies_never_asks_the_vendor(found: HostState, step: Step, words: str) -> None:
    decision = _plan.judge(copy(), found, NOW)
    assert decision.step is step
    assert words in decision.reason


def test_copies_are_due_on_the_same_day_as_what_they_are_copies_of() -> None:
    certificate = leaf()
    journal = Journal("https://api", 7, 68, certificate.public_key, "2027-06-02")
    last_of_term = installed(certificate, journal=journal)
    ordered = _plan.due_on("shop", certificate, _plan.term_end(last_of_term))
    copied = holding(certificate, origin=Origin("web1", 7, "2027-06-02"))
    assert _plan.due_on("shop", certificate, _plan.term_end(copied)) == ordered
    assert ordered != _plan.due_on("shop", certificate, None)
    for day in range(199):
        now = NOW + day * DAY
        theirs, ours = _plan.judge(wanted(), last_of_term, now), _plan.judge(copy(), copied, now)
        assert (theirs.step is Step.KEEP) == (ours.step is Step.KEEP), f"day {day}"


def test_a_new_key_by_a_date_is_due_on_both_and_on_neither() -> None:
    start = leaf().not_before
    wish = start + dt.timedelta(hours=5)  # later than the authority's date, earlier than the key
    sent = (start + dt.timedelta(hours=6)).isoformat()
    assert _plan.judge(copy(rekey=wish), holding(origin=Origin("web1", 7, None, sent)), NOW).step is Step.KEEP
    assert _plan.judge(copy(rekey=wish), holding(), NOW).step is Step.COPY


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
    found = holding(kinds[certificate], **changes) if certificate else HostState()
    assert _plan.urgent(found, NOW) is expected


def test_only_the_day_is_no_reason_not_to_use_it() -> None:
    assert _plan.usable(copy(), holding(leaf(age=198)), NOW)
    assert not _plan.usable(copy(), holding(leaf(names=NAMES[:1])), NOW)
    assert not _plan.usable(copy(), holding(damage="torn"), NOW)
    assert not _plan.usable(copy(), HostState(), NOW)


def have(certificate: _x509.Certificate | None, **changes: t.Any) -> Have:
    if certificate is None:
        return dataclasses.replace(Have(), **changes)
    return dataclasses.replace(Have(certificate.sha256, certificate.not_before, True, False), **changes)


OLD, NEW = leaf(age=150), leaf(age=1, key="other")
OPEN = Journal("https://api", 8, 68, "the key of an order that is under way")


@pytest.mark.parametrize(
    ("ours", "theirs", "at_work", "verdict", "words"),
    [
        (have(None), installed(NEW), False, Verdict.COPY, ""),
        (have(OLD), installed(NEW), False, Verdict.COPY, ""),
        (have(OLD), installed(OLD), False, Verdict.WAIT, "waits for web1, which orders it: it has nothing newer yet"),
        (have(OLD, urgent=True), installed(OLD), False, Verdict.STOP, "nothing newer yet"),
        (have(OLD, urgent=True), installed(OLD), True, Verdict.WAIT, "nothing newer yet"),
        (have(OLD, urgent=True), installed(OLD, journal=OPEN), False, Verdict.WAIT, "nothing newer yet"),
        (have(OLD, urgent=True), installed(OLD, intent=INTENT), False, Verdict.WAIT, "nothing newer yet"),
        # What the ordering host went back to must not spread.
        (have(NEW), installed(OLD), False, Verdict.WAIT, "nothing newer yet"),
        # The same certificate repairs what is broken.
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
        # What nobody has seen the services of the ordering host take replaces nothing that is good.
        (have(OLD), installed(NEW, unproven=True), False, Verdict.WAIT, "have not been seen to take"),
        (have(OLD, urgent=True), installed(NEW, unproven=True), False, Verdict.STOP, "have not been seen to take"),
        (have(OLD), installed(OLD, unproven=True), False, Verdict.WAIT, "nothing newer yet"),
        (have(None), installed(NEW, unproven=True), False, Verdict.COPY, ""),
        (have(OLD, usable=False, urgent=True), installed(NEW, unproven=True), False, Verdict.COPY, ""),
        (have(None), installed(NEW, key=None), False, Verdict.COPY, ""),  # a host without openssl
    ],
)
def test_decide(ours: Have, theirs: HostState, at_work: bool, verdict: Verdict, words: str) -> None:
    decision = _certificate_fetch.decide(copy(), ours, theirs, at_work, NOW)
    assert decision.verdict is verdict
    assert words in decision.reason


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"format": 1}', '{"format": 1, "host": "a", "end_date": "soon"}', '{"host": "a"}']
)
def test_an_origin_that_cannot_be_read_is_none(text: str) -> None:
    assert _journal.read_origin(text) is None


def test_an_origin_comes_back_as_it_was_written() -> None:
    origin = Origin("web1", 7, "2027-11-24", "2026-11-24T12:00:00+00:00")
    assert _journal.read_origin(_journal.dump_origin(origin)) == origin


def pem(key: t.Any) -> str:
    pkcs8, plain = serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    return str(key.private_bytes(serialization.Encoding.PEM, pkcs8, plain).decode())


class Owner:
    """The directory of the host that orders, and the scripts that were run on it."""

    def __init__(self, root: Path) -> None:
        self.root, self.scripts = root, []  # type: Path, list[str]

    def install(self, certificate: _x509.Certificate, key: t.Any = KEY, name: str = "shop") -> None:
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
        return self.task(_certificate_fetch.TASK, **params)


def no_api() -> t.Any:
    raise AssertionError("a copy asks no vendor")


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


def test_no_key_is_read_unless_it_is_needed(owner: Owner) -> None:
    owner.install(leaf())
    entry = owner.task(_certificate_info.TASK)["certificates"][0]
    before = len(owner.scripts)
    result = owner.fetch(installed=[entry])
    assert result["private_keys"] == {}
    assert [one["name"] for one in result["waiting"]] == ["shop"]
    assert len(owner.scripts) == before + 1
    assert len(owner.fetch(check_mode=True)["certificates"]) == 1
    assert not any("privkey.pem" in script and "#gogetssl shop'; cat" in script for script in owner.scripts)


def test_a_key_of_another_certificate_is_not_handed_on(owner: Owner) -> None:
    owner.install(leaf(), OTHER_KEY)
    result = owner.fetch()
    assert (result["certificates"], result["private_keys"]) == ([], {})
    assert "cannot be used" in result["stopped"][0]["reason"]


def test_a_key_that_changed_between_the_reads_is_not_handed_on(owner: Owner) -> None:
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


def test_only_what_others_order_can_be_fetched(owner: Owner) -> None:
    with pytest.raises(GogetsslError, match="nothing to fetch"):
        owner.fetch(host="web1")
    item = {"names": list(NAMES), "product": "68"}
    two = [{**item, "name": name, "order_host": name} for name in ("a", "b")]
    with pytest.raises(GogetsslError, match="one host at a time"):
        owner.fetch(certificates=two)
    with pytest.raises(GogetsslError, match="entries of gogetssl_certificate_info"):
        owner.fetch(installed=[{"name": "shop"}])


def test_a_host_that_copies_cannot_order(owner: Owner) -> None:
    case = t.cast(t.Any, None)
    with pytest.raises(GogetsslError, match="web1 orders it for this host"):
        _assess.assess(case, copy(), HostState(), None)
