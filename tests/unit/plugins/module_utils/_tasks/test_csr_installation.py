# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be installed is refused when the key is created, before the certificate is paid."""

from __future__ import annotations

import typing as t
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._tasks import csr
from tests.unit import hosts

pytestmark = pytest.mark.host


@pytest.mark.parametrize("check_mode", [True, False])
@pytest.mark.parametrize(
    ("changes", "params", "message"),
    [
        ({"forms": ["pkcs12"]}, {}, "shop: pkcs12 needs store_password, .* set gogetssl_store_password"),
        ({"forms": ["jks"]}, {"store_password": "short"}, "at least 6 printable ASCII"),
        ({"forms": ["jks"]}, {"store_password": "geheimnüs"}, "at least 6 printable ASCII"),
        (
            {"group": "ssl-certs-typo"},
            {},
            "shop: There is no group ssl-certs-typo on this host. Create it, or correct group",
        ),
        ({"owner": "tomcat99"}, {}, "shop: There is no user tomcat99 on this host. Create the user, or correct owner"),
        (
            {},
            {"trusted_roots": "/etc/ssl/certs/ca.crt"},
            "gogetssl_trusted_roots does not consist of PEM certificates: it holds a path",
        ),
        ({}, {"trusted_roots": "nonsense"}, "trusted_roots does not consist of PEM certificates"),
        ({}, {"keep_versions": 0}, "gogetssl_keep_versions must be at least 1"),
        (
            {},
            {"services": {"nginx": {"test": "/usr/sbin/nginx-typo -t"}}},
            "nginx: /usr/sbin/nginx-typo, the program of its .* correct gogetssl_nginx_test",
        ),
        (
            {},
            {"services": {"nginx": {"test": "nginx 'x"}}},
            'gogetssl_nginx_test: "nginx \'x" runs without a shell, and it has an unclosed quote',
        ),
        (
            {},
            {"services": {"nginx": {"reload": "true && true"}}},
            "gogetssl_nginx_reload: .* && has a meaning in a shell only",
        ),
        (
            {},
            {"services": {"nginx": {"reload": "no-such-program"}}},
            "no-such-program, the program of its reload command",
        ),
    ],
)
def test_refused(
    tmp_path: Path, changes: dict[str, t.Any], params: dict[str, t.Any], message: str, check_mode: bool
) -> None:
    item = {"name": "shop", "names": ["shop.example.com"], "product": "66", "services": ["nginx"], **changes}
    with pytest.raises(GogetsslError, match=message):
        hosts.run(csr.TASK, check_mode, certificates=[item], directory=str(tmp_path / "certificates"), **params)
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("check_mode", [False, True])
def test_a_refused_certificate_does_not_hold_up_the_others(tmp_path: Path, check_mode: bool) -> None:
    changes: dict[str, dict[str, t.Any]] = {
        "a": {},
        "b": {"services": ["haproxy"]},
        "c": {"owner": "tomcat99"},
        "d": {"forms": ["jks"]},
    }
    items = [{"name": name, "names": [f"{name}.example.com"], "product": "66", **changes[name]} for name in changes]
    services = {"haproxy": {"test": "haproxy-typo -c"}}
    directory = str(tmp_path / "c")
    result = hosts.run(
        csr.TASK, check_mode, certificates=items, directory=directory, services=services, keep_going=True
    )
    assert [one["name"] for one in result["requests"]] == ["a"]
    reasons = [one["reason"] for one in result["stopped"]]
    assert [reason.partition(":")[0] for reason in reasons] == [one["name"] for one in result["stopped"]] == list("bcd")
    assert "b: haproxy: haproxy-typo, the program of its test command" in reasons[0]
    assert [path.name for path in (tmp_path / "c").glob("*")] == ([] if check_mode else ["a"])


def test_accepted(tmp_path: Path) -> None:
    item = {
        "name": "shop",
        "names": ["shop.example.com"],
        "product": "66",
        "forms": ["jks"],
        "services": ["nginx", "tomcat"],
    }
    roots = f"# a comment\n{hosts.CertificateAuthority().root}"
    result = hosts.run(
        csr.TASK,
        certificates=[item],
        directory=str(tmp_path / "c"),
        store_password="changeit",
        trusted_roots=roots,
        services={"nginx": {"test": "sh -c true"}, "tomcat": {"test": ""}, "apache": {"test": "apachectl-typo"}},
    )
    assert result["changed"] is True
