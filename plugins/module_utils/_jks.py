# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Java keystores of the type JKS, with one private key and its certificates.

The format has been the same since Java 1.2 and needs SHA-1 and nothing else, so neither Java nor a library has to be on
the host, no password passes through a command line, and no key through a temporary file. Its protection is that of its
age: what keeps the key is the mode of the file.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
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
    """The one entry of a keystore, here and in `_pkcs12`."""

    alias: str
    key: bytes  # PKCS#8, DER
    certificates: tuple[bytes, ...]  # DER, the leaf first


def dump(entry: Entry, password: str, created: float) -> bytes:
    """A keystore; `created` is in seconds since the epoch."""
    protected = _sequence(_PROTECTOR + _tagged(0x04, _protect(entry.key, password)))
    chain = b"".join(_text("X.509") + _block(one) for one in entry.certificates)
    body = (
        struct.pack(">III", _MAGIC, _VERSION, 1)
        + struct.pack(">I", _PRIVATE_KEY)
        + _text(entry.alias.lower())  # as keytool does; Java does not tell the cases apart
        + struct.pack(">Q", int(created * 1000))
        + _block(protected)
        + struct.pack(">I", len(entry.certificates))
        + chain
    )
    return body + _seal(body, password)


def load(data: bytes, password: str) -> Entry | None:
    """What a keystore holds; None unless it is whole, opens with the password and holds one key and nothing else."""
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
    """Takes the parts of a keystore one after the other; an error where it ends too early."""

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
    """The key from its EncryptedPrivateKeyInfo."""
    start = protected.index(_PROTECTOR) + len(_PROTECTOR)
    octets = protected[start:]
    header = 2 + (octets[1] & 0x7F if octets[1] & 0x80 else 0)
    octets = octets[header:]
    salt, masked, check = octets[:_DIGEST], octets[_DIGEST:-_DIGEST], octets[-_DIGEST:]
    key = _mask(masked, salt, password)
    return key if _digest(password, key) == check else None


def _mask(data: bytes, salt: bytes, password: str) -> bytes:
    """XOR with a chain of digests: the same there and back."""
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
