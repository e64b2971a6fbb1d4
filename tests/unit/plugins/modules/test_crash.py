# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Unplanned crashes: SIGKILL at random times of a real module process, and a really full disk."""

from __future__ import annotations

import os
import random
import subprocess
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import forms, interrupted_files
from ansible_collections.certops.gogetssl.plugins.module_utils._request import layout as _layout
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate, csr
from tests.unit import hosts
from tests.unit.plugins.modules.test_host_modules import open_module

pytestmark = [pytest.mark.host, pytest.mark.slow]

NAMES = ["shop.example.com"]
PASSWORD = "correct horse battery"
SPEC = {"name": "shop", "names": NAMES, "product": "68", "key_type": "ecdsa-p256", "forms": [*_layout.FORMS]}
KILLS = 12
TIMEOUT_SECONDS = 120.0


class Shop:
    """A host whose services read all forms."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.ca = directory, hosts.CertificateAuthority()
        self.serials: set[str] = set()

    def deliver(self) -> dict[str, t.Any]:
        spec = {key: SPEC[key] for key in ("name", "names", "product", "key_type")}
        made = hosts.run(csr.TASK, certificates=[spec], directory=str(self.directory))
        leaf = self.ca.issue(made["requests"][0]["csr"])
        self.serials.add(x509.read_certificate(leaf).serial)
        return {**SPEC, "certificate": leaf, "chain": self.ca.intermediate}

    def params(self, item: dict[str, t.Any]) -> dict[str, t.Any]:
        return {"certificates": [item], "directory": str(self.directory), "store_password": PASSWORD}

    def install(self, item: dict[str, t.Any]) -> dict[str, t.Any]:
        return hosts.run(certificate.TASK, **self.params(item))

    def served(self) -> str:
        """Check that the files of all forms are complete and match. Return the serial that services read."""
        folder = self.directory / "shop" / "current"
        leaf = x509.read_certificate((folder / "cert.pem").read_text())
        layout = _layout.Layout(forms=tuple(_layout.FORMS), alias="shop")
        chain = (x509.read_certificate(self.ca.intermediate),)
        material = forms.Material(layout, leaf, chain, (folder / "privkey.pem").read_bytes(), PASSWORD, 0.0)
        torn = [file for file in layout.files if not forms.holds(file, (folder / file).read_bytes(), material)]
        assert not torn
        return leaf.serial

    def has_interrupted_files(self) -> bool:
        return any(path.name.startswith(interrupted_files.SCRATCH) for path in self.directory.rglob("*"))


def test_sigkill_at_random_times_of_a_real_process(
    tmp_path: Path, record_property: t.Callable[[str, object], None]
) -> None:
    """The time starts with the first created file, so that most kills happen during the work."""
    seed = random.randrange(10**6)
    chance = random.Random(seed)
    shop = Shop(tmp_path / "host")
    old = x509.read_certificate(first := shop.deliver()["certificate"]).serial
    shop.install({**SPEC, "certificate": first, "chain": shop.ca.intermediate})
    outcomes = {"old": 0, "new": 0, "at work": 0, "ended": 0}
    item: dict[str, t.Any] = shop.deliver()
    link, longest = tmp_path / "host" / "shop" / "current", 0.0
    for number in range(KILLS + 1):
        new = x509.read_certificate(item["certificate"]).serial
        process = open_module("gogetssl_certificate", **shop.params(item))
        wait_for(lambda process=process: shop.has_interrupted_files() or process.poll() is not None)
        began = time.monotonic()
        if number == 0:  # an undisturbed run, to measure when services get the new version
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
        assert not shop.has_interrupted_files()
        old, item = new, shop.deliver()
    assert outcomes["at work"] > 0, outcomes
    record_property("figure", f"SIGKILL of a real process, seed {seed}: {KILLS} kills, {outcomes}, 0 torn states")


def wait_for(condition: t.Callable[[], bool]) -> None:
    deadline = time.monotonic() + TIMEOUT_SECONDS
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.0005)


@pytest.fixture
def small_disk(tmp_path: Path) -> t.Iterator[Path]:
    """A file system of 160 pages in memory."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small file system requires root")
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=640k,mode=0755", "tmpfs", str(disk)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"a small file system cannot be mounted here: {mounted.stderr.strip()}")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize(("what", "least"), [("renewal", 8), ("more forms", 3)])
def test_a_really_full_disk(
    small_disk: Path, what: str, least: int, record_property: t.Callable[[str, object], None]
) -> None:
    """Increase the free space page by page until it suffices. Forms that were written remain."""
    shop = Shop(small_disk / "host")
    first = shop.deliver()
    old = shop.install(first)["certificates"][0]["serial"]
    item = shop.deliver() if what == "renewal" else first
    new = x509.read_certificate(item["certificate"]).serial
    if what == "more forms":
        for form in (file for files in _layout.FORMS.values() for file in files):
            (small_disk / "host" / "shop" / old / form).unlink()
    ballast = small_disk / "ballast"
    free, refusals = 0, 0
    while True:
        fill(ballast, free)
        message = failure(lambda: shop.install(item))
        if not message:
            break
        assert "No space left on device" in message
        assert what == "more forms" or shop.served() == old
        assert not shop.has_interrupted_files()
        refusals, free = refusals + 1, free + 1
    assert shop.served() == new
    assert refusals >= least
    ballast.unlink()
    assert shop.install(item)["changed"] is False
    record_property(
        "figure", f"full disk, {what}: refused with 0 to {free - 1} pages free, 0 torn states; installed with {free}"
    )


def failure(call: t.Callable[[], t.Any]) -> str:
    """The error message of a call, or an empty text."""
    try:
        call()
    except GogetsslError as error:
        return error.message
    return ""


def fill(ballast: Path, free: int) -> None:
    """Fill the disk except for this number of pages."""
    ballast.unlink(missing_ok=True)
    room = os.statvfs(ballast.parent)
    ballast.write_bytes(b"x" * room.f_bsize * (room.f_bavail - free))
    assert os.statvfs(ballast.parent).f_bavail == free
