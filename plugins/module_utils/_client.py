# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP session with the vendor: login, reads that are retried, writes that are not, and no secret in any message.

The only file that imports `requests`; it knows nothing of Ansible, of paths or of orders.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import json
import random
import time
import typing as t
from urllib.parse import urlsplit

from ._errors import GogetsslError, Kind
from ._libraries import Library

try:
    import requests
    import requests.adapters
    from urllib3.connection import HTTPSConnection
    from urllib3.connectionpool import HTTPSConnectionPool

    HAS_REQUESTS = True
except ImportError:  # reported by the adapters, which know how to say it to a user
    HAS_REQUESTS = False

REQUESTS = Library("requests", HAS_REQUESTS)

# The largest real bodies are lists of 1,000 orders (about 60 KB) and the catalogue (some 300 KB).
MAX_BODY_BYTES = 8 * 1024 * 1024
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0
DEEPEST_NESTING = 50  # of an answer; the deepest real ones have five levels
PASSING_STATUS_CODES = frozenset({429, 500, 502, 503, 504})
AUTH_STATUS_CODES = frozenset({401, 403})  # 403 was seen live, 401 is what some clients expect (API reference 1.4)

Json = t.Any
Fields = t.Mapping[str, t.Union[str, int]]


class Credentials(t.NamedTuple):
    """A user with an API password, or a key obtained before, or both (the key is tried first)."""

    user: str | None = None
    password: str | None = None
    auth_key: str | None = None


class Limits(t.NamedTuple):
    """How patient the client is."""

    timeout: float = 30.0  # seconds of silence on one connection
    deadline: float = 120.0  # seconds one reading call may take in all, retries and pauses included
    attempts: int = 5  # how often a reading call is tried


class _Answer(t.NamedTuple):
    status: int
    retry_after: str | None
    location: str | None
    body: bytes


class Client:
    """Calls the vendor's API.

    `read` is for calls that change nothing, whatever their verb: they are retried. `write` is for calls that act: they
    are sent once. Which is which is the caller's to say, because some of the vendor's GETs act and some of its POSTs
    only read.
    """

    def __init__(
        self,
        url: str,
        credentials: Credentials,
        limits: Limits | None = None,
        ca_path: str | None = None,
        clock: t.Callable[[], float] = time.monotonic,
        sleep: t.Callable[[float], None] = time.sleep,
    ) -> None:
        self.url = url.rstrip("/")
        self._credentials = credentials
        self._key = credentials.auth_key
        self._limits = limits or Limits()
        self._clock = clock
        self._sleep = sleep
        self._session = requests.Session()
        self._departure = Departure()
        watch(self._session, self._departure)
        self._session.headers["User-Agent"] = "certops.gogetssl"
        self._verify: bool | str = ca_path or True
        self.heard: list[dict[str, Json]] | None = None  # a list if the answers are to be kept

    def read(self, verb: str, path: str, fields: Fields | None = None) -> Json:
        """Ask for something. Retried with growing pauses until it works, the attempts or the time are used up."""
        give_up_at = self._clock() + self._limits.deadline
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return self._authorised(verb, path, fields or {}, reading=True)
            except _Passing as problem:
                pause = problem.pause_before(attempt + 1)
                if attempt == self._limits.attempts or self._clock() + pause > give_up_at:
                    raise problem.error from None
                self._sleep(pause)
        raise AssertionError("the loop above returns or raises")

    def write(self, verb: str, path: str, fields: Fields | None = None) -> Json:
        """Have something done. Sent once: whether a lost answer means a lost order is for the caller to find out."""
        if self._key is None:
            self.login()  # now, so that a login that fails cannot be mistaken for a write that failed
        try:
            return self._authorised(verb, path, fields or {}, reading=False)
        except _Passing as problem:
            raise problem.error from None

    def login(self) -> str:
        """Obtain a key for user and password (API reference 1.2) and return it."""
        user, password = self._credentials.user, self._credentials.password
        if not user or not password:
            raise GogetsslError(
                "No usable credentials: give user and password (GOGETSSL_API_USER, GOGETSSL_API_PASSWORD),"
                " or a valid auth_key (GOGETSSL_API_KEY).",
                Kind.INPUT,
            )
        call = "POST /auth/"
        for attempt in range(1, self._limits.attempts + 1):
            try:
                answer = self._send("POST", "/auth/", {"user": user, "pass": password}, reading=True)
                payload = self._payload(call, answer, reading=True)
                break
            except _Passing as problem:
                if attempt == self._limits.attempts:
                    raise problem.error from None
                self._sleep(problem.pause_before(attempt + 1))
            except _KeyRefused as refusal:
                raise GogetsslError(
                    f"{call}: GoGetSSL refused the login: {refusal.words} Check the user and the API password"
                    " (it is not the login password and expires every 365 days).",
                    Kind.REFUSED,
                ) from None
        key = payload.get("key") if isinstance(payload, dict) else None
        if not isinstance(key, str) or not key:
            raise GogetsslError(f"{call}: GoGetSSL answered without a key.", Kind.ANSWER)
        self._key = key
        return key

    def _authorised(self, verb: str, path: str, fields: Fields, reading: bool) -> Json:
        """One call with a key; a key that is refused is replaced once, because a refused call did nothing."""
        call = f"{verb} {path}"
        if self._key is None:
            self.login()
        try:
            answer = self._send(verb, path, fields, reading, self._key)
            return self._kept(call, self._clean(call, self._payload(call, answer, reading), reading))
        except _KeyRefused as refusal:
            if not self._credentials.password:
                raise GogetsslError(
                    f"{call}: GoGetSSL refused the auth_key: {refusal.words} Give a valid one, or user and password.",
                    Kind.REFUSED,
                ) from None
        self.login()
        try:
            answer = self._send(verb, path, fields, reading, self._key)
            return self._kept(call, self._clean(call, self._payload(call, answer, reading), reading))
        except _KeyRefused as refusal:
            raise GogetsslError(
                f"{call}: GoGetSSL refused a key it had just given: {refusal.words}", Kind.REFUSED
            ) from None

    def _kept(self, call: str, answer: Json) -> Json:
        if self.heard is not None:
            self.heard.append({"call": call, "body": answer})
        return answer

    def _send(self, verb: str, path: str, fields: Fields, reading: bool, key: str | None = None) -> _Answer:
        """One exchange. A POST carries the key in its body, out of the way of logs; a GET has to use the URL."""
        call = f"{verb} {path}"
        secrets = {"auth_key": key} if key else {}
        payload = {**fields, **secrets}
        try:
            with self._session.request(
                verb,
                self.url + path,
                params=payload if verb == "GET" else None,
                data=payload if verb != "GET" else None,
                timeout=self._limits.timeout,
                verify=self._verify,
                allow_redirects=False,  # the key must not follow to another host
                stream=True,
            ) as response:
                body = self._limited_body(call, response, reading)
                headers = response.headers
                return _Answer(response.status_code, headers.get("Retry-After"), headers.get("Location"), body)
        except requests.exceptions.SSLError as error:
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                raise _Passing(self._broken(call, "the TLS connection broke", reading)) from None
            raise GogetsslError(
                f"{call}: the TLS certificate of {self.host} could not be verified; set api_ca_path if it is signed by"
                " an authority of your own.",
                Kind.UNREACHABLE,
            ) from None
        except requests.exceptions.ConnectTimeout:
            raise _Passing(self._unreachable(call, "no connection in time")) from None
        except requests.exceptions.ConnectionError as error:
            if _never_connected(error):
                raise _Passing(self._unreachable(call, "no connection")) from None
            raise _Passing(self._broken(call, "the connection broke", reading)) from None
        except requests.exceptions.Timeout:
            what = f"no answer within {self._limits.timeout:g} seconds"
            raise _Passing(self._broken(call, what, reading)) from None
        except requests.exceptions.InvalidURL:
            raise GogetsslError(f"The API URL {self.url} is not a URL.", Kind.INPUT) from None
        except requests.exceptions.RequestException as error:
            # Its text may hold the URL, and the URL the key: the type has to do.
            raise _Passing(_lost(call, f"the answer broke off ({type(error).__name__})", reading)) from None

    def _limited_body(self, call: str, response: requests.Response, reading: bool) -> bytes:
        """The unpacked body, or an error once it is too large, however small it was on the wire."""
        body = bytearray()
        for chunk in response.iter_content(64 * 1024):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                kind = Kind.ANSWER if reading else Kind.UNCERTAIN
                raise GogetsslError(f"{call}: the answer is larger than {MAX_BODY_BYTES} bytes.", kind)
        return bytes(body)

    def _payload(self, call: str, answer: _Answer, reading: bool) -> Json:
        """The JSON of an answer that says yes; everything else is an error (API reference 1.4, 1.6)."""
        try:
            payload = json.loads(answer.body)
        except (ValueError, RecursionError):
            payload = None
        words = self.scrub(vendor_words(payload))
        if answer.status in AUTH_STATUS_CODES or _mentions_key(payload, words):
            raise _KeyRefused(words or f"HTTP {answer.status}")
        if 300 <= answer.status < 400:
            kind = Kind.ANSWER if reading else Kind.UNCERTAIN
            raise GogetsslError(
                f"{call}: {self.host} redirects to {self.scrub(_host_of(answer.location))}; redirects are not followed,"
                " so that the key stays here. Check the API URL.",
                kind,
            )
        if answer.status in PASSING_STATUS_CODES:
            said = f": {words}" if words else ""
            error = _lost(call, f"GoGetSSL answered HTTP {answer.status}{said}", reading)
            raise _Passing(error, answer.retry_after)
        if (isinstance(payload, dict) and is_refusal(payload)) or answer.status >= 400:
            raise GogetsslError(f"{call}: GoGetSSL refused: {words or f'HTTP {answer.status}'}", Kind.REFUSED)
        if payload is None:
            raise _Passing(_lost(call, f"GoGetSSL's answer is not JSON ({_looks_like(answer.body)})", reading))
        return payload

    @property
    def host(self) -> str:
        """The API's host, for messages."""
        return urlsplit(self.url).netloc or self.url

    def scrub(self, text: str) -> str:
        """The text without any secret this client knows."""
        for secret in (self._key, self._credentials.password, self._credentials.auth_key):
            if secret:
                text = text.replace(secret, "********")
        return text

    def _clean(self, call: str, value: Json, reading: bool, depth: int = 0) -> Json:
        """The answer without any secret it may echo: what is read from it ends up in results and messages."""
        if depth > DEEPEST_NESTING:
            kind = Kind.ANSWER if reading else Kind.UNCERTAIN
            raise GogetsslError(f"{call}: GoGetSSL's answer is nested too deeply.", kind)
        if isinstance(value, str):
            return self.scrub(value)
        if isinstance(value, list):
            return [self._clean(call, entry, reading, depth + 1) for entry in value]
        if isinstance(value, dict):
            return {self.scrub(key): self._clean(call, entry, reading, depth + 1) for key, entry in value.items()}
        return value

    def _broken(self, call: str, what: str, reading: bool) -> GogetsslError:
        """A connection that failed: before the request left it had no effect, after that nobody knows."""
        return _lost(call, what, reading) if self._departure.possible else self._unreachable(call, what)

    def _unreachable(self, call: str, what: str) -> GogetsslError:
        return GogetsslError(
            f"{call}: {self.host} cannot be reached ({what}). Check the API URL and the network.", Kind.UNREACHABLE
        )


class Departure:
    """Whether a byte of the request in hand may have left. True wherever that is not known for certain."""

    possible = True


def watch(session: requests.Session, departure: Departure) -> None:
    """Have the session tell when a request leaves.

    Only of HTTPS it can be told: name, address, proxy and TLS are done with before the first byte of the request. What
    fails until then - a proxy that is down, a firewall that cuts the handshake - is no purchase of unknown outcome.
    """

    class Connection(HTTPSConnection):
        def putrequest(self, *arguments: t.Any, **options: t.Any) -> t.Any:
            departure.possible = True
            return super().putrequest(*arguments, **options)

    class Pool(HTTPSConnectionPool):
        ConnectionCls = Connection

    class Adapter(requests.adapters.HTTPAdapter):
        def init_poolmanager(self, *arguments: t.Any, **options: t.Any) -> None:
            super().init_poolmanager(*arguments, **options)
            self.poolmanager.pool_classes_by_scheme = {"https": Pool}

        def proxy_manager_for(self, *arguments: t.Any, **options: t.Any) -> t.Any:
            manager = super().proxy_manager_for(*arguments, **options)
            manager.pool_classes_by_scheme = {"https": Pool}
            return manager

        def send(self, *arguments: t.Any, **options: t.Any) -> requests.Response:
            departure.possible = False
            return super().send(*arguments, **options)

    session.mount("https://", Adapter())


class _KeyRefused(Exception):
    def __init__(self, words: str) -> None:
        self.words = sentence(words)


class _Passing(Exception):
    """A failure that may be gone at the next try."""

    def __init__(self, error: GogetsslError, retry_after: str | None = None) -> None:
        self.error = error
        self._retry_after = retry_after

    def pause_before(self, attempt: int) -> float:
        """Seconds to wait: what the server asked for, within reason, or an exponential pause with jitter."""
        if self._retry_after and self._retry_after.isdigit():
            return min(float(self._retry_after), 2 * LONGEST_PAUSE_SECONDS)
        longest: float = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 2), LONGEST_PAUSE_SECONDS)
        return longest * random.uniform(0.5, 1.0)


def vendor_words(payload: Json) -> str:
    """What the vendor says in `message` and `description`, said once (API reference 1.6)."""
    if not isinstance(payload, dict):
        return ""
    parts: list[str] = []
    for key in ("message", "description"):
        text = payload.get(key)
        if isinstance(text, str) and text.strip() and text.strip() not in parts:
            parts.append(text.strip()[:500])
    return ": ".join(parts)


def is_refusal(payload: t.Mapping[str, Json]) -> bool:
    """True for a business error, which arrives with HTTP 200 (API reference 1.4)."""
    return payload.get("error") in (True, 1, "1", "true") or (
        payload.get("success") in (False, 0, "0", "false") and "success" in payload
    )


def sentence(text: str) -> str:
    """The text with a full stop at its end."""
    return text if text.endswith((".", "!", "?")) else text + "."


def _mentions_key(payload: Json, words: str) -> bool:
    refused = isinstance(payload, dict) and is_refusal(payload)
    lowered = words.lower()
    return refused and ("auth key" in lowered or "auth_key" in lowered)


def _lost(call: str, what: str, reading: bool) -> GogetsslError:
    if reading:
        return GogetsslError(f"{call}: {what}. Run again later.", Kind.ANSWER)
    return GogetsslError(f"{call}: {what}; whether it took effect is unknown.", Kind.UNCERTAIN)


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    """True if no byte of the request can have left: name resolution or the connection itself failed."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")


def _host_of(location: str | None) -> str:
    return urlsplit(location or "").netloc or "another place"


def _looks_like(body: bytes) -> str:
    if not body.strip():
        return "it is empty"
    if body.lstrip()[:1] == b"<":
        return "it looks like HTML"
    return "it is cut off or garbled"
