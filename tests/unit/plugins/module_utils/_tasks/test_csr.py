# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import fcntl
import json
import os
import shutil
import stat
import threading
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import directory_lock, store
from ansible_collections.certops.gogetssl.plugins.module_utils._host.store import OrderOf
from ansible_collections.certops.gogetssl.plugins.module_utils._request import spec
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import csr as _csr
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks.csr import Action, StagedState, plan_key
from tests.unit import hosts

pytestmark = pytest.mark.host

NAMES = ["shop.example.com", "www.shop.example.com"]
COMPANY = {"name": "Zürcher Möbel AG", "division": "Web", "city": "Zürich", "region": "ZH", "country": "CH"}


def make(directory: Path, check_mode: bool = False, **changes: t.Any) -> dict[str, t.Any]:
    item = {"name": "shop", "names": NAMES, "product": "68", "key_type": "ecdsa-p256", **changes}
    return hosts.run(_csr.TASK, check_mode, certificates=[item], directory=str(directory))


def staged(directory: Path) -> tuple[bytes, str]:
    folder = directory / "shop" / "staged"
    return (folder / "privkey.pem").read_bytes(), (folder / "request.csr").read_text()


def make_spec(**changes: t.Any) -> spec.CertificateSpec:
    given = {
        "name": "shop",
        "names": tuple(NAMES),
        "product": "68",
        "period": 12,
        "methods": {},
        "key_type": "ecdsa-p256",
    }
    return spec.CertificateSpec(**{**given, **changes})


@pytest.fixture(scope="module")
def pair() -> tuple[store.Key, x509.Request]:
    key = store.make_key(x509.new_key("ecdsa-p256"))
    return key, x509.read_request(x509.new_request(key.pem, NAMES))


@pytest.fixture(scope="module")
def other_key() -> x509.Request:
    return x509.read_request(x509.new_request(x509.new_key("ecdsa-p256"), NAMES))


MORE = (NAMES[0], "b.example.com", NAMES[1])
TURNED = (NAMES[1], NAMES[0])


@pytest.mark.parametrize(
    ("spec", "order", "expected"),
    [
        ({}, OrderOf.NONE, Action.KEEP),
        ({"rekey": True}, OrderOf.NONE, Action.KEEP),
        ({"names": MORE}, OrderOf.NONE, Action.MAKE),
        ({"names": TURNED}, OrderOf.NONE, Action.MAKE),
        ({"key_type": "rsa-2048"}, OrderOf.NONE, Action.MAKE),
        ({"organization": COMPANY}, OrderOf.NONE, Action.MAKE),
        ({}, OrderOf.OPEN, Action.KEEP),
        ({"names": MORE}, OrderOf.OPEN, Action.HOLD),
        ({"key_type": "rsa-2048"}, OrderOf.OPEN, Action.HOLD),
        ({}, OrderOf.DONE, Action.KEEP),
        ({"names": MORE}, OrderOf.DONE, Action.MAKE),
        ({"names": TURNED[1:]}, OrderOf.DONE, Action.HOLD),
        ({"organization": COMPANY}, OrderOf.DONE, Action.HOLD),
    ],
)
def test_plan_of_a_staged_pair(pair: t.Any, spec: t.Any, order: OrderOf, expected: Action) -> None:
    assert plan_key(make_spec(**spec), StagedState(*pair, order=order)).action is expected


def test_plan_without_a_pair(pair: t.Any, other_key: x509.Request) -> None:
    key, _request = pair
    assert plan_key(make_spec(), StagedState()).action is Action.MAKE
    assert plan_key(make_spec(), StagedState(key, None)).action is Action.SIGN
    assert plan_key(make_spec(), StagedState(key, other_key)).action is Action.SIGN
    assert plan_key(make_spec(key_type="rsa-2048"), StagedState(key, None)).action is Action.MAKE
    assert plan_key(make_spec(key_type="rsa-2048"), StagedState(key, None, order=OrderOf.OPEN)).action is Action.SIGN


@pytest.mark.parametrize(
    ("order", "expected"), [(OrderOf.NONE, Action.MAKE), (OrderOf.DONE, Action.MAKE), (OrderOf.OPEN, Action.KEEP)]
)
def test_the_installed_key_is_not_ordered_again(pair: t.Any, order: OrderOf, expected: Action) -> None:
    assert plan_key(make_spec(), StagedState(*pair, live_key=pair[0].public_key, order=order)).action is expected


@pytest.mark.parametrize(
    ("order", "expected"), [(OrderOf.NONE, Action.MAKE), (OrderOf.DONE, Action.MAKE), (OrderOf.OPEN, Action.KEEP)]
)
def test_an_outdated_key_is_kept_for_an_open_order_only(pair: t.Any, order: OrderOf, expected: Action) -> None:
    assert plan_key(make_spec(), StagedState(*pair, outdated=True, order=order)).action is expected


def test_a_key_staged_before_the_rekey_date_is_not_ordered(tmp_path: Path) -> None:
    first = make(tmp_path)["requests"][0]["public_key"]
    an_hour_ago = time.time() - 3600
    os.utime(tmp_path / "shop" / "staged" / "privkey.pem", (an_hour_ago, an_hour_ago))
    dates = [dt.datetime.fromtimestamp(an_hour_ago + offset, dt.timezone.utc).isoformat() for offset in (-60, 60, 7200)]
    assert make(tmp_path, rekey=dates[0])["requests"][0]["public_key"] == first
    assert make(tmp_path, rekey=dates[2])["requests"][0]["public_key"] == first  # in the future
    second = make(tmp_path, rekey=dates[1])["requests"][0]["public_key"]
    assert second != first
    assert make(tmp_path, rekey=dates[1])["requests"][0]["public_key"] == second


@pytest.mark.parametrize("key_type", spec.KEY_TYPES)
def test_generates_all_key_types(tmp_path: Path, key_type: str) -> None:
    result = make(tmp_path, key_type=key_type)
    request = x509.read_request(result["requests"][0]["csr"])
    assert request.key_type == key_type
    assert list(request.names) == NAMES
    assert x509.public_key_of_key(staged(tmp_path)[0]) == request.public_key


def test_generates_once(tmp_path: Path) -> None:
    directory = tmp_path / "neu und groß" / "gogetssl"
    os.umask(0o077)
    first = make(directory)
    assert first["changed"] is True
    assert hosts.mode(directory) == hosts.mode(directory / "shop") == 0o755
    assert hosts.mode(directory / "shop" / "staged") == 0o700
    assert hosts.mode(directory / "shop" / "staged" / "privkey.pem") == 0o600
    before = hosts.tree(str(directory))
    second = make(directory)
    assert second["changed"] is False
    assert second["requests"][0] == {
        **first["requests"][0],
        "changed": False,
        "reason": second["requests"][0]["reason"],
    }
    assert make(directory, names=[NAMES[0], NAMES[1].upper() + "."])["changed"] is False
    assert hosts.tree(str(directory)) == before


def test_organisation_is_the_subject(tmp_path: Path) -> None:
    csr = make(tmp_path, organization=COMPANY)["requests"][0]["csr"]
    subject = {"C": "CH", "ST": "ZH", "L": "Zürich", "O": "Zürcher Möbel AG", "OU": "Web"}
    assert x509.subject_of_request(csr) == subject
    assert make(tmp_path, organization=COMPANY)["changed"] is False


def test_a_csr_that_would_be_too_long_has_the_common_name_alone(tmp_path: Path) -> None:
    names = [f"host-{number:03d}.department.example.com" for number in range(250)]
    (entry,) = make(tmp_path, names=names)["requests"]
    assert len(entry["csr"]) <= 4000
    assert (entry["common_name"], entry["names"], entry["matches_spec"]) == (names[0], names[:1], True)
    assert make(tmp_path, names=names)["changed"] is False
    assert make(tmp_path, names=names[:249])["changed"] is False
    assert make(tmp_path, names=names[:60])["requests"][0]["names"] == names[:60]
    assert make(tmp_path, names=names[:1])["requests"][0]["names"] == names[:1]
    assert make(tmp_path, names=names[:2])["requests"][0]["names"] == names[:2]


def test_an_invalid_subject_changes_nothing(tmp_path: Path) -> None:
    with pytest.raises(GogetsslError, match="the first name has 72 characters, at most 64 are"):
        make(tmp_path, names=[f"{'a' * 60}.example.com"])
    assert hosts.tree(str(tmp_path)) == {}


def test_check_mode_changes_nothing(tmp_path: Path) -> None:
    result = make(tmp_path / "deep", check_mode=True)
    assert result["changed"] is True
    assert result["requests"][0]["csr"] is None
    assert hosts.tree(str(tmp_path)) == {}


def test_the_probe_is_published_in_the_same_visit(tmp_path: Path) -> None:
    web_root = tmp_path / "www"
    probe = {"probe_files": [{"file_name": "probe.txt", "content": "x"}], "web_root": str(web_root)}
    item = {"name": "shop", "names": NAMES, "product": "68", "key_type": "ecdsa-p256"}

    def visit(check_mode: bool = False) -> dict[str, t.Any]:
        directory = str(tmp_path / "gogetssl")
        return hosts.run(_csr.TASK, check_mode, certificates=[item], directory=directory, **probe)

    result = visit()
    assert str(web_root) in result["probe_problem"]
    assert result["requests"][0]["csr"], "a missing web root stops only certificates that are validated by files"
    web_root.mkdir()
    for check_mode in (True, False):
        assert visit(check_mode)["probe_problem"] == ""
        assert (web_root / ".well-known" / "pki-validation" / "probe.txt").exists() is not check_mode


def test_key_is_in_no_result(tmp_path: Path) -> None:
    results = [make(tmp_path), make(tmp_path, names=["other.example.com"]), make(tmp_path, key_type="rsa-2048")]
    body = staged(tmp_path)[0].split(b"\n")[1].decode()
    assert "PRIVATE" not in repr(results)
    assert body not in repr(results)
    assert body not in repr(store.read_key(str(tmp_path / "shop" / "staged")))


def test_changed_names_get_a_new_key(tmp_path: Path) -> None:
    make(tmp_path)
    old = staged(tmp_path)
    result = make(tmp_path, names=["other.example.com"])
    assert result["requests"][0]["matches_spec"] is True
    assert result["diff"][0]["before"]["names"] == NAMES
    assert result["diff"][0]["after"]["names"] == ["other.example.com"]
    assert staged(tmp_path)[0] != old[0]


@pytest.mark.parametrize("journal", ["intent", "order", "damaged"])
def test_the_key_of_an_open_order_is_kept(tmp_path: Path, journal: str) -> None:
    public_key = make(tmp_path)["requests"][0]["public_key"]
    folder, before = tmp_path / "shop", staged(tmp_path)
    order = {"public_key": public_key}
    name, text = {
        "intent": ("intent.json", "{}"),
        "order": ("order.json", json.dumps(order)),
        "damaged": ("order.json", '{"pend'),
    }[journal]
    (folder / name).write_text(text)
    entry = make(tmp_path, names=["other.example.com"], key_type="rsa-2048")["requests"][0]
    assert (entry["changed"], entry["matches_spec"], entry["names"]) == (False, False, NAMES)
    assert entry["csr"] == before[1]
    assert staged(tmp_path) == before


def test_the_key_of_a_finished_order_may_be_replaced(tmp_path: Path) -> None:
    public_key = make(tmp_path)["requests"][0]["public_key"]
    (tmp_path / "shop" / "order.json").write_text(json.dumps({"public_key": public_key}))
    _install_staged(tmp_path / "shop")
    assert make(tmp_path, organization=COMPANY)["requests"][0]["matches_spec"] is False
    assert make(tmp_path, names=["other.example.com"])["changed"] is True


def test_an_installed_key_that_is_still_staged_is_replaced(tmp_path: Path) -> None:
    public_key = make(tmp_path)["requests"][0]["public_key"]
    (tmp_path / "shop" / "order.json").write_text(json.dumps({"public_key": public_key}))
    _install_staged(tmp_path / "shop")
    (tmp_path / "shop" / "current").symlink_to("abc123")
    assert make(tmp_path)["requests"][0]["public_key"] != public_key


def _install_staged(root: Path) -> None:
    """Install a version with the staged key, which remains staged."""
    (root / "abc123").mkdir()
    (root / "abc123" / "privkey.pem").write_bytes((root / "staged" / "privkey.pem").read_bytes())


def test_a_damaged_csr_is_generated_again_with_the_same_key(tmp_path: Path) -> None:
    public_key = make(tmp_path)["requests"][0]["public_key"]
    (tmp_path / "shop" / "intent.json").write_text("{}")
    (tmp_path / "shop" / "staged" / "request.csr").write_text("half a requ")
    result = make(tmp_path)
    assert result["changed"] is True
    assert result["requests"][0]["public_key"] == public_key
    assert make(tmp_path)["changed"] is False


def test_damaged_key_is_replaced(tmp_path: Path) -> None:
    make(tmp_path)
    (tmp_path / "shop" / "staged" / "privkey.pem").write_text("half a key")
    assert make(tmp_path)["changed"] is True
    assert make(tmp_path)["changed"] is False


@pytest.mark.parametrize("link_path", ["shop", "shop/staged", "shop/staged/privkey.pem"])
def test_planted_link_is_refused(tmp_path: Path, link_path: str) -> None:
    directory, elsewhere = tmp_path / "certs", tmp_path / "elsewhere"
    make(directory)
    elsewhere.mkdir()
    target = directory / link_path
    if target.is_dir():
        shutil.rmtree(target)
    else:
        target.unlink()
    target.symlink_to(elsewhere)
    with pytest.raises(GogetsslError, match="refused"):
        make(directory)
    assert hosts.tree(str(elsewhere)) == {}


def test_directory_open_to_all_is_refused(tmp_path: Path) -> None:
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    with pytest.raises(GogetsslError, match="writable by every user"):
        make(tmp_path / "open" / "certs")
    assert hosts.tree(str(tmp_path)) == {"open": "777"}


@pytest.mark.skipif(os.geteuid() != 0, reason="changing the owner of a directory requires root")
def test_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    (tmp_path / "link").symlink_to("theirs")
    for link_path in ("theirs", "link"):
        with pytest.raises(GogetsslError, match="belongs to user id 12345"):
            make(tmp_path / link_path / "certs")


def test_unwritable_directory_is_a_one_line_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root can write everywhere
    with pytest.raises(GogetsslError, match=r"^\S+/certs cannot be made: \S+ is not writable for this user\.$"):
        make(tmp_path / "certs")


def test_relative_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GogetsslError, match="absolute path"):
        make(Path("certs"))


def test_a_second_run_waits_for_the_first(tmp_path: Path) -> None:
    with directory_lock.locked(str(tmp_path)):
        second = directory_lock.locked(str(tmp_path), sleep=lambda seconds: None)
        with pytest.raises(GogetsslError, match="another run"):
            second.__enter__()


def test_another_user_cannot_hold_the_lock(tmp_path: Path) -> None:
    """Every user can open and lock a directory that services read, but not a file of this user."""
    handle = os.open(tmp_path, os.O_RDONLY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        with directory_lock.locked(str(tmp_path), sleep=lambda seconds: pytest.fail("a wait")):
            (lock,) = tmp_path.iterdir()
            assert stat.S_IMODE(lock.stat().st_mode) == 0o600
    finally:
        os.close(handle)


def test_an_odd_lock_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / directory_lock.LOCK)
    with pytest.raises(GogetsslError, match="is not a plain file; refused"), directory_lock.locked(str(tmp_path)):
        pytest.fail("locked")


def test_the_lock_of_many_runs_is_held_by_one(tmp_path: Path) -> None:
    """The one that has it removes its file, which others have opened."""
    inside: list[int] = []
    most: list[int] = []

    def work() -> None:
        for _again in range(30):
            with directory_lock.locked(str(tmp_path)):
                inside.append(1)
                most.append(len(inside))
                time.sleep(0.001)
                inside.pop()

    runs = [threading.Thread(target=work) for _number in range(4)]
    for one in runs:
        one.start()
    for one in runs:
        one.join()
    assert (len(most), max(most)) == (120, 1)
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("start", ["nothing", "other names", "no csr"])
def test_after_a_kill_at_any_point_the_next_run_recovers(
    tmp_path: Path, start: str, record_property: t.Callable[[str, object], None]
) -> None:
    """After SIGKILL and power loss at any change there is a complete pair or none, and the next run recovers."""
    points = 0
    killed = True
    while killed:
        points += 1
        directory = tmp_path / str(points)
        if start != "nothing":
            make(directory, names=NAMES if start == "no csr" else ["old.example.com"])
        if start == "no csr":
            (directory / "shop" / "staged" / "request.csr").unlink()
        killed = hosts.killed(lambda directory=directory: make(directory), points, lose_power=str(directory))
        if (directory / "shop" / "staged").exists() and start != "no csr":
            key, csr = staged(directory)
            assert x509.public_key_of_key(key) == x509.read_request(csr).public_key
        entry = make(directory)["requests"][0]
        assert list(x509.read_request(staged(directory)[1]).names) == NAMES
        assert entry["csr"] == staged(directory)[1]
        assert sorted(os.listdir(directory / "shop")) == ["staged"]
        assert sorted(os.listdir(directory / "shop" / "staged")) == ["privkey.pem", "request.csr"]
        assert make(directory)["changed"] is False
    assert points > 8
    record_property("figure", f"csr, from {start}: {points - 1} kill points, 0 torn pairs")


# Keys generated by the vendor


def from_afar(directory: Path, key: bytes | None = None, **changes: t.Any) -> dict[str, t.Any]:
    """Run the module as the action plugin does, with a key of the vendor."""
    if key is not None:
        incoming = directory / "shop" / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        (incoming / "privkey.pem").write_bytes(key)
    item = {"name": "shop", "names": NAMES, "product": "68", "key_type": "rsa-2048", **changes}
    return hosts.run(_csr.TASK, certificates=[item], directory=str(directory), generator="gogetssl")


def test_a_vendor_key_is_requested_and_staged_with_a_new_csr(tmp_path: Path) -> None:
    directory = tmp_path / "certs"
    first = from_afar(directory)
    assert (first["lacking"], first["requests"][0]["csr"]) == (["shop"], None)
    assert not (directory / "shop" / "staged").exists()
    key = x509.new_key("rsa-2048")
    second = from_afar(directory, key)
    assert (second["lacking"], second["changed"], second["requests"][0]["names"]) == ([], True, NAMES)
    assert staged(directory) == (key, second["requests"][0]["csr"])
    assert os.stat(directory / "shop" / "staged" / "privkey.pem").st_mode & 0o777 == 0o600
    assert key.decode() not in json.dumps(second)
    assert not (directory / "shop" / "incoming").exists()
    third = from_afar(directory)
    assert (third["lacking"], third["changed"]) == ([], False)


@pytest.mark.parametrize("key", [b"nonsense", x509.new_key("ecdsa-p256")], ids=["nonsense", "ecdsa"])
def test_a_vendor_key_of_another_type_is_requested_again(tmp_path: Path, key: bytes) -> None:
    result = from_afar(tmp_path / "certs", key)
    assert result["lacking"] == ["shop"]
    assert not (tmp_path / "certs" / "shop" / "incoming").exists()


def test_an_unneeded_vendor_key_is_removed(tmp_path: Path) -> None:
    directory = tmp_path / "certs"
    from_afar(directory, x509.new_key("rsa-2048"))
    key, _csr_pem = staged(directory)
    assert from_afar(directory, x509.new_key("rsa-2048"))["changed"] is False
    assert staged(directory)[0] == key
    assert not (directory / "shop" / "incoming").exists()


def test_the_vendor_generates_one_key_type_only(tmp_path: Path) -> None:
    with pytest.raises(GogetsslError, match="rsa-2048 keys only"):
        from_afar(tmp_path / "certs", key_type="ecdsa-p256")
    assert not (tmp_path / "certs").exists()
