# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PKCS#12 stores with one private key and its certificates. Beside `_x509`, the only file that imports `cryptography`:
it needs a newer release than the rest, which must go on without it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from ._errors import input_error
from ._jks import Entry

try:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.serialization import pkcs12
    from cryptography.x509 import load_der_x509_certificate

    # Since release 38 the encryption can be chosen.
    HAS_PKCS12 = hasattr(pkcs12, "PBES")
except ImportError:  # no cryptography, or one of long ago
    HAS_PKCS12 = False

ROUNDS = 20_000  # of the derivation of the key from the password, as cryptography itself chooses

# Object identifiers as they stand in a store, by which its encryption is told; no library tells.
_PBES2 = bytes.fromhex("06092a864886f70d01050d")
_AES_256_CBC = bytes.fromhex("060960864801650304012a")
_HMAC_SHA256 = bytes.fromhex("06082a864886f70d0209")
_SHA256 = bytes.fromhex("0609608648016503040201")
_PBE_3DES = bytes.fromhex("060a2a864886f70d010c0103")
_SHA1 = bytes.fromhex("06052b0e03021a")
_MODERN = frozenset({_PBES2, _AES_256_CBC, _HMAC_SHA256, _SHA256})
_LEGACY = frozenset({_PBE_3DES, _SHA1})


def dump(entry: Entry, password: str, legacy: bool) -> bytes:
    """A store. `legacy`: 3DES and SHA-1, for what cannot read AES-256, PBKDF2 and SHA-256."""
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
        kind = "3DES and SHA-1" if legacy else "AES-256 and SHA-256"
        raise input_error(f"The cryptographic library of this host makes no PKCS#12 store with {kind}.") from None


def load(data: bytes, password: str) -> Entry | None:
    """What a store holds; None unless it opens with the password and holds a key with its certificate."""
    try:
        store = pkcs12.load_pkcs12(data, password.encode("ascii"))
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None
    if store.key is None or store.cert is None:
        return None
    der = serialization.Encoding.DER
    key = store.key.private_bytes(der, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    others = (one.certificate.public_bytes(der) for one in store.additional_certs)
    alias = (store.cert.friendly_name or b"").decode("utf-8", "replace")
    return Entry(alias, key, (store.cert.certificate.public_bytes(der), *others))


def is_encrypted(data: bytes, legacy: bool) -> bool:
    """True if a store is encrypted in this way and no other."""
    wanted, others = (_LEGACY, _MODERN) if legacy else (_MODERN, _LEGACY)
    return all(one in data for one in wanted) and not any(one in data for one in others)
