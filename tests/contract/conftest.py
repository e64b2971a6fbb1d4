# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One emulator for all contract tests, which is reset before each test."""

from __future__ import annotations

import datetime as dt
import ssl
from collections.abc import Iterator
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization

from tests.emulator.testing import Emulator

from .helpers import Api, Names, Web, make_csr, rsa_key


@pytest.fixture(scope="session")
def web() -> Iterator[Web]:
    server = Web()
    yield server
    server.close()


@pytest.fixture(scope="session")
def secure_web(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Web]:
    server = Web(_self_signed(tmp_path_factory.mktemp("web")))
    yield server
    server.close()


def _self_signed(directory: Path) -> ssl.SSLContext:
    request = x509.load_pem_x509_csr(make_csr("anything.invalid").encode())
    now = dt.datetime.now(dt.timezone.utc)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(request.subject)
        .issuer_name(request.subject)
        .public_key(request.public_key())
        .serial_number(1)
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=9))
        .sign(rsa_key(), hashes.SHA256())
    )
    path = directory / "web.pem"
    path.write_bytes(
        rsa_key().private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.fixture(scope="session")
def names() -> Iterator[Names]:
    server = Names()
    yield server
    server.close()


@pytest.fixture(scope="session")
def running(web: Web, secure_web: Web, names: Names) -> Iterator[Emulator]:
    """Names under example.com resolve to the web server; the DNS server answers for all others."""
    with Emulator(
        http_port=web.port,
        https_port=secure_web.port,
        resolver=f"127.0.0.1:{names.port}",
        resolve={"*example.com": "127.0.0.1", "demo.gogetssl.com": "127.0.0.1"},
    ) as emulator:
        yield emulator


@pytest.fixture
def emulator(running: Emulator, web: Web, secure_web: Web, names: Names) -> Emulator:
    running.reset()
    # Short intervals and no locks. Tests of these settings change them.
    running.set(
        issuance_delay=0.0, dcv_interval=0.1, dcv_timeout=1.0, change_lock_seconds=0.0, revalidate_lock_seconds=0.0
    )
    for server in (web, secure_web):
        server.files.clear()
        server.requests.clear()
        server.delay = 0.0
    names.records.clear()
    return running


@pytest.fixture
def api(emulator: Emulator) -> Api:
    return Api(emulator)
