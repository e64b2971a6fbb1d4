# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wishes: read with their defaults, and refused in one sentence where they cannot be meant."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils import _wanted
from ansible_collections.certops.gogetssl.plugins.module_utils._errors import GogetsslError


def read(*certificates, **params):
    spec = {**_wanted.CERTIFICATES_SPEC, **_wanted.CONTACTS_SPEC}
    base = {"name": "shop", "names": ["a.example.com", "b.example.com"], "product": "68"}
    checked = ArgumentSpecValidator(spec).validate(
        {"certificates": [{**base, **one} for one in certificates], **params}
    )
    assert not checked.error_messages, checked.error_messages
    return _wanted.read_wanted(checked.validated_parameters)


def test_one_method_for_all_names():
    assert read({"dcv": "DNS"})[0].methods == {"a.example.com": "dns", "b.example.com": "dns"}


def test_a_method_for_each_name():
    methods = {"A.example.com": "http", "b.example.com": "Admin@Example.com"}
    assert read({"dcv": methods})[0].methods == {"a.example.com": "http", "b.example.com": "admin@example.com"}


def test_contacts_are_shared_and_overridden():
    admin = {"firstname": "Ada", "email": "ada@example.com"}
    (one,) = read({"admin": {"firstname": "Grace"}}, admin=admin, tech={"phone": "+1"})
    assert one.admin == {"firstname": "Grace", "email": "ada@example.com"}
    assert one.tech == {"firstname": "Grace", "email": "ada@example.com", "phone": "+1"}


def test_listeners():
    assert read({})[0].listeners == ()
    assert str(read({"services": ["nginx"]})[0].listeners[0]) == "a.example.com at 127.0.0.1:443"
    wildcard = read({"names": ["*.example.com"], "dcv": "dns", "services": ["nginx"]})[0]
    assert wildcard.listeners[0].server_name == "www.example.com"


@pytest.mark.parametrize(
    ("certificate", "words"),
    [
        ({"dcv": "carrier pigeon"}, "cannot validate a.example.com"),
        ({"dcv": {"a.example.com": "http"}}, "missing: b.example.com"),
        ({"dcv": {"a.example.com": "http", "b.example.com": "http", "c.example.com": "http"}}, "not a name of it: c"),
        ({"dcv": ["http"]}, "one method, or a map"),
        ({"names": ["*.example.com"]}, "is a wildcard; http cannot validate it"),
        ({"names": ["192.0.2.1"], "dcv": "dns"}, "is an address"),
        (
            {"keys": "own"},
            "shop: keys: own is not possible, as GoGetSSL has one request",
        ),
        ({"period": 0}, "counted in months"),
        ({"unique_code": "short"}, "15 to 20"),
        ({"name": "../shop"}, "cannot name a certificate"),
        ({"names": ["localhost"]}, "is not a name"),
    ],
)
def test_refused(certificate, words):
    with pytest.raises(GogetsslError) as caught:
        read(certificate)
    assert words in caught.value.message


def test_two_certificates_of_one_name():
    with pytest.raises(GogetsslError, match="Two certificates are named shop"):
        read({}, {})
