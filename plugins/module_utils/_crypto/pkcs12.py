# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PKCS#12 keystores with one private key and its certificates.

Only this file and `x509` import `cryptography`. This file requires a newer release, and the other tasks must work
without it. Debian 11, Ubuntu 22.04 and RHEL 9 have an older release. There the host's `openssl` creates the keystore.
It receives key and password through pipes, so that neither is in a command line, in the environment or in a file.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import typing as t

from .._core.errors import host_error, input_error
from .jks import Entry

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.serialization import pkcs12
    from cryptography.x509 import load_der_x509_certificate

    # The encryption can be set since release 38.
    HAS_PKCS12 = hasattr(pkcs12, "PBES")
except ImportError:  # cryptography is missing or very old
    HAS_PKCS12 = False

_PROGRAM = "openssl"
_PROGRAM_SECONDS = 60
ROUNDS = 20_000  # iterations of the key derivation, the default of cryptography

# Encoded object identifiers, which show the encryption of a keystore. No library reports it.
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
_HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")
_SHA256 = bytes.fromhex("0609608648016503040201")
_PBE_3DES = bytes.fromhex("060a2a864886f70d010c0103")
_SHA1 = bytes.fromhex("06052b0e03021a")
_FRIENDLY_NAME = bytes.fromhex("06092a864886f70d010914")
_MODERN = frozenset({_PBES2, _AES_256_CBC, _HMAC_SHA256, _SHA256})
_LEGACY = frozenset({_PBE_3DES, _SHA1})


def can_make() -> bool:
    """True if this host can create keystores."""
    return HAS_PKCS12 or shutil.which(_PROGRAM) is not None


def dump(entry: Entry, password: str, legacy: bool) -> bytes:
    """Encode a keystore. `legacy`: 3DES and SHA-1, for software that does not support AES-256, PBKDF2 and SHA-256."""
    return (_by_library if HAS_PKCS12 else _by_program)(entry, password, legacy)


def _by_library(entry: Entry, password: str, legacy: bool) -> bytes:
    scheme = pkcs12.PBES.PBESv1SHA1And3KeyTripleDESCBC if legacy else pkcs12.PBES.PBESv2SHA256AndAES256CBC
    encryption = (
        serialization.PrivateFormat.PKCS12.encryption_builder()
        .kdf_rounds(ROUNDS)
        .key_cert_algorithm(scheme)
        .hmac_hash(hashes.SHA1() if legacy else hashes.SHA256())
        .build(password.encode("ascii"))
    )
    key: t.Any = serialization.load_der_private_key(entry.key, None)
    leaf, *others = (load_der_x509_certificate(one) for one in entry.certificates)
    try:
        return pkcs12.serialize_key_and_certificates(entry.alias.encode("ascii"), key, leaf, others, encryption)
    except UnsupportedAlgorithm:
        raise input_error(
            f"The cryptographic library of this host cannot create a PKCS#12 store with {_kind(legacy)}."
        ) from None


def _kind(legacy: bool) -> str:
    return "3DES and SHA-1" if legacy else "AES-256 and SHA-256"


def _by_program(entry: Entry, password: str, legacy: bool) -> bytes:
    key: t.Any = serialization.load_der_private_key(entry.key, None)
    pem = serialization.Encoding.PEM
    key_pem = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    certificates = b"".join(load_der_x509_certificate(one).public_bytes(pem) for one in entry.certificates)
    scheme, digest = ("PBE-SHA1-3DES", "sha1") if legacy else ("AES-256-CBC", "sha256")
    pipes = [_filled_pipe(password.encode("ascii") + b"\n"), _filled_pipe(key_pem)]
    try:
        done = subprocess.run(  # pylint: disable=ansible-bad-function  # AnsibleModule is not available in this layer
            [
                *(_PROGRAM, "pkcs12", "-export", "-name", entry.alias, "-passout", f"fd:{pipes[0]}"),
                *("-inkey", f"/dev/fd/{pipes[1]}", "-in", "/dev/stdin"),
                *("-keypbe", scheme, "-certpbe", scheme, "-macalg", digest, "-iter", str(ROUNDS)),
            ],
            input=certificates,
            pass_fds=pipes,
            capture_output=True,
            timeout=_PROGRAM_SECONDS,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise host_error(f"{_PROGRAM} failed to create a PKCS#12 store: {type(error).__name__}.") from None
    finally:
        for pipe in pipes:
            os.close(pipe)
    if done.returncode != 0 or not done.stdout:
        output = " ".join(done.stderr.decode("utf-8", "replace").split())[:300]
        raise host_error(f"{_PROGRAM} of this host cannot create a PKCS#12 store with {_kind(legacy)}: {output}.")
    return done.stdout


def _filled_pipe(data: bytes) -> int:
    """Return the read end. The data fits into the buffer of the pipe, so the write does not block without a reader."""
    reader, writer = os.pipe()
    with os.fdopen(writer, "wb") as stream:
        stream.write(data)
    return reader


def load(data: bytes, password: str) -> Entry | None:
    """The entry of a keystore; None if the password is wrong, or if the key or its certificate is missing."""
    try:
        alias, key, leaf, others = (_load if HAS_PKCS12 else _load_old)(data, password.encode("ascii"))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if key is None or leaf is None:
        return None
    der = serialization.Encoding.DER
    key_der = key.private_bytes(der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return Entry(alias, key_der, tuple(one.public_bytes(der) for one in (leaf, *others)))


def _load(data: bytes, password: bytes) -> tuple[str, t.Any, t.Any, list[t.Any]]:
    store = pkcs12.load_pkcs12(data, password)
    alias = (store.cert.friendly_name or b"").decode("utf-8", "replace") if store.cert else ""
    others = [one.certificate for one in store.additional_certs]
    return alias, store.key, store.cert.certificate if store.cert else None, others


def _load_old(data: bytes, password: bytes) -> tuple[str, t.Any, t.Any, list[t.Any]]:
    key, leaf, others = pkcs12.load_key_and_certificates(data, password)
    return _alias_of_key(data), key, leaf, others or []


def _alias_of_key(data: bytes) -> str:
    """The friendly name of the key. It is not encrypted; older libraries do not return it."""
    _before, found, rest = data.partition(_FRIENDLY_NAME)
    for tag in (0x31, 0x1E):  # SET { BMPString }
        if not found or rest[:1] != bytes([tag]):
            return ""
        length, rest = (rest[2:3], rest[3:]) if rest[1:2] == b"\x81" else (rest[1:2], rest[2:])
    return rest[: length[0] if length else 0].decode("utf-16-be", "replace")


def is_encrypted(data: bytes, legacy: bool) -> bool:
    """True if a keystore uses only the legacy algorithms, or only the modern ones."""
    expected, others = (_LEGACY, _MODERN) if legacy else (_MODERN, _LEGACY)
    return all(one in data for one in expected) and not any(one in data for one in others)
