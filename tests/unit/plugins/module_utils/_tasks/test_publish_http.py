# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""DCV files of several orders, of which one fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import run_here
from ansible_collections.certops.gogetssl.plugins.module_utils._core.task import Context
from ansible_collections.certops.gogetssl.plugins.module_utils._host import file_notes, interrupted_files
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv_server, publish_http

FILES = [{"order_id": number, "file_name": f"{number}.txt", "content": f"content {number}"} for number in (1, 2, 3)]


def run(root: Path, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    validated = ArgumentSpecValidator(dict(publish_http.SPEC)).validate({"web_root": str(root), **options})
    assert not validated.error_messages
    context = Context(validated.validated_parameters, check_mode, run_here, dict, [].append)
    return publish_http.run(context)


def published(root: Path) -> list[str]:
    return sorted(path.name for path in root.rglob("*.txt"))


def test_files_of_all_orders_are_published_and_removed(tmp_path: Path) -> None:
    result = run(tmp_path, files=FILES)
    assert (result["changed"], result["stopped"], published(tmp_path)) == (True, [], ["1.txt", "2.txt", "3.txt"])
    assert result["files"][0]["path"] == str(tmp_path / ".well-known/pki-validation/1.txt")
    assert run(tmp_path, files=FILES)["changed"] is False
    assert run(tmp_path, files=FILES, state="absent")["changed"] is True
    assert not list(tmp_path.rglob("*"))


def test_a_file_of_another_application_stops_its_order_only(tmp_path: Path) -> None:
    (tmp_path / ".well-known/pki-validation").mkdir(parents=True)
    (tmp_path / ".well-known/pki-validation/2.txt").write_text("theirs")
    result = run(tmp_path, files=FILES)
    [stop] = result["stopped"]
    assert (stop["order_id"], "exists with other content" in stop["reason"]) == (2, True)
    assert published(tmp_path) == ["1.txt", "2.txt", "3.txt"]
    assert run(tmp_path, files=FILES, state="absent")["stopped"] == []
    assert published(tmp_path) == ["2.txt"]


def test_two_orders_with_the_same_name(tmp_path: Path) -> None:
    """The first one is published. The second one stops until the first one is validated."""
    second = {"order_id": 2, "file_name": "1.txt", "content": "other"}
    assert [one["order_id"] for one in run(tmp_path, files=[FILES[0], second])["stopped"]] == [2]
    assert (tmp_path / ".well-known/pki-validation/1.txt").read_text() == "content 1"


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_missing_web_root_stops_all_orders(tmp_path: Path, check_mode: bool) -> None:
    result = run(tmp_path / "none", check_mode, files=[*FILES, {"file_name": "probe.txt", "content": "x"}])
    assert [one["order_id"] for one in result["stopped"]] == [1, 2, 3, 0]
    assert all("is not a directory" in one["reason"] for one in result["stopped"])


def test_the_validation_server_is_selected(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def serve(context: Context) -> dict[str, Any]:
        seen.append({name: context.params[name] for name in dcv_server.SPEC})
        return {"changed": True, "files": [{"file_name": "1.txt", "changed": True}]}

    monkeypatch.setattr(dcv_server, "run", serve)
    result = run(tmp_path, files=FILES[:1], publisher="validation_server", port=8080)
    assert (seen[0]["port"], seen[0]["address"], seen[0]["files"]) == (8080, None, FILES[:1])
    assert result["files"] == [{"path": "/.well-known/pki-validation/1.txt", "changed": True}]


NOTED = {"order_id": 7, "name": "shop.example.com", "method": "http", "file_name": "A" * 32 + ".txt", "content": ""}
NOTED["content"] = f"{'0' * 64}\nsectigo.com\nt0123456789"


def noted(directory: Path) -> list[dict[str, Any]]:
    note = directory / interrupted_files.FILE_NOTE
    return file_notes.read(note.read_text() if note.exists() else "", ["shop.example.com"], "web1")


def test_files_are_noted_until_they_are_removed(tmp_path: Path) -> None:
    note = {"state": "noted", "note_directory": str(tmp_path / "certificates")}
    kept = {**NOTED, "url": "http://shop.example.com/", "other": 1}
    assert run(tmp_path, check_mode=True, files=[kept], **note)["changed"] is True
    assert not (tmp_path / "certificates").exists()
    assert run(tmp_path, files=[], **note)["changed"] is False
    assert run(tmp_path, files=[kept], **note) == {"changed": True, "files": [], "stopped": []}
    [found] = noted(tmp_path / "certificates")
    assert found.items() >= NOTED.items()
    assert run(tmp_path, files=[NOTED], **note)["changed"] is False
    assert run(tmp_path, files=[], **note)["changed"] is True
    assert noted(tmp_path / "certificates") == []
    assert not list((tmp_path / "certificates").iterdir())


@pytest.mark.parametrize("place", ["certificates", f"certificates/{interrupted_files.FILE_NOTE}"])
def test_no_note_is_written_through_a_link(tmp_path: Path, place: str) -> None:
    target = tmp_path / "target"
    (tmp_path / place).parent.mkdir(exist_ok=True)
    (tmp_path / place).symlink_to(target)
    with pytest.raises(GogetsslError, match="refused"):
        run(tmp_path, files=[NOTED], state="noted", note_directory=str(tmp_path / "certificates"))
    assert not target.exists()
