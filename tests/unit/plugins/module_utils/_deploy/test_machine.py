# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The deployment: every path, on a host in memory. After a kill before any effect, the next run converges."""

from __future__ import annotations

import typing as t

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import host_error
from ansible_collections.certops.gogetssl.plugins.module_utils._deploy.machine import Deployment, Machine
from ansible_collections.certops.gogetssl.plugins.module_utils._deploy.progress import Entry, Progress, read_progress
from ansible_collections.certops.gogetssl.plugins.module_utils._deploy.services import Failure, Service, read_services

OLD, NEW = "0A", "0B"
NGINX, APACHE, EXIM = "nginx", "apache", "exim"
Rule = t.Callable[["Host"], bool]


class Killed(BaseException):
    """The run and its module have ended."""


def never(_host: Host) -> bool:
    return False


def always(_host: Host) -> bool:
    return True


class Host:
    """A host in memory. `uses` has the services of each certificate, which have loaded the version `OLD` of it."""

    def __init__(self, uses: dict[str, list[str]], version: str | None = OLD) -> None:
        self.uses = uses
        self.current: dict[str, str | None] = dict.fromkeys(uses, version)
        self.previous: dict[str, str | None] = dict.fromkeys(uses)
        self.marks: set[str] = set()
        self.loaded = {service: dict(self.current) for services in uses.values() for service in services}
        self.rejects: dict[str, Rule] = {}  # service -> whether its test fails
        self.missing: set[str] = set()  # services whose program is not there
        self.hangs: dict[str, Rule] = {}  # service -> whether its reload fails
        self.deaf: set[str] = set()  # certificates with a listener that never serves them
        self.unlistened: set[str] = set()  # certificates without listeners
        self.stuck = ""  # why nothing can be restored
        self.unusable: dict[str, str] = {}  # certificates that cannot be installed
        self.ended_after: int | None = None  # effects until the run ends that wants the deployment
        self.kill_at: int | None = None
        self.events: list[str] = []

    def _do(self, event: str) -> None:
        if self.kill_at == len(self.events):
            raise Killed
        self.events.append(event)

    def proceed(self) -> None:
        if self.ended_after is not None and len(self.events) >= self.ended_after:
            raise host_error("the run has ended")

    def install(self, names: t.Sequence[str]) -> tuple[list[Entry], dict[str, str]]:
        entries = []
        for name in names:
            if name in self.unusable:
                continue
            self._do(f"install {name}")
            entries.append(self._install(name))
        return entries, {name: why for name, why in self.unusable.items() if name in names}

    def _install(self, name: str) -> Entry:
        moved = self.current[name] != NEW
        before = self.current[name] if moved else self.previous[name]
        if moved:
            self.previous[name], self.current[name] = self.current[name], NEW
            self.marks |= {name} if self.uses[name] else set()
        return {
            **{"name": name, "serial": NEW, "previous_serial": before or "", "changed": moved, "moved": moved},
            "unverified": name in self.marks,
        }

    def test(self, service: Service) -> Failure | None:
        self._do(f"test {service.name}")
        if service.name in self.missing:
            return Failure("not found.", missing=True)
        return Failure("bad configuration.") if self.rejects.get(service.name, never)(self) else None

    def reload(self, service: Service, names: t.Sequence[str]) -> Failure | None:
        self._do(f"reload {service.name} {'+'.join(names)}")
        return self.load(service.name)

    def load(self, service: str) -> Failure | None:
        if self.hangs.get(service, never)(self):
            return Failure("it hangs.")
        self.loaded[service] = dict(self.current)
        return None

    def query(self, names: t.Sequence[str]) -> dict[str, Entry]:
        self._do(f"query {'+'.join(names)}")
        return {name: {"not_after": "", "replace_from": "", "listeners": self.listeners(name)} for name in names}

    def listeners(self, name: str) -> list[Entry]:
        if name in self.unlistened:
            return []
        seen = [(f"{name} by {one}", self.loaded[one].get(name) == self.current[name]) for one in self.uses[name]]
        seen += [(f"{name} by nothing", False)] * (name in self.deaf)
        return [{"listener": listener, "matches": right, "answers": True} for listener, right in seen]

    def pause(self) -> None:
        self._do("pause")

    def journal(self, service: Service) -> list[str]:
        self._do(f"journal {service.name}")
        return [f"{service.name} said something"]

    def restore(self, entries: t.Sequence[Entry]) -> None:
        if self.stuck:
            raise host_error(self.stuck)
        for entry in entries:
            self._do(f"restore {entry['name']}")
            self.current[entry["name"]] = entry["previous_serial"] or None
            self.marks.discard(entry["name"])

    def confirm(self, entries: t.Sequence[Entry]) -> None:
        for entry in entries:
            self._do(f"confirm {entry['name']}")
            self.marks.discard(entry["name"])

    def due(self) -> list[str]:
        """What the next run finds to do: as gogetssl_certificate_info and the order say."""
        wrong = {name for name in self.uses if any(not one["matches"] for one in self.listeners(name))}
        return [name for name in self.uses if self.current[name] != NEW or name in self.marks or name in wrong]


def machine(host: Host, progress: Progress | None = None, names: t.Sequence[str] = (), **options: t.Any) -> Machine:
    services = dict.fromkeys(one for used in host.uses.values() for one in used)
    wanted = Deployment(
        names=tuple(names or host.uses),
        used_by=host.uses,
        services=read_services(services, {}, [EXIM]),
        **{"attempts": 2, **options},
    )
    return Machine(wanted, host, progress or Progress())


def deploy(host: Host, hook: t.Callable[[str], str] = lambda _service: "", **options: t.Any) -> Progress:
    """A whole deployment with the task files of the user, whose progress passes through text."""
    running = machine(host, **options)
    running.start()
    while running.progress.hook:
        service = running.progress.hook
        host._do(f"hook {service}")
        error = hook(service)
        if not error:
            host.load(service)
        running = machine(host, read_progress(running.progress.dump()), **options)
        running.proceed_after(error)
    return running.progress


def two(**options: t.Any) -> Host:
    return Host({"a": [NGINX], "b": [APACHE]}, **options)


def shared() -> Host:
    return Host({"a": [NGINX], "b": [NGINX]})


def test_the_order_of_all_effects() -> None:
    host = Host({"a": [NGINX, APACHE], "b": [APACHE]})
    progress = deploy(host)
    assert host.events == [
        *("test nginx", "test apache", "install a", "install b", "test nginx", "test apache"),
        *("reload nginx a", "reload apache a+b", "query a+b", "confirm a", "confirm b"),
    ]
    assert (progress.stopped, progress.live, progress.reloads, progress.confirmed) == ({}, ["a", "b"], 2, 2)
    assert not host.due()


def test_what_needs_no_service_is_installed() -> None:
    host = Host({"a": []})
    assert (deploy(host).stopped, host.events) == ({}, ["install a", "query a"])


@pytest.mark.parametrize("incomplete", [[], ["a"]])
def test_a_service_that_is_in_no_condition_keeps_only_its_own_certificates_away(incomplete: list[str]) -> None:
    host = two()
    host.rejects = {APACHE: always}
    progress = deploy(host, incomplete=incomplete)
    assert progress.stopped == {
        "b": "b: nothing was installed because apache rejects its current configuration: bad configuration. Fix this"
        " and run again. The next run continues without another order."
    }
    assert (host.current, host.marks, host.loaded[NGINX]["a"]) == ({"a": NEW, "b": OLD}, set(), NEW)
    assert "reload apache b" not in host.events


def test_a_missing_service_is_an_error_although_files_are_missing() -> None:
    host = two(version=None)
    host.missing = {APACHE}
    progress = deploy(host, incomplete=["a", "b"])
    assert "b: nothing was installed because apache is not installed on this host: not found." in progress.stopped["b"]
    assert (host.current, list(progress.stopped)) == ({"a": NEW, "b": None}, ["b"])


def test_nothing_happens_if_no_service_is_in_a_condition() -> None:
    host = Host({"a": [NGINX], "b": [NGINX]})
    host.rejects = {NGINX: always}
    assert (list(deploy(host).stopped), host.events) == (["a", "b"], ["test nginx"])


def test_a_configuration_that_names_missing_files_is_tested_after_the_installation() -> None:
    host = two(version=None)
    host.rejects = {NGINX: lambda host: host.current["a"] is None}
    progress = deploy(host, incomplete=["a", "b"])
    assert (progress.stopped, progress.deferred, host.due()) == ({}, [NGINX], [])


def test_a_certificate_that_cannot_be_installed_does_not_hold_up_another() -> None:
    host = two()
    host.unusable = {"a": "a: the chain is broken."}
    progress = deploy(host)
    assert (progress.stopped, host.current) == (host.unusable, {"a": OLD, "b": NEW})
    assert "reload nginx a" not in host.events


def test_rejected_files_go_back_before_any_service_has_read_them() -> None:
    host = Host({"a": [NGINX], "b": [APACHE, NGINX], "c": [EXIM]})
    host.rejects = {APACHE: lambda host: host.current["b"] == NEW}
    progress = deploy(host)
    assert progress.stopped == {
        "b": "b: not served; no service was reloaded, and the previous version was restored. Test the configuration of"
        " apache: bad configuration."
    }
    assert host.current == {"a": NEW, "b": OLD, "c": NEW}
    back = host.events.index("restore b")
    assert "reload" not in " ".join(host.events[:back])
    assert host.events[back + 1] == "test nginx"  # what is left was not tested in this combination
    assert "reload apache b" not in host.events
    assert host.due() == ["b"]


@pytest.mark.parametrize(
    ("rejected", "incomplete", "current", "words"),
    [
        (NEW, [], None, "the first version was removed"),
        (NEW, ["a"], None, "the first version was removed"),
        (None, ["a"], NEW, "the first version was kept"),
    ],
)
def test_a_first_version_is_removed_only_if_it_is_the_cause(
    rejected: str | None, incomplete: list[str], current: str | None, words: str
) -> None:
    host = Host({"a": [NGINX]}, version=None)
    host.rejects = {NGINX: always if rejected is None else lambda host: host.current["a"] == rejected}
    progress = deploy(host, incomplete=incomplete)
    assert words in progress.stopped["a"]
    assert (host.current["a"], host.marks) == (current, {"a"} if current else set())


def test_a_first_version_is_kept_after_a_reload() -> None:
    host = Host({"a": [NGINX]}, version=None)
    host.deaf = {"a"}
    progress = deploy(host, incomplete=["a"])
    assert "a: not served; the first version was kept" in progress.stopped["a"]
    assert (host.current["a"], host.marks) == (NEW, {"a"})
    assert host.events[-1] == "journal nginx"


def test_only_the_certificate_of_a_failing_listener_goes_back() -> None:
    host = shared()
    host.deaf = {"b"}
    progress = deploy(host)
    assert progress.stopped == {
        "b": "b: not served; the previous version was restored, but b by nothing does not serve it: check the service"
        " now. b by nothing did not serve the new certificate after the reload. Journal of nginx: nginx said something"
    }
    assert (host.current, host.marks) == ({"a": NEW, "b": OLD}, set())
    assert host.loaded[NGINX] == {"a": NEW, "b": OLD}
    assert host.events[4:] == [
        *("reload nginx a+b", "query a+b", "pause", "query a+b", "confirm a"),
        *("journal nginx", "restore b", "test nginx", "reload nginx b", "query b", "pause", "query b"),
    ]


def test_only_the_certificates_of_a_failing_reload_go_back() -> None:
    host = Host({"a": [NGINX], "b": [APACHE], "c": [APACHE, NGINX]})
    host.hangs = {APACHE: lambda host: host.current["b"] == NEW}
    progress = deploy(host)
    why = (
        "b, c: not served; b, c: the previous version was restored and is served. Reload apache: it hangs. Journal of"
        " apache: apache said something Journal of nginx: nginx said something"
    )
    assert progress.stopped == {"b": why, "c": why}
    assert host.current == {"a": NEW, "b": OLD, "c": OLD}
    assert (host.loaded[APACHE]["b"], host.loaded[NGINX]["a"], host.loaded[NGINX]["c"]) == (OLD, NEW, OLD)
    assert host.marks == set()


def test_failures_of_two_kinds_are_told_apart() -> None:
    host = Host({"a": [NGINX], "b": [APACHE], "c": [NGINX]})
    host.hangs, host.deaf = {APACHE: lambda host: host.current["b"] == NEW}, {"c"}
    progress = deploy(host)
    assert "Reload apache: it hangs." in progress.stopped["b"]
    assert "c by nothing did not serve the new certificate" in progress.stopped["c"]
    assert host.current == {"a": NEW, "b": OLD, "c": OLD}


def test_a_service_that_fails_again_does_not_keep_others_from_their_previous_version() -> None:
    host = Host({"a": [NGINX, APACHE]})
    host.deaf, host.hangs = {"a"}, {NGINX: lambda host: host.current["a"] == OLD}
    progress = deploy(host)
    assert "nginx could not be reloaded with the previous version: it hangs." in progress.stopped["a"]
    assert "a by nginx, a by nothing does not serve it: check the service now" in progress.stopped["a"]
    assert host.loaded[APACHE]["a"] == OLD


def test_a_service_that_rejects_the_previous_version_is_not_reloaded() -> None:
    host = Host({"a": [NGINX]})
    host.deaf, host.rejects = {"a"}, {NGINX: lambda host: "restore a" in host.events}
    progress = deploy(host)
    assert "could not be reloaded with the previous version: bad configuration." in progress.stopped["a"]
    assert host.events.count("reload nginx a") == 1


def test_a_version_that_cannot_be_restored_is_told_and_nothing_is_reloaded() -> None:
    host = Host({"a": [NGINX]})
    host.deaf, host.stuck = {"a"}, "No space left."
    progress = deploy(host)
    assert "the previous version could NOT be restored (No space left): check current" in progress.stopped["a"]
    assert (host.events.count("reload nginx a"), host.marks) == (1, {"a"})


def test_files_that_were_added_are_kept() -> None:
    host = Host({"a": [NGINX]}, version=NEW)
    host.marks, host.deaf = {"a"}, {"a"}
    assert "a: not served; this run changed no files." in deploy(host).stopped["a"]
    assert (host.current["a"], host.marks) == (NEW, {"a"})


def test_listeners_get_the_time_that_they_need() -> None:
    host = Host({"a": [NGINX]})
    host.hangs = {}
    host.load = lambda service: None  # type: ignore[method-assign]  # the reload takes effect with the third query
    query = host.query

    def third(names: t.Sequence[str]) -> dict[str, Entry]:
        if host.events.count("pause") == 2:
            host.loaded[NGINX] = dict(host.current)
        return query(names)

    host.query = third  # type: ignore[method-assign]
    assert deploy(host, attempts=3).stopped == {}
    assert host.events[-6:] == ["query a", "pause", "query a", "pause", "query a", "confirm a"]


# Task files of the user


def test_task_files_of_the_user_run_in_the_order_of_the_services() -> None:
    host = Host({"a": [NGINX, EXIM, APACHE]})
    assert deploy(host).stopped == {}
    order = [event for event in host.events if event.startswith(("reload", "hook"))]
    assert order == ["reload nginx a", "hook exim", "reload apache a"]
    assert "test exim" not in host.events
    assert not host.due()


def test_a_failing_task_file_takes_back_its_certificates_and_runs_again() -> None:
    host = Host({"a": [NGINX], "b": [EXIM]})
    errors = iter(["exim is broken", ""])
    progress = deploy(host, lambda _service: next(errors))
    assert "Reload exim: exim is broken." in progress.stopped["b"]
    assert "the previous version was restored and is served" in progress.stopped["b"]
    assert (host.current, host.events.count("hook exim")) == ({"a": NEW, "b": OLD}, 2)
    assert host.loaded[EXIM]["b"] == OLD


def test_a_task_file_that_fails_again_is_told() -> None:
    host = Host({"b": [EXIM]})
    progress = deploy(host, lambda _service: "exim is broken.")
    assert "exim could not be reloaded with the previous version: exim is broken." in progress.stopped["b"]
    assert progress.hook == ""


def test_each_run_of_a_task_file_has_its_own_identifier() -> None:
    ids = iter("12")
    host = Host({"b": [EXIM]})
    seen = []
    running = machine(host, new_run=lambda: next(ids))
    running.start()
    while running.progress.hook:
        seen.append(running.progress.hook_run)
        running.proceed_after("broken" if len(seen) == 1 else "")
    assert seen == ["1", "2"]


# Another round in the same run, with copies of other hosts


def test_what_lacked_copies_is_tried_again_with_them() -> None:
    host = Host({"a": [NGINX], "b": [NGINX]}, version=None)
    host.rejects = {NGINX: lambda host: None in host.current.values()}
    options: dict[str, t.Any] = {"incomplete": ["a", "b"]}
    first = deploy(host, names=["a"], **options)
    assert (first.retry, list(first.stopped), host.current["a"]) == (["a"], ["a"], NEW)
    assert "reload nginx a" not in host.events
    second = deploy(host, progress=read_progress(first.dump()).next_round(), names=["a", "b"], **options)
    assert (second.stopped, list(second.entries), host.due()) == ({}, ["a", "b"], [])


def test_other_results_of_the_first_round_stay() -> None:
    host = two()
    host.deaf = {"a"}
    first = deploy(host, names=["a"])
    assert (first.retry, first.settled) == ([], {"a"})
    second = deploy(host, progress=first.next_round(), names=["b"])
    assert (list(second.stopped), list(second.entries), list(second.served)) == (["a"], ["a", "b"], ["a", "b"])


# Check mode, and runs that end


def test_a_preview_leaves_services_alone() -> None:
    host = two()
    running = machine(host)
    running.preview()
    assert host.events == ["install a", "install b"]


def paths() -> dict[str, Host]:
    """Hosts on which a deployment takes different paths."""
    hosts = {name: Host({"a": [NGINX, APACHE], "b": [NGINX, EXIM]}) for name in ("good", "deaf", "hangs", "rejects")}
    hosts["deaf"].deaf = {"b"}
    hosts["hangs"].hangs = {NGINX: lambda host: host.current["b"] == NEW}
    hosts["rejects"].rejects = {APACHE: lambda host: host.current["a"] == NEW}
    hosts["first"] = Host({"a": [NGINX], "b": [APACHE]}, version=None)
    hosts["first"].deaf = {"a"}
    # Nobody can see what these services serve: the marks are the only evidence.
    hosts["unseen"] = Host({"a": [NGINX, APACHE], "b": [NGINX, EXIM]})
    hosts["unseen"].unlistened = {"a", "b"}
    hosts["unseen, hangs"] = Host({"a": [NGINX, APACHE], "b": [NGINX, EXIM]})
    hosts["unseen, hangs"].unlistened = {"a", "b"}
    hosts["unseen, hangs"].hangs = {APACHE: lambda host: host.current["a"] == NEW}
    return hosts


def repair(host: Host) -> None:
    host.kill_at, host.ended_after = None, None
    host.deaf, host.hangs, host.rejects = set(), {}, {}


@pytest.mark.parametrize("path", paths())
def test_the_next_run_converges_after_a_kill_before_any_effect(
    path: str, record_property: t.Callable[[str, t.Any], None]
) -> None:
    host = paths()[path]
    deploy(host, incomplete=["a", "b"] if path == "first" else [])
    count = len(host.events)
    assert count > 8
    for at in range(count):
        host = paths()[path]
        host.kill_at = at
        with pytest.raises(Killed):
            deploy(host, incomplete=["a", "b"] if path == "first" else [])
        assert len(host.events) == at
        for name, version in host.current.items():  # nothing is forgotten: what no service was seen to take is found
            loaded = all(host.loaded[service].get(name) == NEW for service in host.uses[name])
            assert version != NEW or loaded or name in host.due()
        repair(host)
        host.events.clear()
        due = host.due()
        if due:
            assert deploy(host, names=due).stopped == {}
        assert host.due() == []
        assert all(host.loaded[service][name] == NEW for name, used in host.uses.items() for service in used)
    record_property("figure", f"deployment, {path}: {count} kill points")


@pytest.mark.parametrize("path", ["good", "deaf"])
def test_nothing_new_is_begun_for_a_run_that_has_ended(path: str) -> None:
    host = paths()[path]
    deploy(host)
    forward = host.events.index("confirm a")
    for after in range(forward):
        host = paths()[path]
        host.ended_after = after
        with pytest.raises(Exception, match="the run has ended"):
            deploy(host)
        # Only what is part of an effect that had begun, and the task file, which is the run's.
        assert set(host.events[after:]) <= {"install b", "pause", "hook exim"}
        repair(host)
        if host.due():
            deploy(host, names=host.due())
        assert host.due() == []


def test_what_goes_back_is_completed_although_the_run_has_ended() -> None:
    host = Host({"a": [NGINX]})
    host.deaf = {"a"}
    journal = host.journal

    def end(service: Service) -> list[str]:
        host.ended_after = 0
        return journal(service)

    host.journal = end  # type: ignore[method-assign]
    assert "the previous version was restored" in deploy(host).stopped["a"]
    assert host.loaded[NGINX]["a"] == OLD


@pytest.mark.parametrize("text", ["x", "[]", "{}", '{"groups": [], "other": 1}', '{"groups": [{"x": 1}]}'])
def test_a_progress_of_something_else_is_refused(text: str) -> None:
    with pytest.raises(Exception, match="earlier must be the result of gogetssl_deploy"):
        read_progress(text)
