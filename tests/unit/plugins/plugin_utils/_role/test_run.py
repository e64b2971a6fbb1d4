# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role derives from the results of its tasks."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.plugin_utils._role import publishing
from ansible_collections.certops.gogetssl.plugins.plugin_utils._role.run import play_state, run_state

SETTINGS: dict[str, Any] = {
    "certificates": [{"name": name, "names": [f"{name}.example.com"]} for name in ("a", "b", "c")],
    "http_publisher": "web_root",
    "http_tasks": {},
    "web_hosts": ["web1"],
    "dns_provider": "",
    "preflight": True,
    "dcv_timeout": 60,
    "dns_timeout": 300,
    "wait": True,
    "wait_timeout": 900,
    "keep_dcv": False,
}
PROBE = {"file_name": "probe.txt", "content": "x"}


def order(name: str, order_id: int, **changes: Any) -> dict[str, Any]:
    return {"name": name, "order_id": order_id, "pending": True, "methods": {}, "step": "buy", **changes}


def file(order_id: int, **changes: Any) -> dict[str, Any]:
    return {"order_id": order_id, "file_name": f"{order_id}.txt", "record": None, "state": "pending", **changes}


def record(order_id: int, **changes: Any) -> dict[str, Any]:
    return {
        "order_id": order_id,
        "file_name": None,
        "record": f"_{order_id}.example.com",
        "state": "pending",
        **changes,
    }


RESULTS: dict[str, Any] = {
    "inspected": {"obtain": ["a", "b"], "to_copy": [], "stopped": [], "unremoved_files": [], "probes": []},
    "planned": {"orders": [order("a", 0), order("b", 0)], "stopped": []},
    "ordered": {
        "orders": [order("a", 1), order("b", 2)],
        "validations": [file(1), file(2)],
        "stopped": [],
    },
    "dcv_checked": {"skipped": True},
    "refreshed": {"skipped": True},
}


def state(changes: dict[str, Any] | None = None, check_mode: bool = False, **settings: Any) -> dict[str, Any]:
    return run_state({**RESULTS, **(changes or {})}, {**SETTINGS, **settings}, "web1", check_mode)


def test_a_module_that_fails_without_ending_the_run() -> None:
    """`failed_when: false` resets `failed`."""
    one = {"gogetssl_web_host": "web1", "failed": False, "msg": "No Python."}
    assert publishing.failures([file(1)], {"x": {"results": [one]}}, "x") == [{"order_id": 1, "reason": "No Python."}]


def visit(**result: Any) -> dict[str, Any]:
    return {"results": [{"gogetssl_web_host": "web1", "stopped": [], **result}]}


def ids(entries: list[dict[str, Any]]) -> list[Any]:
    return [one.get("order_id") for one in entries]


@pytest.mark.parametrize(
    ("result", "stopped"),
    [
        ({}, []),
        ({"stopped": [{"order_id": 2, "reason": "In use."}]}, [{"order_id": 2, "reason": "In use."}]),
        (
            {"unreachable": True},
            [{"order_id": one, "reason": "The web host web1 is unreachable."} for one in (1, 2)],
        ),
        (
            {"failed": True, "stopped": None, "msg": "No Python."},
            [{"order_id": one, "reason": "No Python."} for one in (1, 2)],
        ),
        ({"stopped": [{"order_id": 9, "reason": "Of another host's run."}]}, []),
        ({"stopped": 7}, []),
    ],
)
def test_web_hosts_that_fail(result: dict[str, Any], stopped: list[Any]) -> None:
    assert publishing.failures([file(1), file(2)], {"x": visit(**result)}, "x") == stopped


def test_the_first_reason_of_several_web_hosts_is_reported() -> None:
    visits: list[dict[str, Any]] = [
        {"gogetssl_web_host": "web1", "stopped": []},
        {"gogetssl_web_host": "web2", "unreachable": True},
    ]
    visits += [{"gogetssl_web_host": "web3", "failed": True, "msg": "No."}]
    [stop] = publishing.failures([file(1)], {"x": {"results": visits}}, "x")
    assert stop["reason"] == "The web host web2 is unreachable."
    assert publishing.reached({"x": {"results": visits}}, "x")
    assert not publishing.reached({"x": {"results": visits[1:]}}, "x")


def test_a_task_that_fails_as_a_whole_stops_its_orders_and_certificates_only() -> None:
    failed = {"msg": "Unexpected KeyError.", "failed": False}
    results = {"ordered": {**RESULTS["ordered"], "validations": [file(1), record(2)]}, "dns_published": failed}
    assert state(results, dns_provider="nsupdate")["stopped"] == [{"name": "b", "reason": "b: Unexpected KeyError."}]
    planned = {"orders": [order("a", 0, methods={"a.example.com": "dns"}), order("b", 0)], "stopped": []}
    found = state({"planned": planned, "dns_checked": failed})
    assert found["dns_stopped"] == [{"name": "a", "reason": "a: Unexpected KeyError."}]
    assert [one["name"] for one in found["to_order"]] == ["b"]
    skipped = {"skipped": True, "msg": "It was skipped."}
    assert state({"planned": planned, "dns_checked": skipped})["dns_stopped"] == []


def test_an_order_that_could_not_be_published_is_neither_validated_nor_waited_for() -> None:
    found = state({"files_published": visit(stopped=[{"order_id": 2, "reason": "In use."}])})
    assert (found["ids_to_validate"], ids(found["awaited"])) == ([1], [1])
    reason = "b: the DCV files could not be published: In use."
    assert found["stopped"] == [{"name": "b", "reason": reason}]
    assert ids(found["obsolete_files"]) == [2]


def test_failures_of_task_files_stop_their_orders_and_certificates() -> None:
    failures = [
        {"phase": "present", "order_id": 1, "reason": "No API."},
        {"phase": "verified", "name": "c", "reason": "No key."},
        {"phase": "absent", "order_id": 2, "reason": "It stays."},
    ]
    found = state({"publisher_failed": {"msg": failures}})
    assert (found["ids_to_validate"], found["dns_stopped"]) == ([2], [{"name": "c", "reason": "c: No key."}])
    assert [one["reason"] for one in found["stopped"]] == ["c: No key.", "a: No API."]


def test_a_file_that_is_not_visible_stops_its_order() -> None:
    checked = {"validations": [file(1, visible=False, problem="Returns 404."), file(2, visible=True)]}
    found = state({"dcv_checked": checked})
    assert (ids(found["awaited"]), [one["name"] for one in found["stopped"]]) == ([2], ["a"])
    assert ids(found["obsolete_files"]) == [1]


def test_files_of_pending_orders_stay_unless_the_run_failed() -> None:
    assert state()["obsolete_files"] == []
    assert state()["needed_ids"] == [1, 2]
    for refreshed in ({}, {"failed": True, "msg": "No."}):
        found = state({"refreshed": refreshed})
        assert (ids(found["obsolete_files"]), found["needed_ids"]) == ([1, 2], [])


def test_records_and_noted_files_of_orders_whose_state_is_not_known_stay() -> None:
    inspected = {**RESULTS["inspected"], "unremoved_files": [file(7), file(8)]}
    found = state({"inspected": inspected, "refreshed": {"unread_order_ids": [7], "orders": []}})
    assert found["needed_ids"] == [1, 2, 7]
    assert ids(found["obsolete_files"]) == [8]
    assert (ids(found["unremoved"]), found["note_changes"]) == ([7], True)


def test_files_of_finished_orders_are_removed_and_kept_on_request() -> None:
    done = {"orders": [order("a", 1, pending=False, validations=[file(1), record(1)]), order("b", 2)]}
    assert ids(state({"refreshed": done})["obsolete_files"]) == [1]
    inspected = {**RESULTS["inspected"], "probes": [PROBE]}
    assert state({"refreshed": done, "inspected": inspected}, keep_dcv=True)["obsolete_files"] == [PROBE]


def test_files_that_could_not_be_removed_are_noted_and_reported() -> None:
    failed = {"refreshed": {}, "files_removed": visit(stopped=[{"order_id": 2, "reason": "Busy."}])}
    found = state(failed)
    assert ids(found["unremoved"]) == [2]
    assert found["warnings"] == ["WARNING: DCV files not removed: 2.txt. The next run tries again. Busy."]
    assert ids(state({"refreshed": {}, "deployed": {"dcv_files_left": True}})["unremoved"]) == [1, 2]
    assert state({"refreshed": {}})["unremoved"] == []


def test_files_are_removed_if_the_second_look_at_the_orders_fails_after_a_deployment() -> None:
    deployed = {"deployed": {"stopped": []}}
    assert (state(deployed)["after_failure"], state(deployed)["obsolete_files"]) == (False, [])
    found = state({**deployed, "refreshed": {"failed": True, "msg": "No."}})
    assert (found["after_failure"], ids(found["obsolete_files"])) == (True, [1, 2])


@pytest.mark.parametrize(
    ("hook", "to_copy", "steps"),
    [("", [], []), ("exim", [], ["deploy_hook"]), ("", ["c"], ["copy"]), ("exim", ["c"], ["deploy_hook", "copy"])],
)
def test_what_follows_the_installation(hook: str, to_copy: list[str], steps: list[str]) -> None:
    inspected = {**RESULTS["inspected"], "to_copy": to_copy}
    assert state({"deployed": {"hook": hook}, "inspected": inspected})["deployment_steps"] == steps


def test_a_note_is_written_if_files_stay_and_removed_with_the_noted_files() -> None:
    inspected = {**RESULTS["inspected"], "unremoved_files": [file(8)]}
    assert state()["note_changes"] is False
    assert state({"refreshed": {}, "deployed": {"dcv_files_left": True}})["note_changes"] is True
    assert state({"inspected": inspected})["note_changes"] is True
    assert state({"inspected": inspected}, keep_dcv=True)["note_changes"] is False


def test_the_probe_is_removed_where_it_was_published() -> None:
    published = {"probe": PROBE, "probe_published": visit()}
    found = state(published)
    assert (found["probes"], found["probes_to_remove"], found["preflight_stopped"]) == ([PROBE], [PROBE], [])
    assert state(published, check_mode=True)["probes_to_remove"] == []
    found = state({"probe": PROBE, "probe_published": visit(stopped=[{"order_id": 0, "reason": "No root."}])})
    assert (found["probes"], found["probes_to_remove"]) == ([], [])
    assert [one["reason"] for one in found["preflight_stopped"]] == ["a: No root.", "b: No root."]
    both = [*visit()["results"], {"gogetssl_web_host": "web2", "unreachable": True}]
    found = state({"probe": PROBE, "probe_published": {"results": both}})
    assert (found["probes"], found["probes_to_remove"]) == ([], [PROBE])


def test_the_visit_for_the_keys_publishes_the_probe_in_the_own_web_root() -> None:
    found = state({"probe": PROBE})
    assert (found["probe_with_keys"], found["probe_hosts"], found["check_publishers"]) == ([PROBE], [], False)
    assert (found["probes"], found["probes_to_remove"]) == ([], [])
    visited = {"probe": PROBE, "requested": {"requests": [], "stopped": [], "probe_problem": ""}}
    assert state(visited)["probes"] == [PROBE]
    assert state({**visited, "requested": {"skipped": True}})["probes"] == []
    found = state({**visited, "requested": {**visited["requested"], "probe_problem": "No root."}})
    assert (found["probes"], found["probes_to_remove"]) == ([], [])
    assert [one["reason"] for one in found["preflight_stopped"]] == ["a: No root.", "b: No root."]
    # A visit that failed may have published the probe.
    assert state({**visited, "requested": {"failed": True, "msg": "No."}})["probes_to_remove"] == [PROBE]


@pytest.mark.parametrize(
    ("changes", "settings", "hosts"),
    [
        ({}, {"web_hosts": ["web1", "web2"]}, ["web1", "web2"]),
        ({}, {"http_publisher": "validation_server"}, ["web1"]),
        ({}, {"http_publisher": "mine", "http_tasks": {"mine": "mine.yml"}}, []),
        ({"planned": {}}, {}, ["web1"]),
    ],
)
def test_elsewhere_the_probe_has_visits_of_its_own(changes: Any, settings: Any, hosts: list[str]) -> None:
    found = state({"probe": PROBE, **changes}, **settings)
    assert (found["probe_with_keys"], found["probe_hosts"], found["check_publishers"]) == ([], hosts, True)


def test_certificates_that_the_plan_stops_get_no_key() -> None:
    planned = {**RESULTS["planned"], "stopped": [{"name": "b", "reason": "b: no."}]}
    found = state({"planned": planned, "preflight": {"stopped": [{"name": "a", "reason": "a: no."}]}})
    assert ([one["name"] for one in found["to_request"]], found["to_order"]) == (["a"], [])


@pytest.mark.parametrize(
    ("dcv", "probed"),
    [("http", True), ("https", True), ("auto", True), ("dns", False), ({"a": "dns", "b": "https"}, True), (None, True)],
)
def test_only_certificates_validated_by_files_need_the_probe(dcv: Any, probed: bool) -> None:
    one = {"name": "a", **({"dcv": dcv} if dcv else {})}
    found = state({"probe": PROBE}, certificates=[one])
    assert found["probe_files"] == ([PROBE] if probed else [])
    assert state({"probe": PROBE}, certificates=[one], http_publisher="none")["probe_files"] == []


@pytest.mark.parametrize(("mode", "checked", "held"), [(True, 2, ["a"]), ("warn", 2, []), (False, 0, [])])
def test_modes_of_the_preflight(mode: Any, checked: int, held: list[str]) -> None:
    preflight = {"stopped": [{"name": "a", "reason": "a: no."}]}
    found = state({"preflight": preflight}, preflight=mode)
    assert len(found["preflight"]) == checked
    assert [one["name"] for one in found["preflight_stopped"]] == held
    assert [one["name"] for one in found["to_order"]] == [one for one in ("a", "b") if one not in held]


def test_the_preflight_of_all_certificates_needs_no_plan() -> None:
    assert len(state({"planned": {}, "inspected": {}}, preflight=False)["preflight"]) == 3


def test_task_files_are_called_for_each_order() -> None:
    found = state(http_publisher="mine", http_tasks={"mine": "mine.yml"})
    assert [(one["order_id"], one["state"]) for one in found["file_hooks"]] == [(1, "present"), (2, "present")]
    assert (found["web_hosts"], found["own_web_root"]) == ([], False)
    assert (state()["web_hosts"], state()["file_hooks"], state()["own_web_root"]) == (["web1"], [], True)
    assert state(web_hosts=["web1", "web2"])["own_web_root"] is False


def test_the_most_recent_state_of_an_order_counts() -> None:
    found = state({"refreshed": {"orders": [order("a", 1, pending=False)]}})
    assert [(one["name"], one["pending"]) for one in found["orders"]] == [("b", True), ("a", False)]
    assert found["pending_ids"] == [1, 2]


def cached(order_id: int, seconds: int) -> dict[str, Any]:
    return {"order_id": order_id, "seconds": seconds, "reason": f"until {seconds}"}


def test_negative_answers_are_waited_for_within_the_time_limit() -> None:
    results = {
        "dns_published": {"cached": [cached(1, 60), cached(2, 901)], "stopped": []},
        "incomplete": {"pending": [1, 2]},
    }
    found = state(results)
    assert (found["recheck_ids"], found["long_cached"]) == ([1], ["until 901"])
    assert state({**results, "incomplete": {}})["recheck_ids"] == []
    assert state(results, wait=False)["long_cached"] == []


def known(host: str, orders: list[dict[str, Any]], **results: Any) -> dict[str, Any]:
    return {
        "inventory_hostname": host,
        "__gogetssl_variables": {"settings": SETTINGS},
        "__gogetssl_ordered": {"orders": orders, "validations": [], "stopped": []},
        "__gogetssl_dcv_checked": {"skipped": True},
        **results,
    }


def test_hosts_of_a_play_wait_together() -> None:
    web1 = known("web1", [order("a", 1, requires="", waiting_for="It is validated.")])
    web2 = known("web2", [order("b", 2, requires="a payment")])
    web2["__gogetssl_dns_published"] = {"cached": [cached(2, 300), cached(2, 1000)], "stopped": []}
    found = play_state([web1, web2, {"inventory_hostname": "web3"}, known("web4", [])])
    assert (found["order_ids"], found["brief_order_ids"], found["negative_ttl"]) == ([1], [2], 300)
    assert found["texts"][1] == "a on web1: It is validated."


def test_what_is_finished_is_not_waited_for_again() -> None:
    orders = [order("a", 1, requires="", pending=False), order("b", 2, requires="")]
    web1 = known("web1", orders, __gogetssl_refreshed={"orders": orders})
    web1["__gogetssl_ordered"] = {"orders": [order("a", 1, requires=""), orders[1]], "validations": [], "stopped": []}
    web1["__gogetssl_dns_published"] = {"cached": [cached(1, 300)], "stopped": []}
    found = play_state([web1])
    assert (found["order_ids"], found["negative_ttl"]) == ([2], 0)


@pytest.mark.parametrize(
    ("results", "unfinished"),
    [
        ({"incomplete": {"pending": [2], "seconds_left": 800}}, True),
        ({"incomplete": {"pending": [2], "seconds_left": 0}}, False),
        ({"incomplete": {"pending": [9], "seconds_left": 800}}, False),
        ({"incomplete": {"pending": [9], "seconds_left": 800}, "copied": {"waiting": [{"name": "c"}]}}, True),
        ({"incomplete": {"pending": [], "seconds_left": 800}, "copied": {"waiting": [{"name": "c"}]}}, False),
        ({"incomplete": {"skipped": True}}, False),
    ],
)
def test_a_host_waits_longer_for_its_own_orders_and_those_that_it_copies(results: Any, unfinished: bool) -> None:
    assert state(results)["unfinished"] is unfinished
    assert state(results, wait=False)["unfinished"] is False


def test_orders_that_need_a_person_are_not_waited_for_longer() -> None:
    ordered = {**RESULTS["ordered"], "orders": [order("a", 1, requires="a payment")]}
    assert state({"ordered": ordered, "incomplete": {"pending": [1], "seconds_left": 800}})["unfinished"] is False


@pytest.mark.parametrize(
    ("changes", "settings", "cleanup"),
    [
        ({}, {}, False),
        ({"refreshed": {}}, {}, False),
        ({"refreshed": {}}, {"web_hosts": ["web2"]}, True),
        ({"refreshed": {}}, {"http_publisher": "mine", "http_tasks": {"mine": "mine.yml"}}, True),
        ({"inspected": {**RESULTS["inspected"], "published": True}}, {}, True),
        ({"ordered": {**RESULTS["ordered"], "validations": [record(1)]}}, {"dns_provider": "nsupdate"}, True),
    ],
)
def test_the_deployment_removes_files_from_the_own_web_root(changes: Any, settings: Any, cleanup: bool) -> None:
    assert state(changes, **settings)["cleanup"] is cleanup


@pytest.mark.parametrize(
    ("results", "completed"),
    [
        ({}, False),
        ({"deployed": {"stopped": [], "hook": ""}}, True),
        ({"deployed": {"stopped": [], "hook": "nginx"}}, False),
        ({"deployed": {"stopped": [], "hook": ""}, "inspected": {"to_copy": ["c"]}}, False),
        ({"deployed": {"stopped": [], "hook": ""}, "inspected": {"to_copy": ["c"]}, "copied": {"waiting": []}}, True),
    ],
)
def test_the_report_is_complete_after_the_deployment(results: dict[str, Any], completed: bool) -> None:
    assert state(results)["completed"] is completed


def test_certificates_without_a_key_stop_and_the_others_are_ordered() -> None:
    stop = {"name": "b", "reason": "b: There is no user tomcat on this host."}
    found = state({"requested": {"requests": [], "stopped": [stop]}, "deployed": {"stopped": []}})
    assert [one["name"] for one in found["to_order"]] == ["a"]
    assert (found["stopped"], found["failure_kind"]) == ([stop], "run")


def test_certificates_with_mistakes_are_left_alone() -> None:
    """The inspection knows those that no task accepts, and not those with an unknown service."""
    stops = [{"name": name, "reason": f"{name}: x."} for name in ("c", "d")]
    inspected = {**RESULTS["inspected"], "obtain": ["a", "d"], "install": ["b", "d"], "stopped": stops[:1]}
    found = state(
        {"inspected": inspected, "planned": {"stopped": []}, "deployed": {"stopped": []}},
        certificates=SETTINGS["certificates"][:2],
        invalid=[{**one, "certificate": {}} for one in stops],
    )
    assert ([one["name"] for one in found["to_order"]], found["install"]) == (["a"], ["b"])
    assert (found["stopped"], found["failure_kind"]) == (stops, "plan")


@pytest.mark.parametrize(
    ("results", "kind"),
    [
        ({}, ""),
        ({"planned": {"stopped": [{"name": "a", "reason": "a: x."}]}}, "plan"),
        ({"inspected": {"stopped": [{"name": "a", "reason": "a: x."}]}}, "plan"),
        ({"ordered": {"stopped": [{"name": "a", "reason": "a: x."}]}}, "run"),
    ],
)
def test_stops_of_the_plan_are_another_kind_of_failure(results: dict[str, Any], kind: str) -> None:
    assert state({**results, "deployed": {"stopped": []}})["failure_kind"] == kind
    assert state(results)["failure_kind"] == "", "the run has not reached its end"
