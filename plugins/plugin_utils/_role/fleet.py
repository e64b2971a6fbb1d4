# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The hosts and certificates that the playbooks of a fleet select. Pure functions."""

from __future__ import annotations

import typing as t

from ansible.errors import AnsibleFilterError

from ...module_utils._core import dates
from ...module_utils._report import emergency, rows
from .. import _facts
from .entries import Entry, entries_of

REQUESTED = ("name", "names", "product", "period", "order_host")


def fleet_hosts(
    hostvars: t.Any, hosts: t.Iterable[str], result: str, variables: t.Iterable[str] = ()
) -> list[dict[str, t.Any]]:
    """For each host the result in the variable `result`, and the certificates that the operator requests.

    A host whose variables cannot be evaluated, or are replaced by its facts, has no certificates, but it is not left
    out. `variables` are further ones to include.
    """
    more = list(variables)
    return [_fleet_host(hostvars, host, result, more) for host in hosts]


def _fleet_host(hostvars: t.Any, host: str, result: str, more: t.Iterable[str]) -> dict[str, t.Any]:
    found: tuple[t.Any, str] = _evaluated(lambda: _facts.of_host(hostvars, host)) or ({}, "")
    known, refusal = found

    def variable(name: str) -> t.Any:
        return None if refusal else _evaluated(lambda: known.get(name))

    return {
        "host": str(host),
        "result": {"failed": True, "msg": refusal} if refusal else variable(result) or {},
        "certificates": _certificates(variable("gogetssl_certificates")),
        "spend": variable("gogetssl_spend") or ["buy"],
        **{name: variable(name) for name in more},
    }


def _evaluated(read: t.Callable[[], t.Any]) -> t.Any:
    try:
        return read()
    except Exception:  # pylint: disable=broad-exception-caught  # a template of the operator may raise anything
        return None


def trusted_hostvars(hostvars: t.Any, hosts: t.Iterable[str]) -> list[t.Any]:
    """The variables of these hosts, without hosts whose facts replace variables of the operator.

    Those hosts stop at their own first task. Their facts must not reach a task of another host.
    """
    found = (_facts.of_host(hostvars, host) for host in hosts)
    return [known for known, refusal in found if not refusal]


def _certificates(value: t.Any) -> list[dict[str, t.Any]]:
    """The certificates with only the options that the report uses, because others may be secret."""
    return [{key: one[key] for key in REQUESTED if key in one} for one in entries_of(value)]


def adopted_certificates(certificates: t.Any, matches: t.Iterable[Entry]) -> list[dict[str, t.Any]]:
    """The certificates whose order was found, with the option `adopt`."""
    orders = {one["name"]: one["order_id"] for one in matches}
    return [
        {**one, "adopt": orders[str(one.get("name"))]}
        for one in entries_of(certificates)
        if str(one.get("name")) in orders
    ]


def replaced_certificates(state: t.Any, since: str) -> list[dict[str, t.Any]]:
    """The certificates of a host whose key was sent at this time or later, for `gogetssl_certificate` to purge."""
    moment = dates.read_moment(since)
    found = rows.read_rows([{"host": "", "result": state}], moment)
    return [{"name": row.name, "serial": row.serial} for row in found if row.serial and emergency.replaced(row, moment)]


ONE_RUN = ("adopt", "abandon_intent", "rekey")


def one_run_certificates(certificates: t.Any, once: t.Any, host: str) -> list[dict[str, t.Any]]:
    """The certificates of a host that `once` names, with the options that it sets for one run.

    `once` maps hosts to certificates to options. An unknown option or certificate is an error, because the run would
    otherwise be without effect.
    """
    if not isinstance(once, t.Mapping):
        raise AnsibleFilterError("gogetssl_once must map hosts to certificates to options.")
    chosen = once.get(host) or {}
    if not isinstance(chosen, t.Mapping) or not all(isinstance(one, t.Mapping) for one in chosen.values()):
        raise AnsibleFilterError(f"gogetssl_once: {host}: must map certificates to options.")
    listed = {str(one.get("name")): one for one in entries_of(certificates)}
    for name, options in chosen.items():
        unknown = sorted(set(map(str, options)) - set(ONE_RUN))
        if unknown or not options:
            raise AnsibleFilterError(
                f"gogetssl_once: {name} of {host}: {', '.join(unknown) or 'no option'}. Use {', '.join(ONE_RUN)}."
            )
        if str(name) not in listed:
            raise AnsibleFilterError(
                f"gogetssl_once: {host} has no certificate {name}. It has {', '.join(sorted(listed)) or 'none'}."
            )
    return [{**listed[str(name)], **options} for name, options in chosen.items()]
