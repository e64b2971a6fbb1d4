# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Connections that record whether a request was sent, and that end each exchange at its deadline; the API's URL."""

from __future__ import annotations

import typing as t
from urllib.parse import unquote, urlsplit

from .._core import deadline
from .._core.errors import input_error

try:
    import requests
    import requests.adapters
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    HAS_REQUESTS = True
except ImportError:  # reported by the adapters, which name the package to install
    HAS_REQUESTS = False


class Exchange(deadline.Exchange):
    """The current request.

    `sent` is False only if it is certain that no byte of the request was sent. With HTTPS that is certain until name
    resolution, connection, proxy and TLS handshake are complete. With HTTP it is never certain.
    """

    def __init__(self) -> None:
        super().__init__()
        self.sent = True
        self.begun: t.Callable[[], None] = lambda: None  # called for each request


def watch(session: requests.Session, exchange: Exchange) -> None:
    """Let the session's connections update the exchange."""
    pools = _pools(exchange)

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments: t.Any, **options: t.Any) -> None:
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = pools

        def proxy_manager_for(self, *arguments: t.Any, **options: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*arguments, **options)
            manager.pool_classes_by_scheme = pools
            return manager

        def send(self, request: requests.PreparedRequest, *arguments: t.Any, **options: t.Any) -> requests.Response:
            exchange.begun()
            exchange.sent = not str(request.url).lower().startswith("https:")
            return super().send(request, *arguments, **options)

    session.mount("https://", Adapter())
    session.mount("http://", Adapter())


def _pools(exchange: Exchange) -> dict[str, type[HTTPConnectionPool]]:
    """Return the pool classes of both schemes. Their connections update the exchange."""

    def watched(kind: type) -> type[t.Any]:
        class Sending(deadline.watched(kind, exchange)):  # type: ignore[misc]
            def putrequest(self, *arguments: t.Any, **options: t.Any) -> t.Any:
                exchange.sent = True
                return super().putrequest(*arguments, **options)

        return Sending

    class PlainPool(HTTPConnectionPool):
        ConnectionCls = watched(HTTPConnection)

    class TlsPool(HTTPSConnectionPool):
        ConnectionCls = watched(HTTPSConnection)

    return {"http": PlainPool, "https": TlsPool}


_INVALID_URL = (
    "The API URL must start with https:// or http:// and a host name. If a user and password precede the host,"
    " percent-encode special characters in them, such as %2F for a slash."
)


def split_user(url: str) -> tuple[str, tuple[str, str] | None]:
    """Split a URL into the URL without user and password, and these two. An invalid URL is not shown in the error.

    With a `/`, `#` or `?` in the password, a part of the password would be the host, and receive the API password.
    """
    url = url.strip().rstrip("/")
    try:
        parts = urlsplit(url)
        usable = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable or "@" in f"{parts.path}{parts.query}{parts.fragment}":
        raise input_error(_INVALID_URL)
    user, at, place = parts.netloc.rpartition("@")
    if not at:
        return url, None
    name, _colon, password = user.partition(":")
    return parts._replace(netloc=place).geturl(), (unquote(name), unquote(password))
