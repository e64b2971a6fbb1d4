# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The task behind `gogetssl_lexicon`: DCV records at a DNS provider that dns-lexicon supports.

The library runs in this process, so that its secrets appear in no command line and no task environment.
"""

from __future__ import annotations

import os
import typing as t

from .._core import deadline
from .._core.errors import GogetsslError, host_error, input_error, peer_errors_as_sentences
from .._core.task import Context, Params, Result, Task
from .._dns.records import PUBLISHER_SPEC, Record, as_result, read_records
from .._dns.resolver import shown

try:
    import lexicon.client
    import lexicon.config
    import lexicon.exceptions

    HAS_LEXICON = True
except ImportError:  # optional: only this publisher needs it
    HAS_LEXICON = False

SPEC: dict[str, t.Any] = {
    **PUBLISHER_SPEC,
    "provider": {"type": "str", "required": True},
    "options": {"type": "dict", "no_log": True, "default": {}},
}
ZONE_SECONDS, RECORD_SECONDS = 60.0, 30.0  # for the session of a zone, and in addition for each record
MAX_MESSAGE = 200  # characters of the provider's error message


class Operations(t.Protocol):
    """The part of the library's provider session that this task uses."""

    def list_records(self, rtype: str, name: str) -> list[dict[str, t.Any]]:
        """The records of a name and type."""

    def create_record(self, rtype: str, name: str, content: str) -> bool:
        """Add a value. An existing value is not an error."""

    def delete_record(self, identifier: str | None, rtype: str, name: str, content: str) -> bool:
        """Remove a value. A missing value is not an error."""


def run(context: Context) -> Result:
    """Open one session for each zone. It opens only with valid credentials and an existing zone."""
    params = context.params
    if not HAS_LEXICON:
        raise input_error(
            "The Python library dns-lexicon is needed on the controller, for the Python that runs Ansible."
        )
    records = read_records(params["records"])
    changed: list[Record] = []
    with peer_errors_as_sentences(params["provider"]):
        for zone in dict.fromkeys(record.zone for record in records):
            changed += _limited(context, zone, [record for record in records if record.zone == zone])
    return {
        "changed": bool(changed),
        "records": list(map(as_result, changed)),
    }


def _limited(context: Context, zone: str, records: t.Sequence[Record]) -> list[Record]:
    """The records of a zone that were created or removed, within a time limit."""
    params = context.params
    seconds = ZONE_SECONDS + RECORD_SECONDS * len(records)
    try:
        with deadline.interrupted(seconds):
            return _in_zone(context, zone, records)
    except GogetsslError:
        raise
    except deadline.Expired:
        raise host_error(
            f"{params['provider']}: updating the records of the zone {zone} took longer than {seconds:g} seconds."
            " Run again."
        ) from None
    except Exception as error:  # the providers raise any exception of their libraries
        raise explain(error, params, zone) from None


def _in_zone(context: Context, zone: str, records: t.Sequence[Record]) -> list[Record]:
    """The records that were created or removed."""
    params = context.params
    with lexicon.client.Client(_configuration(params, zone, records[0].ttl)) as operations:
        todo = [] if params["verify_only"] else plan_operations(params["state"], records, operations)
        for record in () if context.check_mode else todo:
            _change(operations, record, params["state"])
    return todo


def plan_operations(state: str, records: t.Sequence[Record], operations: Operations) -> list[Record]:
    """The records to create or remove. An existing alias with another target raises an error."""
    todo = []
    for record in records:
        found = [_plain(str(one.get("content", ""))) for one in operations.list_records(record.type, record.name)]
        expected = _plain(record.value)
        if state == "present" and record.type == "CNAME" and found and found != [expected]:
            raise host_error(
                f"{record.name} has {found[0]!r} as CNAME at the provider, where {expected!r} is required: remove that"
                " record, or publish at another name (gogetssl_dns_alias)."
            )
        if (expected in found) is not (state == "present"):
            todo.append(record)
    return todo


def _change(operations: Operations, record: Record, state: str) -> None:
    if state == "absent":
        if not operations.delete_record(None, record.type, record.name, _content_of(operations, record)):
            raise host_error(f"The provider did not remove the record {record}.")
        return
    # Some of the library's providers treat a target without a final dot as a name in the zone.
    value = record.value + "." if record.type == "CNAME" else record.value
    operations.create_record(record.type, record.name, value)
    found = [str(one.get("content", "")) for one in operations.list_records(record.type, record.name)]
    if record.value in [_plain(content) for content in found]:
        return
    for content in found if record.type == "CNAME" else ():
        operations.delete_record(None, record.type, record.name, content)
    raise host_error(
        f"The provider of dns-lexicon created {shown(found) or 'nothing'} instead of the record {record}, and it was"
        " removed again. Use another way to publish, such as nsupdate or your own task file."
    )


def _content_of(operations: Operations, record: Record) -> str:
    """The record's value in the provider's spelling."""
    found = [str(one.get("content", "")) for one in operations.list_records(record.type, record.name)]
    return next((content for content in found if _plain(content) == _plain(record.value)), record.value)


def _plain(content: str) -> str:
    """A value without the quotes or the final dot that providers add."""
    text = content.strip()
    if len(text) > 1 and text[0] == text[-1] == '"':
        return text[1:-1]
    return text.rstrip(".")


def _configuration(params: Params, zone: str, ttl: int) -> t.Any:
    """The options, then the controller's LEXICON_ environment. The given zone replaces the library's suffix list."""
    provider = params["provider"].strip().lower()
    basics = {"provider_name": provider, "action": "list", "domain": zone, "delegated": zone, "type": "TXT", "ttl": ttl}
    resolver: t.Any = lexicon.config.ConfigResolver
    return resolver().with_dict({**basics, provider: dict(params["options"])}).with_env()


def explain(error: BaseException, params: Params, zone: str) -> GogetsslError:
    """The error of the provider or the library, in one line without secrets."""
    provider = params["provider"]
    answer = getattr(error, "response", None)
    if answer is not None:  # its text names the address, which holds the secret with some providers
        message = f"it answered HTTP {getattr(answer, 'status_code', '?')}"
    else:
        message = " ".join(scrub(str(error), secrets_of(params)).split())[:MAX_MESSAGE] or type(error).__name__
    if isinstance(error, lexicon.exceptions.AuthenticationError):
        return host_error(
            f"{provider} refuses the credentials or has no zone {zone}: {message}. Check the credentials."
        )
    if isinstance(error, (lexicon.exceptions.ProviderNotAvailableError, ModuleNotFoundError, ImportError)):
        return host_error(f"dns-lexicon cannot use the provider {provider}: {message}.")
    return host_error(f"{provider} failed for the zone {zone}: {message}.")


def secrets_of(params: Params) -> list[str]:
    """All values that may be secret: the options, and the environment that the library reads."""
    given = [str(value) for value in params["options"].values()]
    return given + [value for name, value in os.environ.items() if name.startswith("LEXICON_")]


def scrub(text: str, secrets: t.Iterable[str]) -> str:
    """The text with secrets of at least four characters masked."""
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= 4:
            text = text.replace(secret, "********")
    return text


TASK = Task(argument_spec=SPEC, run=run)
