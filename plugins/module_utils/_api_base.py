# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What all methods of the API share: one client, and answers that are objects.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import typing as t

from . import _loose
from ._client import Client
from ._errors import GogetsslError, Kind

Fields = t.Mapping[str, t.Union[str, int]]


class Base:
    """The client behind the methods."""

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def url(self) -> str:
        """The API's address; orders of another address are other orders."""
        return self._client.url

    def login(self) -> str:
        """Obtain an auth key (1.2)."""
        return self._client.login()

    def listen(self) -> None:
        """Keep the vendor's answers from now on."""
        self._client.heard = []

    def heard(self) -> list[dict[str, t.Any]]:
        """The kept answers, each with its call, without secrets."""
        return self._client.heard or []

    def _read(self, verb: str, path: str, fields: Fields | None = None) -> _loose.Object:
        return as_object(self._client.read(verb, path, fields), path)

    def _write(self, path: str, fields: Fields, verb: str = "POST") -> _loose.Object:
        answer = self._client.write(verb, path, fields)
        if not isinstance(answer, dict):
            raise GogetsslError(
                f"{verb} {path}: GoGetSSL's answer is not an object; whether the call took effect is unknown.",
                Kind.UNCERTAIN,
            )
        return answer

    def _act(self, path: str) -> None:
        """A call that acts and is documented as a GET, but seen as a POST too: an unknown method had no effect."""
        try:
            self._write(path, {}, "GET")
        except GogetsslError as error:
            if error.kind is not Kind.REFUSED or "requested method" not in error.message.lower():
                raise
            self._write(path, {})


def as_object(answer: t.Any, field: str) -> _loose.Object:
    """The answer, if it is an object."""
    if not isinstance(answer, dict):
        raise _loose.bad(field, answer, "an object")
    return answer
