# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Proofs of control are really looked for: files over HTTP and HTTPS, records in DNS, mails (API reference 8)."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.verification import PolicyBuilder, Store

from tests.emulator.testing import Emulator

from .world import FOLDER, Api, Names, Web, make_csr, rsa_key


def names_of(crt: str) -> set[str]:
    found = x509.load_pem_x509_certificate(crt.encode()).extensions
    return set(found.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName))


def verify(status: dict[str, Any], emulator: Emulator, name: str) -> None:
    """As strict as a browser's library: chain, name, usage, dates."""
    leaf = x509.load_pem_x509_certificate(status["crt_code"].encode())
    chain = x509.load_pem_x509_certificates(status["ca_code"].encode())
    roots = Store(x509.load_pem_x509_certificates(emulator.ca.read_bytes()))
    PolicyBuilder().store(roots).build_server_verifier(x509.DNSName(name)).verify(leaf, chain)


def test_multi_domain_order_by_files(api: Api, emulator: Emulator, web: Web) -> None:
    """The whole way: order, publish, issue, read; nobody asks for revalidation."""
    sans = {"dns_names": "www.example.com,my.example.com", "approver_emails": "http,http"}
    order = api.order(68, "shop.example.com", **sans)
    assert api.status(order["order_id"])["status"] == "processing"
    web.publish("shop.example.com", order["approver_method"]["http"])
    for item in order["san"]:
        web.publish(item["san_name"], item["validation"]["http"])
    emulator.wait_for(order["order_id"])
    status = api.status(order["order_id"])
    assert names_of(status["crt_code"]) == {"shop.example.com", "www.example.com", "my.example.com"}
    assert status["dcv_status"] == 2
    assert [item["status"] for item in status["san"]] == ["2", "2"]
    for name in names_of(status["crt_code"]):
        verify(status, emulator, name)


def test_file_is_made_of_the_csr(api: Api) -> None:
    csr = make_csr("a.example.com")
    der = x509.load_pem_x509_csr(csr.encode()).public_bytes(serialization.Encoding.DER)
    order = api.order(66, "a.example.com", csr=csr, unique_code="abc123DEF456ghi7")
    proof = order["approver_method"]["http"]
    md5 = hashlib.md5(der).hexdigest().upper()
    assert proof["filename"] == f"{md5}.txt"
    assert proof["content"] == f"{hashlib.sha256(der).hexdigest().upper()}\r\nCOMODOCA.COM\r\nabc123DEF456ghi7"
    assert proof["link"] == f"http://a.example.com{FOLDER}{md5}.txt"


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (lambda b: None, "answered HTTP 404"),
        (lambda b: b.replace(b"\r\n", b"\n"), "not the expected one"),
        (lambda b: b.lower(), "not the expected one"),
        (lambda b: b" " + b, "not the expected one"),
        (lambda b: b + b"<html>", "not the expected one"),
    ],
)
def test_wrong_files_are_refused_with_a_reason_until_mended(
    api: Api, emulator: Emulator, web: Web, spoil: Any, reason: str
) -> None:
    order = api.order(66, "a.example.com")
    proof = order["approver_method"]["http"]
    spoilt = spoil(proof["content"].encode())
    if spoilt is not None:
        web.files["a.example.com", FOLDER + proof["filename"]] = spoilt
    status = refused(api, order["order_id"], reason)
    assert status["status"] == "processing"
    assert reason in status["validation_description"]
    emulator.set(dcv_interval=1000.0)
    web.publish("a.example.com", proof)
    api.post(f"/orders/ssl/revalidate/{order['order_id']}")
    emulator.wait_for(order["order_id"])


def refused(api: Api, order_id: int, reason: str) -> dict[str, Any]:
    """The order's status once the CA says this reason."""
    deadline = time.monotonic() + 5
    while reason not in (status := api.status(order_id))["status_description"]:
        assert time.monotonic() < deadline, f"no {reason!r} in {status['status_description']!r}"
        time.sleep(0.02)
    return status


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_one_newline_at_the_end_is_forgiven(api: Api, emulator: Emulator, web: Web, newline: bytes) -> None:
    order = api.order(66, "a.example.com")
    proof = order["approver_method"]["http"]
    web.files["a.example.com", FOLDER + proof["filename"]] = proof["content"].encode() + newline
    emulator.wait_for(order["order_id"])


def test_redirects_are_followed_but_not_for_ever(api: Api, emulator: Emulator, web: Web) -> None:
    order = api.order(66, "a.example.com")
    proof = order["approver_method"]["http"]
    path = FOLDER + proof["filename"]
    web.files["a.example.com", path] = path
    refused(api, order["order_id"], "redirects more than 5 times")
    web.files["a.example.com", path] = "http://b.example.com/elsewhere"
    web.files["b.example.com", "/elsewhere"] = proof["content"].encode()
    api.post(f"/orders/ssl/revalidate/{order['order_id']}", {"domain": "a.example.com"})
    emulator.wait_for(order["order_id"])


def test_https_files(api: Api, emulator: Emulator, web: Web, secure_web: Web) -> None:
    """The link says http, but the look is over https, with whatever certificate is there."""
    order = api.order(66, "a.example.com", dcv_method="https")
    proof = order["approver_method"]["https"]
    assert proof["link"].startswith("http://")
    secure_web.publish("a.example.com", proof)
    emulator.wait_for(order["order_id"])
    assert not web.asked


def test_sectigo_record(api: Api, emulator: Emulator, names: Names) -> None:
    order = api.order(67, "*.example.org", dcv_method="dns")
    name, target = order["approver_method"]["dns"]["record"].split(" CNAME ")
    assert name.endswith(".example.org")
    assert target.endswith(".comodoca.com")
    refused(api, order["order_id"], "no CNAME record")
    names.records[name.lower(), "CNAME"] = ["wrong.comodoca.com."]
    refused(api, order["order_id"], "points to wrong.comodoca.com")
    names.records[name.lower(), "CNAME"] = [target.upper() + "."]
    api.post(f"/orders/ssl/revalidate/{order['order_id']}")
    emulator.wait_for(order["order_id"])
    status = api.status(order["order_id"])
    assert names_of(status["crt_code"]) == {"*.example.org", "example.org"}
    verify(status, emulator, "deep.example.org")


def test_digicert_record(api: Api, emulator: Emulator, names: Names) -> None:
    order = api.order(31, "example.org", dcv_method="dns", webserver_type=18, unique_code="abc123DEF456ghi7")
    name, value = order["approver_method"]["dns"]["record"].split("   IN   TXT   ")
    assert "abc123" not in value
    names.records[name.rstrip("."), "TXT"] = ['"v=spf1 -all"', value]
    emulator.wait_for(order["order_id"])
    assert names_of(api.status(order["order_id"])["crt_code"]) == {"example.org"}


def test_digicert_file(api: Api, emulator: Emulator, web: Web) -> None:
    order = api.order(31, "a.example.com", webserver_type=18)
    assert order["approver_method"]["http"]["filename"] == "fileauth.txt"
    web.publish("a.example.com", order["approver_method"]["http"])
    emulator.wait_for(order["order_id"])


def test_digicert_methods_are_not_mixed(api: Api, emulator: Emulator) -> None:
    sans = {"dns_names": "b.example.com", "approver_emails": "dns", "webserver_type": 18, "kind": "ov"}
    assert api.order(30, "a.example.com", **sans)["error"] is True
    order = api.order(30, "a.example.com", **{**sans, "approver_emails": "http"})
    path = f"/orders/ssl/change_domains_validation_method/{order['order_id']}"
    one = {"domains": "a.example.com", "new_methods": "dns"}
    assert api.post(path, one)["error"] is True
    both = {"domains": "a.example.com,b.example.com", "new_methods": "DNS,DNS"}
    assert api.post(path, both)["success"] is True
    emulator.set(digicert_mixed="accept")
    assert api.post(path, {**one, "new_methods": "http"})["success"] is True


@pytest.mark.parametrize("method", ["http", "https"])
def test_wildcards_refuse_files(api: Api, method: str) -> None:
    assert "not supported" in api.order(67, "*.example.com", dcv_method=method)["description"]
    names = {"dns_names": "*.example.com", "approver_emails": method}
    assert "not supported" in api.order(139, "example.com", dcv_method="dns", **names)["description"]
    assert api.order(139, "example.com", dcv_method="dns", **{**names, "approver_emails": "dns"})["success"] is True


def test_mail_proof(api: Api, emulator: Emulator) -> None:
    order = api.order(66, "a.example.com", dcv_method="email", approver_email="admin@example.com")
    assert order["approver_method"] == {"email": "admin@example.com"}
    assert [(mail["to"], mail["domain"]) for mail in emulator.outbox()] == [("admin@example.com", "a.example.com")]
    assert api.get(f"/orders/ssl/resend_validation_email/{order['order_id']}")["success"] is True
    assert api.post(f"/orders/ssl/resend/{order['order_id']}", {"domain": "a.example.com"})["success"] is True
    assert len(emulator.outbox()) == 3
    emulator.approve("a.example.com")
    emulator.wait_for(order["order_id"])


def test_old_mail_codes_are_refused(api: Api, emulator: Emulator) -> None:
    api.order(66, "a.example.com", dcv_method="email", approver_email="admin@a.example.com")
    emulator.advance(days=31)
    with pytest.raises(ValueError, match="older than 30 days"):
        emulator.approve()


@pytest.mark.parametrize("email", ["boss@a.example.com", "admin@example.org", "admin@b.example.com"])
def test_approver_must_be_one_of_the_known_addresses(api: Api, email: str) -> None:
    answer = api.order(66, "a.example.com", dcv_method="email", approver_email=email)
    assert answer["message"] == f"Wrong approver email({email}) for a.example.com"


def test_email_may_come_as_an_object(api: Api, emulator: Emulator) -> None:
    emulator.set(email_shape="object")
    order = api.order(66, "a.example.com", dcv_method="email", approver_email="admin@example.com")
    assert order["approver_method"] == {"email": {"email": "admin@example.com"}}


@pytest.mark.parametrize("code", ["short", "x" * 21, "with-dashes-inside"])
def test_unique_code_rules(api: Api, code: str) -> None:
    assert "unique code" in api.order(66, "a.example.com", unique_code=code)["description"]


def test_unique_code_used_twice(api: Api, emulator: Emulator) -> None:
    code = "abc123DEF456ghi7"
    assert api.order(66, "a.example.com", unique_code=code)["success"] is True
    assert api.order(66, "a.example.com", unique_code=code)["success"] is True
    emulator.set(unique_code_reuse="refuse")
    assert api.order(66, "a.example.com", unique_code=code)["error"] is True


def test_a_refused_order_does_not_use_up_its_code(api: Api, emulator: Emulator) -> None:
    emulator.set(unique_code_reuse="refuse", insufficient_balance="error", balance=0)
    code = "abc123DEF456ghi7"
    assert "balance" in api.order(66, "a.example.com", unique_code=code)["message"]
    emulator.set(balance=100)
    assert api.order(66, "a.example.com", unique_code=code)["success"] is True


def test_a_look_under_way_takes_no_proof_back(api: Api, emulator: Emulator, web: Web) -> None:
    """The web server takes its time; meanwhile the name is validated by hand, then the server says 404."""
    emulator.set(dcv_interval=1000.0, issuance_delay=0.5)
    web.delay = 0.3
    order = api.order(66, "a.example.com")
    deadline = time.monotonic() + 5
    while not web.asked:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    emulator.force(order["order_id"], action="validate")
    done = emulator.wait_for(order["order_id"])
    assert done["names"][0]["validated_at"] > 0
    assert done["names"][0]["reason"] == ""


def test_sectigo_name_by_setting(api: Api, emulator: Emulator) -> None:
    emulator.set(proof_ca_domain="sectigo.com")
    order = api.order(66, "a.example.com")
    assert "\r\nSECTIGO.COM\r\n" in order["approver_method"]["http"]["content"]
    api.post(
        f"/orders/ssl/change_validation_method/{order['order_id']}", {"domain": "a.example.com", "new_method": "dns"}
    )
    assert api.status(order["order_id"])["approver_method"]["dns"]["record"].endswith(".sectigo.com")


def test_locks(api: Api, emulator: Emulator) -> None:
    emulator.set(change_lock_seconds=30.0, revalidate_lock_seconds=5.0)
    order = api.order(66, "a.example.com")
    change = f"/orders/ssl/change_validation_method/{order['order_id']}"
    form = {"domain": "a.example.com", "new_method": "dns"}
    assert api.post(change, form)["success"] is True
    locked = api.post(change, form)
    assert locked["description"].startswith("Function is locked for ")
    assert locked["description"][-1] == "."
    emulator.advance(seconds=31)
    assert api.post(change, form)["success"] is True
    poke = f"/orders/ssl/revalidate/{order['order_id']}"
    assert api.post(poke)["success"] is True
    assert "Function is locked for" in api.post(poke)["description"]


def test_caa(api: Api, emulator: Emulator, names: Names) -> None:
    """Blocked at the parent, seen in the status, let through after a recheck, which works once in ten minutes."""
    emulator.set(caa=True)
    names.records["example.org", "CAA"] = ['0 issue "letsencrypt.org"']
    order = api.order(66, "deep.example.org", dcv_method="dns")
    name, target = order["approver_method"]["dns"]["record"].split(" CNAME ")
    names.records[name.lower(), "CNAME"] = [target + "."]
    path = f"/orders/ssl/recheck-caa/{order['order_id']}"
    assert refused(api, order["order_id"], "PRE-SIGN FAILED!!!")["pre_signing"] == 1
    names.records["example.org", "CAA"] = ['0 issue "sectigo.com"']
    assert api.get(path)["success"] is True
    emulator.wait_for(order["order_id"])


def test_caa_recheck_is_limited(api: Api, emulator: Emulator) -> None:
    order = api.order(66, "a.example.com")
    path = f"/orders/ssl/recheck-caa/{order['order_id']}"
    assert api.post(path)["success"] is True
    assert "Function is locked for" in api.get(path)["description"]
    emulator.advance(seconds=601)
    assert api.get(path)["success"] is True


def test_change_dcv(api: Api) -> None:
    order = api.order(66, "a.example.com")
    path = f"/orders/ssl/change_dcv/{order['order_id']}"
    form = {"domain_name": "a.example.com", "new_method": "email"}
    assert "approver_email" in api.post(path, form)["description"]
    answer = api.post(path, {**form, "approver_email": "admin@example.com"})
    assert answer["validation"] == {"email": "admin@example.com"}
    assert answer["product_id"] == 66


def test_elliptic_key(api: Api, emulator: Emulator, web: Web) -> None:
    key = ec.generate_private_key(ec.SECP384R1())
    order = api.order(66, "example.com", csr=make_csr("example.com", key))
    web.publish("example.com", order["approver_method"]["http"])
    emulator.wait_for(order["order_id"])
    status = api.status(order["order_id"])
    assert x509.load_pem_x509_certificate(status["crt_code"].encode()).public_key() == key.public_key()
    assert names_of(status["crt_code"]) == {"example.com", "www.example.com"}
    verify(status, emulator, "www.example.com")


def test_public_address(api: Api, emulator: Emulator, web: Web) -> None:
    """A CSR without a common name; only a file can prove an address."""
    csr = make_csr("", address="127.0.0.1")
    assert api.order(144, "", csr=csr, dcv_method="dns")["error"] is True
    order = api.order(144, "", csr=csr, dcv_method="http")
    web.publish("127.0.0.1", order["approver_method"]["http"])
    emulator.wait_for(order["order_id"])
    status = api.status(order["order_id"])
    assert status["domain"] == "127.0.0.1"
    names = (
        x509.load_pem_x509_certificate(status["crt_code"].encode())
        .extensions.get_extension_for_class(x509.SubjectAlternativeName)
        .value
    )
    assert [str(found) for found in names.get_values_for_type(x509.IPAddress)] == ["127.0.0.1"]
    assert api.order(66, "", csr=csr)["error"] is True


def test_bad_csrs(api: Api) -> None:
    good = x509.load_pem_x509_csr(make_csr("a.example.com").encode())
    der = bytearray(good.public_bytes(serialization.Encoding.DER))
    der[-1] ^= 1
    broken = (
        "-----BEGIN CERTIFICATE REQUEST-----\n"
        + base64.encodebytes(bytes(der)).decode()
        + ("-----END CERTIFICATE REQUEST-----\n")
    )
    weak = make_csr("a.example.com", rsa_key(1024))
    odd = make_csr("a.example.com", ec.generate_private_key(ec.SECP256K1()))
    for csr, words in ((broken, "signature"), (weak, "too small"), (odd, "curve"), ("nonsense", "not valid")):
        order = api.order(66, "a.example.com", csr=csr)
        assert order["error"] is True
        assert words in order["message"]
        assert words in api.post("/tools/csr/decode/", {"csr": csr})["csrResult"]["errorMessage"]
