# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Inspection of a host with a real shell: one read for all certificates, exclusive intents, and no assumptions."""

from __future__ import annotations

import dataclasses
import grp
import json
import os
import socket
import subprocess
import time

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._core.shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from ansible_collections.certops.gogetssl.plugins.module_utils._host import (
    files,
    interrupted_files,
    journal,
)
from ansible_collections.certops.gogetssl.plugins.module_utils._host.journal import Intent, Journal, Purchase, Reissue
from ansible_collections.certops.gogetssl.plugins.module_utils._request.spec import CertificateSpec, Listener

INTENT = Intent("https://api", "buy", 68, 12, ("a.example.com", "it's.example.com"), "k", "m", "u", 1.5)
JOURNAL = Journal("https://api", 7, 68, "key", "2027-11-24")


def shell(script):
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False, timeout=60)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def make_spec(name="shop", **changes):
    return CertificateSpec(name, ("a.example.com",), "68", 12, {"a.example.com": "http"}, **changes)


def inspect(directory, *spec):
    return journal.inspect(shell, str(directory), spec or (make_spec(),))


def test_an_empty_directory(tmp_path):
    assert inspect(tmp_path / "none")["shop"] == journal.HostState()


def test_records_round_trip(tmp_path):
    directory = tmp_path / "with space and 'quote'"
    assert journal.write_intent(shell, str(directory), "shop", INTENT, None)
    assert inspect(directory)["shop"].intent == INTENT
    journal.record(shell, str(directory), "shop", JOURNAL)
    found = inspect(directory)["shop"]
    assert (found.intent, found.journal) == (None, JOURNAL)
    assert sorted(os.listdir(directory / "shop")) == ["order.json"]


def test_a_second_intent_is_refused(tmp_path):
    assert journal.write_intent(shell, str(tmp_path), "shop", INTENT, None)
    second = Intent(**{**INTENT.__dict__, "created": 2.0})
    assert not journal.write_intent(shell, str(tmp_path), "shop", second, None)
    assert inspect(tmp_path)["shop"].intent == INTENT


def test_an_intent_is_refused_after_another_run_has_bought(tmp_path):
    journal.record(shell, str(tmp_path), "shop", JOURNAL)
    assert not journal.write_intent(shell, str(tmp_path), "shop", INTENT, None)
    assert inspect(tmp_path)["shop"].intent is None
    assert journal.write_intent(shell, str(tmp_path), "shop", INTENT, JOURNAL)


def test_records_of_an_earlier_release_are_read(tmp_path):
    old = '{"api": "https://api", "format": 1, "order_id": 7, "product_id": 68, "public_key": "key", "purchases": []}'
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "order.json").write_text(old)
    assert inspect(tmp_path)["shop"].journal == Journal("https://api", 7, 68, "key")
    bought = (Purchase("2026-11-24", "add_names", 7, 650, "EUR", slots=3),)
    reissued = Reissue("names:a.example.com", "key", "leaf", "2027-01-01T00:00:00+00:00")
    full = dataclasses.replace(JOURNAL, purchases=bought, adopted=5, flagged=True, reissued=reissued)
    journal.record(shell, str(tmp_path), "shop", full)
    assert inspect(tmp_path)["shop"].journal == full


def test_only_the_intent_that_was_read_is_changed(tmp_path):
    flagged = dataclasses.replace(INTENT, newest=9, flagged=True)
    assert journal.write_intent(shell, str(tmp_path), "shop", flagged, None)
    assert journal.unflag(shell, str(tmp_path), "shop", flagged) == dataclasses.replace(flagged, flagged=False)
    assert inspect(tmp_path)["shop"].intent == dataclasses.replace(flagged, flagged=False)
    journal.unflag(shell, str(tmp_path), "shop", flagged)
    journal.unflag(shell, str(tmp_path), "none", flagged)
    assert sorted(os.listdir(tmp_path / "shop")) == ["intent.json"]
    assert not (tmp_path / "none").exists()


def test_orders_of_all_journals_on_the_host(tmp_path):
    assert journal.orders_held(shell, str(tmp_path / "no such directory")) == {}
    journal.record(shell, str(tmp_path), "shop", JOURNAL)
    journal.record(shell, str(tmp_path), "mail", dataclasses.replace(JOURNAL, order_id=8))
    (tmp_path / "torn").mkdir()
    (tmp_path / "torn" / "order.json").write_text("{")
    assert journal.orders_held(shell, str(tmp_path)) == {"shop": 7, "mail": 8}


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 2}', '{"format": 1, "order_id": 7}', "null"])
def test_a_damaged_record_is_an_error(tmp_path, content):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "order.json").write_text(content)
    with pytest.raises(GogetsslError, match=r"shop/order\.json on the host cannot be read"):
        inspect(tmp_path)


def install(tmp_path, key="match"):
    from .._order.test_plan import KEY, NAMES, OTHER_KEY, leaf, serialization

    current = tmp_path / "shop" / "current"
    current.mkdir(parents=True)
    private = KEY if key == "match" else OTHER_KEY
    pem = private.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (current / "cert.pem").write_text(leaf().pem)
    (current / "privkey.pem").write_bytes(b"garbage" if key == "damaged" else pem)
    return leaf(), NAMES


def test_an_installed_certificate_and_its_key(tmp_path):
    certificate, _names = install(tmp_path)
    found = inspect(tmp_path)["shop"]
    assert (found.certificate, found.key, found.damage) == (certificate, certificate.public_key, "")


def test_another_key(tmp_path):
    certificate, _names = install(tmp_path, key="other")
    assert inspect(tmp_path)["shop"].key not in (None, certificate.public_key)


def test_a_damaged_key(tmp_path):
    install(tmp_path, key="damaged")
    assert inspect(tmp_path)["shop"].damage == "the installed private key is missing or damaged"


def test_the_private_key_never_leaves_the_host(tmp_path):
    install(tmp_path)
    assert "PRIVATE" not in shell(journal.inspection_script(str(tmp_path), (make_spec(),))).stdout


def test_a_partly_written_request_is_ignored(tmp_path):
    (tmp_path / "shop" / "staged").mkdir(parents=True)
    (tmp_path / "shop" / "staged" / "request.csr").write_text("-----BEGIN CERTIFICATE REQ")
    assert inspect(tmp_path)["shop"].staged is None


def test_a_version_that_services_have_not_used_yet(tmp_path):
    certificate, _names = install(tmp_path)
    for text, expected in ((certificate.serial + "\n", True), ("abc\n", False), ("", False)):
        (tmp_path / "shop" / "unverified").write_text(text)
        assert inspect(tmp_path)["shop"].unverified is expected


@pytest.mark.parametrize(
    ("path", "age", "detected"),
    [
        ("shop/.gogetssl-new-old-staged/privkey.pem", 0, True),
        ("shop/.gogetssl-new-current", 0, True),
        ("shop/staged/.gogetssl-new-request.csr", 0, True),
        ("shop/12ab/.gogetssl-new-privkey.pem", 0, True),
        (".gogetssl-new-old-blog/order.json", 0, True),
        ("shop/.order.4711", 7200, True),
        ("shop/.intent.4711", 7200, True),
        (".new-dns.4711", 7200, True),
        ("shop/.order.4711", 0, False),  # another run may be writing it
        (".new-dns.4711", 0, False),
        ("shop/order.jsonx", 7200, False),
        ("other/.gogetssl-new-current", 0, False),
    ],
)
def test_files_of_an_interrupted_run_are_detected(tmp_path, path, age, detected):
    install(tmp_path)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    moment = time.time() - age
    os.utime(tmp_path / path, (moment, moment))
    assert inspect(tmp_path)["shop"].interrupted_files is detected


def test_dangling_links_are_files_of_an_interrupted_run(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / ".gogetssl-new-current").symlink_to("abc")
    assert inspect(tmp_path)["shop"].interrupted_files


def test_a_staged_copy_of_the_installed_key_is_a_file_of_an_interrupted_run(tmp_path):
    from .._order.test_plan import request

    install(tmp_path)
    (tmp_path / "shop" / "staged").mkdir()
    for key, intent, detected in (("key", False, True), ("other", False, False), ("key", True, False)):
        (tmp_path / "shop" / "staged" / "request.csr").write_text(request(key).pem)
        if intent:
            journal.write_intent(shell, str(tmp_path), "shop", INTENT, None)
        assert inspect(tmp_path)["shop"].interrupted_files is detected


def test_a_listener_without_response_serves_nothing(tmp_path):
    listener = Listener("127.0.0.1", 9, "a.example.com")
    found = inspect(tmp_path, make_spec(listeners=(listener,)))["shop"]
    assert [(one.listener, one.sha256) for one in found.served] == [("a.example.com at 127.0.0.1:9", None)]


def test_files_of_the_current_version_with_their_permissions(tmp_path):
    install(tmp_path)
    os.chmod(tmp_path / "shop" / "current" / "privkey.pem", 0o640)
    (tmp_path / "shop" / "current" / "a file with blanks").touch()
    files = inspect(tmp_path)["shop"].files
    assert sorted(files) == ["a file with blanks", "cert.pem", "privkey.pem"]
    assert files["privkey.pem"].mode == 0o640
    assert str(os.geteuid()) in files["privkey.pem"].owner
    assert grp.getgrgid(os.getegid()).gr_name in files["privkey.pem"].group


def test_file_facts_are_unknown_without_stat_formats(tmp_path):
    install(tmp_path)
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "stat").write_text("#!/bin/sh\nexit 1\n")
    (bin / "stat").chmod(0o755)
    path = f"PATH={bin}:$PATH\n"
    found = journal.inspect(lambda script: shell(path + script), str(tmp_path), (make_spec(),))["shop"]
    assert found.files == dict.fromkeys(["cert.pem", "privkey.pem"], journal.FileFacts())
    assert found.damage == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="requires root to switch the user")
def test_an_unreadable_directory_is_an_error(tmp_path):
    install(tmp_path)
    os.chmod(tmp_path, 0o755)
    os.chmod(tmp_path / "shop", 0o700)
    script = journal.inspection_script(str(tmp_path), (make_spec(),))
    for parent in tmp_path.parents:
        if str(parent).startswith("/tmp/pytest"):
            os.chmod(parent, 0o755)
    done = subprocess.run(["/bin/sh", "-c", script], user=65534, capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, "shop; is become: true missing?" in done.stderr) == (13, True)


def test_text_that_looks_like_a_marker_is_kept():
    parts = journal.split_parts("banner\n\n#gogetssl shop order.json\n{}\n#gogetssl shop intent.json\r\nx\r\n")
    assert parts == {"shop order.json": "{}", "shop intent.json": "x"}
    assert x509.HAS_CRYPTOGRAPHY


@pytest.mark.parametrize("file", ["order.json", "intent.json", "staged/request.csr", "1f/cert.pem", "1f/privkey.pem"])
@pytest.mark.parametrize("kind", ["pipe", "link", "directory", "device"])
def test_what_is_no_plain_file_is_refused_at_once(tmp_path, file, kind):
    path = tmp_path / "shop" / file
    path.parent.mkdir(parents=True)
    if file.startswith("1f/"):
        (tmp_path / "shop" / "current").symlink_to("1f")
    if kind == "pipe":
        os.mkfifo(path)
    elif kind == "directory":
        path.mkdir()
    else:
        path.symlink_to("/etc/passwd" if kind == "link" else "/dev/zero")
    with pytest.raises(GogetsslError, match=f"{path.name} is a link or not a plain file; refused") as caught:
        inspect(tmp_path)
    assert "root:" not in caught.value.message


@pytest.mark.skipif(os.geteuid() != 0, reason="needs files of two users")
@pytest.mark.parametrize(
    "file", ["order.json", "intent.json", "staged/request.csr", "current/cert.pem", "current/privkey.pem"]
)
def test_a_hard_link_to_a_file_of_another_user_is_refused(tmp_path, file):
    root = tmp_path / "certificates"
    (root / "shop" / "1f").mkdir(parents=True)
    (root / "shop" / "staged").mkdir()
    (root / "shop" / "current").symlink_to("1f")
    for folder in (root, root / "shop", root / "shop" / "1f", root / "shop" / "staged"):
        os.chown(folder, 65534, -1)
    secret = tmp_path / "secret"
    secret.write_text("a secret of another user")
    os.link(secret, root / "shop" / file)
    link = tmp_path / "link"
    link.symlink_to(root)
    for directory in (root, link):
        with pytest.raises(
            GogetsslError, match=f"{os.path.basename(file)} is a link or not a plain file; refused"
        ) as caught:
            inspect(directory)
        assert "secret of" not in str(caught.value)


def test_a_second_name_is_refused_in_a_directory_that_others_can_change(tmp_path):
    root = tmp_path / "certificates"
    assert journal.write_intent(shell, str(root), "shop", INTENT, None)
    os.link(root / "shop" / "intent.json", tmp_path / "elsewhere")
    for mode in (0o755, 0o700):
        (root / "shop").chmod(mode)
        assert inspect(root)["shop"].intent
    for mode in (0o775, 0o757, 0o1777):
        (root / "shop").chmod(mode)
        with pytest.raises(GogetsslError, match=r"intent\.json is a link or not a plain file; refused"):
            inspect(root)


def test_a_second_name_of_a_record_does_not_matter(tmp_path):
    """A run that was killed while it wrote an intent leaves one, and another user may have made one elsewhere."""
    assert journal.write_intent(shell, str(tmp_path / "certificates"), "shop", INTENT, None)
    for path in (tmp_path / "certificates" / "shop" / ".intent.4711", tmp_path / "elsewhere"):
        os.link(tmp_path / "certificates" / "shop" / "intent.json", path)
    assert inspect(tmp_path / "certificates")["shop"].intent == INTENT


def test_a_version_elsewhere_is_refused(tmp_path):
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "cert.pem").write_text("secret")
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "current").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GogetsslError, match="current is a link or not a plain file; refused"):
        inspect(tmp_path)
    (tmp_path / "mail").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GogetsslError, match="mail is a link or not a plain file; refused"):
        inspect(tmp_path, make_spec("mail"))


def test_a_huge_file_is_not_read_to_its_end(tmp_path):
    path = tmp_path / "shop" / "order.json"
    path.parent.mkdir()
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(GogetsslError, match="cannot be read as a record"):
        inspect(tmp_path)
    assert journal.orders_held(shell, str(tmp_path)) == {}


def test_only_probes_of_the_host_are_found(tmp_path):
    folder = tmp_path / ".well-known" / "pki-validation"
    folder.mkdir(parents=True)
    mine, other = interrupted_files.probe_prefix("web1"), interrupted_files.probe_prefix("web2")
    probe = f"{mine}{'0' * 20}.txt"
    for name in (probe, f"{other}{'0' * 20}.txt", f"{mine}x\n#gogetssl shop intent.json\n{{}}\n.txt", "fileauth.txt"):
        (folder / name).write_text("x")
    (folder / f"{mine}{'1' * 20}.txt").symlink_to("/etc/passwd")
    (folder / f"{mine}{'2' * 20}.txt").mkdir()
    script = interrupted_files.probes_script(str(tmp_path), "web1")
    assert journal.inspect(shell, str(tmp_path), [make_spec()], script)["shop"].probes == (probe,)


@pytest.mark.parametrize("kind", ["pipe", "socket", "link", "endless", "directory", "missing", "huge"])
def test_odd_files_at_the_place_of_a_note_are_not_read(tmp_path, kind):
    """The directory may belong to another user. A pipe must not hold the inspection, nor a link show another file."""
    secret, note = tmp_path / "secret", tmp_path / "certificates" / interrupted_files.FILE_NOTE
    secret.write_text("secret")
    (tmp_path / "certificates" / "shop").mkdir(parents=True)
    make = {
        "pipe": lambda: os.mkfifo(note),
        "socket": lambda: make_socket(note),
        "link": lambda: note.symlink_to(secret),
        "endless": lambda: note.symlink_to("/dev/zero"),
        "directory": note.mkdir,
        "missing": lambda: note.symlink_to("/nowhere"),
        "huge": lambda: (note.touch(), os.truncate(note, 3 << 30)),
    }
    make[kind]()
    state = inspect(tmp_path / "certificates")["shop"]
    assert len(state.unremoved) <= files.LARGEST
    assert (kind == "huge") is bool(state.unremoved)


def make_socket(path):
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(str(path))


def test_links_are_no_journals_of_the_host(tmp_path):
    other = tmp_path / "elsewhere"
    other.write_text(json.dumps({"format": 1, "order_id": 7}))
    for name in ("shop", "mail"):
        (tmp_path / "certificates" / name).mkdir(parents=True)
    (tmp_path / "certificates" / "shop" / "order.json").symlink_to(other)
    (tmp_path / "certificates" / "mail" / "order.json").write_text(other.read_text())
    assert journal.orders_held(shell, str(tmp_path / "certificates")) == {"mail": 7}
