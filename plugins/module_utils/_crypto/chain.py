# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""PEM bundles, and the certification path from a certificate towards a root.

A list of certificates is not a chain: it may have duplicates, certificates of other chains, and expired cross-signs.
A server has to send only the certificates of the path.
"""

from __future__ import annotations

import datetime as dt
import itertools
import re
import typing as t

from .._core.errors import GogetsslError, Kind
from . import x509
from .x509 import Certificate

# OpenSSL reads all three labels. TLS libraries ignore text outside the blocks.
_BLOCK = re.compile(
    r"-----BEGIN ((?:X509 |TRUSTED )?CERTIFICATE)-----([A-Za-z0-9+/=\s]+?)-----END \1-----",
    re.ASCII,
)
# More certificates than any chain has, but fewer than a bundle of roots.
_LARGEST = 50
# Cross-signed certificates can have a path for each permutation. The first paths are sufficient.
_PATHS = 64


class Bundle(t.NamedTuple):
    """The certificates of a PEM text in their original order."""

    certificates: tuple[Certificate, ...]
    unreadable: int  # blocks that cannot be parsed as a certificate
    has_other_text: bool


class Path(t.NamedTuple):
    """The certificates that a server sends after its own."""

    chain: tuple[Certificate, ...]
    left_out: tuple[str, ...]  # certificates that are not on the path, each with the reason
    problem: str  # why the path cannot be served; empty if it can


def read_bundle(pem: str) -> Bundle:
    """Read all certificates of a text."""
    certificates = []
    unreadable = 0
    for block in _BLOCK.finditer(pem):
        try:
            certificates.append(x509.read_base64(block.group(2)))
        except GogetsslError:
            unreadable += 1
    return Bundle(tuple(certificates), unreadable, bool(_BLOCK.sub("", pem).strip("\ufeff \t\r\n")))


def read_issued(pem: str, what: str) -> tuple[Certificate, Bundle]:
    """The issued certificate, and the bundle in which it was delivered.

    The text may include the chain, in any order. The first certificate that is not a CA certificate is the issued one.
    """
    bundle = read_bundle(pem)
    if bundle.unreadable:
        raise GogetsslError(f"{what} cannot be read as a PEM certificate.", Kind.INPUT)
    if not bundle.certificates:
        raise GogetsslError(f"{what} does not consist of PEM certificates.", Kind.INPUT)
    leaf = next((one for one in bundle.certificates if not one.is_ca), bundle.certificates[0])
    return leaf, bundle


def read_installed(cert: str, chain: str) -> tuple[Certificate | None, tuple[Certificate, ...], str]:
    """The installed certificate, the others of its two files, and why it cannot be read, as a clause."""
    if not cert:
        return None, (), ""
    try:
        certificate, others = read_issued(cert, "the installed certificate")
        return certificate, (*others.certificates, *read_bundle(chain).certificates), ""
    except GogetsslError:
        return None, (), "the installed certificate cannot be read"


def find_path(
    leaf: Certificate, pool: t.Iterable[Certificate], now: dt.datetime, roots: t.Sequence[Certificate] = ()
) -> Path:
    """The path from the leaf through the pool: the first path to one of the roots, otherwise the first in order.

    Expired certificates are excluded. Clients have the roots, so a path may end below an expired cross-sign.
    """
    given = list(pool)
    candidates = list(dict.fromkeys(one for one in given if one.sha256 != leaf.sha256))
    usable = [one for one in candidates if one.is_ca and one.not_after > now][:_LARGEST]
    paths = list(itertools.islice(_paths((leaf,), usable, {}), _PATHS))
    path = next((path for path in paths if leads_to(path, roots)), paths[0])
    return Path(path[1:], _left_out(given, path, now), _problem(path, candidates, now, roots))


def leads_to(path: t.Sequence[Certificate], roots: t.Sequence[Certificate]) -> bool:
    """True if a path includes one of the roots, or a certificate that one of them has signed."""
    known = {root.sha256 for root in roots}
    return any(one.sha256 in known or any(x509.is_signed_by(one, root) for root in roots) for one in reversed(path))


def _paths(
    path: tuple[Certificate, ...], pool: t.Sequence[Certificate], issuers: dict[str, list[Certificate]]
) -> t.Iterator[tuple[Certificate, ...]]:
    """All paths that cannot be extended. Each key occurs once in a path, so cross-signs cannot form a loop."""
    top = path[-1]
    if top.sha256 not in issuers:
        issuers[top.sha256] = [] if _self_signed(top) else [one for one in pool if x509.is_signed_by(top, one)]
    keys = {one.public_key for one in path}
    following = [one for one in issuers[top.sha256] if one.public_key not in keys]
    if not following:
        yield path
    for one in following:
        yield from _paths((*path, one), pool, issuers)


def _self_signed(certificate: Certificate) -> bool:
    return certificate.subject == certificate.issuer and x509.is_signed_by(certificate, certificate)


def _left_out(given: t.Sequence[Certificate], path: t.Sequence[Certificate], now: dt.datetime) -> tuple[str, ...]:
    used = {one.sha256 for one in path}
    seen: set[str] = {path[0].sha256}
    left_out = []
    for one in given:
        if one.sha256 in seen:
            left_out.append(f"{one.subject} (a duplicate)")
        elif one.not_after <= now:
            left_out.append(f"{one.subject} (expired on {one.not_after:%Y-%m-%d})")
        elif one.sha256 not in used:
            left_out.append(f"{one.subject} (issued by {one.issuer}, not on the path)")
        seen.add(one.sha256)
    return tuple(left_out)


def _problem(
    path: t.Sequence[Certificate],
    candidates: t.Sequence[Certificate],
    now: dt.datetime,
    roots: t.Sequence[Certificate],
) -> str:
    leaf, top = path[0], path[-1]
    if leaf.not_after <= now:
        return f"{leaf.subject} expired on {leaf.not_after:%Y-%m-%d}"
    trusted = leads_to(path, roots)
    if len(path) == 1 and not trusted and not _self_signed(leaf):
        return _missing_issuer(leaf, candidates)
    if roots and not trusted:
        return f"the chain ends with {top.issuer}, which is not one of the trusted roots"
    return ""


def _missing_issuer(leaf: Certificate, candidates: t.Sequence[Certificate]) -> str:
    """The reason why no certificate of the chain is the issuer of the leaf."""
    if not candidates:
        return f"the chain is empty, but {leaf.subject} is signed by {leaf.issuer}"
    signers = [one for one in candidates if x509.is_signed_by(leaf, one)]
    if not signers:
        return f"{leaf.subject} is not signed by any certificate of the chain; its issuer is {leaf.issuer}"
    if not signers[0].is_ca:
        return f"{signers[0].subject} has signed {leaf.subject}, but is not the certificate of a CA"
    return f"{signers[0].subject}, which has signed {leaf.subject}, expired on {signers[0].not_after:%Y-%m-%d}"
