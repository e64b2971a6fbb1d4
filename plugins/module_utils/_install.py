# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate put in place as one transaction: services see the whole old version or the whole new one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import os
import typing as t

from . import _files, _names, _store, _x509
from ._errors import input_error
from ._store import Paths

# Clocks of hosts run a little behind those of authorities.
_CLOCK_TOLERANCE = dt.timedelta(minutes=5)


@dataclasses.dataclass(frozen=True)
class Delivery:
    """A certificate to be installed, checked as far as it can be without its key."""

    name: str
    leaf: _x509.Certificate
    chain: tuple[_x509.Certificate, ...]

    @property
    def files(self) -> dict[str, bytes]:
        leaf, chain = self.leaf.pem, "".join(one.pem for one in self.chain)
        texts = {_store.CERT: leaf, _store.CHAIN: chain, _store.FULLCHAIN: leaf + chain}
        return {name: text.encode("ascii") for name, text in texts.items()}


@dataclasses.dataclass(frozen=True)
class Found:
    """What lies in the certificate's directory, seen from one delivery."""

    key: _store.Key | None = None  # the delivery's, wherever it lies
    current: str | None = None
    previous: str | None = None
    versions: tuple[str, ...] = ()  # the newest first
    intact: bool = False  # the delivery's version is there with the right contents
    staged_is_used: bool = False  # the staged key is the delivery's
    littered: bool = False  # a killed run left something


class Plan(t.NamedTuple):
    """What to do with one delivery."""

    serial: str
    write: bool  # make the version
    repair: bool  # put right the version that is there
    link: bool  # have the services read it
    before: str | None  # the version to go back to
    unstage: bool  # the staged key has found its certificate
    prune: tuple[str, ...]  # versions to forget
    sweep: bool  # remove what a killed run left

    @property
    def served_changed(self) -> bool:
        """Services have to read again."""
        return self.write or self.repair or self.link

    @property
    def changed(self) -> bool:
        return self.served_changed or self.unstage or self.sweep or bool(self.prune)


def plan(serial: str, found: Found, keep_versions: int) -> Plan:
    """Write what is missing, mend what is damaged, point at it; then forget what is too old."""
    older = [one for one in (found.current, found.previous) if one in found.versions and one != serial]
    before = older[0] if older else None
    spare = [one for one in found.versions if one not in (serial, before)]
    return Plan(
        serial=serial,
        write=serial not in found.versions,
        repair=serial in found.versions and not found.intact,
        link=found.current != serial,
        before=before,
        unstage=found.staged_is_used,
        prune=tuple(spare[max(0, keep_versions - (2 if before else 1)) :]),
        sweep=found.littered,
    )


def read_delivery(item: t.Mapping[str, t.Any], now: dt.datetime) -> Delivery:
    """An item of the task, with every check that needs no host; an input error for what must not be served."""
    name = item["name"]
    wanted = item.get("names")
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise input_error(f"{name}: names must be the list of the names that have to be covered.")
    leaf = _x509.read_certificate(_pem(item, "certificate"), f"{name}: the certificate")
    given = _pem(item, "chain")
    chain = _x509.read_certificates(given, f"{name}: the chain") if given.strip() else ()
    left_out = _names.missing(leaf.names, _names.canonical_list(wanted))
    if left_out:
        raise input_error(f"{name}: the certificate does not cover {', '.join(left_out)}.")
    problem = _x509.chain_problem(leaf, chain, now)
    if problem:
        raise input_error(f"{name}: {problem}.")
    if leaf.not_before > now + _CLOCK_TOLERANCE:
        starts = f"{leaf.not_before:%Y-%m-%d %H:%M}"
        raise input_error(f"{name}: the certificate is valid from {starts} UTC only; is the clock of this host right?")
    return Delivery(name, leaf, chain)


def look(paths: Paths, delivery: Delivery) -> Found:
    """What the host has for a delivery; an input error if that does not include its key."""
    serial, public_key = delivery.leaf.serial, delivery.leaf.public_key
    versions = _store.versions(paths)
    current = _store.linked(paths.current)
    places = dict.fromkeys(paths.version(one) for one in (serial, current or serial, *versions))
    own = _store.read_key(paths.version(serial))
    staged = _store.read_key(paths.staged)
    staged_is_used = staged is not None and staged.public_key == public_key
    elsewhere = (_store.read_key(place) for place in places)
    key = next((one for one in itertools.chain((own, staged), elsewhere) if one and one.public_key == public_key), None)
    if key is None:
        raise input_error(f"{delivery.name}: the certificate belongs to none of the keys in {paths.root}.")
    return Found(
        key=key,
        current=current,
        previous=_store.linked(paths.previous),
        versions=versions,
        intact=own is not None and own.public_key == public_key and _has(paths.version(serial), delivery.files),
        staged_is_used=staged_is_used,
        littered=_files.littered(paths.root),
    )


def execute(paths: Paths, delivery: Delivery, found: Found, decided: Plan) -> None:
    """Do what is planned. Killed anywhere, it leaves `current` at the old version or the new one, both whole."""
    if found.key is None:
        raise AssertionError("a version is never written without its key")
    version = paths.version(decided.serial)
    _files.sweep(paths.root)
    if decided.write:
        staged_csr = _files.read(os.path.join(paths.staged, _store.REQUEST)) if found.staged_is_used else None
        csr = {_store.REQUEST: staged_csr} if staged_csr else {}
        _files.discard(version)  # an empty directory or a link of that name
        _files.write_directory(version, {_store.KEY: found.key.pem, **csr, **delivery.files}, 0o755, (_store.KEY,))
    if decided.repair:
        _repair(version, {_store.KEY: found.key.pem, **delivery.files})
    if decided.link:
        if decided.before:
            _files.replace_link(paths.previous, decided.before)
        _files.replace_link(paths.current, decided.serial)
    if decided.unstage:
        _files.discard(paths.staged)
    for serial in decided.prune:
        _files.discard(paths.version(serial))


def _repair(version: str, files: t.Mapping[str, bytes]) -> None:
    """File by file: all of them are of one certificate, so no mixture of old and new ones is worse than the damage."""
    _files.sweep(version)
    for name, contents in files.items():
        path = os.path.join(version, name)
        if _files.read(path) != contents:
            _files.replace_file(path, contents, 0o600 if name == _store.KEY else 0o644)


def _has(directory: str, files: t.Mapping[str, bytes]) -> bool:
    return all(_files.read(os.path.join(directory, name)) == contents for name, contents in files.items())


def _pem(item: t.Mapping[str, t.Any], key: str) -> str:
    """A text of the item, with line ends as servers like them."""
    value = item.get(key) or ""
    if not isinstance(value, str):
        raise input_error(f"{item['name']}: {key} must be PEM text.")
    return value.replace("\r\n", "\n")
