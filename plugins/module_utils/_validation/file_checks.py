# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Checks of the web servers where DCV files will be published. Pure."""

from __future__ import annotations

import typing as t

from .probe import ProbeResult
from .table import CertificateFacts, Evaluation, Facts, NameFacts, passed, stopped, warned

NO_PROBE = "A server responds. No probe was published, so it is not known whether it would serve the DCV file."
FILE = "fileauth.txt"  # API reference 8.3
_OTHER_WAY = "set dcv to dns or to the e-mail address of an approver"


def check_one_file(facts: Facts, one: CertificateFacts, name: NameFacts, user: str) -> Evaluation | None:
    """Stop a validation whose file name is in use; None if it is available.

    The DigiCert family has one file name for all validations, so a web root can serve only one of them at a time.
    `user` is the certificate that uses the file name in this run.
    """
    if name not in one.one_file:
        return None
    reason = _file_in_use(one, name, user if facts.together else "")
    return stopped(*reason) if reason else None


def _file_in_use(one: CertificateFacts, name: NameFacts, user: str) -> tuple[str, str] | None:
    if len(one.one_file) > 1:
        if name != one.one_file[0]:
            return None  # reported once
        return (
            f"all {len(one.one_file)} names are validated by one file, {FILE}, each by another content of it",
            f"For all names, {_OTHER_WAY}, or request a certificate for each name.",
        )
    if user:
        return (
            f"{FILE} holds one validation at a time, and {user} uses it in this run",
            f"Run again when {user} is installed. To validate both at once, {_OTHER_WAY}.",
        )
    if name.occupied:
        return (
            f"{name.occupied} is served already, for another order or application",
            f"Run again when that validation has ended and the file is removed. To use no file, {_OTHER_WAY}.",
        )
    return None


def check_file(facts: Facts, name: NameFacts) -> Evaluation | None:
    probed = name.probed
    if probed is None:
        return warned(f"not probed: {name.reason}", "The name must be reachable when the DCV file is published.")
    if not probed:
        return None  # no address, which the row `address` reports
    shown = "; ".join(_format_result(one, facts.probe) for one in probed)
    routed = [one for one in probed if one.routed and not one.internal]
    wrong = [one for one in routed if (one.problem if facts.probe else one.status is None)]
    if not routed:
        return warned(shown, _advice_untested(name, probed))
    if wrong and (facts.probe or len(wrong) < len(routed)):
        return stopped(shown, _advice(name, wrong, routed))
    if not facts.probe:
        if wrong:
            return warned(
                shown, "Expected if gogetssl_http_publisher is validation_server. Otherwise start the web server."
            )
        return warned(shown, NO_PROBE)
    if len(routed) < len(probed):
        return warned(shown, _advice_untested(name, probed))
    return passed(shown)


def _advice_untested(name: NameFacts, probed: t.Sequence[ProbeResult]) -> str:
    """The advice for addresses that were not probed."""
    if any(one.internal for one in probed):
        return f"Set gogetssl_resolve to the address of {name.shown} that the controller may use."
    return "The controller has no route to it. Check it from another host."


def _format_result(result: ProbeResult, probe: bool) -> str:
    version = "IPv6" if ":" in result.address else "IPv4"
    text = result.problem.rstrip(".") if probe or result.status is None else f"HTTP {result.status}"
    return f"{version} {result.address} port {result.port}: {result.trail}{text or 'ok'}"


def _advice(name: NameFacts, wrong: t.Sequence[ProbeResult], routed: t.Sequence[ProbeResult]) -> str:
    """The advice, based on the differences between the addresses."""
    versions = {":" in one.address for one in wrong}
    if versions == {True} and len(wrong) < len(routed):
        return f"Remove the AAAA record of {name.shown}, or make the web server serve the same files over IPv6."
    if any(one.status is None for one in wrong):
        return "No server responds: start the web server, open the port, or correct the DNS record."
    if any(one.trail for one in wrong):
        return "The redirect target does not serve the file: exclude /.well-known/pki-validation/ from the redirect."
    if len(wrong) < len(routed):
        return "Not every address serves the web root: list all hosts in gogetssl_web_hosts, or correct the DNS record."
    return (
        "Check that the web root is the directory that the server serves for this name, and that caches in front of it"
        " exclude /.well-known/pki-validation/."
    )
