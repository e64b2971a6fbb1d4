# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One host's certificate and the runs that look after it: the role's tasks in this process, which may die anywhere."""

from __future__ import annotations

import functools
import json
import random
import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils import (
    _certificate,
    _certificate_info,
    _csr,
    _dcv,
    _files,
    _journal,
    _order,
    _order_info,
    _task,
    _x509,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._api import Api
from ansible_collections.certops.gogetssl.plugins.module_utils._client import Client, Credentials, Limits
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._shell import CommandResult

from .simulated import Vendor

NAME = "shop"
PERSON = {"firstname": "A", "lastname": "B", "title": "Ms", "email": "a@example.com", "phone": "+1"}
LIMITS = Limits()


class Killed(BaseException):
    """Stands for SIGKILL: nothing may catch it."""


class Violation(Exception):
    """An invariant is broken."""


class Site:
    """What lasts: the directory, the wish and what people would know."""

    def __init__(self, directory: Path, vendor: Vendor, name: str = NAME) -> None:
        self.directory, self.vendor, self.time = directory, vendor, vendor.time
        self.wish: dict[str, Any] = {
            "name": name,
            "names": [f"{name}.example.com", f"www.{name}.example.com"],
            "product": "68",
            "key_type": "ecdsa-p256",
            "admin": PERSON,
        }
        self.secrets = {vendor.password}
        self.story: list[str] = []
        self.shell = Host(directory)

    @property
    def root(self) -> Path:
        return self.directory / str(self.wish["name"])

    def record(self, name: str) -> dict[str, Any] | None:
        """`order.json` or `intent.json`."""
        path = self.root / name
        found: dict[str, Any] | None = json.loads(path.read_text()) if path.exists() else None
        return found

    def held_keys(self) -> set[str]:
        """The public halves of all keys, of every version and of what is staged."""
        return {_x509.public_key_of_key(path.read_bytes()) for path in self.root.glob("*/privkey.pem")}

    def certificate(self) -> _x509.Certificate | None:
        """What services would read; a violation unless it is whole and its key fits."""
        current = self.root / "current"
        if not current.is_symlink():
            return None
        try:
            leaf = _x509.read_certificate((current / "cert.pem").read_text())
            key = _x509.public_key_of_key((current / "privkey.pem").read_bytes())
            whole = leaf.pem + (current / "chain.pem").read_text() == (current / "fullchain.pem").read_text()
        except (OSError, GogetsslError) as error:
            raise Violation(f"current is not whole: {error}") from error
        if key != leaf.public_key or not whole:
            raise Violation("the installed key, certificate and chain do not belong together")
        return leaf


class MortalClient(Client):
    """The client of a run that may die before, during or after each exchange."""

    run: Run

    def login(self) -> str:
        key = super().login()
        self.run.site.secrets.add(key)
        return key

    def _send(self, *arguments: Any, **options: Any) -> Any:
        self.run.moment()
        self._limits = self.run.patience()
        answer = super()._send(*arguments, **options)
        self.run.moment()
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


def _mortal(change: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(change)
    def changed(*arguments: Any, **options: Any) -> Any:
        run: Run | None = getattr(_running, "run", None)
        if run:
            run.moment()
        result = change(*arguments, **options)
        if run:
            run.moment()
        return result

    return changed


for _name in _FILE_CHANGES:
    setattr(_files, _name, _mortal(getattr(_files, _name)))


class Host:
    """A shell. Asked again about a directory in which nothing has changed, it repeats itself: that saves processes."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._told: dict[str, tuple[object, CommandResult]] = {}

    def __call__(self, script: str) -> CommandResult:
        if _journal._INSPECT not in script:
            return run_shell(script)
        state = [
            (path, found.st_ino, found.st_size, found.st_mtime_ns)
            for path, found in ((path, path.lstat()) for path in sorted(self._directory.rglob("*")))
        ]
        if self._told.get(script, (None,))[0] != state:
            self._told[script] = (state, run_shell(script))
        return self._told[script][1]


def run_shell(script: str) -> CommandResult:
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def run_interrupted(script: str, place: int, meanwhile: Callable[[], None]) -> CommandResult:
    """The script stands still at one of its seams, if it comes there, while something else happens."""
    with tempfile.TemporaryDirectory() as directory:
        mark = Path(directory) / "mark"
        halt = f"{{ : > {mark}; read go; }}"
        halt = f" && {halt}" if script.startswith(" && ", place) else f"\n{halt}"
        process = subprocess.Popen(
            ["/bin/sh", "-c", script[:place] + halt + script[place:]],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        while process.poll() is None and not mark.exists():
            time.sleep(0.0005)
        if mark.exists():
            meanwhile()
        out, err = process.communicate("\n")
    return CommandResult(process.returncode, out, err)


def seams(script: str) -> list[int]:
    """Where a script can be torn or halted: between its commands."""
    return [
        place
        for place in range(len(script))
        if script.startswith(" && ", place)
        or (
            script[place] == "\n"
            and not script[:place].rstrip().endswith(("&&", "||", "|"))
            and not script[place:].lstrip().startswith(("then", "do"))
        )
    ]


class Run:
    """One run, as the role does it. It dies at its `kill_at`-th moment, if that comes."""

    def __init__(self, site: Site, kill_at: int = 0, dice: random.Random | None = None) -> None:
        self.site, self._kill_at = site, kill_at
        self._dice = dice or random.Random(0)
        self._key: str | None = None
        self._session = site.vendor.session()
        self.moments = 0
        self.dead = False
        self.stopped: list[str] = []

    def moment(self) -> None:
        """Something that a kill may precede. Who is dead does nothing any more, not even to clean up."""
        self.moments += 1
        if not self.dead:
            self.site.time.sleep(self._dice.uniform(0.001, 0.02))
        if self.dead or self.moments == self._kill_at:
            self.dead = True
            raise Killed

    def patience(self) -> Limits:
        """Who dies after this call may do so while the vendor is still at work on it."""
        dies = self.moments + 1 == self._kill_at
        return LIMITS._replace(timeout=self._dice.uniform(0.1, LIMITS.timeout)) if dies else LIMITS

    def sleep(self, seconds: float) -> None:
        self.moment()
        self.site.time.sleep(seconds)
        self.moment()

    def __call__(self, **wish: Any) -> str:
        """What became of it: healthy, stopped, done, failed or killed."""
        _running.run = self
        try:
            end = self._work({**self.site.wish, **wish})
        except GogetsslError as error:
            self._say(error.message)
            self.stopped.append(error.message)
            end = "failed"
        except Killed:
            end = "killed"
        finally:
            _running.run = None
        self.site.story.append(f"{end} after {self.moments} moments: {' '.join(self.stopped)[:400]}")
        return end

    def _work(self, item: dict[str, Any]) -> str:
        found = self.do(_certificate_info.TASK, certificates=[item])
        if not found["due"]:
            return "healthy"
        self._key = self._client().login()
        offer = self._order(item, [], check_mode=True)
        if offer["stopped"]:
            return self._stop(offer)
        requests = self.do(_csr.TASK, certificates=[item])["requests"]
        ordered = self._order(item, requests)
        if ordered["stopped"]:
            return self._stop(ordered)
        orders = self._awaited(item, requests, ordered["orders"])
        deliveries = [
            {"name": one["name"], "names": one["names"], "certificate": one["certificate"], "chain": one["chain"]}
            for one in orders
            if one["issued"] and one["certificate"] and one["step"] != "keep"
        ]
        if deliveries:
            self.do(_certificate.TASK, certificates=deliveries)
        return "done"

    def _order(self, item: dict[str, Any], requests: list[Any], check_mode: bool = False, **options: Any) -> Any:
        options.setdefault("spend", ["buy", "add_names"])
        return self.do(
            _order.TASK, check_mode, certificates=[item], requests=requests, keep_going=True, settle_time=60, **options
        )

    def _awaited(self, item: dict[str, Any], requests: list[Any], orders: list[Any]) -> list[Any]:
        ids = [one["order_id"] for one in orders if one["pending"]]
        if not ids:
            return orders
        self.do(_dcv.TASK, order_ids=ids)
        self.do(_order_info.TASK, order_ids=ids, include_details=False, wait=60, interval=20)
        news = self._order(item, requests, spend=["none"])
        self._stop(news)
        found: list[Any] = news["orders"]
        return found

    def _stop(self, result: Mapping[str, Any]) -> str:
        self.stopped += [one["reason"] for one in result["stopped"]]
        return "stopped"

    def do(self, task: _task.Task, check_mode: bool = False, **options: Any) -> Any:
        self.moment()
        given = {"directory": str(self.site.directory), **options}
        if "api_url" in task.argument_spec:
            vendor = self.site.vendor
            given |= {"api_url": vendor.url, "api_user": vendor.user, "api_password": vendor.password}
        given = {name: value for name, value in given.items() if name in task.argument_spec}
        checked = ArgumentSpecValidator(_task.ansible_spec(task.argument_spec)).validate(given)
        if checked.error_messages:
            raise AssertionError(checked.error_messages)
        context = _task.Context(
            checked.validated_parameters,
            check_mode,
            self._shell,
            lambda: Api(self._client()),
            self._say,
            lambda: self.site.time.now,
            self.sleep,
        )
        result = task.run(context)
        self._say(json.dumps(result, default=str))
        return result

    def _client(self) -> MortalClient:
        vendor, time = self.site.vendor, self.site.time
        credentials = Credentials(vendor.user, vendor.password, self._key)
        client = MortalClient(vendor.url, credentials, LIMITS, clock=lambda: time.now, sleep=self.sleep)
        client._session, client.run = self._session, self
        return client

    def _shell(self, script: str) -> CommandResult:
        self.moment()
        places = seams(script)
        if self.moments + 1 == self._kill_at:  # half way, or just after its end
            result = run_shell(script[: self._dice.choice([*places, len(script)])])
        elif self.site.time.shared and places and self._dice.random() < 0.3:
            pause = functools.partial(self.site.time.sleep, self._dice.uniform(0.0, 2.0))
            result = run_interrupted(script, self._dice.choice(places), pause)
        else:
            result = self.site.shell(script)
        self.moment()
        return result

    def _say(self, text: str) -> None:
        """All that anybody could read of a run."""
        leaks = any(secret in text for secret in self.site.secrets) or "PRIVATE KEY" in text
        if leaks:
            raise Violation(f"a secret in an output: {text[:80]}")
