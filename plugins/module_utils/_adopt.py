# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a certificate that a host has somewhere else already, so that it becomes the first version of ours.

Runs on the host: the key is read there and goes nowhere else. What is read from is left as it is.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from . import _store, _x509
from ._errors import GogetsslError, input_error

_CERTIFICATE = re.compile("-----BEGIN CERTIFICATE-----.+?-----END CERTIFICATE-----", re.DOTALL)
_KEY = re.compile("-----BEGIN ([A-Z]+ )*PRIVATE KEY-----.+?-----END ([A-Z]+ )*PRIVATE KEY-----", re.DOTALL)
_LARGEST = 1 << 20  # bytes of a file; what is larger holds no certificate


@dataclasses.dataclass(frozen=True)
class Pair:
    """A certificate with its chain and its key, in PEM form."""

    certificate: str
    chain: str
    names: tuple[str, ...]
    key: str = dataclasses.field(repr=False)


def read_pair(name: str, files: t.Any) -> Pair:
    """What the files of `adopt_files` hold; an input error unless key and certificate belong together.

    Certificates and key may be in one file, as HAProxy has them, and other text between them is passed over.
    """
    if not isinstance(files, dict) or not files.get("certificate") or not files.get("key"):
        raise input_error(f"{name}: adopt_files needs certificate and key, the paths of two files of the host.")
    blocks = _certificates(files["certificate"])
    if not blocks:
        raise input_error(f"{name}: there is no PEM certificate in {files['certificate']}.")
    leaf = _x509.read_certificate(blocks[0], f"{name}: the first certificate in {files['certificate']}")
    chain = _certificates(files["chain"]) if files.get("chain") else blocks[1:]
    if chain and chain[0] == blocks[0]:  # a fullchain.pem given as the chain
        chain = chain[1:]
    key = _read_key(name, files["key"])
    if key.public_key != leaf.public_key:
        raise input_error(
            f"{name}: the key in {files['key']} does not belong to the certificate in {files['certificate']}."
        )
    return Pair(blocks[0], "".join(chain), leaf.names, key.pem.decode("ascii"))


def _certificates(path: str) -> list[str]:
    return [block + "\n" for block in _CERTIFICATE.findall(_read(path))]


def _read_key(name: str, path: str) -> _store.Key:
    found = _KEY.search(_read(path))
    if found is None:
        raise input_error(f"{name}: there is no PEM private key in {path}.")
    try:
        return _store.make_key((found.group() + "\n").encode("ascii"))
    except (GogetsslError, ValueError):  # of ours, or of text that is no ASCII
        raise input_error(f"{name}: the key in {path} cannot be read; keys with a passphrase are not taken.") from None


def _read(path: str) -> str:
    """A text file, also by a link: the path is the operator's own."""
    with open(path, "rb") as stream:
        return stream.read(_LARGEST).decode("ascii", "replace").replace("\r\n", "\n")
