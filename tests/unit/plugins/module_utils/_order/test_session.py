# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from ansible_collections.certops.gogetssl.plugins.module_utils._order.budget import Budget
from ansible_collections.certops.gogetssl.plugins.module_utils._order.policy import Policy
from ansible_collections.certops.gogetssl.plugins.module_utils._order.session import Session


def session(run: Path, host: str, web_hosts: list[str], web_root: str = "/srv") -> Session:
    """A session of one host; `run` is the directory that the hosts of a run share."""
    params = {"directory": "/etc/gogetssl", "api_user": "u", "web_hosts": web_hosts, "web_root": web_root}
    context: Any = SimpleNamespace(params=params, host=host)
    api: Any = SimpleNamespace(url="https://api.test")
    finder: Any = None
    return Session(context, api, finder, (), Policy(), dt.datetime.now(dt.timezone.utc), Budget(str(run)))


def test_the_file_of_a_web_host_is_claimed_by_one_certificate_of_the_run(tmp_path: Path) -> None:
    first, second = session(tmp_path, "web1", ["lb1", "lb2"]), session(tmp_path, "web2", ["lb2"])
    assert first.claim_file("shop") is None
    assert second.claim_file("shop") == ("lb2", "/etc/gogetssl/shop on web1")
    assert first.claim_file("blog") == ("lb1", "/etc/gogetssl/shop on web1")
    assert first.claim_file("shop") is None


def test_a_refused_claim_keeps_nothing(tmp_path: Path) -> None:
    session(tmp_path, "web1", ["lb1"]).claim_file("shop")
    assert session(tmp_path, "web2", ["lb2", "lb1"]).claim_file("shop") is not None
    assert session(tmp_path, "web3", ["lb2"]).claim_file("shop") is None


def test_other_web_roots_do_not_conflict(tmp_path: Path) -> None:
    session(tmp_path, "web1", ["lb1"]).claim_file("shop")
    assert session(tmp_path, "web2", ["lb1"], "/srv/other").claim_file("shop") is None
