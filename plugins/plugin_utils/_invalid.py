# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Certificates with invalid options, separated from the valid ones of a host: a mistake stops one certificate. Pure."""

from __future__ import annotations

import typing as t

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ..module_utils._core import names as _names
from ..module_utils._core.errors import GogetsslError
from ..module_utils._request import input_problems, validator_messages
from ..module_utils._request.spec import CERTIFICATES_SPEC, CONTACTS_SPEC, read_specs

_SPEC = {"certificates": CERTIFICATES_SPEC["certificates"], **CONTACTS_SPEC}


def separate(certificates: t.Any, contacts: t.Mapping[str, t.Any]) -> tuple[t.Any, list[dict[str, t.Any]]]:
    """Return the valid certificates, and for each other one its `name`, the `reason` and the `certificate` as it is.

    A list that is invalid as a whole is returned as it is, and the caller refuses it: without a name of its own, it is
    not known which certificate of the host an entry means. `contacts` are those of the host.
    """
    if not isinstance(certificates, list) or _problem([], contacts) or not _problem(certificates, contacts):
        return certificates, []
    names = [one.get("name") if isinstance(one, t.Mapping) else None for one in certificates]
    if not all(map(_is_name, names)) or len(set(names)) < len(names):
        return certificates, []
    reasons = [_problem([one], contacts) for one in certificates]
    reasons = [reason or _shared_names(one, certificates, reasons) for one, reason in zip(certificates, reasons)]
    invalid = [
        {"name": name, "reason": f"{name}: {reason.removeprefix(f'{name}: ')}", "certificate": one}
        for name, reason, one in zip(names, reasons, certificates)
        if reason
    ]
    return [one for one, reason in zip(certificates, reasons) if not reason], invalid


def _problem(certificates: t.Sequence[t.Any], contacts: t.Mapping[str, t.Any]) -> str:
    """The first problem of these certificates in the checks of every task; empty if there is none."""
    options = {**contacts, "certificates": certificates}
    problem = input_problems.first_problem(options, _SPEC)
    if problem:
        return problem
    validated = ArgumentSpecValidator(_SPEC).validate(options)
    if validated.error_messages:
        return validator_messages.plain(validated.errors.msg)
    try:
        read_specs(validated.validated_parameters)
    except GogetsslError as error:
        return error.message
    return ""


def _shared_names(certificate: t.Any, certificates: t.Sequence[t.Any], reasons: t.Sequence[str]) -> str:
    """Why a certificate stops that is for the same names as an invalid one; empty if there is none.

    The account does not show which of the two an order belongs to.
    """
    for other, reason in zip(certificates, reasons):
        if reason and _requested(other) == _requested(certificate):
            return f"{other['name']} is for the same names and has a mistake. Correct that first."
    return ""


def _requested(certificate: t.Mapping[str, t.Any]) -> frozenset[str]:
    names = certificate.get("names")
    given = names if isinstance(names, (list, tuple)) else [names]
    return frozenset(str(name).strip().rstrip(".").lower() for name in given)


def _is_name(name: t.Any) -> bool:
    try:
        return isinstance(name, str) and bool(_names.check_certificate_name(name))
    except GogetsslError:
        return False
