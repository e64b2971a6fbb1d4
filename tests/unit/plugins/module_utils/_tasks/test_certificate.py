# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import grp
import json
import os
import shutil
import ssl
import typing as t
from pathlib import Path
from types import SimpleNamespace

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import jks, x509
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import pkcs12 as _pkcs12
from ansible_collections.certops.gogetssl.plugins.module_utils._host import files, interrupted_files, labels
from ansible_collections.certops.gogetssl.plugins.module_utils._host import forms as _forms
from ansible_collections.certops.gogetssl.plugins.module_utils._host.install import InstallationState, plan_installation
from ansible_collections.certops.gogetssl.plugins.module_utils._request import layout as _layout
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import certificate
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import csr as _csr
from tests.unit import hosts
from tests.unit.hosts import DAY

pytestmark = pytest.mark.host

NAMES = ["shop.example.com", "www.shop.example.com"]
FILES = ["cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"]
PASSWORD = "correct horse battery"
EVERY_FORM = ["haproxy", "der", "pkcs12", "pkcs12_legacy", "jks"]
FORM_FILES = ["cert.der", "haproxy.pem", "keystore-legacy.p12", "keystore.jks", "keystore.p12", "privkey.der"]


class Host:
    """A host with its certificate directory and a CA that signs its CSRs."""

    def __init__(self, directory: Path, ca: hosts.CertificateAuthority) -> None:
        self.directory, self.ca = directory, ca
        self.shop = directory / "shop"

    def copy(self, directory: Path) -> Host:
        shutil.copytree(self.directory, directory, symlinks=True)
        return Host(directory, self.ca)

    def request(self, **changes: t.Any) -> str:
        item = {"name": "shop", "names": NAMES, "product": "68", "key_type": "ecdsa-p256", **changes}
        return str(hosts.run(_csr.TASK, certificates=[item], directory=str(self.directory))["requests"][0]["csr"])

    def deliver(self, **issue: t.Any) -> dict[str, t.Any]:
        """Generate a key and issue a certificate for it."""
        leaf = self.ca.issue(self.request(), **issue)
        return {"name": "shop", "names": NAMES, "certificate": leaf, "chain": self.ca.intermediate}

    def run(self, *items: dict[str, t.Any], check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return hosts.run(
            certificate.TASK, check_mode, certificates=list(items), directory=str(self.directory), **params
        )

    def install(self, **params: t.Any) -> dict[str, t.Any]:
        return self.run(self.deliver(), **params)["certificates"][0]  # type: ignore[no-any-return]

    def current(self) -> str | None:
        """Check that all files that services read match. Return the serial."""
        folder = self.shop / "current"
        if not folder.is_symlink():
            return None
        leaf = x509.read_certificate((folder / "cert.pem").read_text())
        chain = (folder / "chain.pem").read_text()
        assert x509.public_key_of_key((folder / "privkey.pem").read_bytes()) == leaf.public_key
        assert (folder / "fullchain.pem").read_text() == leaf.pem + chain
        assert chain == self.ca.intermediate
        self.check_forms(folder, leaf)
        return leaf.serial

    def check_forms(self, folder: Path, leaf: x509.Certificate) -> None:
        """Check that all existing forms are complete and match this certificate."""
        layout = _layout.Layout(alias="shop")
        chain = (x509.read_certificate(self.ca.intermediate),)
        material = _forms.Material(layout, leaf, chain, (folder / "privkey.pem").read_bytes(), PASSWORD, 0.0)
        for file in FORM_FILES:
            if (folder / file).exists():
                assert _forms.holds(file, (folder / file).read_bytes(), material), file


@pytest.fixture(scope="module")
def ca() -> hosts.CertificateAuthority:
    return hosts.CertificateAuthority()


@pytest.fixture
def host(tmp_path: Path, ca: hosts.CertificateAuthority) -> Host:
    return Host(tmp_path / "Zertifikate für alle", ca)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (InstallationState(), {"write", "link"}),
        (InstallationState(current="a", versions=("a",)), {"write", "link", "before"}),
        (InstallationState(current="c", versions=("c",)), set()),
        (InstallationState(current="c", versions=("c",), damaged=("cert.pem",)), {"repair"}),
        (InstallationState(current="c", versions=("c",), adrift=("cert.pem",)), {"entitle"}),
        (InstallationState(current="c", versions=("c",), mislabelled=True), {"relabel"}),
        (InstallationState(current="a", versions=("c", "a")), {"link", "before"}),
        (InstallationState(current="c", versions=("c", "a"), previous="a"), {"before"}),
        (InstallationState(current="c", versions=("c",), previous="gone"), set()),
        (InstallationState(current="c", versions=("c",), staged_is_used=True), {"unstage"}),
        (InstallationState(current="c", versions=("c",), littered=True), {"sweep"}),
    ],
)
def test_plan(found: InstallationState, expected: set[str]) -> None:
    decided = plan_installation("c", found, 3)
    assert {name for name in decided._fields if name != "serial" and getattr(decided, name)} == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (InstallationState(), True),
        (InstallationState(current="a", versions=("c", "a")), True),
        (InstallationState(current="c", versions=("c",), adrift=("cert.pem",)), True),
        (InstallationState(current="c", versions=("c",)), False),
        (InstallationState(current="c", versions=("c",), littered=True, staged_is_used=True), False),
    ],
)
def test_plan_marks_versions_that_services_must_use(found: InstallationState, expected: bool) -> None:
    assert plan_installation("c", found, 3, unverified=True).mark is expected
    assert plan_installation("c", found, 3).mark is False


@pytest.mark.parametrize(("keep", "pruned"), [(1, "dba"), (2, "dba"), (3, "ba"), (4, "a"), (9, "")])
def test_plan_prunes_the_oldest_but_not_the_rollback_version(keep: int, pruned: str) -> None:
    found = InstallationState(current="c", previous="c", versions=("d", "c", "b", "a"))
    assert plan_installation("e", found, keep).prune == tuple(pruned)


def test_installs_in_one_step(host: Host) -> None:
    delivery = host.deliver()
    csr = (host.shop / "staged" / "request.csr").read_text()
    result = host.run(delivery)
    entry = result["certificates"][0]
    leaf = x509.read_certificate(delivery["certificate"])
    assert entry == {
        "name": "shop",
        "serial": leaf.serial,
        "previous_serial": "",
        "path": str(host.shop / "current"),
        "not_after": leaf.not_after.isoformat(),
        "forms": [],
        "changed": True,
        "moved": True,
        "unverified": False,
    }
    assert host.current() == leaf.serial
    assert os.readlink(host.shop / "current") == leaf.serial
    assert sorted(os.listdir(host.shop)) == sorted(["current", leaf.serial])
    assert (host.shop / leaf.serial / "request.csr").read_text() == csr
    assert {name: hosts.mode(host.shop / "current" / name) for name in FILES} == {
        "cert.pem": 0o644,
        "chain.pem": 0o644,
        "fullchain.pem": 0o644,
        "privkey.pem": 0o600,
    }


def test_installs_once(host: Host) -> None:
    first = host.install()
    delivery = host.deliver()
    second = host.run(delivery)["certificates"][0]
    before = hosts.tree(str(host.directory))
    again = host.run(delivery)
    assert again["changed"] is False
    assert again["diff"] == []
    assert again["certificates"] == [{**second, "changed": False, "moved": False}]
    assert second["previous_serial"] == first["serial"]
    assert hosts.tree(str(host.directory)) == before


def test_check_mode_changes_nothing_and_returns_the_plan(host: Host) -> None:
    delivery = host.deliver()
    before = hosts.tree(str(host.directory))
    planned = host.run(delivery, check_mode=True)
    assert hosts.tree(str(host.directory)) == before
    assert host.run(delivery) == planned


def test_key_is_in_no_result(host: Host) -> None:
    results = [host.run(host.deliver()), host.run(host.deliver())]
    keys = {path.read_text() for path in host.shop.glob("*/privkey.pem")}
    assert len(keys) == 2
    assert not any(key.split("\n")[1] in repr(results) for key in keys)
    assert results[1]["diff"][0]["before"]["serial"] == results[0]["certificates"][0]["serial"]


def test_line_endings_do_not_matter(host: Host) -> None:
    delivery = host.deliver()
    host.run({**delivery, "chain": delivery["chain"].replace("\n", "\r\n")})
    assert host.current()
    assert host.run(delivery)["changed"] is False


def test_old_versions_are_removed(host: Host) -> None:
    serials = [host.install(keep_versions=2)["serial"] for _unused in range(4)]
    versions = [
        name for name in os.listdir(host.shop) if (host.shop / name).is_dir() and name not in ("current", "previous")
    ]
    assert sorted(versions) == sorted(serials[-2:])
    assert os.readlink(host.shop / "previous") == serials[-2]


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("how", ["emptied", "removed", "foreign"])
def test_damage_is_repaired(host: Host, name: str, how: str) -> None:
    delivery = host.deliver()
    shutil.copytree(host.shop / "staged", host.directory / "kept")
    serial = host.run(delivery)["certificates"][0]["serial"]
    if name == "privkey.pem":  # as after a rollback, when the key is also staged
        shutil.copytree(host.directory / "kept", host.shop / "staged")
    path = host.shop / serial / name
    {"emptied": lambda: path.write_text(""), "removed": path.unlink, "foreign": lambda: path.write_text("x")}[how]()
    entry = host.run(delivery)["certificates"][0]
    assert (entry["serial"], entry["changed"]) == (serial, True)
    assert host.current() == serial
    assert host.run(delivery)["changed"] is False


def test_a_removed_link_is_restored_without_the_staged_key(host: Host) -> None:
    delivery = host.deliver()
    host.run(delivery)
    (host.shop / "current").unlink()
    assert host.run(delivery)["certificates"][0]["changed"] is True
    assert host.current()


def test_a_staged_key_of_another_order_is_kept(host: Host) -> None:
    delivery = host.deliver()
    host.run(delivery)
    host.request()
    staged = hosts.tree(str(host.shop / "staged"))
    assert host.run(delivery)["changed"] is False
    assert hosts.tree(str(host.shop / "staged")) == staged


def by_a_leaf(host: Host, good: dict[str, t.Any]) -> dict[str, t.Any]:
    """A certificate signed with the key of another leaf certificate: a valid signature of an invalid CA."""
    key = ec.generate_private_key(ec.SECP256R1())
    none, pem = serialization.NoEncryption(), serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none)
    signer = host.ca.issue(x509.new_request(private, NAMES))
    csr = (host.shop / "staged" / "request.csr").read_text()
    return {
        "certificate": hosts.CertificateAuthority.issue(t.cast(t.Any, SimpleNamespace(key=key, name="leaf")), csr),
        "chain": signer + good["chain"],
    }


BAD: dict[str, tuple[t.Callable[[Host, dict[str, t.Any]], dict[str, t.Any]], str]] = {
    "no certificate": (lambda host, good: {"certificate": ""}, "certificate does not consist of PEM"),
    "number": (lambda host, good: {"certificate": 7}, "must be PEM text"),
    "names left out": (lambda host, good: {"names": None}, "names must be the list"),
    "garbage for a chain": (lambda host, good: {"chain": "<html>"}, "chain is empty"),
    "broken base64": (lambda host, good: {"certificate": good["certificate"].replace("M", "A", 3)}, "cannot be read"),
    "chain missing": (lambda host, good: {"chain": ""}, "chain is empty"),
    "signed by a leaf certificate": (
        by_a_leaf,
        "CN=leaf has signed CN=leaf, but is not the certificate of a CA",
    ),
    "foreign chain": (
        lambda host, good: {"chain": hosts.CertificateAuthority().intermediate},
        "is not signed by any certificate of the chain",
    ),
    "other names": (lambda host, good: {"names": [*NAMES, "api.example.com"]}, "does not cover api.example.com"),
    "expired": (lambda host, good: host.deliver(start=-9 * DAY, end=-DAY), "expired on"),
    "not yet valid": (lambda host, good: host.deliver(start=DAY), "set the clock right"),
    "another key": (
        lambda host, good: {"certificate": host.ca.issue(x509.new_request(x509.new_key("ecdsa-p256"), NAMES))},
        "belongs to none of the keys",
    ),
    "private key for certificate": (
        lambda host, good: {"certificate": (host.shop / "staged" / "privkey.pem").read_text()},
        "does not consist of PEM certificates",
    ),
    "name with a slash": (lambda host, good: {"name": "../shop"}, "is not a valid certificate name"),
}


@pytest.mark.parametrize("case", BAD)
def test_an_invalid_delivery_is_a_one_line_error_without_changes(host: Host, case: str) -> None:
    host.install()
    spoil, message = BAD[case]
    good = host.deliver()
    bad = {**good, **spoil(host, good)}
    key = (host.shop / "staged" / "privkey.pem").read_text()
    before = hosts.tree(str(host.directory))
    with pytest.raises(GogetsslError, match=message) as failure:
        host.run(bad)
    assert key.split("\n")[1] not in failure.value.message
    assert hosts.tree(str(host.directory)) == before


KEY = "-----BEGIN PRIVATE KEY-----\nMIGHAgEAMBMG\n-----END PRIVATE KEY-----\n"
SURPLUS: dict[str, t.Callable[[Host, dict[str, t.Any]], dict[str, t.Any]]] = {
    "text after the certificate": lambda host, good: {"certificate": good["certificate"] + "#" * 190000},
    "text in the chain": lambda host, good: {"chain": "subject=Prüfung\n" + good["chain"] + "<html>"},
    "a private key in the chain": lambda host, good: {"chain": KEY + good["chain"]},
    "a broken block in the chain": lambda host, good: {
        "chain": good["chain"].replace("M", "A", 3) + good["chain"],
    },
    "the certificate twice": lambda host, good: {"certificate": good["certificate"] * 2},
    "the chain twice": lambda host, good: {"chain": good["chain"] * 2},
    "the whole chain with the certificate": lambda host, good: {
        "certificate": good["chain"] + good["certificate"] + hosts.CertificateAuthority().root,
        "chain": "",
    },
    "a foreign root after the chain": lambda host, good: {"chain": good["chain"] + hosts.CertificateAuthority().root},
    "a foreign root before the chain": lambda host, good: {"chain": hosts.CertificateAuthority().root + good["chain"]},
    "an expired cross-sign": lambda host, good: {"chain": host.ca.expired_cross + good["chain"]},
}


@pytest.mark.parametrize("case", SURPLUS)
def test_what_is_not_on_the_chain_is_left_out_with_a_warning(host: Host, case: str) -> None:
    """`current` compares the installed chain with the intermediate alone."""
    good = host.deliver()
    warnings: list[str] = []
    host.run({**good, **SURPLUS[case](host, good)}, warn=warnings.append)
    assert host.current()
    assert warnings
    assert all(text.startswith("shop: left out of the chain: ") for text in warnings)
    assert "PRIVATE KEY" not in (host.shop / "current" / "fullchain.pem").read_text()
    assert host.run(good)["changed"] is False


def test_a_chain_in_the_wrong_order_is_sorted(host: Host) -> None:
    good = host.deliver()
    item = {**good, "chain": host.ca.root + host.ca.intermediate}
    host.run(item)
    assert (host.shop / "current" / "chain.pem").read_text() == host.ca.intermediate + host.ca.root
    assert host.run(item)["changed"] is False


def test_a_valid_chain_order_is_kept(host: Host) -> None:
    """Both certificates of a cross-signed CA match the leaf. The first given one is used."""
    good = host.deliver()
    host.run({**good, "chain": host.ca.cross + host.ca.intermediate}, warn=lambda _text: None)
    assert (host.shop / "current" / "chain.pem").read_text() == host.ca.cross


def test_a_trusted_root_decides_between_two_chains(host: Host) -> None:
    both = {**host.deliver(), "chain": host.ca.cross + host.ca.intermediate}
    host.run(both, trusted_roots=f"# Test root\n{host.ca.root}", warn=lambda _text: None)
    assert (host.shop / "current" / "chain.pem").read_text() == host.ca.intermediate


def test_a_root_that_cannot_be_read_is_left_out_with_a_warning(host: Host) -> None:
    warnings: list[str] = []
    roots = host.ca.root.replace("M", "A", 3) + host.ca.root
    host.run(host.deliver(), trusted_roots=roots, warn=warnings.append)
    assert warnings == ["gogetssl_trusted_roots: left out 1 blocks that cannot be read as certificates."]


def test_the_chain_must_end_at_a_trusted_root(host: Host) -> None:
    good = host.deliver()
    other_ca = hosts.CertificateAuthority()
    with pytest.raises(GogetsslError, match="the chain ends with CN=Test root, which is not one of the trusted roots"):
        host.run(good, trusted_roots=other_ca.root)
    with pytest.raises(GogetsslError, match="trusted_roots does not consist of PEM certificates"):
        host.run(good, trusted_roots="nonsense")
    assert host.current() is None
    host.run(good, trusted_roots=other_ca.root + host.ca.root)
    assert host.current()
    assert host.run(good, trusted_roots=host.ca.intermediate)["changed"] is False


def test_a_host_clock_that_is_hours_behind_accepts_a_new_certificate(host: Host) -> None:
    host.run(host.deliver(start=dt.timedelta(hours=14)))
    assert host.current()


def test_one_invalid_delivery_stops_all(host: Host) -> None:
    good = host.deliver()
    others = [{**good, "name": name} for name in ("blog", "mail")]
    before = hosts.tree(str(host.directory))
    with pytest.raises(GogetsslError, match=r"^blog: .*\. mail: .*\.$"):
        host.run(good, *others)
    assert hosts.tree(str(host.directory)) == before


def test_duplicate_names_and_missing_versions_are_refused(host: Host) -> None:
    good = host.deliver()
    with pytest.raises(GogetsslError, match="twice"):
        host.run(good, good)
    with pytest.raises(GogetsslError, match="keep_versions"):
        host.run(good, keep_versions=0)


@pytest.mark.parametrize("path", ["current", "version"])
def test_planted_link_is_refused(host: Host, tmp_path: Path, path: str) -> None:
    serial = host.install()["serial"]
    delivery = host.deliver()
    if path == "current":
        (host.shop / "current").unlink()
        (host.shop / "current").symlink_to(tmp_path)
    else:
        (host.shop / serial / "privkey.pem").unlink()
        (host.shop / serial / "privkey.pem").symlink_to(tmp_path / "elsewhere")
        delivery["certificate"] = (host.shop / serial / "cert.pem").read_text()
    with pytest.raises(GogetsslError, match="refused"):
        host.run(delivery)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the owner of a link requires root")
def test_link_of_another_user_is_refused(host: Host) -> None:
    host.install()
    os.chown(host.shop / "current", 12345, 12345, follow_symlinks=False)
    with pytest.raises(GogetsslError, match="not a symbolic link created by"):
        host.run(host.deliver())


def test_unwritable_directory_is_a_one_line_error(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = host.deliver()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root can write everywhere
    with pytest.raises(GogetsslError, match=r"^.*alle is not writable for this user\.$"):
        host.run(delivery)


def test_rolls_back(host: Host) -> None:
    first = host.install()
    delivery = host.deliver()
    second = host.run(delivery)["certificates"][0]
    planned = host.run(second, state="previous", check_mode=True)
    assert host.current() == second["serial"]
    back = host.run(second, state="previous")
    assert back == planned
    assert back["certificates"][0]["serial"] == host.current() == first["serial"]
    assert host.run(second, state="previous")["changed"] is False
    # The key is staged again, so its certificate can be installed later without an order.
    assert x509.read_request(host.request()).public_key == x509.read_certificate(delivery["certificate"]).public_key
    assert host.run(delivery)["certificates"][0] == second
    assert not (host.shop / "staged").exists()


def test_rolls_back_to_no_certificate(host: Host) -> None:
    delivery = host.deliver()
    entry = host.run(delivery)["certificates"][0]
    assert host.run(entry, state="previous")["certificates"][0]["serial"] == ""
    assert host.current() is None
    assert host.run(entry, state="previous")["changed"] is False
    assert host.run(delivery)["certificates"][0] == entry
    assert host.current() == entry["serial"]


def test_a_version_is_marked_until_its_services_use_it(host: Host) -> None:
    delivery = {**host.deliver(), "unverified": True}
    entry = host.run(delivery)["certificates"][0]
    mark = host.shop / "unverified"
    assert (entry["unverified"], mark.read_text()) == (True, entry["serial"] + "\n")
    again = host.run(delivery)
    assert (again["changed"], again["certificates"][0]["unverified"]) == (False, True)
    assert host.run({"name": "shop", "serial": "abc"}, state="verified")["changed"] is False, (
        "another version is marked"
    )
    assert host.run({"name": "shop"}, state="verified")["changed"] is False, "no version is given"
    planned = host.run(entry, state="verified", check_mode=True)
    assert mark.exists()
    verified = host.run(entry, state="verified")
    assert verified == planned
    assert verified["certificates"] == [
        {**entry, "previous_serial": "", "changed": False, "moved": False, "unverified": False}
    ]
    assert not mark.exists()
    assert host.run(entry, state="verified")["changed"] is False
    assert host.current() == entry["serial"]


def test_a_rolled_back_version_has_no_mark(host: Host) -> None:
    first = host.install()
    second = host.run({**host.deliver(), "unverified": True})["certificates"][0]
    host.run(second, state="previous")
    assert host.current() == first["serial"]
    assert not (host.shop / "unverified").exists()
    more = {**with_forms({"name": "shop", "names": NAMES}, "haproxy"), "unverified": True}
    repaired = host.run(more)["certificates"][0]
    assert (repaired["changed"], repaired["moved"]) == (True, False)
    host.run(repaired, state="previous")
    assert (host.shop / "unverified").exists(), "there is no version to roll back to, so it remains unverified"


def test_files_of_interrupted_runs_are_removed(host: Host) -> None:
    entry = host.install()
    host.request()  # a key staged for a pending certificate
    staged = hosts.tree(str(host.shop / "staged"))
    (host.shop / ".order.4712").write_text("{")  # of an active run
    before = hosts.tree(str(host.directory))
    assert host.run({"name": "shop"}, state="verified")["changed"] is False
    for path in (host.directory, host.shop, host.shop / "staged", host.shop / entry["serial"]):
        (path / f"{interrupted_files.SCRATCH}old-x").mkdir()
        (path / f"{interrupted_files.SCRATCH}old-x" / "privkey.pem").write_text("a key")
    for path, name in ((host.directory, ".new-dns.7"), (host.shop, ".order.7"), (host.shop, ".intent.7")):
        (path / name).write_text("{")
        os.utime(path / name, (0, 0))
    planned = host.run({"name": "shop"}, state="verified", check_mode=True)
    assert planned["changed"]
    assert host.run({"name": "shop"}, state="verified") == planned
    assert hosts.tree(str(host.directory)) == before
    assert hosts.tree(str(host.shop / "staged")) == staged
    assert host.run({"name": "shop"}, state="verified")["changed"] is False


def test_what_cannot_be_removed_is_a_warning_and_the_certificate_is_installed(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    half = f"{interrupted_files.SCRATCH}half"
    remove_tree, discard = files.remove_tree, files.discard

    def refuse(path: str, remove: t.Callable[[str], None]) -> None:
        if Path(path).name in ("staged", half):
            raise PermissionError(1, "Operation not permitted", path)
        remove(path)

    host.install()
    delivery = host.deliver()
    (host.shop / half).mkdir()
    monkeypatch.setattr(files, "discard", lambda path: refuse(path, discard))
    monkeypatch.setattr(files, "remove_tree", lambda path: refuse(path, remove_tree))
    warnings: list[str] = []
    result = host.run(delivery, keep_versions=1, warn=warnings.append)
    assert (
        host.current() == result["certificates"][0]["serial"] == x509.read_certificate(delivery["certificate"]).serial
    )
    reported = [Path(text.partition(" could not be removed: Operation not permitted.")[0]).name for text in warnings]
    assert reported == [half, "staged"]
    assert host.run({"name": "shop"}, state="verified", warn=warnings.append)["changed"]
    monkeypatch.undo()
    host.run({"name": "shop"}, state="verified")
    assert not (host.shop / "staged").exists()


def test_the_installed_key_does_not_remain_staged(host: Host) -> None:
    delivery = host.deliver()
    shutil.copytree(host.shop / "staged", host.directory / "kept")
    entry = host.run(delivery)["certificates"][0]
    shutil.copytree(host.directory / "kept", host.shop / "staged")
    (host.shop / "intent.json").write_text("{}")
    assert host.run(entry, state="verified")["changed"] is False, "a purchase may be pending with it"
    (host.shop / "intent.json").unlink()
    assert host.run(entry, state="verified")["changed"] is True
    assert not (host.shop / "staged").exists()
    assert host.current() == entry["serial"]


def test_rolls_back_changed_certificates_only(host: Host) -> None:
    delivery = host.deliver()
    host.run(delivery)
    unchanged = host.run(delivery)["certificates"]
    assert host.run(*unchanged, state="previous")["changed"] is False
    assert host.current() == unchanged[0]["serial"]


def test_rolls_back_from_the_current_to_a_complete_version_only(host: Host) -> None:
    first, second = host.install(), host.install()
    with pytest.raises(GogetsslError, match="needs previous_serial"):
        host.run({"name": "shop"}, state="previous")
    with pytest.raises(GogetsslError, match="needs previous_serial"):
        host.run({"name": "shop", "previous_serial": "../x"}, state="previous")
    with pytest.raises(GogetsslError, match="now points to"):
        host.run({**second, "serial": "abc", "previous_serial": "def"}, state="previous")
    (host.shop / first["serial"] / "chain.pem").unlink()
    with pytest.raises(GogetsslError, match="cannot be restored"):
        host.run(second, state="previous")
    assert host.current() == second["serial"]


def with_forms(item: dict[str, t.Any], *forms: str, **layout: t.Any) -> dict[str, t.Any]:
    return {**item, "forms": list(forms or EVERY_FORM), **layout}


def test_all_forms_have_the_same_key_and_certificates(host: Host) -> None:
    delivery = host.deliver()
    entry = host.run(with_forms(delivery), store_password=PASSWORD)["certificates"][0]
    folder = host.shop / "current"
    assert sorted(os.listdir(folder)) == sorted([*FILES, *FORM_FILES, "request.csr"])
    assert entry["forms"] == EVERY_FORM
    key = serialization.load_pem_private_key((folder / "privkey.pem").read_bytes(), None)
    pkcs8 = der(key)
    leaf, ca = (ssl.PEM_cert_to_DER_cert(pem) for pem in (delivery["certificate"], delivery["chain"]))
    assert (folder / "haproxy.pem").read_text() == delivery["certificate"] + delivery["chain"] + (
        folder / "privkey.pem"
    ).read_text()
    assert (folder / "cert.der").read_bytes() == leaf
    assert (folder / "privkey.der").read_bytes() == pkcs8
    for file in ("keystore.p12", "keystore-legacy.p12"):
        store = pkcs12.load_pkcs12((folder / file).read_bytes(), PASSWORD.encode())
        assert der(store.key) == pkcs8
        assert store.cert is not None
        assert store.cert.friendly_name == b"shop"
        assert [one.public_bytes(serialization.Encoding.DER) for one in (store.cert.certificate,)] == [leaf]
        assert [one.certificate.public_bytes(serialization.Encoding.DER) for one in store.additional_certs] == [ca]
    assert jks.load((folder / "keystore.jks").read_bytes(), PASSWORD) == ("shop", pkcs8, (leaf, ca))
    secret = ["haproxy.pem", "keystore-legacy.p12", "keystore.jks", "keystore.p12", "privkey.der", "privkey.pem"]
    assert [file for file in sorted(os.listdir(folder)) if hosts.mode(folder / file) == 0o600] == secret


def der(key: t.Any) -> bytes:
    none = serialization.NoEncryption()
    return bytes(key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, none))


def test_unchanged_forms_are_not_written_again(host: Host) -> None:
    delivery = with_forms(host.deliver())
    host.run(delivery, store_password=PASSWORD)
    before = hosts.tree(str(host.directory))
    assert host.run(delivery, store_password=PASSWORD)["changed"] is False
    assert hosts.tree(str(host.directory)) == before


@pytest.mark.parametrize(
    ("change", "params", "rewritten"),
    [
        ({}, {"store_password": "another password"}, {"keystore.p12", "keystore-legacy.p12", "keystore.jks"}),
        ({"alias": "Tomcat 9"}, {}, {"keystore.p12", "keystore-legacy.p12", "keystore.jks"}),
    ],
)
def test_forms_are_written_again_when_the_layout_changes(
    host: Host, change: dict[str, t.Any], params: dict[str, t.Any], rewritten: set[str]
) -> None:
    delivery = with_forms(host.deliver())
    host.run(delivery, store_password=PASSWORD)
    before = contents(host)
    entry = host.run({**delivery, **change}, **{"store_password": PASSWORD, **params})["certificates"][0]
    assert (entry["changed"], entry["moved"]) == (True, False)
    after = contents(host)
    assert {file for file in after if after[file] != before[file]} == rewritten
    assert host.run({**delivery, **change}, **{"store_password": PASSWORD, **params})["changed"] is False


def contents(host: Host) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in (host.shop / "current").iterdir()}


@pytest.mark.parametrize("file", FORM_FILES)
@pytest.mark.parametrize("how", ["emptied", "cut short", "removed", "of another key", "swapped"])
def test_damaged_forms_are_repaired(host: Host, file: str, how: str) -> None:
    first = with_forms(host.deliver())
    host.run(first, store_password=PASSWORD)
    other = (host.shop / "current" / file).read_bytes()
    delivery = with_forms(host.deliver())
    host.run(delivery, store_password=PASSWORD)
    path = (host.shop / "current").resolve() / file
    twin = {"keystore.p12": "keystore-legacy.p12", "keystore-legacy.p12": "keystore.p12"}.get(file, "privkey.pem")
    {
        "emptied": lambda: path.write_bytes(b""),
        "cut short": lambda: path.write_bytes(path.read_bytes()[:-1]),
        "removed": path.unlink,
        "of another key": lambda: path.write_bytes(other),
        "swapped": lambda: path.write_bytes((path.parent / twin).read_bytes()),
    }[how]()
    diff = host.run(delivery, store_password=PASSWORD)["diff"][0]
    assert diff["before"]["files"].get(file) == (None if how == "removed" else "damaged")
    assert host.run(delivery, store_password=PASSWORD)["changed"] is False
    assert host.current()


def test_a_later_form_is_added_to_the_installed_version(host: Host) -> None:
    host.install()
    serial = host.install()["serial"]
    layout = {"name": "shop", "names": NAMES, "forms": ["haproxy"]}
    planned = host.run(layout, check_mode=True)
    entry = host.run(layout)
    assert entry == planned
    assert {key: entry["certificates"][0][key] for key in ("serial", "changed", "moved", "forms")} == {
        "serial": serial,
        "changed": True,
        "moved": False,
        "forms": ["haproxy"],
    }
    assert (host.shop / "current" / "haproxy.pem").exists()
    # There is nothing to roll back: the current version is unchanged.
    assert host.run(*entry["certificates"], state="previous")["changed"] is False
    assert host.current() == serial
    assert host.run(layout)["changed"] is False


def test_completing_requires_an_installed_certificate(host: Host) -> None:
    host.request()
    with pytest.raises(GogetsslError, match="no certificate is given, and none is installed"):
        host.run({"name": "shop", "names": NAMES, "forms": ["haproxy"]})


def test_forms_are_rolled_back_with_their_version(host: Host) -> None:
    first = with_forms(host.deliver())
    host.run(first, store_password=PASSWORD)
    before = contents(host)
    second = host.run(with_forms(host.deliver()), store_password=PASSWORD)["certificates"][0]
    assert contents(host) != before
    back = host.run(second, state="previous")["certificates"][0]  # requires no password
    assert back["forms"] == EVERY_FORM
    assert contents(host) == before


def test_forms_as_text_are_a_list() -> None:
    assert _layout.read_layout({"name": "shop", "forms": "pkcs12, der"}).forms == ("der", "pkcs12")


@pytest.mark.parametrize(
    ("layout", "password", "message"),
    [
        ({"forms": ["pem"]}, None, "forms must be a list of haproxy, der, pkcs12"),
        ({"forms": "haproxy, pem"}, None, "forms must be a list of haproxy, der, pkcs12, pkcs12_legacy, jks, not pem"),
        ({"forms": ["haproxy", "jks"]}, None, "jks needs store_password"),
        ({"forms": ["pkcs12"]}, "short", "at least 6 printable ASCII"),
        ({"forms": ["pkcs12"]}, "pässwörter", "at least 6 printable ASCII"),
        ({"alias": "-x"}, None, "alias must be up to 64"),
        ({"alias": "x\n"}, None, "alias must be up to 64"),
        ({"mode": "0644"}, None, "only owner and group"),
        ({"mode": 640}, None, "with the quotes"),
        ({"mode": "u=rw"}, None, "mode must be .0600"),
        ({"mode": True}, None, "mode must be .0600"),
        ({"owner": "no-such-user"}, None, "There is no user no-such-user"),
        ({"group": "no-such-group"}, None, "There is no group no-such-group"),
        ({"group": "../x"}, None, "group must be the name or number"),
    ],
)
def test_an_invalid_layout_is_a_one_line_error_without_changes(
    host: Host, layout: dict[str, t.Any], password: str | None, message: str
) -> None:
    host.install()
    delivery = host.deliver()
    before = hosts.tree(str(host.directory))
    with pytest.raises(GogetsslError, match=message) as failure:
        host.run({**delivery, **layout}, store_password=password)
    assert not password or password not in failure.value.message
    assert hosts.tree(str(host.directory)) == before


def test_pkcs12_without_tools_is_refused_and_other_forms_are_installed(
    host: Host, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(_pkcs12, "HAS_PKCS12", False)
    monkeypatch.setattr(_pkcs12, "_PROGRAM", "no-such-openssl")
    delivery = host.deliver()
    before = hosts.tree(str(host.directory))
    with pytest.raises(GogetsslError, match=r"pkcs12 needs openssl on this host, or version 38"):
        host.run(with_forms(delivery, "jks", "pkcs12"), store_password=PASSWORD)
    assert hosts.tree(str(host.directory)) == before
    host.run(with_forms(delivery, "jks", "haproxy"), store_password=PASSWORD)
    assert host.current()


def test_password_is_in_no_result_and_no_diff(host: Host) -> None:
    results = [host.run(with_forms(host.deliver()), store_password=PASSWORD) for _unused in range(2)]
    assert PASSWORD not in repr(results)


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the owner of files requires root")
def test_permissions_are_set_and_repaired(host: Host) -> None:
    delivery = with_forms(host.deliver(), "haproxy", owner="12345", group="daemon", mode="0640")
    host.run(delivery)
    folder, daemon = (host.shop / "current").resolve(), grp.getgrnam("daemon").gr_gid
    spec = dict.fromkeys(["haproxy.pem", "privkey.pem"], (0o640, 12345, daemon))
    spec.update(dict.fromkeys(["cert.pem", "chain.pem", "fullchain.pem"], (0o644, 12345, daemon)))
    assert {file: files.rights_of(str(folder / file)) for file in spec} == spec
    os.chmod(folder / "privkey.pem", 0o644)
    os.chown(folder / "cert.pem", 0, 0)
    inodes = {file: (folder / file).stat().st_ino for file in spec}
    result = host.run(delivery)
    assert [result["certificates"][0][key] for key in ("changed", "moved")] == [True, False]
    before, after = (result["diff"][0][when]["files"] for when in ("before", "after"))
    assert {file: (before[file], after[file]) for file in after if before[file] != after[file]} == {
        "privkey.pem": (f"0644 owner 12345 group {daemon}", f"0640 owner 12345 group {daemon}"),
        "cert.pem": ("0644 owner 0 group 0", f"0644 owner 12345 group {daemon}"),
    }
    assert {file: files.rights_of(str(folder / file)) for file in spec} == spec
    assert {file: (folder / file).stat().st_ino for file in spec} == inodes
    assert host.run(delivery)["changed"] is False


def test_selinux_labels_are_restored(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With fakes of the kernel's file and of the tool, as SELinux is not available."""
    printed: list[str] = []
    answers: list[CommandResult] = []

    def shell(script: str) -> CommandResult:
        printed.append(script)
        return answers.pop() if answers else CommandResult(0, "", "")

    (tmp_path / "enforce").write_text("1")
    monkeypatch.setattr(labels, "_SELINUX", str(tmp_path / "enforce"))
    monkeypatch.setattr(hosts, "_no_shell", shell)
    delivery = host.deliver()
    version = str(host.shop / x509.read_certificate(delivery["certificate"]).serial)
    host.run(delivery)
    assert len(printed) == 1
    assert printed[0].endswith(f"restorecon -R  -- '{version}'")
    assert host.run(delivery)["changed"] is False
    assert "-n -v" in printed[-1]
    answers += [CommandResult(0, "Would relabel", ""), CommandResult(0, "Would relabel", "")]
    assert host.run(delivery)["certificates"][0]["changed"] is True
    assert "-n" not in printed[-1]
    answers.append(CommandResult(1, "", "restorecon: lost its labels"))
    with pytest.raises(GogetsslError, match="lost its labels"):
        host.run(delivery)


def test_a_retired_certificate_is_removed_completely(host: Host) -> None:
    host.install()
    entry = host.install()
    planned = host.run({"name": "shop"}, state="absent", check_mode=True)
    assert host.current() == entry["serial"]
    gone = host.run({"name": "shop"}, state="absent")
    assert gone == planned
    assert gone["certificates"][0]["previous_serial"] == entry["serial"]
    assert os.listdir(host.directory) == []
    assert host.run({"name": "shop"}, state="absent")["changed"] is False


def test_a_missing_certificate_is_retired_already(host: Host) -> None:
    assert host.run({"name": "shop"}, state="absent")["changed"] is False
    assert not host.directory.exists()


JOURNAL = '{"format": 1, "order_id": 7, "public_key": "another"}'
SERVED = [{"listener": "shop at 127.0.0.1:443", "matches": True}, {"listener": "elsewhere", "matches": False}]


@pytest.mark.parametrize(
    ("file", "content", "extra", "message"),
    [
        ("intent.json", "{}", {}, "a purchase was started, its outcome is not known"),
        ("intent.json", "{}", {"cancelled": True}, "a purchase was started"),
        ("order.json", JOURNAL, {}, "its newest order has no certificate here yet"),
        ("order.json", "damaged", {}, "its newest order has no certificate here yet"),
        (None, "", {"served": SERVED}, r"shop: shop at 127\.0\.0\.1:443 still serves it; set force"),
    ],
)
def test_retiring_a_certificate_in_use_requires_force(
    host: Host, file: str | None, content: str, extra: dict[str, t.Any], message: str
) -> None:
    host.install()
    if file:
        (host.shop / file).write_text(content)
    before = hosts.tree(str(host.directory))
    item = {"name": "shop", **extra}
    with pytest.raises(GogetsslError, match=message):
        host.run(item, state="absent")
    assert hosts.tree(str(host.directory)) == before
    host.run(item, state="absent", force=True)
    assert os.listdir(host.directory) == []


def test_a_cancelled_order_and_an_idle_listener_do_not_require_force(host: Host) -> None:
    host.install()
    (host.shop / "order.json").write_text(JOURNAL)
    host.run({"name": "shop", "cancelled": True, "served": SERVED[1:]}, state="absent")
    assert os.listdir(host.directory) == []


def test_planted_link_is_not_retired(host: Host, tmp_path: Path) -> None:
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious" / "file").touch()
    host.directory.mkdir()
    host.shop.symlink_to(tmp_path / "precious")
    with pytest.raises(GogetsslError, match="is not a directory; refused"):
        host.run({"name": "shop"}, state="absent")
    assert (tmp_path / "precious" / "file").exists()


@pytest.fixture
def quick_stores(monkeypatch: pytest.MonkeyPatch) -> None:
    """Fast keystore encryption for tests that write hundreds of keystores."""
    monkeypatch.setattr(_pkcs12, "ROUNDS", 1)


SCENARIOS = ["first", "renewal", "repair", "back", "forms", "more forms", "rights", "absent"]


def prepared(host: Host, scenario: str) -> tuple[dict[str, t.Any], dict[str, t.Any], set[str | None]]:
    """The call, its options, and the serials that may be current during the call."""
    if scenario == "first":
        delivery = {**host.deliver(), "unverified": True}
        return delivery, {}, {None, x509.read_certificate(delivery["certificate"]).serial}
    if scenario == "forms":
        return prepared_with_forms(host)
    first = host.install()
    if scenario == "repair":
        host.install()
    delivery = host.deliver()
    new = x509.read_certificate(delivery["certificate"]).serial
    if scenario == "renewal":
        return delivery, {"keep_versions": 1}, {first["serial"], new}
    second = host.run(delivery)["certificates"][0]
    if scenario == "absent":
        return {"name": "shop"}, {"state": "absent"}, {new, None}
    if scenario == "repair":
        os.unlink(host.shop / "current")
        os.symlink(first["serial"], host.shop / "current")
        for name in ("chain.pem", "cert.pem"):
            (host.shop / new / name).write_text("damaged")
        return delivery, {}, {first["serial"], new}
    if scenario == "more forms":
        return with_forms(delivery), {"store_password": PASSWORD}, {new}
    if scenario == "rights":
        rights = {"mode": "0640", "owner": str(os.geteuid()), "group": str(os.getegid())}
        os.chmod(host.shop / new / "cert.pem", 0o600)
        return {**delivery, **rights}, {}, {new}
    return second, {"state": "previous"}, {first["serial"], new}


def prepared_with_forms(host: Host) -> tuple[dict[str, t.Any], dict[str, t.Any], set[str | None]]:
    """A renewal on a host whose services read all forms."""
    first = with_forms(host.deliver())
    host.run(first, store_password=PASSWORD)
    second = with_forms(host.deliver())
    serials = {x509.read_certificate(item["certificate"]).serial for item in (first, second)}
    return second, {"store_password": PASSWORD}, {*serials}


@pytest.mark.slow
@pytest.mark.usefixtures("quick_stores")
@pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_after_a_kill_at_any_point_services_read_one_complete_version(
    tmp_path: Path,
    ca: hosts.CertificateAuthority,
    scenario: str,
    power: bool,
    record_property: t.Callable[[str, object], None],
) -> None:
    """After SIGKILL at any change, services read the old or the new version, and the next run completes."""
    template = Host(tmp_path / "template", ca)
    item, params, allowed = prepared(template, scenario)
    points, killed = 0, True
    while killed:
        points += 1
        host = template.copy(tmp_path / str(points))
        lose = str(host.directory) if power else None
        killed = hosts.killed(lambda host=host: host.run(item, **params), points, lose)
        assert host.current() in allowed, f"kill point {points}"
        if item.get("unverified") and host.current():
            assert (host.shop / "unverified").read_text().strip() == host.current(), f"kill point {points}"
        if scenario == "forms":
            assert sorted(FORM_FILES) == sorted({*FORM_FILES} & {*os.listdir(host.shop / "current")})
        host.run(item, **params)
        assert host.current() == final(scenario, item)
        assert host.run(item, **params)["changed"] is False
        staged = (host.shop / "staged" / "privkey.pem").exists()
        assert staged is (scenario == "back")  # a rolled back certificate is staged with its key
        assert not [path for path in host.directory.rglob("*") if path.name.startswith(interrupted_files.SCRATCH)]
    assert points > (4 if scenario == "rights" else 8)
    record_property("figure", f"certificate, {scenario}: {points - 1} kill points, 0 torn states")


@pytest.mark.slow
@pytest.mark.usefixtures("quick_stores")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_a_full_disk_is_a_one_line_error(
    tmp_path: Path, ca: hosts.CertificateAuthority, scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = Host(tmp_path / "template", ca)
    item, params, allowed = prepared(template, scenario)
    points, message = 0, "?"
    while message:
        points += 1
        host = template.copy(tmp_path / str(points))
        with monkeypatch.context() as patch:
            patch.setattr(files, "os", hosts.FaultyOs(points, hosts.disk_full))
            warnings: list[str] = []
            message = failure(lambda host=host, warn=warnings.append: host.run(item, warn=warn, **params))
            message += "".join(warnings)  # what can only not be removed is a warning
        assert message == "" or "No space left on device" in message
        assert host.current() in allowed
        host.run(item, **params)
        assert host.run(item, **params)["changed"] is False
    assert points > (4 if scenario == "rights" else 8)


def failure(call: t.Callable[[], t.Any]) -> str:
    """The error message of a call, or an empty text."""
    try:
        call()
    except GogetsslError as error:
        return error.message
    return ""


def final(scenario: str, item: dict[str, t.Any]) -> str | None:
    """The current serial at the end."""
    if scenario == "absent":
        return None
    return item["previous_serial"] if scenario == "back" else newest(item)


def newest(item: dict[str, t.Any]) -> str:
    return x509.read_certificate(item["certificate"]).serial


def purge(host: Host, serial: str, **params: t.Any) -> dict[str, t.Any]:
    return host.run({"name": "shop", "serial": serial}, state="purged", **params)


def test_purge_leaves_the_installed_key_only(host: Host) -> None:
    host.install()
    host.install()
    new = host.install()["serial"]
    host.request(rekey="2026-01-01")  # a staged key without an order
    scratch = host.shop / f"{files.SCRATCH}x"
    scratch.mkdir()
    (scratch / "privkey.pem").write_text("an old key")
    planned = purge(host, new, check_mode=True)
    assert planned["changed"] is True
    assert len(list(host.shop.rglob("privkey.pem"))) == 5
    assert purge(host, new)["certificates"][0]["serial"] == new
    assert [path.parent.name for path in host.shop.rglob("privkey.pem")] == [new]
    assert not (host.shop / "previous").is_symlink()
    assert host.current() == new
    assert purge(host, new)["changed"] is False


def test_purge_keeps_the_staged_key_of_an_open_order(host: Host) -> None:
    host.install()
    new = host.install()["serial"]
    public_key = x509.read_request(host.request()).public_key
    (host.shop / "order.json").write_text(json.dumps({"public_key": public_key}))
    purge(host, new)
    assert (host.shop / "staged" / "privkey.pem").exists()
    assert sorted(path.parent.name for path in host.shop.rglob("privkey.pem")) == sorted([new, "staged"])


def test_purge_keeps_everything_if_the_new_version_is_not_in_use(host: Host) -> None:
    old = host.install()["serial"]
    entry = host.run({**host.deliver(), "unverified": True})["certificates"][0]
    for serial, message in (
        (None, "needs the serial"),
        ("", "needs the serial"),
        (old, f"points to {entry['serial']}, not to {old}"),
        (entry["serial"], "have not confirmed version"),
    ):
        with pytest.raises(GogetsslError, match=message):
            purge(host, serial)  # type: ignore[arg-type]
    host.run(entry, state="verified")
    (host.shop / entry["serial"] / "chain.pem").unlink()
    with pytest.raises(GogetsslError, match="is incomplete, so the other versions are kept"):
        purge(host, entry["serial"])
    assert (host.shop / old / "privkey.pem").exists()


def test_an_old_key_that_cannot_be_removed_is_an_error(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    old = host.install()["serial"]
    new = host.install()["serial"]

    def refuse(path: str) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(files, "discard", refuse)
    with pytest.raises(GogetsslError, match=f"shop: an old key is still on the host: .*{old} could not be removed"):
        purge(host, new)
