# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _dcv_file, _files
from ansible_collections.certops.gogetssl.plugins.module_utils._dcv_file import File, Step, plan
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from tests.unit import hosts

pytestmark = pytest.mark.host

PROOF = {
    "file_name": "5DB1A1C9.txt",
    "content": "abc\r\nsectigo.com\r\nü\n",
    "name": "shop.example.com",
    "state": "unset",
}
OTHER = {"file_name": "fileauth.txt", "content": "one"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "web root ü"
    folder.mkdir()
    (folder / "index.html").write_text("home")
    return folder


def run(root: Path, *files: dict[str, t.Any], check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
    return hosts.run(_dcv_file.TASK, check_mode, web_root=str(root), files=list(files), **params)


def folder_of(root: Path) -> Path:
    return root / ".well-known" / "pki-validation"


@pytest.mark.parametrize(
    ("state", "contents", "found", "after"),
    [
        ("present", b"a", None, b"a"),
        ("present", b"a", b"a", b"a"),
        ("present", b"a", b"b", b"a"),
        ("absent", b"a", None, None),
        ("absent", b"a", b"a", None),
        ("absent", b"a", b"b", b"b"),
        ("absent", None, b"b", None),
    ],
)
def test_plan(state: str, contents: bytes | None, found: bytes | None, after: bytes | None) -> None:
    there = {} if found is None else {"f": found}
    assert plan([File("f", contents)], there, state) == [Step("f", found, after)]


def test_comes_and_goes(root: Path) -> None:
    before = hosts.tree(str(root))
    os.umask(0o077)
    result = run(root, PROOF, PROOF)
    path = folder_of(root) / "5DB1A1C9.txt"
    assert result["files"] == [{"path": str(path), "changed": True}]
    assert path.read_bytes() == "abc\r\nsectigo.com\r\nü\n".encode()
    assert (hosts.mode(path), hosts.mode(path.parent), hosts.mode(path.parent.parent)) == (0o644, 0o755, 0o755)
    assert run(root, PROOF)["changed"] is False
    assert run(root, PROOF, state="absent")["files"] == [{"path": str(path), "changed": True}]
    assert hosts.tree(str(root)) == before
    assert run(root, PROOF, state="absent")["changed"] is False


def test_check_mode_touches_nothing_and_foretells(root: Path) -> None:
    for state in ("present", "absent"):
        before = hosts.tree(str(root))
        foretold = run(root, PROOF, OTHER, check_mode=True, state=state)
        assert hosts.tree(str(root)) == before
        assert run(root, PROOF, OTHER, state=state) == foretold


def test_only_what_is_asked_for_goes(root: Path) -> None:
    folder_of(root).parent.mkdir()
    run(root, PROOF, OTHER)
    run(root, PROOF, state="absent")
    assert sorted(os.listdir(folder_of(root))) == [_dcv_file.MARKER, "fileauth.txt"]
    run(root, OTHER, state="absent")
    assert os.listdir(root / ".well-known") == []  # was there before, so it stays


def test_directory_of_others_stays(root: Path) -> None:
    folder_of(root).mkdir(parents=True)
    run(root, PROOF)
    run(root, PROOF, state="absent")
    assert os.listdir(folder_of(root)) == []


def test_other_contents_are_replaced_but_not_removed(root: Path) -> None:
    run(root, OTHER)
    newer = {**OTHER, "content": "two"}
    result = run(root, newer)
    assert (result["diff"][0]["before"], result["diff"][0]["after"]) == ("one", "two")
    assert run(root, OTHER, state="absent")["changed"] is False
    assert run(root, {"file_name": "fileauth.txt"}, state="absent")["changed"] is True


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "/etc/passwd", "..", ".", "", ".htaccess", "a..b", "-rf", "a\nb", "a\0b", "ä", None, 7, "a" * 250],
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_hostile_name_is_refused(root: Path, name: t.Any, state: str) -> None:
    before = hosts.tree(str(root.parent))
    with pytest.raises(GogetsslError, match="refused as the name"):
        run(root, PROOF, {"file_name": name, "content": "x"}, state=state)
    assert hosts.tree(str(root.parent)) == before


@pytest.mark.parametrize("content", [None, 7, ["x"]])
def test_content_must_be_text(root: Path, content: t.Any) -> None:
    with pytest.raises(GogetsslError, match="needs its content"):
        run(root, {"file_name": "a.txt", "content": content})


def test_two_contents_for_one_name_are_refused(root: Path) -> None:
    with pytest.raises(GogetsslError, match="two different contents"):
        run(root, OTHER, {**OTHER, "content": "two"})


@pytest.mark.parametrize(
    "place", [".well-known", ".well-known/pki-validation", ".well-known/pki-validation/fileauth.txt"]
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_planted_link_is_not_followed(root: Path, tmp_path: Path, place: str, state: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "pki-validation").mkdir(parents=True)
    for folder in (elsewhere, elsewhere / "pki-validation"):
        (folder / "fileauth.txt").write_text("one")
    (root / place).parent.mkdir(parents=True, exist_ok=True)
    (root / place).symlink_to(elsewhere / "fileauth.txt" if place.endswith("txt") else elsewhere)
    before = hosts.tree(str(elsewhere))
    with pytest.raises(GogetsslError, match="symbolic link"):
        run(root, {**OTHER, "content": "two"} if state == "present" else OTHER, state=state)
    assert hosts.tree(str(elsewhere)) == before


def test_web_root_must_be_there(root: Path) -> None:
    with pytest.raises(GogetsslError, match="is not a directory"):
        run(root / "missing", PROOF)
    assert run(root / "missing", PROOF, state="absent")["changed"] is False
    with pytest.raises(GogetsslError, match="absolute path"):
        run(Path("html"), PROOF)


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_unwritable_is_one_sentence(root: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    real = getattr(os, call)

    def refuse(path: t.Any, *args: t.Any, **options: t.Any) -> t.Any:
        if call == "mkdir" or (args and args[0] & os.O_CREAT):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *args, **options)

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(GogetsslError, match=r"^/.*/\.well-known\S*: Permission denied\.$"):
        run(root, PROOF)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_killed_anywhere_the_file_is_whole_or_absent(
    tmp_path: Path, state: str, monkeypatch: pytest.MonkeyPatch, record_property: t.Callable[[str, object], None]
) -> None:
    points, killed = 0, True

    def both_modules() -> None:
        monkeypatch.setattr(_dcv_file, "os", _files.os)
        run(root, PROOF, OTHER, state=state)

    while killed:
        points += 1
        root = tmp_path / str(points)
        root.mkdir()
        if state == "absent":
            run(root, PROOF, OTHER)
        killed = hosts.killed(both_modules, points)
        for proof in (PROOF, OTHER):
            path = folder_of(root) / str(proof["file_name"])
            assert not path.exists() or path.read_bytes() == str(proof["content"]).encode()
        run(root, PROOF, OTHER, state=state)
        assert run(root, PROOF, OTHER, state=state)["changed"] is False
        run(root, PROOF, OTHER, state="absent")
        assert not folder_of(root).exists() or not set(os.listdir(folder_of(root))) - {_dcv_file.MARKER}
    assert points > 5
    record_property("figure", f"dcv file, {state}: {points - 1} kill points, 0 torn files")
