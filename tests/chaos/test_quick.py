# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What makes a seed take less time changes nothing else."""

from __future__ import annotations

import functools
import re
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._host import interrupted_files, journal
from tests.chaos import inspection, quick, scripts
from tests.chaos.runs import Run, Site
from tests.chaos.seeds import run_seed
from tests.chaos.simulated import Vendor

Tree = dict[str, tuple[int, bytes]]


def tree(place: Path) -> Tree:
    paths = [path for path in place.rglob("*") if path.is_file()]
    return {str(path.relative_to(place)): (path.stat().st_mode, path.read_bytes()) for path in paths}


def test_scripts_in_this_process_do_what_a_shell_does(monkeypatch: pytest.MonkeyPatch) -> None:
    run, done = scripts.run, Counter[str]()

    def run_twice(script: str) -> quick.CommandResult | None:
        place = re.search(r"/[^\n;' ]*?/chaos-[^/; \n]+", script)
        assert place
        copy = Path(f"{place[0]}-copy")
        shutil.copytree(place[0], copy, symlinks=True)
        ours = run(script)
        if ours is not None:
            theirs = quick.run_program(script.replace(place[0], str(copy)))
            assert (ours.rc, ours.stdout) == (theirs.rc, theirs.stdout.replace(str(copy), place[0]))
            assert tree(Path(place[0])) == tree(copy)
            done[next(form for form in ("for f in", ".intent.$$", ".order.$$", "rm -f") if form in script)] += 1
            done["refused intents"] += ours.rc == 17
            done["guarded"] += script.startswith("[")
        shutil.rmtree(copy)
        return ours

    monkeypatch.setattr(scripts, "run", run_twice)
    with Vendor() as vendor:
        for seed in (2, 22):
            run_seed(vendor, seed)
    assert all(done[kind] for kind in ("for f in", ".intent.$$", ".order.$$", "rm -f", "refused intents", "guarded"))


def test_an_inspection_in_this_process_prints_what_the_script_prints(monkeypatch: pytest.MonkeyPatch) -> None:
    inspect, compared = inspection.inspect, []

    def inspect_twice(script: str) -> quick.CommandResult | None:
        result = inspect(script)
        if result:
            assert result == quick.run_program(script)
            compared.append(result.stdout)
        return result

    monkeypatch.setattr(inspection, "inspect", inspect_twice)
    monkeypatch.setattr(quick, "run_interrupted", lambda script, *_pause: quick.run_program(script))
    with Vendor() as vendor:
        for seed in (3, 16):
            run_seed(vendor, seed)
    for part in ("intent.json", "order.json", "staged/request.csr", "current/public"):
        assert any(f" {part}\n" in text for text in compared), part


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Path, str]:
    """The directory of a healthy host, and the script that inspects it."""
    seen: list[str] = []
    monkeypatch.setattr(quick, "run_shell", lambda script: seen.append(script) or quick.run_program(script))
    (tmp_path / "host").mkdir()
    with Vendor() as vendor:
        vendor.set(dcv_mode="pass", issuance_delay=0.0)
        site = Site(tmp_path / "host", vendor)
        assert (Run(site)(), Run(site)()) == ("done", "healthy")
    assert journal._INSPECT in seen[-1]
    return site.directory, seen[-1]


@pytest.mark.parametrize("place", ["", "shop", "shop/current"])
def test_files_of_interrupted_runs_are_reported_like_by_the_script(host: tuple[Path, str], place: str) -> None:
    directory, script = host
    file = directory / place / f"{interrupted_files.SCRATCH}x"
    file.touch()
    found = inspection.inspect(script)
    assert found == quick.run_program(script)
    assert found
    assert "interrupted_files" in found.stdout
    file.unlink()
    (directory / place / ".intent.12").touch()
    assert inspection.inspect(script) == quick.run_program(script)


def bought(shop: Path) -> None:
    """Another run writes its records."""
    shop.mkdir(exist_ok=True)
    (shop / "intent.json").write_text("{}\n")
    (shop / "order.json").write_text("[]\n")
    (shop / ".order.99").write_text("half")


def installed(shop: Path) -> None:
    """Another run installs a version, and an installation is interrupted."""
    new = shop / "new"
    new.mkdir(parents=True)
    (new / "cert.pem").write_text("certificate")
    (new / "privkey.pem").write_text("damaged")
    (new / f"{interrupted_files.SCRATCH}y").touch()
    (shop / "link").symlink_to("new")
    (shop / "link").rename(shop / "current")


def removed(shop: Path) -> None:
    """The records are removed."""
    for name in ("order.json", "current/privkey.pem"):
        (shop / name).unlink(missing_ok=True)


@pytest.mark.parametrize("change", [bought, installed, removed])
@pytest.mark.parametrize("new", [False, True])
def test_a_paused_inspection_sees_what_the_script_sees(
    host: tuple[Path, str], change: Callable[[Path], None], new: bool
) -> None:
    directory, script = host
    hosts = [directory.with_name(name) for name in ("here", "sh__")]  # as long as "host", as positions are fixed
    paused_at, outputs = set(), set()

    def meanwhile(number: int, pauses: list[int]) -> None:
        if not pauses:
            change(hosts[number] / "shop")
        pauses.append(1)

    boundaries = quick.command_boundaries(script)
    for stop, position in enumerate(boundaries):
        pauses: list[list[int]] = [[], []]
        for path in hosts:
            shutil.copytree(directory, path, symlinks=True)
            if new:
                shutil.rmtree(path / "shop")

        ours, theirs = (script.replace(str(directory), str(path)) for path in hosts)
        found = inspection.inspect(ours, stop, functools.partial(meanwhile, 0, pauses[0]))
        expected = quick.run_paused(theirs, position, functools.partial(meanwhile, 1, pauses[1]))
        if found is not None:
            assert (found.rc, found.stdout) == (expected.rc, expected.stdout), script[position:][:60]
            assert pauses[0] == pauses[1], script[position:][:60]
            paused_at |= {stop} if pauses[0] else set()
            outputs.add(found.stdout)
        for path in hosts:
            shutil.rmtree(path)
    assert len(paused_at) > (20 if new else 45)
    assert len(outputs) > 1 or (new and change is removed)


def test_a_script_is_paused_where_it_is_interrupted() -> None:
    seen: list[str] = []
    script = "for n in 1 2; do echo $n\necho again; done"
    result = quick.run_interrupted(script, script.index("\n"), lambda: seen.append("paused"))
    assert (result.rc, result.stdout, seen) == (0, "1\nagain\n2\nagain\n", ["paused"])
    never = "exit 3\necho never"
    assert quick.run_interrupted(never, never.index("\n"), lambda: seen.append("never")).rc == 3
    assert seen == ["paused"]
