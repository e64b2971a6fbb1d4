# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import socket
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._host import files as _files
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import dcv_file
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks.dcv_file import File, Step, plan_files
from tests.unit import hosts

pytestmark = pytest.mark.host

CONTENT = {
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
    return hosts.run(dcv_file.TASK, check_mode, web_root=str(root), files=list(files), **params)


def folder_of(root: Path) -> Path:
    return root / ".well-known" / "pki-validation"


@pytest.mark.parametrize(
    ("state", "contents", "found", "after"),
    [
        ("present", b"a", None, b"a"),
        ("present", b"a", b"a", b"a"),
        ("absent", b"a", None, None),
        ("absent", b"a", b"a", None),
        ("absent", b"a", b"b", b"b"),
        ("absent", None, b"b", None),
    ],
)
def test_plan(state: str, contents: bytes | None, found: bytes | None, after: bytes | None) -> None:
    there = {} if found is None else {"f": found}
    assert plan_files([File("f", contents)], there, state) == [Step("f", found, after)]


FILE_OF_CSR = "A" * 64 + "\r\nsectigo.com\r\nt0827792001533920169"


@pytest.mark.parametrize(
    ("found", "expected", "replaced"),
    [
        ("one", "two", False),
        ("", "two", False),
        ("the file of another application\n", FILE_OF_CSR, False),
        (FILE_OF_CSR.replace("A", "B"), FILE_OF_CSR, False),
        (FILE_OF_CSR.replace("t0827792001533920169", "t1"), FILE_OF_CSR, True),
        ("a" * 64 + "\nsectigo.com", FILE_OF_CSR, True),
    ],
)
def test_only_a_file_for_the_same_csr_is_replaced(root: Path, found: str, expected: str, replaced: bool) -> None:
    folder_of(root).mkdir(parents=True)
    path = folder_of(root) / "fileauth.txt"
    path.write_bytes(found.encode())
    if replaced:
        (difference,) = run(root, {**OTHER, "content": expected})["diff"]
        assert (difference["before"], difference["after"]) == ("(other content)", expected)
        assert path.read_bytes() == expected.encode()
        return
    for check_mode in (False, True):
        with pytest.raises(GogetsslError, match=r"fileauth\.txt exists with other content \(\d+ bytes\) and is kept"):
            run(root, {**OTHER, "content": expected}, check_mode=check_mode)
    assert path.read_bytes() == found.encode()


def planted(path: Path, kind: str, secret: Path) -> None:
    """Something that is no file of ours."""
    if kind == "hard link":
        os.link(secret, path)
    elif kind == "symbolic link":
        path.symlink_to(secret)
    elif kind == "pipe":
        os.mkfifo(path)
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            os.chdir(path.parent)  # a socket's path is short
            server.bind(path.name)
    elif kind == "directory":
        path.mkdir()
    else:
        with path.open("wb") as stream:
            stream.truncate(1 << 40)


@pytest.mark.parametrize("kind", ["hard link", "symbolic link", "pipe", "socket", "directory", "huge file"])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_what_is_no_file_of_ours_is_neither_read_nor_changed(
    root: Path, tmp_path: Path, kind: str, state: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    secret = tmp_path / "privkey.pem"
    secret.write_text("-----BEGIN PRIVATE KEY-----")
    folder_of(root).mkdir(parents=True)
    path = folder_of(root) / "fileauth.txt"
    planted(path, kind, secret)
    before = path.lstat()
    with pytest.raises(GogetsslError, match=r"fileauth\.txt .*; refused") as caught:
        run(root, OTHER, state=state)
    assert "BEGIN" not in caught.value.message
    assert (path.lstat().st_ino, path.lstat().st_mode) == (before.st_ino, before.st_mode)
    assert secret.read_text() == "-----BEGIN PRIVATE KEY-----"


def test_a_file_is_removed_without_reading_it(root: Path, tmp_path: Path) -> None:
    secret = tmp_path / "privkey.pem"
    secret.write_text("secret")
    folder_of(root).mkdir(parents=True)
    os.link(secret, folder_of(root) / "fileauth.txt")
    result = run(root, {"file_name": "fileauth.txt"}, state="absent")
    assert "secret" not in str(result)
    assert (result["changed"], os.listdir(folder_of(root)), secret.read_text()) == (True, [], "secret")


def test_a_new_probe_replaces_those_of_interrupted_runs_for_the_same_host(root: Path) -> None:
    mine, other = "gogetssl-probe-" + "a" * 20, "gogetssl-probe-" + "b" * 20
    names = [f"{host}-{run * 20}.txt" for host in (mine, other) for run in "01"]
    folder_of(root).mkdir(parents=True)
    for name in [*names, f"{mine}-short.txt"]:
        (folder_of(root) / name).write_text("gogetssl-probe-x")
    run(root, {"file_name": f"{mine}-{'2' * 20}.txt", "content": "new"})
    assert sorted(os.listdir(folder_of(root))) == sorted([f"{mine}-{'2' * 20}.txt", f"{mine}-short.txt", *names[2:]])


def test_a_file_of_several_orders_is_removed_whichever_it_is(root: Path) -> None:
    run(root, OTHER)
    result = run(root, {**OTHER, "content": "two"}, OTHER, state="absent")
    assert [one["changed"] for one in result["files"]] == [False, True]
    assert not folder_of(root).exists()


def test_files_are_published_and_removed(root: Path) -> None:
    before = hosts.tree(str(root))
    os.umask(0o077)
    result = run(root, CONTENT, CONTENT)
    path = folder_of(root) / "5DB1A1C9.txt"
    assert result["files"] == [{"path": str(path), "changed": True}]
    assert path.read_bytes() == "abc\r\nsectigo.com\r\nü\n".encode()
    assert (hosts.mode(path), hosts.mode(path.parent), hosts.mode(path.parent.parent)) == (0o644, 0o755, 0o755)
    assert run(root, CONTENT)["changed"] is False
    assert run(root, CONTENT, state="absent")["files"] == [{"path": str(path), "changed": True}]
    assert hosts.tree(str(root)) == before
    assert run(root, CONTENT, state="absent")["changed"] is False


def test_check_mode_changes_nothing_and_returns_the_plan(root: Path) -> None:
    for state in ("present", "absent"):
        before = hosts.tree(str(root))
        planned = run(root, CONTENT, OTHER, check_mode=True, state=state)
        assert hosts.tree(str(root)) == before
        assert run(root, CONTENT, OTHER, state=state) == planned


def test_only_the_given_files_are_removed(root: Path) -> None:
    folder_of(root).parent.mkdir()
    run(root, CONTENT, OTHER)
    run(root, CONTENT, state="absent")
    assert sorted(os.listdir(folder_of(root))) == [dcv_file.MARKER, "fileauth.txt"]
    run(root, OTHER, state="absent")
    assert os.listdir(root / ".well-known") == []  # existed before, so it is kept


def test_a_directory_with_other_files_is_kept(root: Path) -> None:
    folder_of(root).mkdir(parents=True)
    run(root, CONTENT)
    run(root, CONTENT, state="absent")
    assert os.listdir(folder_of(root)) == []


def test_other_contents_are_not_removed(root: Path) -> None:
    run(root, OTHER)
    assert run(root, {**OTHER, "content": "two"}, state="absent")["changed"] is False
    assert run(root, {"file_name": "fileauth.txt"}, state="absent")["changed"] is True


@pytest.mark.parametrize(
    "name",
    ["../x", "a/b", "/etc/passwd", "..", ".", "", ".htaccess", "a..b", "-rf", "a\nb", "a\0b", "ä", None, 7, "a" * 250],
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_hostile_name_is_refused(root: Path, name: t.Any, state: str) -> None:
    before = hosts.tree(str(root.parent))
    with pytest.raises(GogetsslError, match="not allowed as the name"):
        run(root, CONTENT, {"file_name": name, "content": "x"}, state=state)
    assert hosts.tree(str(root.parent)) == before


@pytest.mark.parametrize("content", [None, 7, ["x"]])
def test_content_must_be_text(root: Path, content: t.Any) -> None:
    with pytest.raises(GogetsslError, match="needs its content"):
        run(root, {"file_name": "a.txt", "content": content})


def test_two_contents_for_one_name_are_refused(root: Path) -> None:
    with pytest.raises(GogetsslError, match="two different contents"):
        run(root, OTHER, {**OTHER, "content": "two"})


@pytest.mark.parametrize("published", ["one", "two"])
def test_two_contents_for_one_name_are_removed_together(root: Path, published: str) -> None:
    """Two orders whose CA always uses the same file name."""
    run(root, {**OTHER, "content": published})
    assert run(root, OTHER, {**OTHER, "content": "two"}, state="absent")["changed"]
    assert not folder_of(root).exists()


@pytest.mark.parametrize(
    "link_path", [".well-known", ".well-known/pki-validation", ".well-known/pki-validation/fileauth.txt"]
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_planted_link_is_not_followed(root: Path, tmp_path: Path, link_path: str, state: str) -> None:
    elsewhere = tmp_path / "elsewhere"
    (elsewhere / "pki-validation").mkdir(parents=True)
    for folder in (elsewhere, elsewhere / "pki-validation"):
        (folder / "fileauth.txt").write_text("one")
    (root / link_path).parent.mkdir(parents=True, exist_ok=True)
    (root / link_path).symlink_to(elsewhere / "fileauth.txt" if link_path.endswith("txt") else elsewhere)
    before = hosts.tree(str(elsewhere))
    with pytest.raises(GogetsslError, match="symbolic link"):
        run(root, {**OTHER, "content": "two"} if state == "present" else OTHER, state=state)
    assert hosts.tree(str(elsewhere)) == before


def test_the_web_root_must_exist(root: Path) -> None:
    with pytest.raises(GogetsslError, match="is not a directory"):
        run(root / "missing", CONTENT)
    assert run(root / "missing", CONTENT, state="absent")["changed"] is False
    with pytest.raises(GogetsslError, match="absolute path"):
        run(Path("html"), CONTENT)


@pytest.mark.parametrize("call", ["mkdir", "open"])
def test_a_permission_error_is_one_line(root: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    real = getattr(os, call)

    def refuse(path: t.Any, *args: t.Any, **options: t.Any) -> t.Any:
        if call == "mkdir" or (args and args[0] & os.O_CREAT):
            raise PermissionError(13, "Permission denied", path)
        return real(path, *args, **options)

    monkeypatch.setattr(os, call, refuse)
    with pytest.raises(GogetsslError, match=r"^/.*/\.well-known\S*: Permission denied\.$"):
        run(root, CONTENT)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_after_a_kill_at_any_point_the_file_is_complete_or_absent(
    tmp_path: Path, state: str, monkeypatch: pytest.MonkeyPatch, record_property: t.Callable[[str, object], None]
) -> None:
    points, killed = 0, True

    def both_modules() -> None:
        monkeypatch.setattr(dcv_file, "os", _files.os)
        run(root, CONTENT, OTHER, state=state)

    while killed:
        points += 1
        root = tmp_path / str(points)
        root.mkdir()
        if state == "absent":
            run(root, CONTENT, OTHER)
        killed = hosts.killed(both_modules, points)
        for validation in (CONTENT, OTHER):
            path = folder_of(root) / str(validation["file_name"])
            assert not path.exists() or path.read_bytes() == str(validation["content"]).encode()
        run(root, CONTENT, OTHER, state=state)
        assert run(root, CONTENT, OTHER, state=state)["changed"] is False
        run(root, CONTENT, OTHER, state="absent")
        assert not folder_of(root).exists() or not set(os.listdir(folder_of(root))) - {dcv_file.MARKER}
    assert points > 5
    record_property("figure", f"dcv file, {state}: {points - 1} kill points, 0 torn files")
