# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names are really validated: by files over HTTP and HTTPS, DNS records and mails (API reference 8)."""

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

from .helpers import FOLDER, Api, Names, Web, make_csr, rsa_key
from .test_deadlines import dripping, headers


def names_of(crt: str) -> set[str]:
    found = x509.load_pem_x509_certificate(crt.encode()).extensions
    return set(found.get_extension_for_class(x509.SubjectAlternativeName).value.get_values_for_type(x509.DNSName))


def verify(status: dict[str, Any], emulator: Emulator, name: str) -> None:
    """Verify chain, name, key usage and dates, as TLS clients do."""
    leaf = x509.load_pem_x509_certificate(status["crt_code"].encode())
    chain = x509.load_pem_x509_certificates(status["ca_code"].encode())
    roots = Store(x509.load_pem_x509_certificates(emulator.ca.read_bytes()))
    PolicyBuilder().store(roots).build_server_verifier(x509.DNSName(name)).verify(leaf, chain)


def test_multi_domain_order_by_files(api: Api, emulator: Emulator, web: Web) -> None:
    """Order, publish and read the certificate, without a call to revalidate."""
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


def test_file_is_derived_from_the_csr(api: Api) -> None:
    csr = make_csr("a.example.com")
    der = x509.load_pem_x509_csr(csr.encode()).public_bytes(serialization.Encoding.DER)
    order = api.order(66, "a.example.com", csr=csr, unique_code="abc123DEF456ghi7")
    file = order["approver_method"]["http"]
    md5 = hashlib.md5(der).hexdigest().upper()
    assert file["filename"] == f"{md5}.txt"
    assert file["content"] == f"{hashlib.sha256(der).hexdigest().upper()}\r\nCOMODOCA.COM\r\nabc123DEF456ghi7"
    assert file["link"] == f"http://a.example.com{FOLDER}{md5}.txt"


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda b: None, "answered HTTP 404"),
        (lambda b: b.replace(b"\r\n", b"\n"), "not the expected value"),
        (lambda b: b.lower(), "not the expected value"),
        (lambda b: b" " + b, "not the expected value"),
        (lambda b: b + b"<html>", "not the expected value"),
    ],
)
def test_wrong_files_are_refused_until_corrected(
    api: Api, emulator: Emulator, web: Web, change: Any, reason: str
) -> None:
    order = api.order(66, "a.example.com")
    file = order["approver_method"]["http"]
    changed = change(file["content"].encode())
    if changed is not None:
        web.files["a.example.com", FOLDER + file["filename"]] = changed
    status = refused(api, order["order_id"], reason)
    assert status["status"] == "processing"
    assert reason in status["validation_description"]
    emulator.set(dcv_interval=1000.0)
    web.publish("a.example.com", file)
    api.post(f"/orders/ssl/revalidate/{order['order_id']}")
    emulator.wait_for(order["order_id"])


def refused(api: Api, order_id: int, reason: str) -> dict[str, Any]:
    """Wait for this reason and return the order's status."""
    deadline = time.monotonic() + 30
    while reason not in (status := api.status(order_id))["status_description"]:
        assert time.monotonic() < deadline, f"no {reason!r} in {status['status_description']!r}"
        time.sleep(0.02)
    return status


@pytest.mark.parametrize("newline", [b"\n", b"\r\n"])
def test_a_trailing_newline_is_accepted(api: Api, emulator: Emulator, web: Web, newline: bytes) -> None:
    order = api.order(66, "a.example.com")
    file = order["approver_method"]["http"]
    web.files["a.example.com", FOLDER + file["filename"]] = file["content"].encode() + newline
    emulator.wait_for(order["order_id"])


def test_a_limited_number_of_redirects_is_followed(api: Api, emulator: Emulator, web: Web) -> None:
    order = api.order(66, "a.example.com")
    file = order["approver_method"]["http"]
    path = FOLDER + file["filename"]
    web.files["a.example.com", path] = path
    refused(api, order["order_id"], "redirects more than 5 times")
    web.files["a.example.com", path] = "http://b.example.com/elsewhere"
    web.files["b.example.com", "/elsewhere"] = file["content"].encode()
    api.post(f"/orders/ssl/revalidate/{order['order_id']}", {"domain": "a.example.com"})
    emulator.wait_for(order["order_id"])


def test_https_files(api: Api, emulator: Emulator, web: Web, secure_web: Web) -> None:
    """The link starts with http, but the file is fetched over HTTPS without certificate verification."""
    order = api.order(66, "a.example.com", dcv_method="https")
    file = order["approver_method"]["https"]
    assert file["link"].startswith("http://")
    secure_web.publish("a.example.com", file)
    emulator.wait_for(order["order_id"])
    assert not web.requests


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
    assert names_of(api.status(order["order_id"])["crt_code"]) == {"example.org", "www.example.org"}


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


def test_validation_by_mail(api: Api, emulator: Emulator) -> None:
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


def test_email_may_be_an_object(api: Api, emulator: Emulator) -> None:
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


def test_a_refused_order_does_not_use_its_code(api: Api, emulator: Emulator) -> None:
    emulator.set(unique_code_reuse="refuse", insufficient_balance="error", balance=0)
    code = "abc123DEF456ghi7"
    assert "balance" in api.order(66, "a.example.com", unique_code=code)["message"]
    emulator.set(balance=100)
    assert api.order(66, "a.example.com", unique_code=code)["success"] is True


def test_a_failed_check_does_not_undo_a_validation(api: Api, emulator: Emulator, web: Web) -> None:
    """The name is validated through the control API before a slow web server responds with 404."""
    emulator.set(dcv_interval=1000.0, issuance_delay=0.5)
    web.delay = 0.3
    order = api.order(66, "a.example.com")
    deadline = time.monotonic() + 30
    while not web.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    emulator.force(order["order_id"], action="validate")
    done = emulator.wait_for(order["order_id"])
    assert done["names"][0]["validated_at"] > 0
    assert done["names"][0]["reason"] == ""


@pytest.mark.slow
def test_a_web_server_that_never_ends_its_answer_holds_up_one_examination_only(
    api: Api, emulator: Emulator, web: Web
) -> None:
    order = api.order(66, "a.example.com")
    file = order["approver_method"]["http"]
    with dripping(headers) as port:
        web.files["a.example.com", FOLDER + file["filename"]] = f"http://a.example.com:{port}/"
        web.requests.clear()
        deadline = time.monotonic() + 30
        while not web.requests:
            assert time.monotonic() < deadline
            time.sleep(0.01)
        web.publish("a.example.com", file)
        emulator.wait_for(order["order_id"])


def test_a_slow_examination_does_not_outlive_a_reset(api: Api, emulator: Emulator, web: Web) -> None:
    """After a reset the first order gets the ID of an order whose file is still being fetched."""
    emulator.set(dcv_timeout=30.0)
    web.delay = 20.0
    before = api.order(66, "a.example.com")
    deadline = time.monotonic() + 30
    while not web.requests:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    web.delay = 0.0
    emulator.reset()
    emulator.set(dcv_interval=0.1, issuance_delay=0.0)
    order = Api(emulator).order(66, "a.example.com")
    assert order["order_id"] == before["order_id"]
    web.publish("a.example.com", order["approver_method"]["http"])
    emulator.wait_for(order["order_id"])


def test_ca_domain_by_setting(api: Api, emulator: Emulator) -> None:
    emulator.set(dcv_ca_domain="sectigo.com")
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
    revalidate = f"/orders/ssl/revalidate/{order['order_id']}"
    assert api.post(revalidate)["success"] is True
    assert "Function is locked for" in api.post(revalidate)["description"]


def test_caa(api: Api, emulator: Emulator, names: Names) -> None:
    """A CAA record of the parent blocks the order until a recheck."""
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
    """A CSR without a common name; an IP address can only be validated by file."""
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
    for csr, content in ((broken, "signature"), (weak, "too small"), (odd, "curve"), ("nonsense", "not valid")):
        order = api.order(66, "a.example.com", csr=csr)
        assert order["error"] is True
        assert content in order["message"]
        assert content in api.post("/tools/csr/decode/", {"csr": csr})["csrResult"]["errorMessage"]
