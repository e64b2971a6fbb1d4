# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A host with one certificate, and runs of the role's tasks in this process that can be killed at any point."""

from __future__ import annotations

import functools
import json
import pickle
import random
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._api.client import Client, Credentials, Limits
from ansible_collections.certops.gogetssl.plugins.module_utils._api.orders import Api
from ansible_collections.certops.gogetssl.plugins.module_utils._core import task as _task
from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import files
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate as _certificate
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import (
    certificate_info,
    csr,
    dcv,
    order,
    order_info,
)

from . import quick
from .simulated import Vendor

NAME = "shop"
PERSON = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+1"}
LIMITS = Limits()


class Killed(BaseException):
    """Simulates SIGKILL; no code under test may catch it."""


class Violation(Exception):
    """An invariant does not hold."""


class Site:
    """The state that outlives a run: the directory, the certificate spec and the secrets that must not be printed."""

    def __init__(self, directory: Path, vendor: Vendor, name: str = NAME) -> None:
        self.directory, self.vendor, self.time = directory, vendor, vendor.time
        self.spec: dict[str, Any] = {
            "name": name,
            "names": [f"{name}.example.com", f"www.{name}.example.com"],
            "product": "68",
            "key_type": "ecdsa-p256",
            "admin": PERSON,
        }
        self.ceilings: dict[str, Any] = {}  # options of gogetssl_order
        self.secrets = {vendor.password}
        self.history: list[str] = []

    @property
    def root(self) -> Path:
        return self.directory / str(self.spec["name"])

    def record(self, name: str) -> dict[str, Any] | None:
        """The content of `order.json` or `intent.json`, None if the file does not exist."""
        path = self.root / name
        found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
        return found

    def held_keys(self) -> set[str]:
        """The public keys of all private keys on the host, staged keys included."""
        return {x509.public_key_of_key(path.read_bytes()) for path in self.root.glob("*/privkey.pem")}

    def certificate(self) -> x509.Certificate | None:
        """The certificate that services read. Raise a Violation unless it is complete and matches its key."""
        current = self.root / "current"
        if not current.is_symlink():
            return None
        try:
            leaf = x509.read_certificate((current / "cert.pem").read_text())
            key = x509.public_key_of_key((current / "privkey.pem").read_bytes())
            whole = leaf.pem + (current / "chain.pem").read_text() == (current / "fullchain.pem").read_text()
        except (OSError, GogetsslError) as error:
            raise Violation(f"current is incomplete: {error}") from error
        if key != leaf.public_key or not whole:
            raise Violation("the installed key, certificate and chain do not match")
        return leaf


class KillableClient(Client):
    """The API client of a run that can be killed before, during or after each call."""

    run: Run

    def _log_in(self, until: float) -> str:
        key = super()._log_in(until)
        self.run.site.secrets.add(key)
        return key

    def _send(self, *arguments: Any, **options: Any) -> Any:
        self.run.kill_point()
        self._limits = self.run.limits()
        answer = super()._send(*arguments, **options)
        self.run.kill_point()
        return answer


_running = threading.local()
_FILE_CHANGES = (
    "write_directory",
    "replace_file",
    "replace_link",
    "discard",
    "write_all",
    "sync_directory",
    "remove_tree",
)


def _killable(change: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(change)
    def changed(*arguments: Any, **options: Any) -> Any:
        run: Run | None = getattr(_running, "run", None)
        if run:
            run.kill_point()
        result = change(*arguments, **options)
        if run:
            run.kill_point()
        return result

    return changed


for _name in _FILE_CHANGES:
    setattr(files, _name, _killable(getattr(files, _name)))
quick.install()


_validated: dict[tuple[int, str], bytes] = {}


def validated(task: _task.Task, given: dict[str, Any]) -> dict[str, Any]:
    """The options of a task as Ansible passes them on. Most runs have the same ones in another directory."""
    elsewhere = {**given, "directory": "/DIRECTORY"} if "directory" in given else given
    key = id(task.argument_spec), repr(elsewhere)
    if key not in _validated:
        checked = ArgumentSpecValidator(task.argument_spec).validate(elsewhere)
        if checked.error_messages:
            raise AssertionError(checked.error_messages)
        if len(_validated) > 1000:
            _validated.clear()
        _validated[key] = pickle.dumps(checked.validated_parameters)
    options: dict[str, Any] = pickle.loads(_validated[key])
    return {**options, "directory": given["directory"]} if "directory" in given else options


class Run:
    """One run of the role's tasks. It is killed at the kill point with the number `kill_at`, if it gets there."""

    state_directory: str | None = None  # of the controller

    def __init__(self, site: Site, kill_at: int = 0, dice: random.Random | None = None) -> None:
        self.site, self._kill_at = site, kill_at
        self._dice = dice or random.Random(0)
        self._key: str | None = None
        self._session = site.vendor.session()
        self.kill_points = 0
        self.dead = False
        self.stopped: list[str] = []

    def kill_point(self) -> None:
        """A point at which the run can be killed. A killed run stops at all later points, so it cleans up nothing."""
        self.kill_points += 1
        if not self.dead:
            self.site.time.sleep(self._dice.uniform(0.001, 0.02))
        if self.dead or self.kill_points == self._kill_at:
            self.dead = True
            raise Killed

    def limits(self) -> Limits:
        """The client's limits; a run that is killed after this call may be killed before the vendor has responded."""
        killed = self.kill_points + 1 == self._kill_at
        return LIMITS._replace(timeout=self._dice.uniform(0.1, LIMITS.timeout)) if killed else LIMITS

    def sleep(self, seconds: float) -> None:
        self.kill_point()
        self.site.time.sleep(seconds)
        self.kill_point()

    def __call__(self, **spec: Any) -> str:
        """The result of the run: healthy, stopped, done, failed or killed."""
        _running.run = self
        try:
            end = self._work({**self.site.spec, **spec})
        except GogetsslError as error:
            self._print(error.message)
            self.stopped.append(error.message)
            end = "failed"
        except Killed:
            end = "killed"
        finally:
            _running.run = None
        self.site.history.append(f"{end} after {self.kill_points} kill points: {' '.join(self.stopped)[:400]}")
        return end

    def _work(self, item: dict[str, Any]) -> str:
        info = self.do(certificate_info.TASK, certificates=[item])
        if not info["due"]:
            return "healthy"
        self._key = self._client().login()
        if info["flag_removed"]:
            self._order(item, [], spend=["none"])
        plan = self._order(item, [], check_mode=True)
        if plan["stopped"]:
            return self._stop(plan)
        requests = self.do(csr.TASK, certificates=[item])["requests"]
        ordered = self._order(item, requests)
        if ordered["stopped"]:
            return self._stop(ordered)
        orders = self._wait_for_orders(item, requests, ordered["orders"])
        deliveries = [
            {"name": one["name"], "names": one["names"], "certificate": one["certificate"], "chain": one["chain"]}
            for one in orders
            if one["issued"] and one["certificate"] and one["step"] != "keep"
        ]
        if deliveries:
            self.do(_certificate.TASK, certificates=deliveries)
        elif info["interrupted_files"]:
            self.do(_certificate.TASK, certificates=[{"name": item["name"]}], state="verified")
        return "done"

    def _order(self, item: dict[str, Any], requests: list[Any], check_mode: bool = False, **options: Any) -> Any:
        options = {"spend": ["buy", "add_names"], **self.site.ceilings, **options}
        return self.do(
            order.TASK, check_mode, certificates=[item], requests=requests, keep_going=True, settle_time=60, **options
        )

    def _wait_for_orders(self, item: dict[str, Any], requests: list[Any], orders: list[Any]) -> list[Any]:
        ids = [one["order_id"] for one in orders if one["pending"]]
        if not ids:
            return orders
        self.do(dcv.TASK, order_ids=ids)
        self.do(order_info.TASK, order_ids=ids, include_details=False, wait=60, interval=20)
        ordered = self._order(item, requests, spend=["none"])
        self._stop(ordered)
        found: list[Any] = ordered["orders"]
        return found

    def _stop(self, result: Mapping[str, Any]) -> str:
        self.stopped += [one["reason"] for one in result["stopped"]]
        return "stopped"

    def do(self, task: _task.Task, check_mode: bool = False, **options: Any) -> Any:
        self.kill_point()
        given = {"directory": str(self.site.directory), **options}
        if "api_url" in task.argument_spec:
            vendor = self.site.vendor
            given |= {"api_url": vendor.url, "api_user": vendor.user, "api_password": vendor.password}
        given = {name: value for name, value in given.items() if name in task.argument_spec}
        context = _task.Context(
            validated(task, given),
            check_mode,
            self._shell,
            lambda: Api(self._client()),
            self._print,
            lambda: self.site.time.now,
            self.sleep,
            state_directory=self.state_directory,
        )
        result = task.run(context)
        self._print(json.dumps(result, default=str))
        return result

    def _client(self) -> KillableClient:
        vendor, time = self.site.vendor, self.site.time
        credentials = Credentials(vendor.user, vendor.password, self._key)
        client = KillableClient(vendor.url, credentials, LIMITS, clock=lambda: time.now, sleep=self.sleep)
        client._session, client.run = self._session, self
        return client

    def _shell(self, script: str) -> quick.CommandResult:
        self.kill_point()
        if self.kill_points + 1 == self._kill_at:  # killed between two commands or after the last one
            positions = [*quick.command_boundaries(script), len(script)]
            result = quick.run_program(script[: self._dice.choice(positions)])
        elif self.site.time.shared and quick.command_boundaries(script) and self._dice.random() < 0.3:
            pause = functools.partial(self.site.time.sleep, self._dice.uniform(0.0, 2.0))
            result = quick.run_interrupted(script, self._dice.choice(quick.command_boundaries(script)), pause)
        else:
            result = quick.run_shell(script)
        self.kill_point()
        return result

    def _print(self, text: str) -> None:
        """Check a text that a run prints for secrets."""
        leaks = any(secret in text for secret in self.site.secrets) or "PRIVATE KEY" in text
        if leaks:
            raise Violation(f"secret in the output: {text[:80]}")
