# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Installs a certificate as one transaction: services see the complete old version or the complete new one."""

from __future__ import annotations

import dataclasses
import datetime as dt
import itertools
import json
import os
import typing as t

from .._core import names, stored
from .._core.errors import GogetsslError, host_error, input_error
from .._crypto import chain as _chain
from .._crypto import x509
from .._request.layout import Layout, read_layout
from . import files as _files
from . import forms, journal, store
from .labels import Labels
from .store import Paths

# A newly issued certificate is valid, so a "not before" in the future means that the host's clock is wrong. A clock set
# to local time is up to 14 hours off. A larger difference has another cause, which an operator must check.
_CLOCK_TOLERANCE = dt.timedelta(hours=15)


@dataclasses.dataclass(frozen=True)
class Delivery:
    """A certificate to install, with all checks done that do not need its key."""

    name: str
    leaf: x509.Certificate
    chain: tuple[x509.Certificate, ...]
    layout: Layout
    password: str = dataclasses.field(default="", repr=False)
    now: float = 0.0
    key: store.Key | None = None  # passed with the task; None if it is on the host
    origin: journal.Origin | None = None  # of a copy
    unverified: bool = False  # the caller verifies the services after the installation and then confirms it
    left_out: tuple[str, ...] = ()  # certificates delivered with it that are not in its chain

    @property
    def files(self) -> tuple[str, ...]:
        """Return the names of all files of the version."""
        return (*self.layout.files, *((store.ORIGIN,) if self.origin else ()))

    def make(self, file: str, key: store.Key) -> bytes:
        """Return the contents of a file."""
        if file == store.ORIGIN and self.origin is not None:
            return journal.dump_origin(self.origin).encode()
        return forms.make(file, self.material(key))

    def material(self, key: store.Key) -> forms.Material:
        return forms.Material(self.layout, self.leaf, self.chain, key.pem, self.password, self.now)


@dataclasses.dataclass(frozen=True)
class InstallationState:
    """The state of the certificate's directory for one delivery."""

    key: store.Key | None = None  # the delivery's key, from any location
    current: str | None = None
    previous: str | None = None
    versions: tuple[str, ...] = ()  # newest first
    damaged: tuple[str, ...] = ()  # files of the delivery's version that are missing or have other contents
    adrift: tuple[str, ...] = ()  # files with the expected contents, but another owner, group or mode
    mislabelled: bool = False  # SELinux labels differ from the policy
    staged_is_used: bool = False  # the staged key is the delivery's
    unverified: bool = False  # the delivery's version is already marked
    littered: bool = False  # an interrupted run left files


class Plan(t.NamedTuple):
    """The planned changes for one delivery."""

    serial: str
    write: bool  # create the version
    repair: tuple[str, ...]  # files to replace in the existing version
    entitle: tuple[str, ...]  # files whose owner, group and mode to set
    relabel: bool  # SELinux labels to restore
    link: bool  # point `current` at the version
    before: str | None  # the version for a rollback
    unstage: bool  # remove the staged key, which is now installed
    prune: tuple[str, ...]  # old versions to remove
    sweep: bool  # remove files left by interrupted runs
    mark: bool = False  # mark the version as unverified before the installation

    @property
    def served_changed(self) -> bool:
        """True if services need a reload."""
        return self.write or bool(self.repair or self.entitle) or self.relabel or self.link

    @property
    def changed(self) -> bool:
        return self.served_changed or self.unstage or self.sweep or bool(self.prune)


def plan_installation(serial: str, found: InstallationState, keep_versions: int, unverified: bool = False) -> Plan:
    """Plan to write missing files, replace damaged files, update the links, and remove old versions."""
    decided = _plan(serial, found, keep_versions)
    return decided._replace(mark=unverified and decided.served_changed)


def _plan(serial: str, found: InstallationState, keep_versions: int) -> Plan:
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
    """The inputs common to all deliveries of a task."""

    now: dt.datetime
    password: str | None = dataclasses.field(default=None, repr=False)
    roots: tuple[x509.Certificate, ...] = ()  # empty: any CA is accepted


def read_delivery(item: t.Mapping[str, t.Any], paths: Paths, terms: Terms, key_pem: t.Any = None) -> Delivery:
    """Read and check an item of the task, without the host's keys; an input error if it must not be served.

    `key_pem` is the private key, if it is passed with the task.
    """
    name = item["name"]
    layout = read_layout(item)
    forms.check(name, layout, terms.password)
    expected = item.get("names")
    if not isinstance(expected, list) or not all(isinstance(one, str) for one in expected):
        raise input_error(f"{name}: names must be the list of the names that have to be covered.")
    given = {key: _pem(item, key) for key in ("certificate", "chain")}
    if item.get("certificate") is None:  # complete what is installed
        given = _installed(name, paths)
    leaf, path = _read_path(name, given, terms)
    missing = names.missing(leaf.names, names.canonical_list(expected))
    if missing:
        raise input_error(f"{name}: the certificate does not cover {', '.join(missing)}.")
    problem = path.problem or _problem_with_clock(leaf, terms.now)
    if problem:
        raise input_error(f"{name}: {problem}.")
    key, origin = _read_key(name, leaf, key_pem), _read_origin(name, item.get("origin"))
    unverified = bool(item.get("unverified"))
    password, now = terms.password or "", terms.now.timestamp()
    return Delivery(name, leaf, path.chain, layout, password, now, key, origin, unverified, path.left_out)


def _read_path(name: str, given: t.Mapping[str, str], terms: Terms) -> tuple[x509.Certificate, _chain.Path]:
    """Return the issued certificate and its chain, selected from all delivered certificates."""
    leaf, issued = _chain.read_issued(given["certificate"], f"{name}: the certificate")
    rest = _chain.read_bundle(given["chain"])
    others = [one for one in issued.certificates if one is not leaf]
    path = _chain.find_path(leaf, [*others, *rest.certificates], terms.now, terms.roots)
    unreadable = ("a block that cannot be read as a certificate",) * rest.unreadable
    text = ("text that is no certificate",) if issued.has_other_text or rest.has_other_text else ()
    return leaf, path._replace(left_out=(*path.left_out, *unreadable, *text))


def check_terms(name: str, layout: Layout, password: str | None) -> None:
    """Raise an error if the certificate's files cannot be written on this host. Called before the purchase."""
    forms.check(name, layout, password)
    try:
        if layout.owner:
            _files.user_id(layout.owner)
        if layout.group:
            _files.group_id(layout.group)
    except GogetsslError as error:
        raise host_error(f"{name}: {error.message}") from None


def read_roots(text: str | None) -> _chain.Bundle:
    """Return the bundle of `trusted_roots`; empty if not set."""
    bundle = _chain.read_bundle(text or "")
    if text and not bundle.certificates:
        what = "a path: use its contents, as by lookup('file', ...)" if text.startswith("/") else "no PEM certificate"
        raise input_error(f"gogetssl_trusted_roots does not consist of PEM certificates: it holds {what}.")
    return bundle


def _problem_with_clock(leaf: x509.Certificate, now: dt.datetime) -> str:
    if leaf.not_before > now + _CLOCK_TOLERANCE:
        return (
            f"the certificate is valid from {leaf.not_before:%Y-%m-%d %H:%M} UTC only, and the clock of this host shows"
            f" {now:%Y-%m-%d %H:%M}; set the clock right"
        )
    return ""


def _read_key(name: str, leaf: x509.Certificate, pem: t.Any) -> store.Key | None:
    """Return a key that was passed with the task, in the format of its file."""
    if not pem:
        return None
    if not isinstance(pem, str):
        raise input_error(f"{name}: its private key must be PEM text.")
    try:
        key = store.make_key((pem.replace("\r\n", "\n").strip() + "\n").encode("ascii"))
    except UnicodeEncodeError:
        raise input_error(f"{name}: its private key must be PEM text.") from None
    except GogetsslError as error:
        raise input_error(f"{name}: {error.message}") from None
    if key.public_key != leaf.public_key:
        raise input_error(f"{name}: the private key that was handed over does not belong to the certificate.")
    return key


def _read_origin(name: str, given: t.Any) -> journal.Origin | None:
    if given is None:
        return None
    try:
        origin = journal.read_origin(json.dumps({"format": stored.FORMAT, **given}))
    except TypeError:
        origin = None
    if origin is None:
        raise input_error(f"{name}: origin must be as gogetssl_certificate_fetch has returned it.")
    return origin


def _installed(name: str, paths: Paths) -> dict[str, str]:
    """Return certificate and chain of the current version."""
    serial = store.linked(paths.current)
    if serial is None:
        raise input_error(f"{name}: no certificate is given, and none is installed.")
    version = paths.version(serial)
    files = {"certificate": store.CERT, "chain": store.CHAIN}
    return {key: store.read_text(os.path.join(version, file)) for key, file in files.items()}


def read_installation(paths: Paths, delivery: Delivery, labels: Labels) -> InstallationState:
    """Read the host's state for a delivery; an input error if the host does not have its key."""
    serial, public_key = delivery.leaf.serial, delivery.leaf.public_key
    version = paths.version(serial)
    versions = store.versions(paths)
    current = store.linked(paths.current)
    places = dict.fromkeys(paths.version(one) for one in (serial, current or serial, *versions))
    own = store.read_key(version)
    staged = store.read_key(paths.staged)
    staged_is_used = staged is not None and staged.public_key == public_key
    elsewhere = (store.read_key(place) for place in places)
    known = itertools.chain((own, staged, delivery.key), elsewhere)
    key = next((one for one in known if one and one.public_key == public_key), None)
    if key is None:
        raise input_error(f"{delivery.name}: the certificate belongs to none of the keys in {paths.root}.")
    damaged = _damaged(version, delivery, key)
    expected = rights(delivery)
    adrift = [file for file, right in expected.items() if file not in damaged and not _has_rights(version, file, right)]
    return InstallationState(
        key=key,
        current=current,
        previous=store.linked(paths.previous),
        versions=versions,
        damaged=damaged,
        adrift=tuple(adrift),
        mislabelled=serial in versions and labels.are_wrong(version),
        staged_is_used=staged_is_used,
        unverified=store.unverified(paths) == serial,
        littered=_files.littered(paths.root),
    )


def execute(paths: Paths, delivery: Delivery, found: InstallationState, decided: Plan, labels: Labels) -> list[str]:
    """Execute the plan; return the reasons for files that could not be removed.

    An interruption at any point leaves `current` at the complete old version or the complete new one.
    """
    if found.key is None:
        raise AssertionError("a version is never written without its key")
    version, expected = paths.version(decided.serial), rights(delivery)
    needed = delivery.files if decided.write else decided.repair
    contents = {file: delivery.make(file, found.key) for file in needed}  # a failure here has changed nothing
    _files.make_directory(paths.root)
    problems = _files.try_removals(_files.remove_tree, _files.interrupted_files(paths.root))
    if decided.mark:  # before any change that services can see, so that the next run resumes an interrupted one
        _files.replace_file(paths.unverified, f"{decided.serial}\n".encode(), _files.PUBLIC)
    if decided.write:
        staged_csr = _files.read(os.path.join(paths.staged, store.REQUEST)) if found.staged_is_used else None
        csr = {store.REQUEST: staged_csr} if staged_csr else {}
        _files.discard(version)  # an empty directory or a link of that name, if any
        _files.write_directory(version, {**contents, **csr}, 0o755, {**expected, store.REQUEST: _files.PUBLIC})
    if decided.repair:
        # One file at a time: all files are of one certificate, so a mix of old and new files is no worse than before.
        _files.sweep(version)
        for file in decided.repair:
            _files.replace_file(os.path.join(version, file), contents[file], expected[file])
    for file in decided.entitle:
        _files.set_rights(os.path.join(version, file), expected[file])
    if decided.served_changed:
        labels.restore(version)  # also for a link change only: the run that wrote the version may have been interrupted
    if decided.link:
        if decided.before:
            _files.replace_link(paths.previous, decided.before)
        _files.replace_link(paths.current, decided.serial)
    obsolete = [*([paths.staged] if decided.unstage else []), *map(paths.version, decided.prune)]
    return problems + _files.try_removals(_files.discard, obsolete)


def rights(delivery: Delivery) -> dict[str, _files.Rights]:
    """Return the rights of each file; an error for an owner or group that does not exist on this host."""
    layout = delivery.layout
    uid = _files.user_id(layout.owner) if layout.owner else -1
    gid = _files.group_id(layout.group) if layout.group else -1
    own = {file: _files.Rights(layout.mode_of(file), uid, gid) for file in layout.files}
    return {**own, store.ORIGIN: _files.PUBLIC} if delivery.origin else own


def _damaged(version: str, delivery: Delivery, key: store.Key) -> tuple[str, ...]:
    """Return the files of a version that are missing or have unexpected contents."""
    material = delivery.material(key)
    found = ((file, _files.read(os.path.join(version, file))) for file in delivery.files)

    def holds(file: str, contents: bytes) -> bool:
        return contents == delivery.make(file, key) if file == store.ORIGIN else forms.holds(file, contents, material)

    return tuple(file for file, contents in found if contents is None or not holds(file, contents))


def _has_rights(version: str, file: str, expected: _files.Rights) -> bool:
    found = _files.rights_of(os.path.join(version, file))
    return found is not None and found == _files.Rights(
        expected.mode,
        found.uid if expected.uid == -1 else expected.uid,
        found.gid if expected.gid == -1 else expected.gid,
    )


def _pem(item: t.Mapping[str, t.Any], key: str) -> str:
    """Return a PEM text of the item, with LF line endings."""
    value = item.get(key) or ""
    if not isinstance(value, str):
        raise input_error(f"{item['name']}: {key} must be PEM text.")
    return value.replace("\r\n", "\n")
