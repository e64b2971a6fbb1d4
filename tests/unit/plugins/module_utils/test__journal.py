# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The host seen through a real shell: one read for all certificates, exclusive intents, and nothing guessed."""

from __future__ import annotations

import grp
import os
import subprocess
import time

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils import _journal, _x509
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._journal import Intent, Journal
from ansible_collections.certops.gogetssl.plugins.module_utils._shell import CommandResult
from ansible_collections.certops.gogetssl.plugins.module_utils._wanted import Listener, Wanted

INTENT = Intent("https://api", "buy", 68, 12, ("a.example.com", "it's.example.com"), "k", "m", "u", 1.5)
JOURNAL = Journal("https://api", 7, 68, "key", "2027-11-24")


def shell(script):
    done = subprocess.run(["/bin/sh", "-c", script], capture_output=True, text=True, check=False)
    return CommandResult(done.returncode, done.stdout, done.stderr)


def wish(name="shop", **changes):
    return Wanted(name, ("a.example.com",), "68", 12, {"a.example.com": "http"}, **changes)


def inspect(directory, *wanted):
    return _journal.inspect(shell, str(directory), wanted or (wish(),))


def test_nothing_there(tmp_path):
    assert inspect(tmp_path / "none")["shop"] == _journal.HostState()


def test_records_come_back_as_they_were_written(tmp_path):
    directory = tmp_path / "with space and 'quote'"
    assert _journal.begin(shell, str(directory), "shop", INTENT, None)
    assert inspect(directory)["shop"].intent == INTENT
    _journal.record(shell, str(directory), "shop", JOURNAL)
    found = inspect(directory)["shop"]
    assert (found.intent, found.journal) == (None, JOURNAL)
    assert sorted(os.listdir(directory / "shop")) == ["order.json"]


def test_a_second_intent_is_refused_and_the_first_kept(tmp_path):
    assert _journal.begin(shell, str(tmp_path), "shop", INTENT, None)
    second = Intent(**{**INTENT.__dict__, "created": 2.0})
    assert not _journal.begin(shell, str(tmp_path), "shop", second, None)
    assert inspect(tmp_path)["shop"].intent == INTENT


def test_an_intent_is_refused_after_another_run_has_bought(tmp_path):
    _journal.record(shell, str(tmp_path), "shop", JOURNAL)
    assert not _journal.begin(shell, str(tmp_path), "shop", INTENT, None)
    assert inspect(tmp_path)["shop"].intent is None
    assert _journal.begin(shell, str(tmp_path), "shop", INTENT, JOURNAL)


@pytest.mark.parametrize("content", ["{", "[]", "{}", '{"format": 2}', '{"format": 1, "order_id": 7}', "null"])
def test_a_damaged_record_is_an_error_and_never_taken_for_none(tmp_path, content):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "order.json").write_text(content)
    with pytest.raises(GogetsslError, match=r"shop/order\.json on the host cannot be read"):
        inspect(tmp_path)


def install(tmp_path, key="match"):
    from .test__plan import KEY, NAMES, OTHER_KEY, leaf, serialization

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
    assert "PRIVATE" not in shell(_journal.inspection_script(str(tmp_path), (wish(),))).stdout


def test_a_half_written_request_counts_as_none(tmp_path):
    (tmp_path / "shop" / "staged").mkdir(parents=True)
    (tmp_path / "shop" / "staged" / "request.csr").write_text("-----BEGIN CERTIFICATE REQ")
    assert inspect(tmp_path)["shop"].staged is None


def test_a_version_that_is_still_to_be_proven(tmp_path):
    certificate, _names = install(tmp_path)
    for text, expected in ((certificate.serial + "\n", True), ("abc\n", False), ("", False)):
        (tmp_path / "shop" / "unproven").write_text(text)
        assert inspect(tmp_path)["shop"].unproven is expected


@pytest.mark.parametrize(
    ("path", "age", "seen"),
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
def test_what_a_killed_run_left_is_seen(tmp_path, path, age, seen):
    install(tmp_path)
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).touch()
    moment = time.time() - age
    os.utime(tmp_path / path, (moment, moment))
    assert inspect(tmp_path)["shop"].leftovers is seen


def test_links_that_lead_nowhere_are_left_behind_too(tmp_path):
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / ".gogetssl-new-current").symlink_to("abc")
    assert inspect(tmp_path)["shop"].leftovers


def test_the_installed_key_staged_once_more_was_left_behind(tmp_path):
    from .test__plan import request

    install(tmp_path)
    (tmp_path / "shop" / "staged").mkdir()
    for key, intent, seen in (("key", False, True), ("other", False, False), ("key", True, False)):
        (tmp_path / "shop" / "staged" / "request.csr").write_text(request(key).pem)
        if intent:
            _journal.begin(shell, str(tmp_path), "shop", INTENT, None)
        assert inspect(tmp_path)["shop"].leftovers is seen


def test_a_listener_that_does_not_answer_serves_nothing(tmp_path):
    listener = Listener("127.0.0.1", 9, "a.example.com")
    found = inspect(tmp_path, wish(listeners=(listener,)))["shop"]
    assert [(one.listener, one.sha256) for one in found.served] == [("a.example.com at 127.0.0.1:9", None)]


def test_files_of_the_current_version_with_their_rights(tmp_path):
    install(tmp_path)
    os.chmod(tmp_path / "shop" / "current" / "privkey.pem", 0o640)
    (tmp_path / "shop" / "current" / "a file with blanks").touch()
    files = inspect(tmp_path)["shop"].files
    assert sorted(files) == ["a file with blanks", "cert.pem", "privkey.pem"]
    assert files["privkey.pem"].mode == 0o640
    assert str(os.geteuid()) in files["privkey.pem"].owner
    assert grp.getgrgid(os.getegid()).gr_name in files["privkey.pem"].group


def test_files_are_seen_where_stat_knows_no_format(tmp_path):
    install(tmp_path)
    bin = tmp_path / "bin"
    bin.mkdir()
    (bin / "stat").write_text("#!/bin/sh\nexit 1\n")
    (bin / "stat").chmod(0o755)
    path = f"PATH={bin}:$PATH\n"
    found = _journal.inspect(lambda script: shell(path + script), str(tmp_path), (wish(),))["shop"]
    assert found.files == dict.fromkeys(["cert.pem", "privkey.pem"], _journal.FileFacts())
    assert found.damage == ""


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become nobody")
def test_what_is_out_of_sight_is_an_error_and_never_taken_for_missing(tmp_path):
    install(tmp_path)
    os.chmod(tmp_path, 0o755)
    os.chmod(tmp_path / "shop", 0o700)
    script = _journal.inspection_script(str(tmp_path), (wish(),))
    for parent in tmp_path.parents:
        if str(parent).startswith("/tmp/pytest"):
            os.chmod(parent, 0o755)
    done = subprocess.run(["/bin/sh", "-c", script], user=65534, capture_output=True, text=True, check=False, cwd="/")
    assert (done.returncode, "use become" in done.stderr) == (13, True)


def test_text_that_looks_like_a_mark_stays_where_it_is():
    parts = _journal.split_parts("banner\n\n#gogetssl shop order.json\n{}\n#gogetssl shop intent.json\r\nx\r\n")
    assert parts == {"shop order.json": "{}", "shop intent.json": "x"}
    assert _x509.HAS_CRYPTOGRAPHY
