# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks whether installed files can be served: damage, missing files, wrong names. Pure."""

from __future__ import annotations

import datetime as dt

from .._core import names
from .._crypto import x509
from .._crypto.chain import find_path
from .._host.journal import HostState
from .._request.spec import CertificateSpec
from .lifetime import FLOOR, LIFETIME_FRACTION


def usable(spec: CertificateSpec, state: HostState, now: dt.datetime) -> bool:
    """True if the installed certificate can be served as requested, regardless of its remaining lifetime."""
    certificate = state.certificate
    if certificate is None or damage_of(state, certificate, now):
        return False
    return not names.missing(certificate.names, spec.names)


def complete(spec: CertificateSpec, state: HostState, now: dt.datetime) -> bool:
    """True if all requested files exist and are intact, so that a service can load them."""
    certificate = state.certificate
    return certificate is not None and not (damage_of(state, certificate, now) or shortfall_of(spec, state))


def urgent(state: HostState, now: dt.datetime) -> bool:
    """True if the certificate is missing, broken or about to expire: too late to wait for another host."""
    certificate = state.certificate
    if certificate is None or damage_of(state, certificate, now):
        return True
    lifetime = certificate.not_after - certificate.not_before
    return certificate.not_after - now <= min(FLOOR, lifetime / (2 * LIFETIME_FRACTION))


def copy_problem(spec: CertificateSpec, theirs: HostState, now: dt.datetime) -> str:
    """Return why the ordering host's certificate cannot be copied, as one clause, or an empty string."""
    if theirs.certificate is None:
        return theirs.damage or "it has no certificate yet"
    damage = damage_of(theirs, theirs.certificate, now)
    if damage:
        return f"the installed files cannot be used: {damage}"
    left_out = names.missing(theirs.certificate.names, spec.names)
    return f"its certificate is not for {', '.join(left_out)}" if left_out else ""


def damage_of(state: HostState, certificate: x509.Certificate, now: dt.datetime) -> str:
    """Return the damage of the installed files, or an empty string."""
    if state.damage:
        return state.damage
    if state.key is not None and state.key != certificate.public_key:
        return "the installed key does not belong to the installed certificate"
    return find_path(certificate, state.chain, now).problem


def shortfall_of(spec: CertificateSpec, state: HostState) -> str:
    """Return a missing file or wrong permissions, or an empty string, also if the host reported no files."""
    if state.files is None:
        return ""
    layout = spec.layout
    missing = [file for file in layout.files if file not in state.files]
    if missing:
        return f"{', '.join(missing)}: not there"
    for file in layout.files:
        facts = state.files[file]
        if facts.mode is not None and facts.mode != layout.mode_of(file):
            return f"{file} has mode {facts.mode:04o} instead of {layout.mode_of(file):04o}"
        for what, has, requested in (("owner", facts.owner, layout.owner), ("group", facts.group, layout.group)):
            if requested and has and requested not in has:
                return f"{file} has the {what} {has[-1]} instead of {requested}"
    return ""


def unconfirmed(state: HostState) -> str:
    return "its services have not been seen to take the installed certificate yet" if state.unverified else ""
