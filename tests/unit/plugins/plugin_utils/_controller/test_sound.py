# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates with mistakes stop, and the others go on."""

from __future__ import annotations

from typing import Any

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._tasks.certificate_info import TASK
from ansible_collections.certops.gogetssl.plugins.plugin_utils._controller.sound import mistakes

MISTAKES: dict[str, tuple[dict[str, Any], str]] = {
    "method": ({"dcv": "htpp"}, "'htpp' cannot validate"),
    "name": ({"names": ["b_.example..com"]}, "is not a name a certificate can be issued for"),
    "names": ({"names": None}, "names is missing"),
    "period": ({"period": 0}, "period must be at least 1 month"),
    "misread period": ({"period": True}, "period must be a whole number, not a boolean"),
    "key type": ({"key_type": "rsa-1024"}, "key_type must be one of"),
    "port": ({"listeners": [{"port": 70000}]}, "port must be a number from 1 to 65535"),
    "rekey": ({"rekey": "soon"}, "rekey must be true, false, or a date"),
    "key": ({"organisation": {"name": "x"}}, "unknown key organisation; did you mean organization?"),
    "country": ({"admin": {"country": "Norway"}}, "admin.country must be an ISO code"),
    "certificate name": ({"name": "../b"}, "is not a valid certificate name"),
    "own keys": ({"keys": "own"}, "keys: own is not possible"),
}


def certificate(name: str, /, **changes: Any) -> dict[str, Any]:
    given = {"name": name, "names": [f"{name}.example.com"], "product": "66", "dcv": "http", **changes}
    return {key: value for key, value in given.items() if value is not None}


def found(*certificates: Any, **options: Any) -> dict[str, str]:
    return mistakes(TASK, {"certificates": list(certificates), **options}, "gogetssl_")


@pytest.mark.parametrize("case", MISTAKES)
def test_a_mistake_stops_its_certificate_only(case: str) -> None:
    change, message = MISTAKES[case]
    wrong = certificate("b", **change)
    [(name, reason)] = found(certificate("a"), wrong, certificate("c")).items()
    assert name == wrong["name"]
    assert reason.startswith(f"{name}: ")
    assert message in reason


def test_each_mistake_is_found() -> None:
    assert set(found(certificate("a"), certificate("b", period=0), certificate("c", dcv="x"))) == {"b", "c"}


@pytest.mark.parametrize(
    "certificates",
    [
        [certificate("a"), certificate("b")],  # nothing is wrong
        [certificate("b", period=0)],  # nothing goes on
        [certificate("a"), certificate("b", period=0), certificate("b")],  # which b?
        [certificate("a"), certificate("b", name=None, period=0)],
        [certificate("a"), certificate("b", name=7)],
        [certificate("a"), "b"],
        [],
    ],
)
def test_otherwise_the_list_is_accepted_or_refused_as_a_whole(certificates: list[Any]) -> None:
    assert found(*certificates) == {}


def test_mistakes_elsewhere_are_not_those_of_a_certificate() -> None:
    both = (certificate("a"), certificate("b", period=0))
    assert found(*both, spend=["everything"]) == {}
    assert mistakes(TASK, {"certificates": "a"}, "") == {}
    assert mistakes(TASK, {}, "") == {}


def test_certificates_for_the_same_names_stop_together() -> None:
    """The account does not show which of the two an order belongs to."""
    twin = certificate("a", names=["B.example.com."], key_type="ecdsa-p256")
    stops = found(twin, certificate("b", period=0), certificate("c"))
    assert stops["a"] == "a: b has the same names and stops, so this certificate stops, too."
    assert set(stops) == {"a", "b"}
