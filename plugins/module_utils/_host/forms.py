# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The files of one version: their expected contents, and whether the existing files match.

Keystores are salted, so they are compared by key, certificates, alias, encryption and password.
"""

from __future__ import annotations

import dataclasses
import re
import typing as t

from .._core.errors import GogetsslError, host_error, input_error
from .._crypto import jks, x509
from .._crypto import pkcs12 as _pkcs12
from .._request import layout as _layout
from .._request.layout import Layout

# keytool requires at least 6 characters. Programs interpret non-ASCII characters differently.
_PASSWORD = re.compile(r"[\x20-\x7e]{6,}")


@dataclasses.dataclass(frozen=True)
class Material:
    """The inputs of all files."""

    layout: Layout
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    key: bytes = dataclasses.field(repr=False)  # PEM
    password: str = dataclasses.field(repr=False)
    now: float

    @property
    def key_der(self) -> bytes:
        return x509.der_of_key(self.key)

    @property
    def certificates_der(self) -> tuple[bytes, ...]:
        return tuple(x509.der_of_certificate(one) for one in (self.leaf, *self.chain))


def check(name: str, layout: Layout, password: str | None) -> None:
    """Raise an error if the requested forms cannot be created on this host, before any change is made."""
    stores = [form for form in layout.forms if form in _layout.WITH_PASSWORD]
    if not stores:
        return
    if not password:
        raise input_error(
            f"{name}: {', '.join(stores)} needs store_password, the password of the keystores;"
            " set gogetssl_store_password."
        )
    if not _PASSWORD.fullmatch(password):
        raise input_error(
            f"{name}: gogetssl_store_password must have at least 6 printable ASCII characters, as for Java's keytool."
        )
    pkcs12 = [form for form in stores if form.startswith("pkcs12")]
    if pkcs12 and not _pkcs12.can_make():
        raise host_error(
            f"{name}: {', '.join(pkcs12)} needs openssl on this host, or version 38 or newer of the Python library"
            " cryptography; install one of them, or remove the form from forms."
        )


def make(file: str, material: Material) -> bytes:
    """Return the contents of a file."""
    leaf, chain = material.leaf.pem, "".join(one.pem for one in material.chain)
    texts = {_layout.CERT: leaf, _layout.CHAIN: chain, _layout.FULLCHAIN: leaf + chain}
    if file in texts:
        return texts[file].encode("ascii")
    if file == _layout.KEY:
        return material.key
    return _MAKERS[file](material)


def holds(file: str, contents: bytes, material: Material) -> bool:
    """True if a file has the expected contents."""
    if file == _layout.KEY:
        try:
            return x509.public_key_of_key(contents) == material.leaf.public_key
        except GogetsslError:
            return False
    if file in _READERS:
        return _READERS[file](contents, material)
    return contents == make(file, material)


def _bundle(material: Material) -> bytes:
    return make(_layout.FULLCHAIN, material) + material.key


def _pkcs12_maker(legacy: bool) -> t.Callable[[Material], bytes]:
    def maker(material: Material) -> bytes:
        return _pkcs12.dump(_entry(material), material.password, legacy)

    return maker


def _pkcs12_reader(legacy: bool) -> t.Callable[[bytes, Material], bool]:
    def reader(contents: bytes, material: Material) -> bool:
        if not _pkcs12.is_encrypted(contents, legacy):
            return False
        entry = _pkcs12.load(contents, material.password)
        # CA certificates are unordered in PKCS #12: some libraries reverse them.
        return entry is not None and _sorted(entry) == _sorted(_entry(material))

    return reader


def _jks_maker(material: Material) -> bytes:
    return jks.dump(_entry(material), material.password, material.now)


def _jks_reader(contents: bytes, material: Material) -> bool:
    expected = _entry(material)
    return jks.load(contents, material.password) == expected._replace(alias=expected.alias.lower())


def _entry(material: Material) -> jks.Entry:
    return jks.Entry(material.layout.alias, material.key_der, material.certificates_der)


def _sorted(entry: jks.Entry) -> jks.Entry:
    return entry._replace(certificates=(*entry.certificates[:1], *sorted(entry.certificates[1:])))


_MAKERS: dict[str, t.Callable[[Material], bytes]] = {
    "haproxy.pem": _bundle,
    "privkey.der": lambda material: material.key_der,
    "cert.der": lambda material: material.certificates_der[0],
    "keystore.p12": _pkcs12_maker(legacy=False),
    "keystore-legacy.p12": _pkcs12_maker(legacy=True),
    "keystore.jks": _jks_maker,
}
_READERS: dict[str, t.Callable[[bytes, Material], bool]] = {
    "keystore.p12": _pkcs12_reader(legacy=False),
    "keystore-legacy.p12": _pkcs12_reader(legacy=True),
    "keystore.jks": _jks_reader,
}
