# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: everything that makes a proof of control fail, found out before money is spent. It changes and buys nothing.

This file fetches, many names and addresses at a time; `_checks` judges.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import concurrent.futures
import dataclasses
import typing as t

from . import _checks, _methods, _names, _plan
from ._api import Api
from ._api_task import api_task
from ._assess import find_product
from ._checks import CertificateFacts, Facts, NameFacts
from ._checks import Result as Outcome
from ._dns import HAS_DNSPYTHON, Dns, DnsTrouble, read_nameservers
from ._errors import GogetsslError
from ._models import Family, Product, Proof
from ._proofs import PROOF_DIRECTORY
from ._suffixes import suffix
from ._task import Context, Params, Result
from ._wanted import AUTO, CERTIFICATES_SPEC, CONTACTS_SPEC, Wanted, read_wanted
from ._world import Look, Target, Unseen, World, read_resolve

WORKERS = 16  # names, and then addresses, at a time: a dead one takes seconds to say so
DNS_CHECKS = frozenset({"address", "dnssec", "servers", "caa"})
ACCOUNT_CHECKS = frozenset({"product", "approver", "balance", "caa"})
_BRANDS = {
    Family.SECTIGO: ("sectigo", "positivessl", "comodo", "gogetssl"),
    Family.DIGICERT: ("digicert", "rapidssl", "geotrust", "thawte"),
}

SPEC: dict[str, t.Any] = {
    **CERTIFICATES_SPEC,
    **CONTACTS_SPEC,
    **_methods.METHODS_SPEC,
    "checks": {"type": "list", "elements": "str", "choices": list(_checks.CHECKS), "default": list(_checks.CHECKS)},
    "account": {"type": "bool"},
    "probe": {
        "type": "dict",
        "options": {"file_name": {"type": "str", "required": True}, "content": {"type": "str", "required": True}},
    },
    "resolve": {"type": "dict"},
    "nameservers": {"type": "list", "elements": "str"},
    "http_port": {"type": "int", "default": 80},
    "https_port": {"type": "int", "default": 443},
    "keep_going": {"type": "bool", "default": False},
}


@dataclasses.dataclass(frozen=True)
class Account:
    """What GoGetSSL says, as far as it can be asked."""

    asked: bool
    words: str = "not asked: no credentials"
    products: tuple[Product, ...] = ()
    balance: int | None = None
    currency: str = ""


def run(context: Context) -> Result:
    """Find out, judge, tell."""
    wanted = read_wanted(context.params)
    wishes = {one.name: item["names"] for one, item in zip(wanted, context.params["certificates"])}
    facts = gather(context, wanted, wishes)
    rows = [row for row in _checks.checks(facts) if row.check in context.params["checks"]]
    stopped = _checks.reasons(rows, Outcome.STOP)
    result: Result = {
        "changed": False,
        "rows": [{**row._asdict(), "result": row.result.value} for row in rows],
        "table": _checks.table(rows),
        "attention": _checks.table([row for row in rows if row.result is not Outcome.PASS]),
        "stopped": [{"name": name, "reason": f"{name}: {reason}".lstrip(": ")} for name, reason in stopped.items()],
        "warned": sum(row.result is Outcome.WARN for row in rows),
    }
    if stopped and not context.params["keep_going"]:
        result.update(failed=True, msg=" ".join(one["reason"] for one in result["stopped"]))
    return result


def gather(context: Context, wanted: t.Sequence[Wanted], wishes: t.Mapping[str, t.Sequence[str]]) -> Facts:
    """All facts. The account is asked first, as brand and product decide what is worth looking at."""
    params = context.params
    wants = frozenset(params["checks"])
    account = ask_account(context, wants)
    places = read_resolve(params["resolve"])
    dns = Dns(read_nameservers(params["nameservers"]), places)
    world = World(places, params["http_port"], params["https_port"], dns=dns)
    certificates = tuple(_certificate(context, account, one, wishes[one.name], wants) for one in wanted)
    names = [name for one in certificates for name in one.names]
    insisted = bool(params["nameservers"])
    ask_dns = bool(wants & DNS_CHECKS) and HAS_DNSPYTHON
    with concurrent.futures.ThreadPoolExecutor(WORKERS) as workers:
        if ask_dns:
            names = list(workers.map(lambda name: _look_up(dns, name, insisted), names))
        if wants & set(_methods.FILES):
            names = _look_at_files(workers, world, names, params["probe"])
    left = iter(names)
    certificates = tuple(
        dataclasses.replace(one, names=tuple(next(left) for _name in one.names)) for one in certificates
    )
    return Facts(
        certificates,
        probe=params["probe"] is not None,
        account=account.asked,
        account_words=account.words,
        balance=account.balance,
        currency=account.currency,
        check_balance="balance" in wants,
    )


# The account


def ask_account(context: Context, wants: frozenset[str]) -> Account:
    """Catalogue and balance, if there are credentials or if they are insisted on."""
    params = context.params
    given = params["auth_key"] or (params["api_user"] and params["api_password"])
    if params["account"] is False or not wants & ACCOUNT_CHECKS or (params["account"] is None and not given):
        return Account(False)
    api: Api = context.api()
    try:
        balance, currency = api.balance() if "balance" in wants else (None, None)
        return Account(True, "", api.products(), balance, currency or "")
    except GogetsslError as error:
        if params["account"]:
            raise
        return Account(False, f"GoGetSSL could not be asked: {error.message.rstrip('.')}")


def _certificate(
    context: Context, account: Account, wanted: Wanted, written: t.Sequence[str], wants: frozenset[str]
) -> CertificateFacts:
    """What the account says of a certificate's product, and the names with their methods."""
    product, problem, price = None, "", None
    try:
        if account.asked:
            product = find_product(account.products, wanted.product)
        wanted = _methods.choose(wanted, product, context.params["publishers"])
        if product is not None:
            problem = _plan.product_problem(wanted, product)
            price = _price(context.api(), wanted, product) if "balance" in wants and not problem else None
    except GogetsslError as error:
        problem = error.message.removeprefix(f"{wanted.name}: ").rstrip(".")
    family = product.family if product else _family_of(wanted.product)
    proven = _methods.proven(wanted, product)
    names = tuple(
        _name(context, account, wanted, name, text, name in proven) for name, text in zip(wanted.names, written)
    )
    return CertificateFacts(wanted, names, family, product, problem, price)


def _price(api: Api, wanted: Wanted, product: Product) -> int | None:
    if product.multi_domain and len(wanted.names) > 1:
        product = dataclasses.replace(product, included_sans=api.included_sans(product.product_id))
    return _plan.price_of(wanted, product)


def _family_of(product: str) -> Family | None:
    """The family by the product's name, where the catalogue cannot be asked."""
    lowered = product.lower()
    return next((one for one, brands in _BRANDS.items() if any(brand in lowered for brand in brands)), None)


def _name(context: Context, account: Account, wanted: Wanted, name: str, written: str, proven: bool) -> NameFacts:
    method = wanted.methods[name] if proven and wanted.methods[name] != AUTO else ""
    places = read_resolve(context.params["resolve"])
    place = places.get(name) or places.get(_names.base(name))
    approvers = None
    if account.asked and _methods.kind_of(method) == "email" and "approver" in context.params["checks"]:
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


def _look_up(dns: Dns, facts: NameFacts, insisted: bool) -> NameFacts:
    """What the resolvers and the name's own servers say; nothing is asked about names that `resolve` tells of.

    A controller whose resolver is silent is not kept waiting by question after question.
    """
    name = _names.base(facts.name)
    if _names.is_address(name) or (facts.place and not insisted):
        return facts
    try:
        first = dns.lookup(name, "A")
    except DnsTrouble as trouble:
        return dataclasses.replace(facts, words=trouble.message.rstrip("."))
    if not first.outcome.tells and not first.outcome.broken:
        silence = DnsTrouble(f"{first.sentence}.", first.outcome)
        return dataclasses.replace(facts, lookups=(first,), zone=silence, caa=silence)
    facts = dataclasses.replace(facts, lookups=(first, dns.lookup(name, "AAAA")))
    try:
        zone = dns.zone_of(name)
        signed = bool(dns.lookup(zone.name, "DS").values)
        facts = dataclasses.replace(facts, zone=zone, signed=signed)
        if facts.method:
            presence = [dns.ask_all(zone, name, kind) for kind in ("A", "AAAA") if facts.by_file]
            facts = dataclasses.replace(
                facts,
                serials=dns.ask_all(zone, zone.name, "SOA"),
                presence=tuple(answer for answers in presence for answer in answers),
            )
    except DnsTrouble as trouble:
        facts = dataclasses.replace(facts, zone=trouble)
    try:
        return dataclasses.replace(facts, caa=dns.caa(name))
    except DnsTrouble as trouble:
        return dataclasses.replace(facts, caa=trouble)


# The web


def _look_at_files(
    workers: concurrent.futures.ThreadPoolExecutor, world: World, names: t.Sequence[NameFacts], probe: Params | None
) -> list[NameFacts]:
    """Every address of every name that is proven by a file, all at once."""
    content = probe["content"] if probe else ""
    targets = list(workers.map(lambda name: _targets(world, name, probe), names))
    flat = [target for one in targets if not isinstance(one, str) for target in one]
    looks = iter(workers.map(lambda target: world.look_at(target, content), flat))
    return [_with_looks(name, one, looks) for name, one in zip(names, targets)]


def _targets(world: World, facts: NameFacts, probe: Params | None) -> list[Target] | str:
    """The requests for a name, or why there are none."""
    if not facts.by_file:
        return []
    lookups = facts.lookups or ()
    addresses = [value for answer in lookups for value in answer.values]
    if not facts.place and lookups and not addresses:
        silent = next((answer for answer in lookups if not answer.outcome.tells), None)
        return silent.sentence if silent else []
    path = PROOF_DIRECTORY + (probe["file_name"] if probe else "gogetssl-preflight.txt")
    try:
        return world.targets(Proof(facts.name, facts.method, path=path), addresses)
    except Unseen as error:
        return str(error)


def _with_looks(facts: NameFacts, targets: list[Target] | str, looks: t.Iterator[Look]) -> NameFacts:
    if isinstance(targets, str):
        return dataclasses.replace(facts, words=targets)
    return dataclasses.replace(facts, looks=tuple(next(looks) for _target in targets))


TASK = api_task(SPEC, run)
