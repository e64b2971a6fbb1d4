# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate put in place as one transaction: services see the whole old version or the whole new one.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import os
import typing as t

from . import _files, _forms, _journal, _names, _store, _x509
from ._errors import GogetsslError, input_error
from ._labels import Labels
from ._layout import Layout, read_layout
from ._store import Paths

# A certificate that has just been issued is valid; what can be wrong is the host's clock. One that shows local time is
# up to 14 hours off. Beyond that, something else is wrong that somebody should look at.
_CLOCK_TOLERANCE = dt.timedelta(hours=15)


@dataclasses.dataclass(frozen=True)
class Delivery:
    """A certificate to be installed, checked as far as it can be without its key."""

    name: str
    leaf: _x509.Certificate
    chain: tuple[_x509.Certificate, ...]
    layout: Layout
    password: str = dataclasses.field(default="", repr=False)
    now: float = 0.0
    key: _store.Key | None = None  # handed over; otherwise it is on the host
    origin: _journal.Origin | None = None  # of a copy
    unproven: bool = False  # whoever installs it is going to see whether services take it, and says so afterwards

    @property
    def files(self) -> tuple[str, ...]:
        """The names of all files of the version."""
        return (*self.layout.files, *((_store.ORIGIN,) if self.origin else ()))

    def make(self, file: str, key: _store.Key) -> bytes:
        """The contents of a file."""
        if file == _store.ORIGIN and self.origin is not None:
            return _journal.dump_origin(self.origin).encode()
        return _forms.make(file, self.material(key))

    def material(self, key: _store.Key) -> _forms.Material:
        return _forms.Material(self.layout, self.leaf, self.chain, key.pem, self.password, self.now)


@dataclasses.dataclass(frozen=True)
class Found:
    """What lies in the certificate's directory, seen from one delivery."""

    key: _store.Key | None = None  # the delivery's, wherever it lies
    current: str | None = None
    previous: str | None = None
    versions: tuple[str, ...] = ()  # the newest first
    damaged: tuple[str, ...] = ()  # files of the delivery's version that are missing or hold something else
    adrift: tuple[str, ...] = ()  # files that are right, but not their owner, group or mode
    mislabelled: bool = False  # SELinux would have other labels
    staged_is_used: bool = False  # the staged key is the delivery's
    unproven: bool = False  # the delivery's version is marked already
    littered: bool = False  # a killed run left something


class Plan(t.NamedTuple):
    """What to do with one delivery."""

    serial: str
    write: bool  # make the version
    repair: tuple[str, ...]  # files to write anew in the version that is there
    entitle: tuple[str, ...]  # files to give their owner, group and mode
    relabel: bool  # labels are all that is wrong
    link: bool  # have the services read it
    before: str | None  # the version to go back to
    unstage: bool  # the staged key has found its certificate
    prune: tuple[str, ...]  # versions to forget
    sweep: bool  # remove what a killed run left
    mark: bool = False  # note beforehand that services have not been seen to take it

    @property
    def served_changed(self) -> bool:
        """Services have to read again."""
        return self.write or bool(self.repair or self.entitle) or self.relabel or self.link

    @property
    def changed(self) -> bool:
        return self.served_changed or self.unstage or self.sweep or bool(self.prune)


def plan(serial: str, found: Found, keep_versions: int, unproven: bool = False) -> Plan:
    """Write what is missing, mend what is damaged, point at it; then forget what is too old."""
    decided = _plan(serial, found, keep_versions)
    return decided._replace(mark=unproven and decided.served_changed)


def _plan(serial: str, found: Found, keep_versions: int) -> Plan:
    older = [one for one in (found.current, found.previous) if one in found.versions and one != serial]
    before = older[0] if older else None
    spare = [one for one in found.versions if one not in (serial, before)]
    there = serial in found.versions
    return Plan(
        serial=serial,
        write=not there,
        repair=found.damaged if there else (),
        entitle=found.adrift if there else (),
        relabel=found.mislabelled and there,
        link=found.current != serial,
        before=before,
        unstage=found.staged_is_used,
        prune=tuple(spare[max(0, keep_versions - (2 if before else 1)) :]),
        sweep=found.littered,
    )


@dataclasses.dataclass(frozen=True)
class Terms:
    """What holds for all deliveries of a task."""

    now: dt.datetime
    password: str | None = dataclasses.field(default=None, repr=False)
    roots: tuple[_x509.Certificate, ...] = ()  # none: any authority will do


def read_delivery(item: t.Mapping[str, t.Any], paths: Paths, terms: Terms, key_pem: t.Any = None) -> Delivery:
    """An item of the task, with every check that needs no key of the host; an input error for what must not be served.

    `key_pem` is the private key, if it is handed over.
    """
    name = item["name"]
    layout = read_layout(item)
    _forms.check(name, layout, terms.password)
    wanted = item.get("names")
    if not isinstance(wanted, list) or not all(isinstance(one, str) for one in wanted):
        raise input_error(f"{name}: names must be the list of the names that have to be covered.")
    given = {key: _pem(item, key) for key in ("certificate", "chain")}
    if item.get("certificate") is None:  # complete what is installed
        given = _installed(name, paths)
    leaf = _x509.read_certificate(given["certificate"], f"{name}: the certificate")
    chain = _x509.read_certificates(given["chain"], f"{name}: the chain") if given["chain"].strip() else ()
    chain = _x509.in_order(leaf, chain)
    left_out = _names.missing(leaf.names, _names.canonical_list(wanted))
    if left_out:
        raise input_error(f"{name}: the certificate does not cover {', '.join(left_out)}.")
    problem = _x509.chain_problem(leaf, chain, terms.now) or _problem_with_terms(leaf, chain, terms)
    if problem:
        raise input_error(f"{name}: {problem}.")
    key, origin = _read_key(name, leaf, key_pem), _read_origin(name, item.get("origin"))
    unproven = bool(item.get("unproven"))
    return Delivery(name, leaf, chain, layout, terms.password or "", terms.now.timestamp(), key, origin, unproven)


def _problem_with_terms(leaf: _x509.Certificate, chain: tuple[_x509.Certificate, ...], terms: Terms) -> str:
    if leaf.not_before > terms.now + _CLOCK_TOLERANCE:
        return (
            f"the certificate is valid from {leaf.not_before:%Y-%m-%d %H:%M} UTC only, and the clock of this host says"
            f" {terms.now:%Y-%m-%d %H:%M}; set the clock right"
        )
    if terms.roots and not _x509.leads_to((leaf, *chain), terms.roots):
        return f"the chain ends with {(leaf, *chain)[-1].issuer}, which is none of the trusted roots"
    return ""


def _read_key(name: str, leaf: _x509.Certificate, pem: t.Any) -> _store.Key | None:
    """A key that was handed over, as it will lie in its file."""
    if not pem:
        return None
    if not isinstance(pem, str):
        raise input_error(f"{name}: its private key must be PEM text.")
    try:
        key = _store.make_key((pem.replace("\r\n", "\n").strip() + "\n").encode("ascii"))
    except UnicodeEncodeError:
        raise input_error(f"{name}: its private key must be PEM text.") from None
    except GogetsslError as error:
        raise input_error(f"{name}: {error.message}") from None
    if key.public_key != leaf.public_key:
        raise input_error(f"{name}: the private key that was handed over does not belong to the certificate.")
    return key


def _read_origin(name: str, given: t.Any) -> _journal.Origin | None:
    if given is None:
        return None
    try:
        origin = _journal.read_origin(json.dumps({"format": _journal.FORMAT, **given}))
    except TypeError:
        origin = None
    if origin is None:
        raise input_error(f"{name}: origin must be as gogetssl_certificate_fetch has returned it.")
    return origin


def _installed(name: str, paths: Paths) -> dict[str, str]:
    """Certificate and chain of the current version."""
    serial = _store.linked(paths.current)
    if serial is None:
        raise input_error(f"{name}: no certificate is given, and none is installed.")
    version = paths.version(serial)
    files = {"certificate": _store.CERT, "chain": _store.CHAIN}
    return {key: _store.read_text(os.path.join(version, file)) for key, file in files.items()}


def look(paths: Paths, delivery: Delivery, labels: Labels) -> Found:
    """What the host has for a delivery; an input error if that does not include its key."""
    serial, public_key = delivery.leaf.serial, delivery.leaf.public_key
    version = paths.version(serial)
    versions = _store.versions(paths)
    current = _store.linked(paths.current)
    places = dict.fromkeys(paths.version(one) for one in (serial, current or serial, *versions))
    own = _store.read_key(version)
    staged = _store.read_key(paths.staged)
    staged_is_used = staged is not None and staged.public_key == public_key
    elsewhere = (_store.read_key(place) for place in places)
    known = itertools.chain((own, staged, delivery.key), elsewhere)
    key = next((one for one in known if one and one.public_key == public_key), None)
    if key is None:
        raise input_error(f"{delivery.name}: the certificate belongs to none of the keys in {paths.root}.")
    damaged = _damaged(version, delivery, key)
    wanted = rights(delivery)
    adrift = [file for file, right in wanted.items() if file not in damaged and not _has_rights(version, file, right)]
    return Found(
        key=key,
        current=current,
        previous=_store.linked(paths.previous),
        versions=versions,
        damaged=damaged,
        adrift=tuple(adrift),
        mislabelled=serial in versions and labels.are_wrong(version),
        staged_is_used=staged_is_used,
        unproven=_store.unproven(paths) == serial,
        littered=_files.littered(paths.root),
    )


def execute(paths: Paths, delivery: Delivery, found: Found, decided: Plan, labels: Labels) -> None:
    """Do what is planned. Killed anywhere, it leaves `current` at the old version or the new one, both whole."""
    if found.key is None:
        raise AssertionError("a version is never written without its key")
    version, wanted = paths.version(decided.serial), rights(delivery)
    needed = delivery.files if decided.write else decided.repair
    contents = {file: delivery.make(file, found.key) for file in needed}  # whatever fails here has touched nothing
    _files.make_directory(paths.root)
    _files.sweep(paths.root)
    if decided.mark:  # before services can see anything, so that a run killed at any later moment is taken up again
        _files.replace_file(paths.unproven, f"{decided.serial}\n".encode(), _files.PUBLIC)
    if decided.write:
        staged_csr = _files.read(os.path.join(paths.staged, _store.REQUEST)) if found.staged_is_used else None
        csr = {_store.REQUEST: staged_csr} if staged_csr else {}
        _files.discard(version)  # an empty directory or a link of that name
        _files.write_directory(version, {**contents, **csr}, 0o755, {**wanted, _store.REQUEST: _files.PUBLIC})
    if decided.repair:
        # File by file: all of them are of one certificate, so no mixture of old and new ones is worse than the damage.
        _files.sweep(version)
        for file in decided.repair:
            _files.replace_file(os.path.join(version, file), contents[file], wanted[file])
    for file in decided.entitle:
        _files.set_rights(os.path.join(version, file), wanted[file])
    if decided.served_changed:
        labels.restore(version)  # again when only the link is due: the run that wrote the version may have been killed
    if decided.link:
        if decided.before:
            _files.replace_link(paths.previous, decided.before)
        _files.replace_link(paths.current, decided.serial)
    if decided.unstage:
        _files.discard(paths.staged)
    for serial in decided.prune:
        _files.discard(paths.version(serial))


def rights(delivery: Delivery) -> dict[str, _files.Rights]:
    """The rights of each file; an error for an owner or a group that this host does not know."""
    layout = delivery.layout
    uid = _files.user_id(layout.owner) if layout.owner else -1
    gid = _files.group_id(layout.group) if layout.group else -1
    own = {file: _files.Rights(layout.mode_of(file), uid, gid) for file in layout.files}
    return {**own, _store.ORIGIN: _files.PUBLIC} if delivery.origin else own


def _damaged(version: str, delivery: Delivery, key: _store.Key) -> tuple[str, ...]:
    """The files of a version that are missing or hold something else than they have to."""
    material = delivery.material(key)
    found = ((file, _files.read(os.path.join(version, file))) for file in delivery.files)

    def holds(file: str, contents: bytes) -> bool:
        return contents == delivery.make(file, key) if file == _store.ORIGIN else _forms.holds(file, contents, material)

    return tuple(file for file, contents in found if contents is None or not holds(file, contents))


def _has_rights(version: str, file: str, wanted: _files.Rights) -> bool:
    found = _files.rights_of(os.path.join(version, file))
    return found is not None and found == _files.Rights(
        wanted.mode,
        found.uid if wanted.uid == -1 else wanted.uid,
        found.gid if wanted.gid == -1 else wanted.gid,
    )


def _pem(item: t.Mapping[str, t.Any], key: str) -> str:
    """A text of the item, with line ends as servers like them."""
    value = item.get(key) or ""
    if not isinstance(value, str):
        raise input_error(f"{item['name']}: {key} must be PEM text.")
    return value.replace("\r\n", "\n")
