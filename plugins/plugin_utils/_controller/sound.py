# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A list of certificates in which some have mistakes: which of them stop, so that the others go on. Pure functions."""

from __future__ import annotations

import typing as t

from ...module_utils._core import apart
from ...module_utils._core import task as _task
from ...module_utils._core.errors import GogetsslError, input_error
from ...module_utils._core.text import printable
from ...module_utils._request import input_problems
from ...module_utils._request.spec import read_specs
from .base import validate, validation_failure

Certificate = t.Mapping[str, t.Any]


def mistakes(task: _task.Task, args: t.Mapping[str, t.Any], prefix: str) -> dict[str, str]:
    """The certificates with mistakes, by name, with the reasons.

    Empty if the mistake is elsewhere, if all certificates have mistakes, or if it is not known which one is meant.
    """
    given = args.get("certificates")
    named: dict[t.Any, Certificate] = {
        one.get("name"): one for one in (given if isinstance(given, list) else ()) if isinstance(one, dict)
    }
    if len(named) != len(given or ()) or not all(isinstance(name, str) and name for name in named):
        return {}

    def check(names: t.Sequence[str]) -> None:
        _check(task, {**args, "certificates": [named[name] for name in names]}, prefix)

    try:
        check([])
    except GogetsslError:
        return {}
    found: dict[str, str] = apart.failures(named, check)
    found = {name: why if why.startswith(f"{name}: ") else f"{name}: {why}" for name, why in found.items()}
    found.update(_with_the_same_names(named, found))
    return found if len(found) < len(named) else {}


def _check(task: _task.Task, args: t.Mapping[str, t.Any], prefix: str) -> None:
    """Raise an input error for the first mistake in these options."""
    problem = input_problems.first_problem(args, task.argument_spec, prefix)
    if problem:
        raise input_error(problem)
    validated = validate(task, args)
    invalid = validation_failure("", validated)
    if invalid:
        raise input_error(str(invalid["msg"]))
    read_specs(validated.validated_parameters)


def _with_the_same_names(named: t.Mapping[str, Certificate], stopped: t.Mapping[str, str]) -> dict[str, str]:
    """Certificates for the names of one that stops. They could be taken for each other in the account."""
    found = {}
    for name, one in named.items():
        same = [other for other in stopped if _names(named[other]) == _names(one)] if name not in stopped else []
        if same:
            found[name] = f"{name}: {printable(same[0])} has the same names and stops, so this certificate stops, too."
    return found


def _names(certificate: Certificate) -> frozenset[str]:
    names = certificate.get("names")
    return (
        frozenset(str(name).strip().rstrip(".").lower() for name in names) if isinstance(names, list) else frozenset()
    )
