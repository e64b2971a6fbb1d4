# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._host import files as _files
from tests.unit import hosts

pytestmark = pytest.mark.host


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])
def test_a_replaced_file_has_the_old_or_the_new_content(tmp_path: Path, power: bool) -> None:
    path, points, killed = tmp_path / "file", 0, True
    while killed:
        points += 1
        path.write_bytes(b"old contents")
        lose = str(tmp_path) if power else None
        killed = hosts.killed(lambda: _files.replace_file(str(path), b"new contents", _files.PRIVATE), points, lose)
        assert path.read_bytes() in (b"old contents", b"new contents")
        _files.sweep(str(tmp_path))
        assert os.listdir(tmp_path) == ["file"]
    assert (path.read_bytes(), hosts.mode(path)) == (b"new contents", 0o600)
    assert points > 4


@pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])
def test_a_directory_is_created_and_removed_atomically(tmp_path: Path, power: bool) -> None:
    path, points, killed = tmp_path / "folder", 0, True
    files = {"one": b"1111", "two": b"2222"}

    def come_and_go() -> None:
        _files.write_directory(str(path), files, 0o755, {"two": _files.PUBLIC})
        _files.discard(str(path))

    while killed:
        points += 1
        killed = hosts.killed(come_and_go, points, str(tmp_path) if power else None)
        if path.exists():
            assert {file.name: file.read_bytes() for file in path.iterdir()} == files
            _files.discard(str(path))
        _files.sweep(str(tmp_path))
        assert os.listdir(tmp_path) == []
    assert points > 8


def test_hard_links_are_read_where_only_this_user_can_make_them(tmp_path: Path) -> None:
    """Another user may be able to make a link elsewhere, which must not stop the replacement of a key."""
    folder = tmp_path / "folder"
    folder.mkdir(0o755)
    (folder / "file").write_bytes(b"contents")
    os.link(folder / "file", tmp_path / "elsewhere")
    assert _files.read(str(folder / "file")) == b"contents"
    (tmp_path / "current").symlink_to(folder)
    assert _files.read(str(tmp_path / "current" / "file")) == b"contents"

    def refused(directory: int | None = None) -> None:
        with pytest.raises(GogetsslError, match="another hard link"):
            _files.read("file" if directory else str(tmp_path / "current" / "file"), directory)

    handle = os.open(folder, os.O_RDONLY)
    refused(handle)  # such as in a web root
    os.close(handle)
    for mode in (0o775, 0o757, 0o1777):
        folder.chmod(mode)
        refused()
    folder.chmod(0o755)
    if os.geteuid() == 0:
        os.chown(folder, 65534, -1)
        refused()


def test_a_read_refuses_links_and_pipes(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("/etc/passwd")
    os.mkfifo(tmp_path / "pipe")
    assert _files.read(str(tmp_path / "missing")) is None
    with pytest.raises(GogetsslError, match="symbolic link"):
        _files.read(str(tmp_path / "link"))
    with pytest.raises(GogetsslError, match="not a plain file"):
        _files.read(str(tmp_path / "pipe"))
    with pytest.raises(GogetsslError, match="not a plain file"):
        _files.read(str(tmp_path))
    (tmp_path / "file").write_bytes(b"contents")
    assert _files.read(str(tmp_path / "file")) == b"contents"
    (tmp_path / "huge").touch()
    os.truncate(tmp_path / "huge", 1 << 40)
    with pytest.raises(GogetsslError, match="is larger than"):
        _files.read(str(tmp_path / "huge"))
    with pytest.raises(GogetsslError, match="not a plain file"):
        _files.read("/dev/zero")


def test_a_path_of_the_operator_may_be_a_link_but_no_pipe(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"contents")
    (tmp_path / "link").symlink_to(tmp_path / "file")
    assert _files.read(str(tmp_path / "link"), follow=True) == b"contents"
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(GogetsslError, match="not a plain file"):
        _files.read(str(tmp_path / "pipe"), follow=True)


def test_a_removal_does_not_follow_links(tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "kept").mkdir()
    (tmp_path / "folder" / "link").symlink_to(tmp_path / "kept")
    _files.remove_tree(str(tmp_path / "folder"))
    assert os.listdir(tmp_path) == ["kept"]


@pytest.mark.parametrize("target", ["../1f", "/1f", "1F", "", "1f/.."])
def test_a_link_points_to_a_version_only(tmp_path: Path, target: str) -> None:
    if target:
        (tmp_path / "link").symlink_to(target)
    else:
        (tmp_path / "link").write_text("1f")
    with pytest.raises(GogetsslError, match="refused"):
        _files.read_link(str(tmp_path / "link"), re.compile("[0-9a-f]+"))


@pytest.mark.parametrize(
    ("error", "user", "message"),
    [
        (
            PermissionError(13, "Permission denied", "etc/shop"),
            1000,
            "/etc/shop: Permission denied. Is become: true missing?",
        ),
        (PermissionError(13, "Permission denied", "etc/shop"), 0, "/etc/shop: Permission denied."),
        (OSError(28, "No space left on device"), 1000, "No space left on device."),
    ],
)
def test_a_denied_permission_asks_for_become(
    error: OSError, user: int, message: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: user)
    with pytest.raises(GogetsslError) as raised, _files.os_errors_as_sentences():
        raise error
    assert raised.value.message == message
