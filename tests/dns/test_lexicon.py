# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""dns-lexicon with its provider localzone, which edits a zone file and needs no server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import lexicon as _lexicon

from .conftest import task_runner
from .powerdns import PowerDns
from .servers import SUB

CNAME = {"zone": "sub.example.com", "name": "_a.sub.example.com", "type": "CNAME", "value": "x.comodoca.com", "ttl": 60}
TXT = {"zone": "sub.example.com", "name": "www.sub.example.com", "type": "TXT", "values": ["_one"], "ttl": 60}
SECRET = "a-secret-token"


@pytest.fixture
def zone_file(tmp_path: Path) -> Path:
    path = tmp_path / "sub.example.com.zone"
    path.write_text(SUB + 'www IN TXT "v=spf1"\n')
    return path


def lexicon(zone_file: Path, **options: Any) -> dict[str, Any]:
    given = {"provider": "localzone", "options": {"filename": str(zone_file)}, "records": [CNAME, TXT]}
    return task_runner(_lexicon.TASK, **{**given, **options})


def test_present_and_absent_are_idempotent(zone_file: Path) -> None:
    assert lexicon(zone_file, check_mode=True)["changed"]
    assert "comodoca" not in zone_file.read_text()
    assert len(lexicon(zone_file)["records"]) == 2
    text = zone_file.read_text()
    assert "x.comodoca.com." in text
    assert '"_one"' in text
    assert not lexicon(zone_file)["changed"]
    assert lexicon(zone_file, state="absent")["changed"]
    assert not lexicon(zone_file, state="absent")["changed"]
    assert "comodoca" not in zone_file.read_text()
    assert "_one" not in zone_file.read_text()
    assert "v=spf1" in zone_file.read_text()


def test_a_foreign_cname_is_not_changed(zone_file: Path) -> None:
    lexicon(zone_file, records=[{**CNAME, "value": "theirs.example.net"}])
    with pytest.raises(GogetsslError, match=r"_a\.sub\.example\.com has .theirs\.example\.net. as CNAME"):
        lexicon(zone_file)
    assert "theirs.example.net." in zone_file.read_text()


def test_verify_only_changes_nothing(zone_file: Path) -> None:
    before = zone_file.read_text()
    assert not lexicon(zone_file, verify_only=True)["changed"]
    assert zone_file.read_text() == before


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"provider": "nobody"}, "dns-lexicon cannot use the provider nobody"),
        (
            {"provider": "powerdns", "options": {"auth_token": SECRET, "pdns_server": "http://127.0.0.1:9"}},
            "powerdns failed",
        ),
    ],
)
def test_errors_are_one_line_without_secrets(zone_file: Path, options: dict[str, Any], message: str) -> None:
    with pytest.raises(GogetsslError) as caught:
        lexicon(zone_file, verify_only=True, **options)
    assert message in caught.value.message
    assert SECRET not in caught.value.message
    assert "\n" not in caught.value.message


def test_secrets_are_masked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LEXICON_GANDI_AUTH_TOKEN", SECRET)
    params = {"provider": "gandi", "options": {"auth_password": "another-secret"}}
    message = _lexicon.explain(ValueError(f"no {SECRET} nor another-secret"), params, "example.com").message
    assert message == "gandi failed for the zone example.com: no ******** nor ********."


def test_no_part_of_a_secret_is_left_in_a_shortened_message() -> None:
    params = {"provider": "gandi", "options": {"auth_token": SECRET}}
    for length in range(_lexicon.MAX_MESSAGE - len(SECRET), _lexicon.MAX_MESSAGE):
        message = _lexicon.explain(ValueError("x" * length + SECRET), params, "example.com").message
        assert SECRET[:4] not in message


def test_a_record_with_a_changed_value_is_reported_and_removed(pdns: PowerDns) -> None:
    """The library's PowerDNS provider appends the zone to the target of each CNAME."""
    given: dict[str, Any] = {"provider": "powerdns", "options": {"auth_token": pdns.key, "pdns_server": pdns.url}}
    record = {**CNAME, "zone": "example.net", "name": "_a.www.example.net"}
    with pytest.raises(GogetsslError, match=r"created .*x\.comodoca\.com\.example\.net.* instead of the record"):
        task_runner(_lexicon.TASK, records=[record], **given)
    assert pdns.records() == []
