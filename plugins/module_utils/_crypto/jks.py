# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Java keystores of the type JKS, with one private key and its certificates.

The format has not changed since Java 1.2, and its only algorithm is SHA-1. The host therefore requires neither Java nor
a library, no command line contains the password, and no temporary file contains the key. The encryption is weak by
today's standards: the key is protected by the mode of the file.
"""

from __future__ import annotations

import hashlib
import os
import struct
import typing as t

_MAGIC, _VERSION, _PRIVATE_KEY = 0xFEEDFEED, 2, 1
_WHITENER = b"Mighty Aphrodite"
_DIGEST = 20
# AlgorithmIdentifier of Sun's key protector: SEQUENCE { OID 1.3.6.1.4.1.42.2.17.1.1, NULL }.
_PROTECTOR = bytes.fromhex("300e060a2b060104012a021101010500")


class Entry(t.NamedTuple):
    """The only entry of a keystore, for JKS and PKCS#12."""

    alias: str
    key: bytes  # PKCS#8, DER
    certificates: tuple[bytes, ...]  # DER, leaf first


def dump(entry: Entry, password: str, created: float) -> bytes:
    """Encode a keystore; `created` is in seconds since the epoch."""
    protected = _sequence(_PROTECTOR + _tagged(0x04, _protect(entry.key, password)))
    chain = b"".join(_text("X.509") + _block(one) for one in entry.certificates)
    body = (
        struct.pack(">III", _MAGIC, _VERSION, 1)
        + struct.pack(">I", _PRIVATE_KEY)
        + _text(entry.alias.lower())  # like keytool; aliases are not case-sensitive in Java
        + struct.pack(">Q", int(created * 1000))
        + _block(protected)
        + struct.pack(">I", len(entry.certificates))
        + chain
    )
    return body + _seal(body, password)


def load(data: bytes, password: str) -> Entry | None:
    """The entry of a keystore; None if the file is damaged, the password is wrong, or there is not exactly one key."""
    try:
        return _load(data, password)
    except (struct.error, IndexError, ValueError):
        return None


def _load(data: bytes, password: str) -> Entry | None:
    body = data[:-_DIGEST]
    if data[-_DIGEST:] != _seal(body, password):
        return None
    reader = _Reader(body)
    if (reader.number(), reader.number(), reader.number(), reader.number()) != (_MAGIC, _VERSION, 1, _PRIVATE_KEY):
        return None
    alias = reader.text()
    reader.take(8)
    key = _unprotect(reader.block(), password)
    certificates = []
    for _unused in range(reader.number()):
        reader.text()
        certificates.append(reader.block())
    if key is None or reader.rest:
        return None
    return Entry(alias, key, tuple(certificates))


class _Reader:
    """Reads the fields of a keystore in sequence. A truncated keystore is an error."""

    def __init__(self, data: bytes) -> None:
        self.rest = data

    def take(self, length: int) -> bytes:
        if length > len(self.rest):
            raise ValueError("ends too early")
        taken, self.rest = self.rest[:length], self.rest[length:]
        return taken

    def number(self) -> int:
        return int(struct.unpack(">I", self.take(4))[0])

    def text(self) -> str:
        return self.take(int(struct.unpack(">H", self.take(2))[0])).decode("ascii")

    def block(self) -> bytes:
        return self.take(self.number())


def _protect(key: bytes, password: str) -> bytes:
    salt = os.urandom(_DIGEST)
    return salt + _mask(key, salt, password) + _digest(password, key)


def _unprotect(protected: bytes, password: str) -> bytes | None:
    """Decrypt the key of an EncryptedPrivateKeyInfo; None if the password is wrong."""
    start = protected.index(_PROTECTOR) + len(_PROTECTOR)
    octets = protected[start:]
    header = 2 + (octets[1] & 0x7F if octets[1] & 0x80 else 0)
    octets = octets[header:]
    salt, masked, check = octets[:_DIGEST], octets[_DIGEST:-_DIGEST], octets[-_DIGEST:]
    key = _mask(masked, salt, password)
    return key if _digest(password, key) == check else None


def _mask(data: bytes, salt: bytes, password: str) -> bytes:
    """XOR with a chain of digests. The same operation encrypts and decrypts."""
    stream, digest = b"", salt
    while len(stream) < len(data):
        digest = _digest(password, digest)
        stream += digest
    return bytes(one ^ other for one, other in zip(data, stream))


def _seal(body: bytes, password: str) -> bytes:
    return _digest(password, _WHITENER + body)


def _digest(password: str, data: bytes) -> bytes:
    return hashlib.sha1(password.encode("utf-16-be") + data, usedforsecurity=False).digest()


def _text(value: str) -> bytes:
    return struct.pack(">H", len(value)) + value.encode("ascii")


def _block(data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + data


def _sequence(content: bytes) -> bytes:
    return _tagged(0x30, content)


def _tagged(tag: int, content: bytes) -> bytes:
    """DER: tag, length, content."""
    if len(content) < 0x80:
        return bytes([tag, len(content)]) + content
    length = len(content).to_bytes((len(content).bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content
