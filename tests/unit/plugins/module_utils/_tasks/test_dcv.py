# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any
from unittest import mock

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import auth
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv as _dcv
from ansible_collections.certops.gogetssl.plugins.module_utils._validation import probe
from ansible_collections.certops.gogetssl.plugins.module_utils._validation.probe import Visibility
from tests.unit.scripted import FILE_DATA, KEY, Call, Time, call, login, order_answer, run, scripted

NAME = "shop.example.com"
CHANGE = "/orders/ssl/change_domains_validation_method/7"
REVALIDATE = call("POST", "/orders/ssl/revalidate/7", {"success": True}, fields={"domain": NAME})
LOCKED = {"error": True, "message": "Function is locked for 5 minutes"}
RECORD = f"_{'a' * 32}.{NAME}"
DNS = {
    "approver_method": {"dns": {"record": f"{RECORD} CNAME {'b' * 32}.{'c' * 32}.comodoca.com"}},
    "dcv_method": "dns",
}


def order(**changes: Any) -> Call:
    return call("GET", "/orders/status/7", order_answer(**changes))


def dcv(**options: Any) -> dict[str, Any]:
    return run(_dcv.TASK, **{"order_ids": [7], **options})


def check_visible(*results: Visibility) -> Any:
    return mock.patch.object(probe.Prober, "check", side_effect=results)


def test_login_returns_the_key() -> None:
    with scripted(login):
        result = run(auth.TASK)
    assert (result["auth_key"], result["changed"]) == (KEY, False)


def test_what_to_publish() -> None:
    with scripted(order()):
        result = dcv()
    (validation,) = result["validations"]
    assert result["changed"] is False
    assert {"order_id": 7, "name": NAME, "method": "http", "ready": True}.items() <= validation.items()
    assert validation["content"] == FILE_DATA["content"]


def test_delayed_data_is_waited_for() -> None:
    time = Time()
    with scripted(order(approver_method=[]), order(approver_method=None), order()):
        result = dcv(time=time)
    assert result["validations"][0]["ready"]
    assert time.pauses == [5, 5]


def test_missing_data_is_no_failure() -> None:
    with scripted(*[order(approver_method=[])] * 3):
        result = dcv(wait=10)
    assert not result["validations"][0]["ready"]
    assert result["_warnings"]


def test_a_failed_read_during_the_wait_is_no_failure() -> None:
    with scripted(order(approver_method=[]), call("GET", "/orders/status/7", b"", 502), order()):
        assert dcv()["validations"][0]["ready"]


@pytest.mark.parametrize("changes", [{"status": "active"}, {"status": "cancelled", "approver_method": []}])
def test_a_finished_order_is_not_waited_for(changes: dict[str, Any]) -> None:
    with scripted(order(**changes)):
        assert dcv()["changed"] is False


def test_each_order_has_its_own_methods() -> None:
    """Two orders for the same name may have different methods. Names of other orders are ignored."""
    change = call("POST", CHANGE, {"success": True}, fields={"domains": NAME, "new_methods": "dns"})
    with scripted(order(), change, order(**DNS)):
        result = dcv(order_methods={"7": {NAME: "dns", "www.other.example.com": "dns"}, 8: {NAME: "https"}})
    assert result["changed"] is True
    with scripted(order()):
        assert dcv(methods={NAME: "dns"}, order_methods={7: {NAME: "http"}})["changed"] is False


@pytest.mark.parametrize("wrong", [{"seven": {NAME: "dns"}}, {7: "dns"}, {7: {NAME: "pigeon"}}])
def test_invalid_order_methods(wrong: dict[Any, Any]) -> None:
    with scripted(), pytest.raises(GogetsslError, match="methods"):
        dcv(order_methods=wrong)


def test_a_changed_method_is_set_and_its_data_read() -> None:
    change = call("POST", CHANGE, {"success": True}, fields={"domains": NAME, "new_methods": "dns"})
    with scripted(order(), change, order(**DNS)):
        result = dcv(methods={"SHOP.example.com": "DNS"})
    assert result["changed"] is True
    assert result["diff"] == {"before": {NAME: "http"}, "after": {NAME: "dns"}}
    assert result["validations"][0]["record"] == RECORD


@pytest.mark.parametrize("changes", [{"approver_method": []}, {"dcv_status": "2"}])
def test_the_same_method_or_a_validated_name_changes_nothing(changes: dict[str, Any]) -> None:
    spec = "http" if "approver_method" in changes else "dns"
    with scripted(order(**changes)):
        result = dcv(methods={NAME: spec}, wait=0)
    assert result["changed"] is False
    assert "diff" not in result


def test_check_mode_only_reads() -> None:
    with scripted(order(approver_method=[])):
        result = dcv(methods={NAME: "dns"}, check_mode=True)
    assert result["changed"] is True
    with scripted(order()), check_visible(Visibility(True)):
        result = dcv(state="validated", check_mode=True)
    assert (result["changed"], result["requested"]) == (True, [NAME])


def test_a_lost_response_to_a_change_is_resolved_by_reading() -> None:
    with scripted(order(), call("POST", CHANGE, b"", 502), order(**DNS)):
        assert dcv(methods={NAME: "dns"})["changed"] is True
    lost = scripted(order(), call("POST", CHANGE, b"", 502), order())
    with lost, pytest.raises(GogetsslError, match="HTTP 502"):
        dcv(methods={NAME: "dns"})


def test_a_locked_change_is_a_warning() -> None:
    with scripted(order(), call("POST", CHANGE, LOCKED), order()):
        result = dcv(methods={NAME: "dns"})
    assert "locked for 5 minutes" in result["_warnings"][0]
    assert result["changed"] is False


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"a.example.com": "carrier pigeon"}, "must have"),
        ({"*.example.com": "http"}, "wildcard"),
        ({"other.example.com": "dns"}, "not a name of these orders"),
    ],
)
def test_invalid_methods(methods: dict[str, str], message: str) -> None:
    calls = [order()] if message.startswith("not a name") else []
    with scripted(*calls), pytest.raises(GogetsslError, match=message):
        dcv(methods=methods)


def test_revalidation_is_requested_once_the_data_is_visible() -> None:
    time = Time()
    with scripted(order(), REVALIDATE), check_visible(Visibility(False, "HTTP 404"), Visibility(True)):
        result = dcv(time=time, state="validated")
    assert (result["requested"], result["changed"], time.pauses) == ([NAME], True, [5])
    assert result["validations"][0]["visible"] is True


def test_invisible_data_is_reported_without_revalidation() -> None:
    with scripted(order()), check_visible(*[Visibility(False, "HTTP 404")] * 3):
        result = dcv(state="validated", wait=10)
    assert (result["requested"], result["changed"]) == ([], False)
    assert (result["validations"][0]["visible"], result["validations"][0]["problem"]) == (False, "HTTP 404")


@pytest.mark.parametrize("answer", [LOCKED, {"error": True, "message": "No"}, b"<html>"])
def test_a_refused_revalidation_is_no_failure(answer: Any) -> None:
    with scripted(order(), REVALIDATE._replace(answer=answer)), check_visible(Visibility(True)):
        result = dcv(state="validated")
    assert (result["requested"], result["changed"]) == ([], False)
    assert result["validations"][0]["problem"]


def test_a_validated_name_is_not_revalidated() -> None:
    with scripted(order(dcv_status="2")), check_visible():
        result = dcv(state="validated")
    assert result["validations"][0]["visible"] is None
    assert result["changed"] is False


def test_email_validation_is_neither_checked_nor_requested() -> None:
    with scripted(order(approver_method={"email": "admin@example.com"}, dcv_method="email")):
        result = dcv(state="validated")
    assert "admin@example.com" in result["validations"][0]["problem"]
    assert result["requested"] == []


def test_revalidation_is_requested_if_dns_cannot_be_checked() -> None:
    with scripted(order(**DNS), REVALIDATE), check_visible(Visibility(None, "no library")):
        assert dcv(state="validated")["requested"] == [NAME]


MAIL = {"approver_method": {"email": "admin@example.com"}, "dcv_method": "email", "approver_email": "admin@example.com"}
OTHER_MAIL = {"san_name": "b.example.com", "validation_method": "email", "validation": {"email": "admin@example.com"}}
RESEND = call("POST", "/orders/ssl/resend/7", {"success": True}, fields={"domain": NAME})
RECHECK = "/orders/ssl/recheck-caa/7"


def test_one_mail_is_resent_by_name() -> None:
    with scripted(order(**MAIL), RESEND):
        result = dcv(resend_email=True)
    assert (result["changed"], result["requested"], result["deferred"]) == (True, [NAME], [])


@pytest.mark.parametrize("post_only", [False, True])
def test_several_mails_are_resent_by_one_call(post_only: bool) -> None:
    path = "/orders/ssl/resend_validation_email/7"
    missing = call("GET", path, {"message": "The requested method is unknown"}, 404)
    calls = (missing, call("POST", path, {"success": True})) if post_only else (call("GET", path, {"success": True}),)
    with scripted(order(**MAIL, san=[OTHER_MAIL]), *calls):
        assert dcv(resend_email=True)["requested"] == [NAME, "b.example.com"]


def test_no_mail_is_resent_if_none_is_pending() -> None:
    with scripted(order()):
        result = dcv(resend_email=True)
    assert (result["changed"], result["requested"]) == (False, [])


def test_caa_recheck() -> None:
    with scripted(order(), call("GET", RECHECK, {"success": True})):
        assert dcv(recheck_caa=True)["requested"] == [NAME]
    with scripted(order(status="active")):
        assert dcv(recheck_caa=True)["changed"] is False
    with scripted(order()):
        assert dcv(recheck_caa=True, check_mode=True)["changed"] is True


def test_a_locked_caa_recheck_is_a_warning() -> None:
    with scripted(order(), call("GET", RECHECK, LOCKED)):
        result = dcv(recheck_caa=True)
    assert (result["changed"], result["requested"], result["deferred"][0]["names"]) == (False, [], [NAME])
    assert "locked for 5 minutes" in result["deferred"][0]["reason"]
    assert "once in ten minutes" in result["_warnings"][0]


def test_a_refused_caa_recheck_is_a_failure() -> None:
    refused = call("GET", RECHECK, {"error": True, "message": "not supported"})
    with scripted(order(), refused), pytest.raises(GogetsslError, match="not supported"):
        dcv(recheck_caa=True)


def test_the_approver_of_the_common_name_has_its_own_call() -> None:
    new = {**MAIL, "approver_method": {"email": "webmaster@example.com"}}
    change = call(
        "POST",
        "/orders/ssl/change_validation_email/7",
        {"success": True},
        fields={"approver_email": "webmaster@example.com"},
    )
    with scripted(order(**MAIL), change, order(**new)):
        result = dcv(methods={NAME: "webmaster@example.com"})
    assert (result["changed"], result["validations"][0]["email"]) == (True, "webmaster@example.com")
