# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The common base of the API's methods: one client, and a check that responses are objects."""

from __future__ import annotations

import typing as t

from .._core.errors import GogetsslError, Kind
from . import values
from .client import Client
from .run_cache import RunCache

Fields = t.Mapping[str, t.Union[str, int]]


class Base:
    """Base class of the API's methods. It holds the client."""

    def __init__(self, client: Client, cache: RunCache | None = None) -> None:
        self._client = client
        self.cache = cache or RunCache(None)  # the answers that the hosts of a run share

    @property
    def url(self) -> str:
        """The API's URL. Each URL has its own orders."""
        return self._client.url

    def login(self) -> str:
        """Obtain an auth key (1.2), or that of another host of the run with the same password."""
        return self._client.login()

    def record_answers(self) -> None:
        """Record the vendor's responses from now on."""
        self._client.recorded = []
        self.cache = RunCache(None)

    def recorded_answers(self) -> list[dict[str, t.Any]]:
        """The recorded responses with their calls, without secrets."""
        return self._client.recorded or []

    def _read(self, verb: str, path: str, fields: Fields | None = None) -> values.Object:
        return as_object(self._client.read(verb, path, fields), path)

    def _write(self, path: str, fields: Fields, verb: str = "POST") -> values.Object:
        answer = self._client.write(verb, path, fields)
        if not isinstance(answer, dict):
            raise GogetsslError(
                f"{verb} {path}: GoGetSSL's answer is not an object; whether the call took effect is unknown.",
                Kind.UNCERTAIN,
            )
        return answer

    def _act(self, path: str) -> None:
        """Send a write that is documented as a GET, and as a POST if the API does not know the GET.

        A call that the API refuses as an unknown method had no effect.
        """
        try:
            self._write(path, {}, "GET")
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED or "requested method" not in error.message.lower():
                raise
            self._write(path, {})


def as_object(answer: t.Any, field: str) -> values.Object:
    """Return the response; raise an error unless it is an object."""
    if not isinstance(answer, dict):
        raise values.bad(field, answer, "an object")
    return answer
