# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reads a certificate that already exists elsewhere on a host, so that it becomes the first managed version.

Runs on the host, so the key never leaves it. The source files are not changed.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._core.errors import GogetsslError, host_error, input_error
from .._crypto.chain import read_bundle, read_issued
from . import files, store

_KEY = re.compile("-----BEGIN ([A-Z]+ )*PRIVATE KEY-----.+?-----END ([A-Z]+ )*PRIVATE KEY-----", re.DOTALL)


@dataclasses.dataclass(frozen=True)
class Pair:
    """A certificate with its chain and its key, in PEM form."""

    certificate: str
    chain: str
    names: tuple[str, ...]
    key: str = dataclasses.field(repr=False)


def read_pair(name: str, files: t.Any) -> Pair:
    """Return the contents of the `adopt_files` files; an input error if the key does not match the certificate.

    Certificates and key may be in one file, as for HAProxy. Other text between them is ignored.
    """
    if not isinstance(files, dict) or not files.get("certificate") or not files.get("key"):
        raise input_error(f"{name}: adopt_files requires certificate and key, the paths of two files on the host.")
    leaf, bundle = read_issued(_read(files["certificate"]), f"{name}: the certificate in {files['certificate']}")
    chain = read_bundle(_read(files["chain"])).certificates if files.get("chain") else bundle.certificates
    key = _read_key(name, files["key"])
    if key.public_key != leaf.public_key:
        raise input_error(
            f"{name}: the key in {files['key']} does not belong to the certificate in {files['certificate']}."
        )
    others = "".join(one.pem for one in chain if one.sha256 != leaf.sha256)
    return Pair(leaf.pem, others, leaf.names, key.pem.decode("ascii"))


def _read_key(name: str, path: str) -> store.Key:
    found = _KEY.search(_read(path))
    if found is None:
        raise input_error(f"{name}: there is no PEM private key in {path}.")
    try:
        return store.make_key((found.group() + "\n").encode("ascii"))
    except (GogetsslError, ValueError):  # not a supported key, or not ASCII text
        raise input_error(
            f"{name}: the key in {path} cannot be read; keys with a passphrase are not supported."
        ) from None


def _read(path: str) -> str:
    """Read a text file. Symbolic links are followed, because the operator configured the path."""
    contents = files.read(path, follow=True)
    if contents is None:
        raise host_error(f"{path}: No such file or directory.")
    return contents.decode("ascii", "replace").replace("\r\n", "\n")
