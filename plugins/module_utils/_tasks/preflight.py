# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: check everything that can make validation fail, before a purchase. It changes and buys nothing.

This file collects the facts, with many names and addresses in parallel. `_validation/checks.py` evaluates them.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import http
import secrets
import typing as t

from .._api.api_task import api_task
from .._api.models import Family, Product, Validation
from .._api.orders import Api
from .._api.validations import DCV_DIRECTORY
from .._core import names as _names
from .._core.errors import GogetsslError
from .._core.task import Context, Params, Result
from .._dns.nameservers import read_nameservers, read_resolve
from .._dns.resolver import HAS_DNSPYTHON, Dns, DnsTrouble
from .._dns.suffixes import suffix
from .._order import prices, product_fit
from .._order.assess import find_product
from .._request import methods
from .._request.spec import AUTO, CERTIFICATES_SPEC, CONTACTS_SPEC, CertificateSpec, read_specs
from .._validation import checks, table
from .._validation.dns_checks import NOT_CHECKED, NOT_QUERIED
from .._validation.file_checks import FILE, NO_PROBE
from .._validation.probe import ProbeError, Prober, ProbeResult, Target, make_prober
from .._validation.table import CertificateFacts, Facts, NameFacts
from .._validation.table import Result as Outcome

WORKERS = 16  # names, then addresses, in parallel: an unreachable address takes seconds
DNS_CHECKS = frozenset({"address", "dnssec", "servers", "caa"})
ACCOUNT_CHECKS = frozenset({"product", "approver", "balance", "caa"})
_BRANDS = {
    Family.SECTIGO: ("sectigo", "positivessl", "comodo", "gogetssl"),
    Family.DIGICERT: ("digicert", "rapidssl", "geotrust", "thawte"),
}

SPEC: dict[str, t.Any] = {
    **CERTIFICATES_SPEC,
    **CONTACTS_SPEC,
    **methods.METHODS_SPEC,
    "checks": {"type": "list", "elements": "str", "choices": list(checks.CHECKS), "default": list(checks.CHECKS)},
    "account": {"type": "bool"},
    "probe": {
        "type": "dict",
        "options": {"file_name": {"type": "str", "required": True}, "content": {"type": "str", "required": True}},
    },
    "resolve": {"type": "dict"},
    "nameservers": {"type": "list", "elements": "str"},
    "http_port": {"type": "int", "default": 80},
    "https_port": {"type": "int", "default": 443},
    "together": {"type": "bool", "default": True},
    "keep_going": {"type": "bool", "default": False},
}


@dataclasses.dataclass(frozen=True)
class Account:
    """Catalogue and balance of the account, if they can be queried."""

    queried: bool
    reason: str = "not queried: no credentials"  # why they are missing
    products: tuple[Product, ...] = ()
    balance: int | None = None
    currency: str = ""


def run(context: Context) -> Result:
    """Collect the facts, evaluate them, and report the rows."""
    spec = read_specs(context.params)
    written = {one.name: item["names"] for one, item in zip(spec, context.params["certificates"])}
    facts = gather(context, spec, written)
    rows = [row for row in checks.checks(facts) if row.check in context.params["checks"]]
    stopped = table.reasons(rows, Outcome.STOP)
    result: Result = {
        "changed": False,
        "rows": [{**row._asdict(), "result": row.result.value} for row in rows],
        "table": table.render(rows),
        "problems": table.render([row for row in rows if _is_problem(row)]),
        "stopped": [{"name": name, "reason": f"{name}: {reason}".lstrip(": ")} for name, reason in stopped.items()],
        "warning_count": sum(row.result is Outcome.WARN for row in rows),
    }
    if stopped and not context.params["keep_going"]:
        result.update(failed=True, msg=" ".join(one["reason"] for one in result["stopped"]))
    return result


def _is_problem(row: table.Row) -> bool:
    """True for rows that require attention. What could not be checked is not a problem."""
    unchecked = row.details.startswith(NOT_QUERIED) or row.advice in (NOT_CHECKED, NO_PROBE)
    return row.result is not Outcome.PASS and not unchecked


def gather(context: Context, specs: t.Sequence[CertificateSpec], written: t.Mapping[str, t.Sequence[str]]) -> Facts:
    """All facts. The account comes first: brand and product decide what is checked."""
    params = context.params
    selected = frozenset(params["checks"])
    account = query_account(context, selected)
    places = read_resolve(params["resolve"])
    dns = Dns(read_nameservers(params["nameservers"]), places)
    prober = make_prober(params, places, dns)
    certificates = tuple(_certificate(context, account, one, written[one.name], selected) for one in specs)
    names = [name for one in certificates for name in one.names]
    forced = bool(params["nameservers"])
    use_dns = bool(selected & DNS_CHECKS) and HAS_DNSPYTHON
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as workers:
        if use_dns:
            names = list(workers.map(lambda name: _look_up(dns, name, forced), names))
        if selected & set(methods.FILES):
            names = _probe_files(workers, prober, names, params["probe"])
    left = iter(names)
    certificates = tuple(
        dataclasses.replace(one, names=tuple(next(left) for _name in one.names)) for one in certificates
    )
    together = params["together"] and "http" in params["publishers"]
    if together and selected & set(methods.FILES):
        with concurrent.futures.ThreadPoolExecutor(WORKERS) as workers:
            certificates = tuple(workers.map(lambda one: _find_occupied(prober, one), certificates))
    return Facts(
        certificates,
        probe=params["probe"] is not None,
        account=account.queried,
        account_reason=account.reason,
        balance=account.balance,
        currency=account.currency,
        check_balance="balance" in selected,
        together=together,
    )


# The account


def query_account(context: Context, selected: frozenset[str]) -> Account:
    """Catalogue and balance, if credentials are given or `account` is true."""
    params = context.params
    given = params["auth_key"] or (params["api_user"] and params["api_password"])
    if params["account"] is False or not selected & ACCOUNT_CHECKS or (params["account"] is None and not given):
        return Account(False)
    api: Api = context.api()
    try:
        balance, currency = api.balance() if "balance" in selected else (None, None)
        return Account(True, "", api.products(), balance, currency or "")
    except GogetsslError as error:
        if params["account"]:
            raise
        return Account(False, f"GoGetSSL could not be queried: {error.message.rstrip('.')}")


def _certificate(
    context: Context, account: Account, spec: CertificateSpec, written: t.Sequence[str], selected: frozenset[str]
) -> CertificateFacts:
    """The product of a certificate as the account lists it, and the names with their methods."""
    product, problem, price = None, "", None
    try:
        if account.queried:
            product = find_product(account.products, spec.product)
        spec = methods.choose(spec, product, context.params["publishers"])
        if product is not None:
            problem = product_fit.problem(spec, product)
            price = _price(context.api(), spec, product) if "balance" in selected and not problem else None
    except GogetsslError as error:
        problem = error.message.removeprefix(f"{spec.name}: ").rstrip(".")
    family = product.family if product else _family_of(spec.product)
    validated = methods.validated_names(spec, product)
    names = tuple(
        _name(context, account, spec, name, text, name in validated) for name, text in zip(spec.names, written)
    )
    return CertificateFacts(spec, names, family, product, problem, price)


def _price(api: Api, spec: CertificateSpec, product: Product) -> int | None:
    if product.multi_domain and len(spec.names) > 1:
        product = dataclasses.replace(product, included_sans=api.included_sans(product.product_id))
    return prices.price_of(spec, product)


def _family_of(product: str) -> Family | None:
    """The family, derived from the product name, if the catalogue cannot be queried."""
    lowered = product.lower()
    return next((one for one, brands in _BRANDS.items() if any(brand in lowered for brand in brands)), None)


def _name(
    context: Context, account: Account, spec: CertificateSpec, name: str, written: str, validated: bool
) -> NameFacts:
    method = spec.methods[name] if validated and spec.methods[name] != AUTO else ""
    places = read_resolve(context.params["resolve"])
    place = places.get(name) or places.get(_names.base(name))
    approvers = None
    if account.queried and methods.kind_of(method) == "email" and "approver" in context.params["checks"]:
        api: Api = context.api()
        approvers = api.approver_emails(_names.base(name))
    return NameFacts(
        name,
        method,
        written=written,
        suffix=suffix(_names.base(name)),
        place=f"{place[0]}:{place[1]}" if place and place[1] else place[0] if place else "",
        approvers=approvers,
    )


# The DNS


def _look_up(dns: Dns, facts: NameFacts, forced: bool) -> NameFacts:
    """Query the resolvers and the name servers of the zone. Names in `resolve` are skipped unless forced.

    After the first timeout of the resolver no further query is sent.
    """
    name = _names.base(facts.name)
    if _names.is_address(name) or (facts.place and not forced):
        return facts
    facts = dataclasses.replace(facts, by_nameservers=forced)
    try:
        first = dns.lookup(name, "A")
    except DnsTrouble as trouble:
        return dataclasses.replace(facts, reason=trouble.message.rstrip("."))
    if not first.outcome.conclusive and not first.outcome.broken:
        silence = DnsTrouble(f"{first.sentence}.", first.outcome)
        return dataclasses.replace(facts, lookups=(first,), zone=silence, caa=silence)
    facts = dataclasses.replace(facts, lookups=(first, dns.lookup(name, "AAAA")))
    try:
        zone = dns.zone_of(name)
        signed = bool(dns.lookup(zone.name, "DS").values)
        facts = dataclasses.replace(facts, zone=zone, signed=signed)
        if facts.method:
            presence = [dns.query_servers(zone, name, kind) for kind in ("A", "AAAA") if facts.by_file]
            facts = dataclasses.replace(
                facts,
                serials=dns.query_servers(zone, zone.name, "SOA"),
                presence=tuple(answer for answers in presence for answer in answers),
            )
    except DnsTrouble as trouble:
        facts = dataclasses.replace(facts, zone=trouble)
    try:
        return dataclasses.replace(facts, caa=dns.caa(name))
    except DnsTrouble as trouble:
        return dataclasses.replace(facts, caa=trouble)


# The web


def _probe_files(
    workers: concurrent.futures.ThreadPoolExecutor, prober: Prober, names: t.Sequence[NameFacts], probe: Params | None
) -> list[NameFacts]:
    """Probe in parallel every address of every name that is validated by a file."""
    content = probe["content"] if probe else ""
    targets = list(workers.map(lambda name: _targets(prober, name, probe), names))
    flat = [target for one in targets if not isinstance(one, str) for target in one]
    results = iter(workers.map(lambda target: prober.probe_target(target, content), flat))
    return [_with_results(name, one, results) for name, one in zip(names, targets)]


def _targets(prober: Prober, facts: NameFacts, probe: Params | None) -> list[Target] | str:
    """The requests for a name, or the reason why there are none."""
    if not facts.by_file:
        return []
    lookups = facts.lookups or ()
    addresses = [value for answer in lookups for value in answer.values]
    if not facts.place and lookups and not addresses:
        silent = next((answer for answer in lookups if not answer.outcome.conclusive), None)
        return silent.sentence if silent else []
    path = DCV_DIRECTORY + (probe["file_name"] if probe else "gogetssl-preflight.txt")
    try:
        return prober.targets(Validation(facts.name, facts.method, path=path), addresses)
    except ProbeError as error:
        return str(error)


def _with_results(facts: NameFacts, targets: list[Target] | str, results: t.Iterator[ProbeResult]) -> NameFacts:
    if isinstance(targets, str):
        return dataclasses.replace(facts, reason=targets)
    return dataclasses.replace(facts, probed=tuple(next(results) for _target in targets))


def _find_occupied(prober: Prober, one: CertificateFacts) -> CertificateFacts:
    """Record for each name whether its DCV file is already served.

    A request for a random file name detects a server that answers every path.
    """
    if len(one.one_file) != 1 or not any(result.status for result in one.one_file[0].probed or ()):
        return one
    (facts,) = one.one_file

    def served(file_name: str) -> str:
        validation = Validation(facts.name, facts.method, path=DCV_DIRECTORY + file_name)
        try:
            results = [prober.probe_target(target, "") for target in prober.targets(validation)]
        except ProbeError:
            return ""
        found = any(result.status == http.HTTPStatus.OK for result in results)
        return f"{facts.method}://{_names.base(facts.name)}{validation.path}" if found else ""

    occupied = served(FILE)
    if occupied and served(f"{secrets.token_hex(16)}.txt"):
        return one
    names = (dataclasses.replace(name, occupied=occupied) if name is facts else name for name in one.names)
    return dataclasses.replace(one, names=tuple(names))


TASK = api_task(SPEC, run)
