# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificate specs: read with their defaults, and refused with a message if invalid."""

from __future__ import annotations

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ansible_collections.certops.gogetssl.plugins.module_utils._core.errors import GogetsslError
from ansible_collections.certops.gogetssl.plugins.module_utils._request import spec as _spec


def read(*certificates, **params):
    spec = {**_spec.CERTIFICATES_SPEC, **_spec.CONTACTS_SPEC}
    base = {"name": "shop", "names": ["a.example.com", "b.example.com"], "product": "68"}
    checked = ArgumentSpecValidator(spec).validate(
        {"certificates": [{**base, **one} for one in certificates], **params}
    )
    assert not checked.error_messages, checked.error_messages
    return _spec.read_specs(checked.validated_parameters)


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
    ("certificate", "message"),
    [
        ({"dcv": "carrier pigeon"}, "cannot validate a.example.com"),
        ({"dcv": {"a.example.com": "http"}}, "missing: b.example.com"),
        ({"dcv": {"a.example.com": "http", "b.example.com": "http", "c.example.com": "http"}}, "not in names: c"),
        ({"dcv": ["http"]}, "one method, or a map"),
        ({"names": ["*.example.com"]}, "is a wildcard, which http cannot validate"),
        ({"names": ["192.0.2.1"], "dcv": "dns"}, "is an IP address"),
        (
            {"keys": "own"},
            "shop: keys: own is not possible. An order has one CSR",
        ),
        ({"admin": {"country": "Norway"}}, "shop: admin.country must be an ISO code of two letters"),
        ({"admin": {"country": "uk"}}, "shop: admin.country of the United Kingdom is GB."),
        ({"tech": {"country": "N"}}, "Correct gogetssl_tech, or tech of the certificate."),
        ({"adopt": 0}, "shop: adopt must be the number of an order, not 0."),
        ({"names": []}, "shop: A certificate needs at least one name."),
        ({"organization": {"country": "47"}}, "shop: organization.country must be"),
        ({"period": 0}, "period must be at least 1 month"),
        ({"unique_code": "short"}, "15 to 20"),
        ({"name": "../shop"}, "is not a valid certificate name"),
        ({"names": ["localhost"]}, "shop: 'localhost' is not a name a certificate can be issued for. Use a full name"),
    ],
)
def test_refused(certificate, message):
    with pytest.raises(GogetsslError) as caught:
        read(certificate)
    assert message in caught.value.message


def test_two_certificates_of_one_name():
    with pytest.raises(GogetsslError, match="Two certificates are named shop"):
        read({}, {})
