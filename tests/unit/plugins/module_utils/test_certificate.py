# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import grp
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

from ansible_collections.certops.gogetssl.plugins.module_utils import (
    _certificate,
    _csr,
    _files,
    _forms,
    _jks,
    _labels,
    _layout,
    _leftovers,
    _pkcs12,
    _x509,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._install import Found, plan
from ansible_collections.certops.gogetssl.plugins.module_utils._shell import CommandResult
from tests.unit import hosts
from tests.unit.hosts import DAY

pytestmark = pytest.mark.host

NAMES = ["shop.example.com", "www.shop.example.com"]
FILES = ["cert.pem", "chain.pem", "fullchain.pem", "privkey.pem"]
PASSWORD = "correct horse battery"
EVERY_FORM = ["haproxy", "der", "pkcs12", "pkcs12_legacy", "jks"]
FORM_FILES = ["cert.der", "haproxy.pem", "keystore-legacy.p12", "keystore.jks", "keystore.p12", "privkey.der"]


class Host:
    """A host with its directory of certificates and an authority that answers its CSRs."""

    def __init__(self, directory: Path, authority: hosts.Authority) -> None:
        self.directory, self.authority = directory, authority
        self.shop = directory / "shop"

    def copy(self, directory: Path) -> Host:
        shutil.copytree(self.directory, directory, symlinks=True)
        return Host(directory, self.authority)

    def request(self, **changes: t.Any) -> str:
        item = {"name": "shop", "names": NAMES, "product": "68", "key_type": "ecdsa-p256", **changes}
        return str(hosts.run(_csr.TASK, certificates=[item], directory=str(self.directory))["requests"][0]["csr"])

    def deliver(self, **issue: t.Any) -> dict[str, t.Any]:
        """A new key, and the certificate for it."""
        leaf = self.authority.issue(self.request(), **issue)
        return {"name": "shop", "names": NAMES, "certificate": leaf, "chain": self.authority.intermediate}

    def run(self, *items: dict[str, t.Any], check_mode: bool = False, **params: t.Any) -> dict[str, t.Any]:
        return hosts.run(
            _certificate.TASK, check_mode, certificates=list(items), directory=str(self.directory), **params
        )

    def install(self, **params: t.Any) -> dict[str, t.Any]:
        return self.run(self.deliver(), **params)["certificates"][0]  # type: ignore[no-any-return]

    def current(self) -> str | None:
        """The serial that services read, after making sure that all they read belongs together."""
        folder = self.shop / "current"
        if not folder.is_symlink():
            return None
        leaf = _x509.read_certificate((folder / "cert.pem").read_text())
        chain = (folder / "chain.pem").read_text()
        assert _x509.public_key_of_key((folder / "privkey.pem").read_bytes()) == leaf.public_key
        assert (folder / "fullchain.pem").read_text() == leaf.pem + chain
        assert chain == self.authority.intermediate
        self.check_forms(folder, leaf)
        return leaf.serial

    def check_forms(self, folder: Path, leaf: _x509.Certificate) -> None:
        """Whatever form is there is whole and of this certificate."""
        layout = _layout.Layout(alias="shop")
        chain = (_x509.read_certificate(self.authority.intermediate),)
        material = _forms.Material(layout, leaf, chain, (folder / "privkey.pem").read_bytes(), PASSWORD, 0.0)
        for file in FORM_FILES:
            if (folder / file).exists():
                assert _forms.holds(file, (folder / file).read_bytes(), material), file


@pytest.fixture(scope="module")
def authority() -> hosts.Authority:
    return hosts.Authority()


@pytest.fixture
def host(tmp_path: Path, authority: hosts.Authority) -> Host:
    return Host(tmp_path / "Zertifikate für alle", authority)


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Found(), {"write", "link"}),
        (Found(current="a", versions=("a",)), {"write", "link", "before"}),
        (Found(current="c", versions=("c",)), set()),
        (Found(current="c", versions=("c",), damaged=("cert.pem",)), {"repair"}),
        (Found(current="c", versions=("c",), adrift=("cert.pem",)), {"entitle"}),
        (Found(current="c", versions=("c",), mislabelled=True), {"relabel"}),
        (Found(current="a", versions=("c", "a")), {"link", "before"}),
        (Found(current="c", versions=("c", "a"), previous="a"), {"before"}),
        (Found(current="c", versions=("c",), previous="gone"), set()),
        (Found(current="c", versions=("c",), staged_is_used=True), {"unstage"}),
        (Found(current="c", versions=("c",), littered=True), {"sweep"}),
    ],
)
def test_plan(found: Found, expected: set[str]) -> None:
    decided = plan("c", found, 3)
    assert {name for name in decided._fields if name != "serial" and getattr(decided, name)} == expected


@pytest.mark.parametrize(
    ("found", "expected"),
    [
        (Found(), True),
        (Found(current="a", versions=("c", "a")), True),
        (Found(current="c", versions=("c",), adrift=("cert.pem",)), True),
        (Found(current="c", versions=("c",)), False),
        (Found(current="c", versions=("c",), littered=True, staged_is_used=True), False),
    ],
)
def test_plan_marks_what_services_have_to_take(found: Found, expected: bool) -> None:
    assert plan("c", found, 3, unproven=True).mark is expected
    assert plan("c", found, 3).mark is False


@pytest.mark.parametrize(("keep", "pruned"), [(1, "dba"), (2, "dba"), (3, "ba"), (4, "a"), (9, "")])
def test_plan_prunes_the_oldest_but_never_the_way_back(keep: int, pruned: str) -> None:
    found = Found(current="c", previous="c", versions=("d", "c", "b", "a"))
    assert plan("e", found, keep).prune == tuple(pruned)


def test_installs_in_one_step(host: Host) -> None:
    delivery = host.deliver()
    csr = (host.shop / "staged" / "request.csr").read_text()
    result = host.run(delivery)
    entry = result["certificates"][0]
    leaf = _x509.read_certificate(delivery["certificate"])
    assert entry == {
        "name": "shop",
        "serial": leaf.serial,
        "previous_serial": "",
        "path": str(host.shop / "current"),
        "not_after": leaf.not_after.isoformat(),
        "forms": [],
        "changed": True,
        "moved": True,
        "unproven": False,
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


def test_check_mode_touches_nothing_and_foretells(host: Host) -> None:
    delivery = host.deliver()
    before = hosts.tree(str(host.directory))
    foretold = host.run(delivery, check_mode=True)
    assert hosts.tree(str(host.directory)) == before
    assert host.run(delivery) == foretold


def test_key_is_in_no_result(host: Host) -> None:
    results = [host.run(host.deliver()), host.run(host.deliver())]
    keys = {path.read_text() for path in host.shop.glob("*/privkey.pem")}
    assert len(keys) == 2
    assert not any(key.split("\n")[1] in repr(results) for key in keys)
    assert results[1]["diff"][0]["before"]["serial"] == results[0]["certificates"][0]["serial"]


def test_line_ends_do_not_matter(host: Host) -> None:
    delivery = host.deliver()
    host.run({**delivery, "chain": delivery["chain"].replace("\n", "\r\n")})
    assert host.current()
    assert host.run(delivery)["changed"] is False


def test_old_versions_go(host: Host) -> None:
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
    if name == "privkey.pem":  # as after a rollback: the key is staged as well
        shutil.copytree(host.directory / "kept", host.shop / "staged")
    path = host.shop / serial / name
    {"emptied": lambda: path.write_text(""), "removed": path.unlink, "foreign": lambda: path.write_text("x")}[how]()
    entry = host.run(delivery)["certificates"][0]
    assert (entry["serial"], entry["changed"]) == (serial, True)
    assert host.current() == serial
    assert host.run(delivery)["changed"] is False


def test_link_that_was_removed_comes_back_without_the_staged_key(host: Host) -> None:
    delivery = host.deliver()
    host.run(delivery)
    (host.shop / "current").unlink()
    assert host.run(delivery)["certificates"][0]["changed"] is True
    assert host.current()


def test_staged_key_of_another_order_stays(host: Host) -> None:
    delivery = host.deliver()
    host.run(delivery)
    host.request()
    staged = hosts.tree(str(host.shop / "staged"))
    assert host.run(delivery)["changed"] is False
    assert hosts.tree(str(host.shop / "staged")) == staged


def by_a_leaf(host: Host, good: dict[str, t.Any]) -> dict[str, t.Any]:
    """A certificate signed with the key of another site's: the signature is right, the signer is no authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    none, pem = serialization.NoEncryption(), serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, none)
    signer = host.authority.issue(_x509.new_request(private, NAMES))
    csr = (host.shop / "staged" / "request.csr").read_text()
    return {
        "certificate": hosts.Authority.issue(t.cast(t.Any, SimpleNamespace(key=key, name="leaf")), csr),
        "chain": signer + good["chain"],
    }


BAD: dict[str, tuple[t.Callable[[Host, dict[str, t.Any]], dict[str, t.Any]], str]] = {
    "no certificate": (lambda host, good: {"certificate": ""}, "certificate is not made of PEM"),
    "number": (lambda host, good: {"certificate": 7}, "must be PEM text"),
    "names left out": (lambda host, good: {"names": None}, "names must be the list"),
    "garbage behind": (
        lambda host, good: {"certificate": good["certificate"] + "oops"},
        "certificate is not made of PEM",
    ),
    "garbage in chain": (lambda host, good: {"chain": good["chain"] + "<html>"}, "chain is not made of PEM"),
    "two leaves": (lambda host, good: {"certificate": good["certificate"] * 2}, "holds 2 certificates"),
    "broken base64": (lambda host, good: {"certificate": good["certificate"].replace("M", "A", 3)}, "cannot be read"),
    "chain missing": (lambda host, good: {"chain": ""}, "chain is empty"),
    "chain with a stranger": (
        lambda host, good: {"chain": good["chain"] + hosts.Authority().root},
        "CN=Test CA is not signed by CN=Test root, which follows it",
    ),
    "chain with two ways on": (
        lambda host, good: {"chain": host.authority.cross + good["chain"] + host.authority.root},
        "CN=Test CA is not signed by CN=Test CA, which follows it",
    ),
    "signed by no authority": (by_a_leaf, "CN=leaf has signed CN=leaf, but is not the certificate of an authority"),
    "foreign chain": (lambda host, good: {"chain": hosts.Authority().intermediate}, "is not signed by"),
    "other names": (lambda host, good: {"names": [*NAMES, "api.example.com"]}, "does not cover api.example.com"),
    "expired": (lambda host, good: host.deliver(start=-9 * DAY, end=-DAY), "expired on"),
    "not yet valid": (lambda host, good: host.deliver(start=DAY), "set the clock right"),
    "another key": (
        lambda host, good: {"certificate": host.authority.issue(_x509.new_request(_x509.new_key("ecdsa-p256"), NAMES))},
        "belongs to none of the keys",
    ),
    "private key for certificate": (
        lambda host, good: {"certificate": (host.shop / "staged" / "privkey.pem").read_text()},
        "is not made of PEM certificates",
    ),
    "name with a slash": (lambda host, good: {"name": "../shop"}, "cannot name a certificate"),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_delivery_is_one_sentence_and_changes_nothing(host: Host, case: str) -> None:
    host.install()
    spoil, words = BAD[case]
    good = host.deliver()
    bad = {**good, **spoil(host, good)}
    key = (host.shop / "staged" / "privkey.pem").read_text()
    before = hosts.tree(str(host.directory))
    with pytest.raises(GogetsslError, match=words) as failure:
        host.run(bad)
    assert key.split("\n")[1] not in failure.value.message
    assert hosts.tree(str(host.directory)) == before


def test_chain_in_another_order_is_put_right(host: Host) -> None:
    good = host.deliver()
    item = {**good, "chain": host.authority.root + host.authority.intermediate}
    host.run(item)
    assert (host.shop / "current" / "chain.pem").read_text() == host.authority.intermediate + host.authority.root
    assert host.run(item)["changed"] is False


def test_chain_that_is_in_order_stays_although_another_order_would_do(host: Host) -> None:
    """Both certificates of a cross-signed authority could follow the leaf; the one given first does."""
    good = host.deliver()
    host.run({**good, "chain": host.authority.cross})
    assert (host.shop / "current" / "chain.pem").read_text() == host.authority.cross


def test_chain_has_to_lead_to_a_trusted_root(host: Host) -> None:
    good = host.deliver()
    stranger = hosts.Authority()
    with pytest.raises(GogetsslError, match="the chain ends with CN=Test root, which is none of the trusted roots"):
        host.run(good, trusted_roots=stranger.root)
    with pytest.raises(GogetsslError, match="trusted_roots is not made of PEM certificates"):
        host.run(good, trusted_roots="nonsense")
    assert host.current() is None
    host.run(good, trusted_roots=stranger.root + host.authority.root)
    assert host.current()
    assert host.run(good, trusted_roots=host.authority.intermediate)["changed"] is False


def test_clock_of_the_host_that_is_hours_behind_refuses_no_fresh_certificate(host: Host) -> None:
    host.run(host.deliver(start=dt.timedelta(hours=14)))
    assert host.current()


def test_one_bad_delivery_keeps_the_others_waiting(host: Host) -> None:
    good = host.deliver()
    others = [{**good, "name": name} for name in ("blog", "mail")]
    before = hosts.tree(str(host.directory))
    with pytest.raises(GogetsslError, match=r"^blog: .*\. mail: .*\.$"):
        host.run(good, *others)
    assert hosts.tree(str(host.directory)) == before


def test_rejects_twice_the_same_name_and_no_versions(host: Host) -> None:
    good = host.deliver()
    with pytest.raises(GogetsslError, match="twice"):
        host.run(good, good)
    with pytest.raises(GogetsslError, match="keep_versions"):
        host.run(good, keep_versions=0)


@pytest.mark.parametrize("place", ["current", "version"])
def test_planted_link_is_refused(host: Host, tmp_path: Path, place: str) -> None:
    serial = host.install()["serial"]
    delivery = host.deliver()
    if place == "current":
        (host.shop / "current").unlink()
        (host.shop / "current").symlink_to(tmp_path)
    else:
        (host.shop / serial / "privkey.pem").unlink()
        (host.shop / serial / "privkey.pem").symlink_to(tmp_path / "elsewhere")
        delivery["certificate"] = (host.shop / serial / "cert.pem").read_text()
    with pytest.raises(GogetsslError, match="refused"):
        host.run(delivery)
    assert not (tmp_path / "elsewhere").exists()


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a link away, which takes root")
def test_link_of_another_user_is_refused(host: Host) -> None:
    host.install()
    os.chown(host.shop / "current", 12345, 12345, follow_symlinks=False)
    with pytest.raises(GogetsslError, match="not a symbolic link made by"):
        host.run(host.deliver())


def test_unwritable_directory_is_one_sentence(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    delivery = host.deliver()
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(GogetsslError, match=r"^.*alle is not writable for this user\.$"):
        host.run(delivery)


def test_goes_back(host: Host) -> None:
    first = host.install()
    delivery = host.deliver()
    second = host.run(delivery)["certificates"][0]
    foretold = host.run(second, state="previous", check_mode=True)
    assert host.current() == second["serial"]
    back = host.run(second, state="previous")
    assert back == foretold
    assert back["certificates"][0]["serial"] == host.current() == first["serial"]
    assert host.run(second, state="previous")["changed"] is False
    # The key waits for its certificate again, so it is installed later without an order.
    assert _x509.read_request(host.request()).public_key == _x509.read_certificate(delivery["certificate"]).public_key
    assert host.run(delivery)["certificates"][0] == second
    assert not (host.shop / "staged").exists()


def test_goes_back_to_nothing(host: Host) -> None:
    delivery = host.deliver()
    entry = host.run(delivery)["certificates"][0]
    assert host.run(entry, state="previous")["certificates"][0]["serial"] == ""
    assert host.current() is None
    assert host.run(entry, state="previous")["changed"] is False
    assert host.run(delivery)["certificates"][0] == entry
    assert host.current() == entry["serial"]


def test_a_version_is_marked_until_its_services_were_seen_to_take_it(host: Host) -> None:
    delivery = {**host.deliver(), "unproven": True}
    entry = host.run(delivery)["certificates"][0]
    mark = host.shop / "unproven"
    assert (entry["unproven"], mark.read_text()) == (True, entry["serial"] + "\n")
    again = host.run(delivery)
    assert (again["changed"], again["certificates"][0]["unproven"]) == (False, True)
    assert host.run({"name": "shop", "serial": "abc"}, state="settled")["changed"] is False, "another was proven"
    assert host.run({"name": "shop"}, state="settled")["changed"] is False, "nobody says it was proven"
    foretold = host.run(entry, state="settled", check_mode=True)
    assert mark.exists()
    settled = host.run(entry, state="settled")
    assert settled == foretold
    assert settled["certificates"] == [
        {**entry, "previous_serial": "", "changed": False, "moved": False, "unproven": False}
    ]
    assert not mark.exists()
    assert host.run(entry, state="settled")["changed"] is False
    assert host.current() == entry["serial"]


def test_a_version_that_was_left_again_leaves_no_mark(host: Host) -> None:
    first = host.install()
    second = host.run({**host.deliver(), "unproven": True})["certificates"][0]
    host.run(second, state="previous")
    assert host.current() == first["serial"]
    assert not (host.shop / "unproven").exists()
    more = {**with_forms({"name": "shop", "names": NAMES}, "haproxy"), "unproven": True}
    mended = host.run(more)["certificates"][0]
    assert (mended["changed"], mended["moved"]) == (True, False)
    host.run(mended, state="previous")
    assert (host.shop / "unproven").exists(), "there is nothing to go back to, so it is still to be proven"


def test_what_killed_runs_left_goes_and_nothing_else(host: Host) -> None:
    entry = host.install()
    host.request()  # a key that waits for its certificate
    staged = hosts.tree(str(host.shop / "staged"))
    (host.shop / ".order.4712").write_text("{")  # of a run at work
    before = hosts.tree(str(host.directory))
    assert host.run({"name": "shop"}, state="settled")["changed"] is False
    for place in (host.directory, host.shop, host.shop / "staged", host.shop / entry["serial"]):
        (place / f"{_leftovers.SCRATCH}old-x").mkdir()
        (place / f"{_leftovers.SCRATCH}old-x" / "privkey.pem").write_text("a key")
    for place, name in ((host.directory, ".new-dns.7"), (host.shop, ".order.7"), (host.shop, ".intent.7")):
        (place / name).write_text("{")
        os.utime(place / name, (0, 0))
    foretold = host.run({"name": "shop"}, state="settled", check_mode=True)
    assert foretold["changed"]
    assert host.run({"name": "shop"}, state="settled") == foretold
    assert hosts.tree(str(host.directory)) == before
    assert hosts.tree(str(host.shop / "staged")) == staged
    assert host.run({"name": "shop"}, state="settled")["changed"] is False


def test_the_installed_key_is_not_left_staged(host: Host) -> None:
    delivery = host.deliver()
    shutil.copytree(host.shop / "staged", host.directory / "kept")
    entry = host.run(delivery)["certificates"][0]
    shutil.copytree(host.directory / "kept", host.shop / "staged")
    (host.shop / "intent.json").write_text("{}")
    assert host.run(entry, state="settled")["changed"] is False, "a purchase may be under way with it"
    (host.shop / "intent.json").unlink()
    assert host.run(entry, state="settled")["changed"] is True
    assert not (host.shop / "staged").exists()
    assert host.current() == entry["serial"]


def test_goes_back_only_from_what_was_changed(host: Host) -> None:
    delivery = host.deliver()
    host.run(delivery)
    unchanged = host.run(delivery)["certificates"]
    assert host.run(*unchanged, state="previous")["changed"] is False
    assert host.current() == unchanged[0]["serial"]


def test_goes_back_only_to_a_whole_version_and_from_the_current_one(host: Host) -> None:
    first, second = host.install(), host.install()
    with pytest.raises(GogetsslError, match="needs previous_serial"):
        host.run({"name": "shop"}, state="previous")
    with pytest.raises(GogetsslError, match="needs previous_serial"):
        host.run({"name": "shop", "previous_serial": "../x"}, state="previous")
    with pytest.raises(GogetsslError, match="has moved on"):
        host.run({**second, "serial": "abc", "previous_serial": "def"}, state="previous")
    (host.shop / first["serial"] / "chain.pem").unlink()
    with pytest.raises(GogetsslError, match="no way back"):
        host.run(second, state="previous")
    assert host.current() == second["serial"]


def with_forms(item: dict[str, t.Any], *forms: str, **layout: t.Any) -> dict[str, t.Any]:
    return {**item, "forms": list(forms or EVERY_FORM), **layout}


def test_every_form_holds_the_same_key_and_certificates(host: Host) -> None:
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
    assert _jks.load((folder / "keystore.jks").read_bytes(), PASSWORD) == ("shop", pkcs8, (leaf, ca))
    secret = ["haproxy.pem", "keystore-legacy.p12", "keystore.jks", "keystore.p12", "privkey.der", "privkey.pem"]
    assert [file for file in sorted(os.listdir(folder)) if hosts.mode(folder / file) == 0o600] == secret


def der(key: t.Any) -> bytes:
    none = serialization.NoEncryption()
    return bytes(key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8, none))


def test_forms_are_written_once_although_their_bytes_would_differ(host: Host) -> None:
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
def test_forms_are_written_anew_when_the_wish_changes(
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


def test_form_wished_for_later_joins_the_installed_version_without_its_certificate(host: Host) -> None:
    host.install()
    serial = host.install()["serial"]
    wish = {"name": "shop", "names": NAMES, "forms": ["haproxy"]}
    foretold = host.run(wish, check_mode=True)
    entry = host.run(wish)
    assert entry == foretold
    assert {key: entry["certificates"][0][key] for key in ("serial", "changed", "moved", "forms")} == {
        "serial": serial,
        "changed": True,
        "moved": False,
        "forms": ["haproxy"],
    }
    assert (host.shop / "current" / "haproxy.pem").exists()
    # Nothing to go back from: the version is the one that was current before.
    assert host.run(*entry["certificates"], state="previous")["changed"] is False
    assert host.current() == serial
    assert host.run(wish)["changed"] is False


def test_completing_needs_something_to_complete(host: Host) -> None:
    host.request()
    with pytest.raises(GogetsslError, match="no certificate is given, and none is installed"):
        host.run({"name": "shop", "names": NAMES, "forms": ["haproxy"]})


def test_forms_come_back_with_their_version(host: Host) -> None:
    first = with_forms(host.deliver())
    host.run(first, store_password=PASSWORD)
    before = contents(host)
    second = host.run(with_forms(host.deliver()), store_password=PASSWORD)["certificates"][0]
    assert contents(host) != before
    back = host.run(second, state="previous")["certificates"][0]  # needs no password
    assert back["forms"] == EVERY_FORM
    assert contents(host) == before


@pytest.mark.parametrize(
    ("wish", "password", "words"),
    [
        ({"forms": ["pem"]}, None, "forms takes a list of haproxy, der, pkcs12"),
        ({"forms": "haproxy"}, None, "forms takes a list"),
        ({"forms": ["haproxy", "jks"]}, None, "jks needs store_password"),
        ({"forms": ["pkcs12"]}, "short", "6 or more printable ASCII"),
        ({"forms": ["pkcs12"]}, "pässwörter", "6 or more printable ASCII"),
        ({"alias": "-x"}, None, "alias takes up to 64"),
        ({"alias": "x\n"}, None, "alias takes up to 64"),
        ({"mode": "0644"}, None, "nobody but"),
        ({"mode": 640}, None, "with the quotes"),
        ({"mode": "u=rw"}, None, "mode is that of private keys"),
        ({"mode": True}, None, "mode is that of private keys"),
        ({"owner": "no-such-user"}, None, "There is no user no-such-user"),
        ({"group": "no-such-group"}, None, "There is no group no-such-group"),
        ({"group": "../x"}, None, "group takes the name or the number"),
    ],
)
def test_bad_layout_is_one_sentence_and_changes_nothing(
    host: Host, wish: dict[str, t.Any], password: str | None, words: str
) -> None:
    host.install()
    delivery = host.deliver()
    before = hosts.tree(str(host.directory))
    with pytest.raises(GogetsslError, match=words) as failure:
        host.run({**delivery, **wish}, store_password=password)
    assert not password or password not in failure.value.message
    assert hosts.tree(str(host.directory)) == before


def test_pkcs12_is_refused_where_nothing_can_make_it_and_the_rest_goes_on(
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


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away, which takes root")
def test_rights_are_given_and_their_drift_is_repaired(host: Host) -> None:
    delivery = with_forms(host.deliver(), "haproxy", owner="12345", group="daemon", mode="0640")
    host.run(delivery)
    folder, daemon = (host.shop / "current").resolve(), grp.getgrnam("daemon").gr_gid
    wanted = dict.fromkeys(["haproxy.pem", "privkey.pem"], (0o640, 12345, daemon))
    wanted.update(dict.fromkeys(["cert.pem", "chain.pem", "fullchain.pem"], (0o644, 12345, daemon)))
    assert {file: _files.rights_of(str(folder / file)) for file in wanted} == wanted
    os.chmod(folder / "privkey.pem", 0o644)
    os.chown(folder / "cert.pem", 0, 0)
    inodes = {file: (folder / file).stat().st_ino for file in wanted}
    result = host.run(delivery)
    assert [result["certificates"][0][key] for key in ("changed", "moved")] == [True, False]
    before, after = (result["diff"][0][when]["files"] for when in ("before", "after"))
    assert {file: (before[file], after[file]) for file in after if before[file] != after[file]} == {
        "privkey.pem": (f"0644 owner 12345 group {daemon}", f"0640 owner 12345 group {daemon}"),
        "cert.pem": ("0644 owner 0 group 0", f"0644 owner 12345 group {daemon}"),
    }
    assert {file: _files.rights_of(str(folder / file)) for file in wanted} == wanted
    assert {file: (folder / file).stat().st_ino for file in wanted} == inodes
    assert host.run(delivery)["changed"] is False


def test_labels_are_restored_where_selinux_is(host: Host, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for the kernel's file and for the tool; no SELinux is here to be asked."""
    said: list[str] = []
    answers: list[CommandResult] = []

    def shell(script: str) -> CommandResult:
        said.append(script)
        return answers.pop() if answers else CommandResult(0, "", "")

    (tmp_path / "enforce").write_text("1")
    monkeypatch.setattr(_labels, "_SELINUX", str(tmp_path / "enforce"))
    monkeypatch.setattr(hosts, "_no_shell", shell)
    delivery = host.deliver()
    version = str(host.shop / _x509.read_certificate(delivery["certificate"]).serial)
    host.run(delivery)
    assert len(said) == 1
    assert said[0].endswith(f"restorecon -R  -- '{version}'")
    assert host.run(delivery)["changed"] is False
    assert "-n -v" in said[-1]
    answers += [CommandResult(0, "Would relabel", ""), CommandResult(0, "Would relabel", "")]
    assert host.run(delivery)["certificates"][0]["changed"] is True
    assert "-n" not in said[-1]
    answers.append(CommandResult(1, "", "restorecon: lost its labels"))
    with pytest.raises(GogetsslError, match="lost its labels"):
        host.run(delivery)


def test_retired_certificate_leaves_nothing(host: Host) -> None:
    host.install()
    entry = host.install()
    foretold = host.run({"name": "shop"}, state="absent", check_mode=True)
    assert host.current() == entry["serial"]
    gone = host.run({"name": "shop"}, state="absent")
    assert gone == foretold
    assert gone["certificates"][0]["previous_serial"] == entry["serial"]
    assert os.listdir(host.directory) == []
    assert host.run({"name": "shop"}, state="absent")["changed"] is False


def test_what_is_not_there_is_retired_already(host: Host) -> None:
    assert host.run({"name": "shop"}, state="absent")["changed"] is False
    assert not host.directory.exists()


JOURNAL = '{"format": 1, "order_id": 7, "public_key": "another"}'
SERVED = [{"listener": "shop at 127.0.0.1:443", "matches": True}, {"listener": "elsewhere", "matches": False}]


@pytest.mark.parametrize(
    ("file", "content", "extra", "words"),
    [
        ("intent.json", "{}", {}, "a purchase was begun and its outcome is not known"),
        ("intent.json", "{}", {"cancelled": True}, "a purchase was begun"),
        ("order.json", JOURNAL, {}, "its newest order has no certificate here yet"),
        ("order.json", "damaged", {}, "its newest order has no certificate here yet"),
        (None, "", {"served": SERVED}, r"shop: shop at 127\.0\.0\.1:443 still serves it; set force"),
    ],
)
def test_retiring_what_is_needed_takes_force(
    host: Host, file: str | None, content: str, extra: dict[str, t.Any], words: str
) -> None:
    host.install()
    if file:
        (host.shop / file).write_text(content)
    before = hosts.tree(str(host.directory))
    item = {"name": "shop", **extra}
    with pytest.raises(GogetsslError, match=words):
        host.run(item, state="absent")
    assert hosts.tree(str(host.directory)) == before
    host.run(item, state="absent", force=True)
    assert os.listdir(host.directory) == []


def test_cancelled_order_and_an_idle_listener_are_no_objection(host: Host) -> None:
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
    """Keystores whose encryption costs nothing, where hundreds are written."""
    monkeypatch.setattr(_pkcs12, "ROUNDS", 1)


SCENARIOS = ["first", "renewal", "repair", "back", "forms", "more forms", "rights", "absent"]


def prepared(host: Host, scenario: str) -> tuple[dict[str, t.Any], dict[str, t.Any], set[str | None]]:
    """What to run, with which options, and the serials that may be current at any time meanwhile."""
    if scenario == "first":
        delivery = {**host.deliver(), "unproven": True}
        return delivery, {}, {None, _x509.read_certificate(delivery["certificate"]).serial}
    if scenario == "forms":
        return prepared_with_forms(host)
    first = host.install()
    if scenario == "repair":
        host.install()
    delivery = host.deliver()
    new = _x509.read_certificate(delivery["certificate"]).serial
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
    """A renewal on a host whose services read every form there is."""
    first = with_forms(host.deliver())
    host.run(first, store_password=PASSWORD)
    second = with_forms(host.deliver())
    serials = {_x509.read_certificate(item["certificate"]).serial for item in (first, second)}
    return second, {"store_password": PASSWORD}, {*serials}


@pytest.mark.usefixtures("quick_stores")
@pytest.mark.parametrize("power", [False, True], ids=["killed", "power lost"])
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_killed_anywhere_services_read_one_whole_version(
    tmp_path: Path,
    authority: hosts.Authority,
    scenario: str,
    power: bool,
    record_property: t.Callable[[str, object], None],
) -> None:
    """SIGKILL at every change, half-written files included: old or new, never a mixture; the next run finishes."""
    template = Host(tmp_path / "template", authority)
    item, params, allowed = prepared(template, scenario)
    points, killed = 0, True
    while killed:
        points += 1
        host = template.copy(tmp_path / str(points))
        lose = str(host.directory) if power else None
        killed = hosts.killed(lambda host=host: host.run(item, **params), points, lose)
        assert host.current() in allowed, f"kill point {points}"
        if item.get("unproven") and host.current():
            assert (host.shop / "unproven").read_text().strip() == host.current(), f"kill point {points}"
        if scenario == "forms":
            assert sorted(FORM_FILES) == sorted({*FORM_FILES} & {*os.listdir(host.shop / "current")})
        host.run(item, **params)
        assert host.current() == final(scenario, item)
        assert host.run(item, **params)["changed"] is False
        staged = (host.shop / "staged" / "privkey.pem").exists()
        assert staged is (scenario == "back")  # a certificate taken back waits with its key
        assert not [path for path in host.directory.rglob("*") if path.name.startswith(_leftovers.SCRATCH)]
    assert points > (4 if scenario == "rights" else 8)
    record_property("figure", f"certificate, {scenario}: {points - 1} kill points, 0 torn states")


@pytest.mark.usefixtures("quick_stores")
@pytest.mark.parametrize("scenario", SCENARIOS)
def test_full_disk_anywhere_is_one_sentence(
    tmp_path: Path, authority: hosts.Authority, scenario: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    template = Host(tmp_path / "template", authority)
    item, params, allowed = prepared(template, scenario)
    points, words = 0, "?"
    while words:
        points += 1
        host = template.copy(tmp_path / str(points))
        with monkeypatch.context() as patch:
            patch.setattr(_files, "os", hosts.FaultyOs(points, hosts.disk_full))
            words = failure(lambda host=host: host.run(item, **params))
        assert words == "" or "No space left on device" in words
        assert host.current() in allowed
        host.run(item, **params)
        assert host.run(item, **params)["changed"] is False
    assert points > (4 if scenario == "rights" else 8)


def failure(call: t.Callable[[], t.Any]) -> str:
    """The sentence a call failed with, or nothing."""
    try:
        call()
    except GogetsslError as error:
        return error.message
    return ""


def final(scenario: str, item: dict[str, t.Any]) -> str | None:
    """What is current when all is done."""
    if scenario == "absent":
        return None
    return item["previous_serial"] if scenario == "back" else newest(item)


def newest(item: dict[str, t.Any]) -> str:
    return _x509.read_certificate(item["certificate"]).serial
