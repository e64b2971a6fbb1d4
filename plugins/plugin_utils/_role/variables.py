# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role's variables, converted once to the types in its argument spec. Pure functions.

Extra variables, surveys and environment lookups are text: `false`, `900`, or empty. In a condition, the text `false`
would be true, or would fail after the purchase.
"""

from __future__ import annotations

import functools
import typing as t

import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator

from ...module_utils._deploy import services
from ...module_utils._request import input_problems, texts, validator_messages
from ...module_utils._request.spec import CONTACTS_SPEC
from .. import _invalid, _variables

PREFIX = "gogetssl_"
_CERTIFICATES = "gogetssl_certificates"
HTTP_PUBLISHERS = ("none", "validation_server", "web_root")
EMPTY_LIMIT = (
    "empty or refers to a variable that is not defined, and would not restrict purchases. Set it to a plan, or to [] to"
    " buy nothing."
)
# What the last step of a run would refuse, after the purchase.
_AT_LEAST_ONE = ("keep_versions", "serve_timeout", "service_timeout")
Options = t.Mapping[str, t.Mapping[str, t.Any]]


@functools.cache
def role_options(entry_point: str) -> Options:
    """The options of an entry point of the role, from its `meta/argument_specs.yml`."""
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # ten times faster, but not everywhere
    with open(_variables.SPEC, encoding="utf-8") as file:
        specs = yaml.load(file, loader)  # nosec: both loaders are safe
    options: Options = specs["argument_specs"][entry_point]["options"]
    return options


def role_variables(
    values: t.Sequence[t.Any],
    options: Options,
    defaults: t.Mapping[str, t.Any],
    not_empty: t.Sequence[str] = (),
    any_service: bool = False,
) -> dict[str, t.Any]:
    """The `settings` by name without the prefix, and sentences: `errors`, and an `unknown` publisher.

    Secrets are validated but not returned. The setting `certificates` holds the valid ones, and `invalid` the others. A
    certificate whose services are unknown is invalid, except with `any_service`: it can still be retired.

    `values` are in the order of `options`. An empty value is replaced by the value of `defaults` or the spec. The
    variables in `not_empty` are set and restrict purchases: if one is empty or refers to an undefined variable, it is
    an error.
    """
    named = dict(zip(options, values))
    empty = [name for name in not_empty if name in named and named[name] in ("", None)]
    if empty:
        return {"settings": {}, "errors": [f"{name} is {EMPTY_LIMIT}" for name in empty], "unknown": []}
    given = {name: value for name, value in named.items() if value not in ("", None)}
    given.update({name: value for name, value in defaults.items() if name not in given and value not in ("", None)})
    return _validated(texts.given(given, options), options, any_service)


def _validated(given: dict[str, t.Any], options: Options, any_service: bool) -> dict[str, t.Any]:
    contacts = {role: given[PREFIX + role] for role in CONTACTS_SPEC if PREFIX + role in given}
    valid, invalid = _invalid.separate(given.get(_CERTIFICATES), contacts)
    if invalid:
        given = {**given, _CERTIFICATES: valid}
    problem = input_problems.first_problem(_without_prefix(given), _without_prefix(options), PREFIX)
    if problem:
        return {"settings": {}, "errors": [problem], "unknown": []}
    validated = ArgumentSpecValidator(_spec(options)).validate(_plain(given))
    settings = {
        name[len(PREFIX) :]: _without_none(value)
        for name, value in validated.validated_parameters.items()
        if value is not None and not options[name].get("no_log")
    }
    errors = [validator_messages.plain(error) for error in validated.error_messages]
    if not errors:
        small = [name for name in _AT_LEAST_ONE if settings.get(name, 1) < 1]
        errors = [f"{PREFIX}{name} must be at least 1." for name in small]
    if errors:
        return {"settings": settings, "errors": errors, "unknown": []}
    invalid += [] if any_service else _with_unknown_services(settings)
    names = {one["name"] for one in invalid}
    settings["certificates"] = [one for one in settings.get("certificates", ()) if one["name"] not in names]
    settings["invalid"] = invalid
    return {"settings": settings, "errors": [], "unknown": _unknown(settings)}


def _with_unknown_services(settings: t.Mapping[str, t.Any]) -> t.Iterator[dict[str, t.Any]]:
    known = [*services.service_commands(settings), *settings.get("service_tasks", ())]
    for one in settings.get("certificates", ()):
        if missing := [service for service in one.get("services", ()) if service not in known]:
            reason = (
                f"{one['name']}: unknown service {', '.join(missing)}. Use {', '.join(known)}, or add a task file for"
                " it to gogetssl_service_tasks."
            )
            yield {"name": one["name"], "reason": reason, "certificate": one}


def _unknown(settings: t.Mapping[str, t.Any]) -> list[str]:
    publisher, publishers = settings.get("http_publisher", "none"), (*HTTP_PUBLISHERS, *settings.get("http_tasks", ()))
    if publisher in publishers:
        return []
    return [
        f"Unknown gogetssl_http_publisher {publisher}. Use {', '.join(publishers)}, or add a task file for it to"
        " gogetssl_http_tasks."
    ]


def _without_prefix(named: t.Mapping[str, t.Any]) -> dict[str, t.Any]:
    return {name[len(PREFIX) :]: value for name, value in named.items()}


def _spec(options: Options) -> dict[str, t.Any]:
    """The options for the validator. Paths are text, because they are on the host: `~` must not expand here."""
    spec: dict[str, t.Any] = {}
    for name, option in options.items():
        one = {key: value for key, value in option.items() if key != "description"}
        one["type"] = {"path": "str"}.get(one.get("type", "str"), one.get("type", "str"))
        if "options" in one:
            # Without defaults: settings hold what was given, and the modules apply the same defaults.
            inner = _spec(one["options"]).items()
            one["options"] = {key: {k: v for k, v in entry.items() if k != "default"} for key, entry in inner}
        spec[name] = one
    return spec


def _plain(value: t.Any) -> t.Any:
    """The value in plain lists and dictionaries.

    Those of ansible-core 2.19 refer to the templating engine, which the validator would copy with each of them.
    """
    if isinstance(value, dict):
        return {key: _plain(one) for key, one in value.items()}
    return [_plain(one) for one in value] if isinstance(value, list) else value


def _without_none(value: t.Any) -> t.Any:
    """Remove the keys that the validator adds for unset options."""
    if isinstance(value, dict):
        return {key: _without_none(one) for key, one in value.items() if one is not None}
    return [_without_none(one) for one in value] if isinstance(value, list) else value
