# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _auth, _dcv, _world
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._world import Sighting
from tests.unit.scripted import FILE_PROOF, KEY, Call, Time, call, login, order_answer, run, scripted

NAME = "shop.example.com"
CHANGE = "/orders/ssl/change_domains_validation_method/7"
REVALIDATE = call("POST", "/orders/ssl/revalidate/7", {"success": True}, fields={"domain": NAME})
LOCKED = {"error": True, "message": "Function is locked for 5 minutes"}
DNS = {"approver_method": {"dns": {"record": f"_a.{NAME} CNAME b.comodoca.com"}}, "dcv_method": "dns"}


def order(**changes: Any) -> Call:
    return call("GET", "/orders/status/7", order_answer(**changes))


def dcv(**options: Any) -> dict[str, Any]:
    return run(_dcv.TASK, **{"order_ids": [7], **options})


def seen(*sightings: Sighting) -> Any:
    return mock.patch.object(_world.World, "look", side_effect=sightings)


def test_logging_in_gives_the_key() -> None:
    with scripted(login):
        result = run(_auth.TASK)
    assert (result["auth_key"], result["changed"]) == (KEY, False)


def test_what_to_publish() -> None:
    with scripted(order()):
        result = dcv()
    (proof,) = result["proofs"]
    assert result["changed"] is False
    assert {"order_id": 7, "name": NAME, "method": "http", "ready": True}.items() <= proof.items()
    assert proof["content"] == FILE_PROOF["content"]


def test_data_that_appears_late_is_waited_for() -> None:
    time = Time()
    with scripted(order(approver_method=[]), order(approver_method=None), order()):
        result = dcv(time=time)
    assert result["proofs"][0]["ready"]
    assert time.pauses == [5, 5]


def test_data_that_does_not_appear_is_no_failure() -> None:
    with scripted(*[order(approver_method=[])] * 3):
        result = dcv(wait=10)
    assert not result["proofs"][0]["ready"]
    assert result["_warnings"]


def test_a_read_that_fails_while_waiting_is_no_failure() -> None:
    with scripted(order(approver_method=[]), call("GET", "/orders/status/7", b"", 502), order()):
        assert dcv()["proofs"][0]["ready"]


@pytest.mark.parametrize("changes", [{"status": "active"}, {"status": "cancelled", "approver_method": []}])
def test_a_finished_order_is_not_waited_for(changes: dict[str, Any]) -> None:
    with scripted(order(**changes)):
        assert dcv()["changed"] is False


def test_each_order_has_methods_of_its_own() -> None:
    """Two orders may be for the same name and differ; a name that is no name of the order is left out of account."""
    change = call("POST", CHANGE, {"success": True}, fields={"domains": NAME, "new_methods": "dns"})
    with scripted(order(), change, order(**DNS)):
        result = dcv(order_methods={"7": {NAME: "dns", "www.other.example.com": "dns"}, 8: {NAME: "https"}})
    assert result["changed"] is True
    with scripted(order()):
        assert dcv(methods={NAME: "dns"}, order_methods={7: {NAME: "http"}})["changed"] is False


@pytest.mark.parametrize("wrong", [{"seven": {NAME: "dns"}}, {7: "dns"}, {7: {NAME: "pigeon"}}])
def test_order_methods_that_cannot_be_meant(wrong: dict[Any, Any]) -> None:
    with scripted(), pytest.raises(GogetsslError, match="methods"):
        dcv(order_methods=wrong)


def test_another_method_is_set_and_its_data_read() -> None:
    change = call("POST", CHANGE, {"success": True}, fields={"domains": NAME, "new_methods": "dns"})
    with scripted(order(), change, order(**DNS)):
        result = dcv(methods={"SHOP.example.com": "DNS"})
    assert result["changed"] is True
    assert result["diff"] == {"before": {NAME: "http"}, "after": {NAME: "dns"}}
    assert result["proofs"][0]["record"] == f"_a.{NAME}"


@pytest.mark.parametrize("changes", [{"approver_method": []}, {"dcv_status": "2"}])
def test_the_same_method_or_a_validated_name_changes_nothing(changes: dict[str, Any]) -> None:
    wanted = "http" if "approver_method" in changes else "dns"
    with scripted(order(**changes)):
        result = dcv(methods={NAME: wanted}, wait=0)
    assert result["changed"] is False
    assert "diff" not in result


def test_check_mode_only_reads() -> None:
    with scripted(order(approver_method=[])):
        result = dcv(methods={NAME: "dns"}, check_mode=True)
    assert result["changed"] is True
    with scripted(order()), seen(Sighting(True)):
        result = dcv(state="validated", check_mode=True)
    assert (result["changed"], result["asked"]) == (True, [NAME])


def test_a_lost_answer_to_a_change_is_settled_by_looking() -> None:
    with scripted(order(), call("POST", CHANGE, b"", 502), order(**DNS)):
        assert dcv(methods={NAME: "dns"})["changed"] is True
    lost = scripted(order(), call("POST", CHANGE, b"", 502), order())
    with lost, pytest.raises(GogetsslError, match="HTTP 502"):
        dcv(methods={NAME: "dns"})


def test_a_change_that_is_locked_is_a_warning() -> None:
    with scripted(order(), call("POST", CHANGE, LOCKED), order()):
        result = dcv(methods={NAME: "dns"})
    assert "locked for 5 minutes" in result["_warnings"][0]
    assert result["changed"] is False


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"a.example.com": "carrier pigeon"}, "none of"),
        ({"*.example.com": "http"}, "wildcard"),
        ({"other.example.com": "dns"}, "no name of these orders"),
    ],
)
def test_methods_that_cannot_be_meant(methods: dict[str, str], said: str) -> None:
    calls = [order()] if said.startswith("no name") else []
    with scripted(*calls), pytest.raises(GogetsslError, match=said):
        dcv(methods=methods)


def test_the_authority_is_asked_once_the_proof_is_seen() -> None:
    time = Time()
    with scripted(order(), REVALIDATE), seen(Sighting(False, "HTTP 404"), Sighting(True)):
        result = dcv(time=time, state="validated")
    assert (result["asked"], result["changed"], time.pauses) == ([NAME], True, [5])
    assert result["proofs"][0]["visible"] is True


def test_a_proof_that_is_not_seen_is_reported_and_nobody_asked() -> None:
    with scripted(order()), seen(*[Sighting(False, "HTTP 404")] * 3):
        result = dcv(state="validated", wait=10)
    assert (result["asked"], result["changed"]) == ([], False)
    assert (result["proofs"][0]["visible"], result["proofs"][0]["problem"]) == (False, "HTTP 404")


@pytest.mark.parametrize("answer", [LOCKED, {"error": True, "message": "No"}, b"<html>"])
def test_an_authority_that_will_not_look_now_is_no_failure(answer: Any) -> None:
    with scripted(order(), REVALIDATE._replace(answer=answer)), seen(Sighting(True)):
        result = dcv(state="validated")
    assert (result["asked"], result["changed"]) == ([], False)
    assert result["proofs"][0]["problem"]


def test_a_validated_name_is_left_alone() -> None:
    with scripted(order(dcv_status="2")), seen():
        result = dcv(state="validated")
    assert result["proofs"][0]["visible"] is None
    assert result["changed"] is False


def test_a_mail_is_neither_looked_at_nor_asked_for() -> None:
    with scripted(order(approver_method={"email": "admin@example.com"}, dcv_method="email")):
        result = dcv(state="validated")
    assert "admin@example.com" in result["proofs"][0]["problem"]
    assert result["asked"] == []


def test_dns_that_cannot_be_looked_at_is_asked_for_unchecked() -> None:
    with scripted(order(**DNS), REVALIDATE), seen(Sighting(None, "no library")):
        assert dcv(state="validated")["asked"] == [NAME]


MAIL = {"approver_method": {"email": "admin@example.com"}, "dcv_method": "email", "approver_email": "admin@example.com"}
OTHER_MAIL = {"san_name": "b.example.com", "validation_method": "email", "validation": {"email": "admin@example.com"}}
RESEND = call("POST", "/orders/ssl/resend/7", {"success": True}, fields={"domain": NAME})
RECHECK = "/orders/ssl/recheck-caa/7"


def test_one_mail_is_sent_again_by_name() -> None:
    with scripted(order(**MAIL), RESEND):
        result = dcv(state="resent")
    assert (result["changed"], result["asked"], result["later"]) == (True, [NAME], [])


@pytest.mark.parametrize("post_only", [False, True])
def test_several_mails_are_sent_again_by_one_call(post_only: bool) -> None:
    path = "/orders/ssl/resend_validation_email/7"
    missing = call("GET", path, {"message": "The requested method is unknown"}, 404)
    calls = (missing, call("POST", path, {"success": True})) if post_only else (call("GET", path, {"success": True}),)
    with scripted(order(**MAIL, san=[OTHER_MAIL]), *calls):
        assert dcv(state="resent")["asked"] == [NAME, "b.example.com"]


def test_where_no_mail_is_awaited_none_is_sent() -> None:
    with scripted(order()):
        result = dcv(state="resent")
    assert (result["changed"], result["asked"]) == (False, [])


def test_caa_records_are_looked_at_again() -> None:
    with scripted(order(), call("GET", RECHECK, {"success": True})):
        assert dcv(state="caa_rechecked")["asked"] == [NAME]
    with scripted(order(status="active")):
        assert dcv(state="caa_rechecked")["changed"] is False
    with scripted(order()):
        assert dcv(state="caa_rechecked", check_mode=True)["changed"] is True


def test_a_locked_recheck_is_for_later() -> None:
    with scripted(order(), call("GET", RECHECK, LOCKED)):
        result = dcv(state="caa_rechecked")
    assert (result["changed"], result["asked"], result["later"][0]["names"]) == (False, [], [NAME])
    assert "locked for 5 minutes" in result["later"][0]["reason"]
    assert "once in ten minutes" in result["_warnings"][0]


def test_a_refused_recheck_is_a_failure() -> None:
    refused = call("GET", RECHECK, {"error": True, "message": "not supported"})
    with scripted(order(), refused), pytest.raises(GogetsslError, match="not supported"):
        dcv(state="caa_rechecked")


def test_another_approver_of_the_common_name_has_a_call_of_its_own() -> None:
    new = {**MAIL, "approver_method": {"email": "webmaster@example.com"}}
    change = call(
        "POST",
        "/orders/ssl/change_validation_email/7",
        {"success": True},
        fields={"approver_email": "webmaster@example.com"},
    )
    with scripted(order(**MAIL), change, order(**new)):
        result = dcv(methods={NAME: "webmaster@example.com"})
    assert (result["changed"], result["proofs"][0]["email"]) == (True, "webmaster@example.com")
