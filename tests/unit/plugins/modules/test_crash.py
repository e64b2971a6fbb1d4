# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Crashes that nobody arranged: SIGKILL at random moments of a real module process, and a disk that is really full."""

from __future__ import annotations

import os
import random
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import (
    _certificate,
    _csr,
    _forms,
    _layout,
    _leftovers,
    _x509,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from tests.unit import hosts
from tests.unit.plugins.modules.test_host_modules import open_module

pytestmark = [pytest.mark.host, pytest.mark.slow]

NAMES = ["shop.example.com"]
PASSWORD = "correct horse battery"
WISH = {"name": "shop", "names": NAMES, "product": "68", "key_type": "ecdsa-p256", "forms": [*_layout.FORMS]}
KILLS = 12
PATIENCE_SECONDS = 120.0


class Shop:
    """A host whose services read every form there is."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.authority = directory, hosts.Authority()
        self.serials: set[str] = set()

    def deliver(self) -> dict[str, t.Any]:
        wish = {key: WISH[key] for key in ("name", "names", "product", "key_type")}
        made = hosts.run(_csr.TASK, certificates=[wish], directory=str(self.directory))
        leaf = self.authority.issue(made["requests"][0]["csr"])
        self.serials.add(_x509.read_certificate(leaf).serial)
        return {**WISH, "certificate": leaf, "chain": self.authority.intermediate}

    def params(self, item: dict[str, t.Any]) -> dict[str, t.Any]:
        return {"certificates": [item], "directory": str(self.directory), "store_password": PASSWORD}

    def install(self, item: dict[str, t.Any]) -> dict[str, t.Any]:
        return hosts.run(_certificate.TASK, **self.params(item))

    def served(self) -> str:
        """The serial services read, after making sure that all files, of every form, belong to it and are whole."""
        folder = self.directory / "shop" / "current"
        leaf = _x509.read_certificate((folder / "cert.pem").read_text())
        layout = _layout.Layout(forms=tuple(_layout.FORMS), alias="shop")
        chain = (_x509.read_certificate(self.authority.intermediate),)
        material = _forms.Material(layout, leaf, chain, (folder / "privkey.pem").read_bytes(), PASSWORD, 0.0)
        torn = [file for file in layout.files if not _forms.holds(file, (folder / file).read_bytes(), material)]
        assert not torn
        return leaf.serial

    def littered(self) -> bool:
        return any(path.name.startswith(_leftovers.SCRATCH) for path in self.directory.rglob("*"))


def test_sigkill_at_random_moments_of_a_real_process(
    tmp_path: Path, record_property: t.Callable[[str, object], None]
) -> None:
    """The clock starts at the first file the process makes, so that most of the kills meet it at work."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    shop = Shop(tmp_path / "host")
    old = _x509.read_certificate(first := shop.deliver()["certificate"]).serial
    shop.install({**WISH, "certificate": first, "chain": shop.authority.intermediate})
    outcomes = {"old": 0, "new": 0, "at work": 0, "ended": 0}
    item: dict[str, t.Any] = shop.deliver()
    link, longest = tmp_path / "host" / "shop" / "current", 0.0
    for number in range(KILLS + 1):
        new = _x509.read_certificate(item["certificate"]).serial
        process = open_module("gogetssl_certificate", **shop.params(item))
        wait_for(lambda process=process: shop.littered() or process.poll() is not None)
        began = time.monotonic()
        if number == 0:  # left alone, to see when the services get the new version; kills come about as often before it
            wait_for(lambda new=new: os.readlink(link) == new)
            longest = 2 * (time.monotonic() - began)
            process.communicate()
            old, item = new, shop.deliver()
            continue
        time.sleep(chance.uniform(0, longest))
        process.kill()
        process.communicate()
        outcomes["ended" if process.returncode == 0 else "at work"] += 1
        serial = shop.served()
        assert serial in (old, new), f"seed {seed}"
        outcomes["old" if serial == old else "new"] += 1
        shop.install(item)
        assert shop.served() == new
        assert shop.install(item)["changed"] is False
        assert not shop.littered()
        old, item = new, shop.deliver()
    assert outcomes["at work"] > 0, outcomes
    record_property("figure", f"SIGKILL of a real process, seed {seed}: {KILLS} kills, {outcomes}, 0 torn states")


def wait_for(condition: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.0005)


@pytest.fixture
def small_disk(tmp_path: Path) -> t.Iterator[Path]:
    """A file system of 160 pages in memory."""
    if os.geteuid() != 0:
        pytest.skip("a small file system has to be mounted, which takes root")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=640k,mode=0755", "tmpfs", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(("what", "least"), [("renewal", 8), ("more forms", 3)])
def test_disk_that_is_really_full(
    small_disk: Path, what: str, least: int, record_property: t.Callable[[str, object], None]
) -> None:
    """From no room at all, page by page, until there is enough. Forms that found room stay: those need fewer runs."""
    shop = Shop(small_disk / "host")
    first = shop.deliver()
    old = shop.install(first)["certificates"][0]["serial"]
    item = shop.deliver() if what == "renewal" else first
    new = _x509.read_certificate(item["certificate"]).serial
    if what == "more forms":
        for form in (file for files in _layout.FORMS.values() for file in files):
            (small_disk / "host" / "shop" / old / form).unlink()
    ballast = small_disk / "ballast"
    free, refusals = 0, 0
    while True:
        fill(ballast, free)
        words = failure(lambda: shop.install(item))
        if not words:
            break
        assert "No space left on device" in words
        assert what == "more forms" or shop.served() == old
        assert not shop.littered()
        refusals, free = refusals + 1, free + 1
    assert shop.served() == new
    assert refusals >= least
    ballast.unlink()
    assert shop.install(item)["changed"] is False
    record_property(
        "figure", f"full disk, {what}: refused with 0 to {free - 1} pages free, 0 torn states; installed with {free}"
    )


def failure(call: t.Callable[[], t.Any]) -> str:
    """The sentence a call failed with, or nothing."""
    try:
        call()
    except GogetsslError as error:
        return error.message
    return ""


def fill(ballast: Path, free: int) -> None:
    """Leave just so many pages."""
    ballast.unlink(missing_ok=True)
    room = os.statvfs(ballast.parent)
    ballast.write_bytes(b"x" * room.f_bsize * (room.f_bavail - free))
    assert os.statvfs(ballast.parent).f_bavail == free
