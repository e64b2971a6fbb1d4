# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A complete issue with a distinct secret in every option that takes one: nothing that the run produces holds them.

Everything is searched: the output with -vvvvv, --diff and ANSIBLE_DEBUG, the log file, what callbacks receive, files
left behind or readable by others, and arguments and environments of all processes, sampled during the run.
"""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._dns import providers
from tests.dns.test_clouds import NAMES, VALIDATIONS, install_libraries, install_stubs

from .conftest import ROOT, Bench, world

CALLBACK = """
import json, os
from ansible.plugins.callback import CallbackBase

class CallbackModule(CallbackBase):
    CALLBACK_VERSION, CALLBACK_TYPE, CALLBACK_NAME = 2.0, "notification", "events"

    def v2_on_any(self, *given, **named):
        for one in given:
            shown = [getattr(one, name, None) for name in ("_result", "_task_fields")]
            task = getattr(one, "_task", one)
            shown += [task.args] if hasattr(task, "args") else []
            with open(os.environ["EVENTS"], "a") as events:
                events.write(json.dumps(shown, default=str) + chr(10))
"""
PROVIDERS = sorted(name for name, provider in providers.PROVIDERS.items() if provider.module)


def new_secrets() -> dict[str, str]:
    """A value for each secret that occurs nowhere else on this machine. Base64, as a TSIG key must be."""
    return {name: os.urandom(15).hex() + "00" for name in (*PROVIDERS, "store_password")}


def variables(secret: Mapping[str, str]) -> dict[str, Any]:
    """The role's variables that hold the secrets."""
    return {
        "gogetssl_nsupdate_key_name": "key",
        "gogetssl_nsupdate_server": "127.0.0.1:9",
        "gogetssl_powerdns_url": "http://127.0.0.1:9",
        "gogetssl_lexicon_provider": "unknown_provider",
        "gogetssl_lexicon_options": {"auth_token": secret["lexicon"]},
        "gogetssl_route53_options": {"access_key": "access", "secret_key": secret["route53"]},
        "gogetssl_azure_options": {"client_id": "client", "secret": secret["azure"], "tenant": "tenant"},
        "gogetssl_azure_resource_group": "dns",
        "gogetssl_digitalocean_token": secret["digitalocean"],
        "gogetssl_hetzner_token": secret["hetzner"],
        "gogetssl_cloudflare_token": secret["cloudflare"],
    }


def environment(secret: Mapping[str, str]) -> dict[str, str]:
    """The environment variables that hold the others."""
    return {"GOGETSSL_API_KEY": secret["auth_key"], "GOGETSSL_STORE_PASSWORD": secret["store_password"]}


def keys(secret: Mapping[str, str], place: str) -> dict[str, str]:
    """The secrets that either an environment variable or a variable of the role holds."""
    variables_ = {"gogetssl_nsupdate_key_secret": secret["nsupdate"], "gogetssl_powerdns_key": secret["powerdns"]}
    environment_ = {"GOGETSSL_TSIG_SECRET": secret["nsupdate"], "GOGETSSL_POWERDNS_KEY": secret["powerdns"]}
    return variables_ if place == "variable" else environment_


def write_play(path: Path) -> str:
    """The role, then every DNS provider: published and removed. Whether a provider can be reached does not matter."""
    given = {
        "validations": VALIDATIONS,
        "zones": {"example.co.uk": "example.co.uk"},
        "nameservers": ["127.0.0.1:1"],
        "certificates": [{"names": NAMES}],
    }
    published = [
        {PUBLISH: {**given, "provider": one, "directory": "{{ gogetssl_directory }}/" + one, "state": state}}
        for one in PROVIDERS
        for state in ("present", "absent")
    ]
    role = {"ansible.builtin.include_role": {"name": "certops.gogetssl.gogetssl", "public": True}}
    tasks = [role, {"run_once": True, "block": published}]
    path.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": tasks}]))
    return str(path)


PUBLISH = "certops.gogetssl.gogetssl_publish_dns"


class Watcher(threading.Thread):
    """Samples arguments and environments of all processes, and files readable by others, until it is stopped."""

    def __init__(self, *folders: Path) -> None:
        super().__init__(daemon=True)
        self.folders = folders
        self.stopped = threading.Event()
        self.seen: dict[str, bytes] = {}

    def run(self) -> None:
        while not self.stopped.wait(0.002):
            for process in filter(str.isdigit, os.listdir("/proc")):
                self.sample(process)
            for path in readable_by_others(*self.folders):
                with contextlib.suppress(OSError):
                    self.seen[str(path)] = path.read_bytes()

    def sample(self, process: str) -> None:
        with contextlib.suppress(OSError):
            arguments = Path(f"/proc/{process}/cmdline").read_bytes()
            # The operator's own process and its forks have the environment that the operator gave them.
            own = b"/ansible-playbook\0" in arguments
            environ = b"" if own else Path(f"/proc/{process}/environ").read_bytes()
            self.seen[f"{process} {arguments[:200]!r} {hash(environ)}"] = arguments + environ


def readable_by_others(*folders: Path) -> Iterator[Path]:
    """Files that other users may read, as far as their own mode and that of their directory say."""
    found = (
        os.path.join(place, name) for folder in folders for place, _folders, names in os.walk(folder) for name in names
    )
    for path in map(Path, found):
        with contextlib.suppress(OSError):
            mode = path.lstat().st_mode
            if stat.S_ISREG(mode) and mode & stat.S_IROTH and path.parent.stat().st_mode & stat.S_IXOTH:
                yield path


def prepare(bench: Bench, **more: str) -> dict[str, str]:
    """Files for the run, and its environment."""
    (bench.directory / "callbacks").mkdir()
    (bench.directory / "callbacks" / "events.py").write_text(CALLBACK)
    (bench.directory / "tmp").mkdir()
    install_stubs(bench.directory, bench.directory / "calls")
    collections = os.environ.get("ANSIBLE_COLLECTIONS_PATH", str(ROOT / ".venv" / "collections"))
    return {
        "ANSIBLE_LOG_PATH": str(bench.directory / "log"),
        "ANSIBLE_CALLBACK_PLUGINS": str(bench.directory / "callbacks"),
        "ANSIBLE_CALLBACKS_ENABLED": "events",
        "ANSIBLE_LOCAL_TEMP": str(bench.directory / "tmp"),
        "ANSIBLE_COLLECTIONS_PATH": f"{bench.directory}:{collections}",
        "PYTHONPATH": install_libraries(bench.directory),
        "EVENTS": str(bench.directory / "events"),
        **more,
    }


@pytest.mark.slow
@pytest.mark.parametrize(("debug", "pipelining"), [("1", "False"), ("0", "True")])
def test_no_secret_is_printed_or_left_behind(bench: Bench, debug: str, pipelining: str) -> None:
    secret = {**new_secrets(), "api_password": bench.emulator.password, "auth_key": bench.session_key()}
    by_variable = keys(secret, "variable") if debug == "1" else {}
    by_environment = {} if by_variable else keys(secret, "environment")
    env = prepare(bench, ANSIBLE_DEBUG=debug, ANSIBLE_PIPELINING=pipelining, **environment(secret), **by_environment)
    watcher = Watcher(bench.directory / "tmp", bench.store, bench.web_root)
    watcher.start()
    shop = bench.shop(forms=["jks", "pkcs12"])
    # Shared keys are not read in debug mode.
    shared = {"hosts": ("web1", "web2"), "gogetssl_certificates": [{**shop, "order_host": "web1"}]}
    run = bench.run(
        "-vvvvv",
        "--diff",
        env=env,
        playbook=write_play(bench.directory / "site.json"),
        ansible_remote_tmp=str(bench.directory / "tmp" / "remote"),
        gogetssl_directory=str(bench.store) + "/{{ inventory_hostname }}",
        **variables(secret),
        **by_variable,
        **({"gogetssl_certificates": [shop]} if debug == "1" else shared),
    )
    watcher.stopped.set()
    watcher.join(60)
    assert run.code == 0, run.output[-20000:]
    installed = {path.parents[2].name for path in bench.store.rglob("current/keystore.*")}
    assert installed == ({"web1"} if debug == "1" else {"web1", "web2"})
    produced = {name: (bench.directory / name).read_bytes() for name in ("log", "events")}
    calls = (bench.directory / "calls").read_text()
    for name, provider in providers.PROVIDERS.items():
        if provider.module == "gogetssl_cloud_dns":  # the secrets have been used
            assert secret[name] in calls
    assert '"state": "absent"' in calls
    for text in ("unknown_provider", "127.0.0.1:9 cannot be reached", "127.0.0.1 port 9 cannot be reached"):
        assert text in run.output
    assert b'"validations"' in produced["events"]  # the options of tasks have been recorded

    key = (bench.store / "web1" / "shop" / "current" / "privkey.pem").read_text()
    secret["private_key"] = key.splitlines()[5]
    produced["output"] = run.output.encode()
    produced |= watcher.seen
    assert not [
        (name, where)
        for where, content in produced.items()
        for name, text in secret.items()
        if text.encode() in content
    ]


# Tasks that become another user than root


USER = "nobody"
BECOME = {"ansible_become": True, "ansible_become_method": "su", "ansible_become_user": USER}


@pytest.fixture
def place() -> Iterator[Path]:
    """A directory that another user can reach, with directories of that user."""
    if os.geteuid() != 0 or not shutil.which("su"):
        pytest.skip("becoming another user requires root and su")
    directory = Path(tempfile.mkdtemp(prefix="gogetssl-become-", dir="/tmp"))
    directory.chmod(0o755)
    for name in ("store", "www"):
        (directory / name).mkdir()
        shutil.chown(directory / name, USER)
    (directory / "tmp").mkdir()
    (directory / "tmp").chmod(0o1777)
    yield directory
    shutil.rmtree(directory)


def interpreter() -> str:
    """A Python with cryptography that the other user can run."""
    for python in (sys.executable, "/usr/bin/python3"):
        command = ["su", "-s", "/bin/sh", USER, "-c", f"{python} -c 'import cryptography'"]
        if subprocess.run(command, capture_output=True, check=False).returncode == 0:
            return python
    pytest.skip(f"{USER} can run no Python with cryptography")


@pytest.mark.slow
@pytest.mark.parametrize("keep", ["0", "1"])
def test_another_user_than_root_and_no_pipelining(place: Path, tmp_path: Path, keep: str) -> None:
    """Modules are files on the host here. A private key is in none of them, and no other user can read any."""
    secret = {"store_password": os.urandom(15).hex()}
    variables_: dict[str, Any] = {
        **BECOME,
        "ansible_become_flags": "-s /bin/sh",
        "ansible_python_interpreter": interpreter(),
        "ansible_remote_tmp": str(place / "tmp" / "remote"),
        "ansible_system_tmpdirs": [str(place / "tmp")],
        "gogetssl_directory": str(place / "store") + "/{{ inventory_hostname }}",
    }
    environment_ = {
        **{
            "ANSIBLE_PIPELINING": "False",
            "ANSIBLE_KEEP_REMOTE_FILES": keep,
            "ANSIBLE_SYSTEM_TMPDIRS": str(place / "tmp"),
        },
        **{"ANSIBLE_LOCAL_TEMP": str(tmp_path / "tmp"), "GOGETSSL_STORE_PASSWORD": secret["store_password"]},
    }
    (tmp_path / "tmp").mkdir()
    with world(place / "www") as (emulator, port):
        emulator.set(issuance_delay=0.0, dcv_interval=0.5)
        bench = Bench(tmp_path, place / "www", emulator, port)
        shop = bench.shop(forms=["jks", "pkcs12"], order_host="web1")
        watcher = Watcher(place, tmp_path / "tmp")
        watcher.start()
        run = bench.run("-vvv", env=environment_, hosts=("web1", "web2"), gogetssl_certificates=[shop], **variables_)
        watcher.stopped.set()
        watcher.join(60)
    key = place / "store" / "web1" / "shop" / "current" / "privkey.pem"
    found = key.stat()
    assert (found.st_uid, stat.S_IMODE(found.st_mode)) == (pwd.getpwnam(USER).pw_uid, 0o600), run.output[-5000:]
    assert "private_keys would have to be written to a file on the controller" in run.output  # for the copy on web2
    assert not (place / "store" / "web2" / "shop" / "current").exists()
    secret["private_key"] = key.read_text().splitlines()[5]
    left = {
        path: path.read_bytes() for folder in (place / "tmp", tmp_path) for path in folder.rglob("*") if path.is_file()
    }
    assert bool([path for path in left if path.name.startswith("AnsiballZ")]) is (keep == "1")
    assert [path for path, content in left.items() if secret["private_key"].encode() in content] == []
    watcher.seen["output"] = run.output.encode()
    assert [
        where for where, content in watcher.seen.items() for text in secret.values() if text.encode() in content
    ] == []


@pytest.mark.slow
@pytest.mark.parametrize("place", ["variable", "environment"])
def test_the_user_of_the_api_address_is_not_printed(bench: Bench, place: str) -> None:
    """The API behind a gateway with Basic authentication: password and user are a part of the address."""
    secret = os.urandom(15).hex()
    address = bench.emulator.url.replace("://", f"://gate:{secret}@")
    env = prepare(bench, GOGETSSL_API_URL=address if place == "environment" else "http://127.0.0.1:1/api")
    given = {"gogetssl_api_url": address} if place == "variable" else {}
    watcher = Watcher(bench.directory / "tmp", bench.store, bench.web_root)
    watcher.start()
    run = bench.run("-vvvvv", "--diff", env=env, **given)
    failed = bench.run(
        "-vvv", env=env, **{**given, "gogetssl_certificates": [bench.shop(name="mail", product="99999")]}
    )
    watcher.stopped.set()
    watcher.join(60)
    assert (run.code, failed.code) == (0, 2), failed.output[-2000:]
    produced = {name: (bench.directory / name).read_bytes() for name in ("log", "events")}
    produced |= {"output": (run.output + failed.output).encode(), **watcher.seen}
    assert [where for where, content in produced.items() if secret.encode() in content] == []
