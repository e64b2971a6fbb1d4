# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import datetime as dt
import json
import os
import shutil
import time
import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _csr, _files, _store, _wanted, _x509
from ansible_collections.certops.gogetssl.plugins.module_utils._csr import Action, Found, plan
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._store import OrderOf
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


def wish(**changes: t.Any) -> _wanted.Wanted:
    given = {
        "name": "shop",
        "names": tuple(NAMES),
        "product": "68",
        "period": 12,
        "methods": {},
        "key_type": "ecdsa-p256",
    }
    return _wanted.Wanted(**{**given, **changes})


@pytest.fixture(scope="module")
def pair() -> tuple[_store.Key, _x509.Request]:
    key = _store.make_key(_x509.new_key("ecdsa-p256"))
    return key, _x509.read_request(_x509.new_request(key.pem, NAMES))


@pytest.fixture(scope="module")
def stranger() -> _x509.Request:
    return _x509.read_request(_x509.new_request(_x509.new_key("ecdsa-p256"), NAMES))


MORE = (NAMES[0], "b.example.com", NAMES[1])
TURNED = (NAMES[1], NAMES[0])


@pytest.mark.parametrize(
    ("wanted", "order", "expected"),
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
def test_plan_of_a_staged_pair(pair: t.Any, wanted: t.Any, order: OrderOf, expected: Action) -> None:
    assert plan(wish(**wanted), Found(*pair, order=order)).action is expected


def test_plan_without_a_pair(pair: t.Any, stranger: _x509.Request) -> None:
    key, _request = pair
    assert plan(wish(), Found()).action is Action.MAKE
    assert plan(wish(), Found(key, None)).action is Action.SIGN
    assert plan(wish(), Found(key, stranger)).action is Action.SIGN
    assert plan(wish(key_type="rsa-2048"), Found(key, None)).action is Action.MAKE
    assert plan(wish(key_type="rsa-2048"), Found(key, None, order=OrderOf.OPEN)).action is Action.SIGN


@pytest.mark.parametrize(
    ("order", "expected"), [(OrderOf.NONE, Action.MAKE), (OrderOf.DONE, Action.MAKE), (OrderOf.OPEN, Action.KEEP)]
)
def test_a_live_key_is_not_ordered_for_again(pair: t.Any, order: OrderOf, expected: Action) -> None:
    assert plan(wish(), Found(*pair, live_key=pair[0].public_key, order=order)).action is expected


@pytest.mark.parametrize(
    ("order", "expected"), [(OrderOf.NONE, Action.MAKE), (OrderOf.DONE, Action.MAKE), (OrderOf.OPEN, Action.KEEP)]
)
def test_a_key_older_than_wished_for_is_used_only_if_it_may_be_paid_for(
    pair: t.Any, order: OrderOf, expected: Action
) -> None:
    assert plan(wish(), Found(*pair, outdated=True, order=order)).action is expected


def test_a_key_that_lay_there_when_the_host_was_broken_into_is_not_ordered_for(tmp_path: Path) -> None:
    first = make(tmp_path)["requests"][0]["public_key"]
    an_hour_ago = time.time() - 3600
    os.utime(tmp_path / "shop" / "staged" / "privkey.pem", (an_hour_ago, an_hour_ago))
    wishes = [
        dt.datetime.fromtimestamp(an_hour_ago + offset, dt.timezone.utc).isoformat() for offset in (-60, 60, 7200)
    ]
    assert make(tmp_path, rekey=wishes[0])["requests"][0]["public_key"] == first
    assert make(tmp_path, rekey=wishes[2])["requests"][0]["public_key"] == first  # has not come yet
    second = make(tmp_path, rekey=wishes[1])["requests"][0]["public_key"]
    assert second != first
    assert make(tmp_path, rekey=wishes[1])["requests"][0]["public_key"] == second


@pytest.mark.parametrize("key_type", _wanted.KEY_TYPES)
def test_makes_every_kind_of_key(tmp_path: Path, key_type: str) -> None:
    result = make(tmp_path, key_type=key_type)
    request = _x509.read_request(result["requests"][0]["csr"])
    assert request.key_type == key_type
    assert list(request.names) == NAMES
    assert _x509.public_key_of_key(staged(tmp_path)[0]) == request.public_key


def test_makes_once(tmp_path: Path) -> None:
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
    assert _x509.subject_of_request(csr) == subject
    assert make(tmp_path, organization=COMPANY)["changed"] is False


def test_bad_subject_touches_nothing(tmp_path: Path) -> None:
    with pytest.raises(GogetsslError, match="subject of the CSR"):
        make(tmp_path, organization={"country": "Switzerland"})
    assert hosts.tree(str(tmp_path)) == {}


def test_check_mode_touches_nothing(tmp_path: Path) -> None:
    result = make(tmp_path / "deep", check_mode=True)
    assert result["changed"] is True
    assert result["requests"][0]["csr"] is None
    assert hosts.tree(str(tmp_path)) == {}


def test_key_is_in_no_result(tmp_path: Path) -> None:
    results = [make(tmp_path), make(tmp_path, names=["other.example.com"]), make(tmp_path, key_type="rsa-2048")]
    body = staged(tmp_path)[0].split(b"\n")[1].decode()
    assert "PRIVATE" not in repr(results)
    assert body not in repr(results)
    assert body not in repr(_store.read_key(str(tmp_path / "shop" / "staged")))


def test_new_wish_gets_a_new_key(tmp_path: Path) -> None:
    make(tmp_path)
    old = staged(tmp_path)
    result = make(tmp_path, names=["other.example.com"])
    assert result["requests"][0]["matches_wish"] is True
    assert result["diff"][0]["before"]["names"] == NAMES
    assert result["diff"][0]["after"]["names"] == ["other.example.com"]
    assert staged(tmp_path)[0] != old[0]


@pytest.mark.parametrize("journal", ["intent", "order", "damaged"])
def test_key_of_an_open_order_is_never_discarded(tmp_path: Path, journal: str) -> None:
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
    assert (entry["changed"], entry["matches_wish"], entry["names"]) == (False, False, NAMES)
    assert entry["csr"] == before[1]
    assert staged(tmp_path) == before


def test_key_of_a_finished_order_may_go(tmp_path: Path) -> None:
    public_key = make(tmp_path)["requests"][0]["public_key"]
    (tmp_path / "shop" / "order.json").write_text(json.dumps({"public_key": public_key}))
    _install_staged(tmp_path / "shop")
    assert make(tmp_path, organization=COMPANY)["requests"][0]["matches_wish"] is False
    assert make(tmp_path, names=["other.example.com"])["changed"] is True


def test_live_key_left_staged_by_a_killed_installation_is_replaced(tmp_path: Path) -> None:
    public_key = make(tmp_path)["requests"][0]["public_key"]
    (tmp_path / "shop" / "order.json").write_text(json.dumps({"public_key": public_key}))
    _install_staged(tmp_path / "shop")
    (tmp_path / "shop" / "current").symlink_to("abc123")
    assert make(tmp_path)["requests"][0]["public_key"] != public_key


def _install_staged(root: Path) -> None:
    """A version with the staged key, which is still staged."""
    (root / "abc123").mkdir()
    (root / "abc123" / "privkey.pem").write_bytes((root / "staged" / "privkey.pem").read_bytes())


def test_damaged_csr_is_made_anew_with_the_same_key(tmp_path: Path) -> None:
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


@pytest.mark.parametrize("place", ["shop", "shop/staged", "shop/staged/privkey.pem"])
def test_planted_link_is_refused(tmp_path: Path, place: str) -> None:
    directory, elsewhere = tmp_path / "certs", tmp_path / "elsewhere"
    make(directory)
    elsewhere.mkdir()
    target = directory / place
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


@pytest.mark.skipif(os.geteuid() != 0, reason="gives a directory away, which takes root")
def test_directory_of_another_user_is_refused(tmp_path: Path) -> None:
    (tmp_path / "theirs").mkdir()
    os.chown(tmp_path / "theirs", 12345, 12345)
    (tmp_path / "link").symlink_to("theirs")
    for place in ("theirs", "link"):
        with pytest.raises(GogetsslError, match="belongs to user id 12345"):
            make(tmp_path / place / "certs")


def test_unwritable_directory_is_one_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda path, mode: False)  # root may write everywhere
    with pytest.raises(GogetsslError, match=r"^\S+/certs cannot be made: \S+ is not writable for this user\.$"):
        make(tmp_path / "certs")


def test_relative_directory_is_refused(tmp_path: Path) -> None:
    with pytest.raises(GogetsslError, match="absolute path"):
        make(Path("certs"))


def test_second_run_waits_for_the_first(tmp_path: Path) -> None:
    with _files.locked(str(tmp_path)):
        second = _files.locked(str(tmp_path), sleep=lambda seconds: None)
        with pytest.raises(GogetsslError, match="another run"):
            second.__enter__()


@pytest.mark.parametrize("start", ["nothing", "other names", "no csr"])
def test_killed_anywhere_the_next_run_converges(
    tmp_path: Path, start: str, record_property: t.Callable[[str, object], None]
) -> None:
    """After SIGKILL and loss of power at every change: a whole pair or none, and the next run makes it right."""
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
            assert _x509.public_key_of_key(key) == _x509.read_request(csr).public_key
        entry = make(directory)["requests"][0]
        assert list(_x509.read_request(staged(directory)[1]).names) == NAMES
        assert entry["csr"] == staged(directory)[1]
        assert sorted(os.listdir(directory / "shop")) == ["staged"]
        assert sorted(os.listdir(directory / "shop" / "staged")) == ["privkey.pem", "request.csr"]
        assert make(directory)["changed"] is False
    assert points > 8
    record_property("figure", f"csr, from {start}: {points - 1} kill points, 0 torn pairs")


# Keys made by the vendor


def from_afar(directory: Path, key: bytes | None = None, **changes: t.Any) -> dict[str, t.Any]:
    """The module as the action plugin calls it, once `key` has come in."""
    if key is not None:
        incoming = directory / "shop" / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        (incoming / "privkey.pem").write_bytes(key)
    item = {"name": "shop", "names": NAMES, "product": "68", "key_type": "rsa-2048", **changes}
    return hosts.run(_csr.TASK, certificates=[item], directory=str(directory), generator="gogetssl")


def test_a_key_is_asked_for_then_staged_with_a_csr_of_the_hosts_own(tmp_path: Path) -> None:
    directory = tmp_path / "certs"
    first = from_afar(directory)
    assert (first["lacking"], first["requests"][0]["csr"]) == (["shop"], None)
    assert not (directory / "shop" / "staged").exists()
    key = _x509.new_key("rsa-2048")
    second = from_afar(directory, key)
    assert (second["lacking"], second["changed"], second["requests"][0]["names"]) == ([], True, NAMES)
    assert staged(directory) == (key, second["requests"][0]["csr"])
    assert os.stat(directory / "shop" / "staged" / "privkey.pem").st_mode & 0o777 == 0o600
    assert key.decode() not in json.dumps(second)
    assert not (directory / "shop" / "incoming").exists()
    third = from_afar(directory)
    assert (third["lacking"], third["changed"]) == ([], False)


@pytest.mark.parametrize("key", [b"nonsense", _x509.new_key("ecdsa-p256")], ids=["nonsense", "ecdsa"])
def test_a_key_of_another_kind_is_asked_for_again(tmp_path: Path, key: bytes) -> None:
    result = from_afar(tmp_path / "certs", key)
    assert result["lacking"] == ["shop"]
    assert not (tmp_path / "certs" / "shop" / "incoming").exists()


def test_what_came_in_for_nothing_is_removed(tmp_path: Path) -> None:
    directory = tmp_path / "certs"
    from_afar(directory, _x509.new_key("rsa-2048"))
    key, _csr_pem = staged(directory)
    assert from_afar(directory, _x509.new_key("rsa-2048"))["changed"] is False
    assert staged(directory)[0] == key
    assert not (directory / "shop" / "incoming").exists()


def test_the_vendor_makes_one_kind_of_key(tmp_path: Path) -> None:
    with pytest.raises(GogetsslError, match="rsa-2048 keys only"):
        from_afar(tmp_path / "certs", key_type="ecdsa-p256")
    assert not (tmp_path / "certs").exists()
