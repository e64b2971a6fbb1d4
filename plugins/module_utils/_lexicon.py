# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_lexicon`: proofs at one of the DNS providers that dns-lexicon knows.

The library runs in this process, so that its secrets stand in no command line and no task's environment.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import os
import typing as t

from ._dns import shown
from ._errors import GogetsslError, host_error, input_error
from ._records import PUBLISHER_SPEC, Record, read_records, told
from ._task import Context, Params, Result, Task

try:
    import lexicon.client
    import lexicon.config
    import lexicon.exceptions

    HAS_LEXICON = True
except ImportError:  # optional: only who chooses this publisher needs it
    HAS_LEXICON = False

SPEC: dict[str, t.Any] = {
    **PUBLISHER_SPEC,
    "provider": {"type": "str", "required": True},
    "options": {"type": "dict", "no_log": True, "default": {}},
}
WORDS_SHOWN = 200  # characters of the provider's own words


class Operations(t.Protocol):
    """What is used of the library's session with a provider."""

    def list_records(self, rtype: str, name: str) -> list[dict[str, t.Any]]:
        """The records of a name and type."""

    def create_record(self, rtype: str, name: str, content: str) -> bool:
        """Add a value; nothing happens if it is there."""

    def delete_record(self, identifier: str | None, rtype: str, name: str, content: str) -> bool:
        """Remove a value; nothing happens if it is not there."""


def run(context: Context) -> Result:
    """One session for each zone, which the provider opens only if credentials and zone are right."""
    params = context.params
    if not HAS_LEXICON:
        raise input_error(
            "The Python library dns-lexicon is needed on the controller, for the Python that runs Ansible."
        )
    records = read_records(params["records"])
    changed: list[Record] = []
    for zone in dict.fromkeys(record.zone for record in records):
        ours = [record for record in records if record.zone == zone]
        try:
            with lexicon.client.Client(_configuration(params, zone, ours[0].ttl)) as operations:
                todo = [] if params["state"] == "checked" else plan(params["state"], ours, operations)
                if not context.check_mode:
                    for record in todo:
                        _change(operations, record, params["state"])
        except GogetsslError:
            raise
        except Exception as error:  # the providers raise whatever their libraries do
            raise explain(error, params, zone) from None
        changed += todo
    return {
        "changed": bool(changed),
        "records": list(map(told, changed)),
    }


def plan(state: str, records: t.Sequence[Record], operations: Operations) -> list[Record]:
    """The records that are to be made or removed; an error for an alias where another one stands."""
    todo = []
    for record in records:
        found = [_plain(str(one.get("content", ""))) for one in operations.list_records(record.type, record.name)]
        wanted = _plain(record.value)
        if state == "present" and record.type == "CNAME" and found and found != [wanted]:
            raise host_error(
                f"{record.name} has {found[0]!r} as CNAME at the provider, where {wanted!r} is to stand: remove that"
                " record, or publish elsewhere (gogetssl_dns_alias)."
            )
        if (wanted in found) is not (state == "present"):
            todo.append(record)
    return todo


def _change(operations: Operations, record: Record, state: str) -> None:
    if state == "absent":
        if not operations.delete_record(None, record.type, record.name, _content_of(operations, record)):
            raise host_error(f"The provider did not remove the record {record}.")
        return
    # Some providers of the library take a target for a name inside the zone unless it ends in a dot.
    value = record.value + "." if record.type == "CNAME" else record.value
    operations.create_record(record.type, record.name, value)
    found = [str(one.get("content", "")) for one in operations.list_records(record.type, record.name)]
    if record.value in [_plain(content) for content in found]:
        return
    for content in found if record.type == "CNAME" else ():
        operations.delete_record(None, record.type, record.name, content)
    raise host_error(
        f"The provider of dns-lexicon did not make the record {record}, but {shown(found) or 'nothing'}, which is gone"
        " again; publish by another way, such as nsupdate or a task file of your own."
    )


def _content_of(operations: Operations, record: Record) -> str:
    """The record's value as the provider spells it."""
    found = [str(one.get("content", "")) for one in operations.list_records(record.type, record.name)]
    return next((content for content in found if _plain(content) == _plain(record.value)), record.value)


def _plain(content: str) -> str:
    """A value as we spell it: providers put quotes around texts, final dots behind names."""
    text = content.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text.rstrip(".")


def _configuration(params: Params, zone: str, ttl: int) -> t.Any:
    """The options, then the controller's LEXICON_ environment. We know the zone better than a list of suffixes does."""
    provider = params["provider"].strip().lower()
    basics = {"provider_name": provider, "action": "list", "domain": zone, "delegated": zone, "type": "TXT", "ttl": ttl}
    resolver: t.Any = lexicon.config.ConfigResolver
    return resolver().with_dict({**basics, provider: dict(params["options"])}).with_env()


def explain(error: BaseException, params: Params, zone: str) -> GogetsslError:
    """What the provider or the library said, in one line without secrets."""
    provider = params["provider"]
    answer = getattr(error, "response", None)
    if answer is not None:  # its text names the address, which holds the secret with some providers
        words = f"it answered HTTP {getattr(answer, 'status_code', '?')}"
    else:
        words = scrub(" ".join(str(error).split())[:WORDS_SHOWN] or type(error).__name__, secrets_of(params))
    if isinstance(error, lexicon.exceptions.AuthenticationError):
        return host_error(f"{provider} does not let us in or has no zone {zone}: {words}. Check the credentials.")
    if isinstance(error, (lexicon.exceptions.ProviderNotAvailableError, ModuleNotFoundError, ImportError)):
        return host_error(f"dns-lexicon cannot use the provider {provider}: {words}.")
    return host_error(f"{provider} failed for the zone {zone}: {words}.")


def secrets_of(params: Params) -> list[str]:
    """Everything that might be one: the options, and the environment that the library reads."""
    given = [str(value) for value in params["options"].values()]
    return given + [value for name, value in os.environ.items() if name.startswith("LEXICON_")]


def scrub(text: str, secrets: t.Iterable[str]) -> str:
    """The text with every secret of some length made unreadable."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, "********")
    return text


TASK = Task(argument_spec=SPEC, run=run)
