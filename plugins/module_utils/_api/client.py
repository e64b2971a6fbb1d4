# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTTP session with the vendor: the login, reads with retries, and writes without. No message contains a secret.

Only this file and `connection.py` import `requests`. Ansible, endpoint paths and orders do not occur here.
"""

from __future__ import annotations

import random
import time
import typing as t
from urllib.parse import urlsplit

from .._core.errors import GogetsslError, Kind
from .._core.libraries import Library
from .._core.text import escaped_lines, printable
from . import answers
from .answers import Json, Verdict
from .connection import HAS_REQUESTS, Exchange, split_user, watch

if HAS_REQUESTS:
    import requests

REQUESTS = Library("requests", HAS_REQUESTS)

# The largest real bodies are lists of 1,000 orders (about 60 KB) and the catalogue (some 300 KB).
MAX_BODY_BYTES = 8 * 1024 * 1024
FIRST_PAUSE_SECONDS = 0.5
LONGEST_PAUSE_SECONDS = 30.0

Fields = t.Mapping[str, t.Union[str, int]]
_LOGIN_HINT = (
    "Check the user, the API password (it is not the login password and expires every 365 days), and the IP addresses"
    " that the account allows."
)


class Credentials(t.NamedTuple):
    """A user with an API password, or an auth key, or both. The key is tried first."""

    user: str | None = None
    password: str | None = None
    auth_key: str | None = None


class Limits(t.NamedTuple):
    """Time limits and retries of a call."""

    timeout: float = 30.0  # seconds without data on one connection
    deadline: float = 120.0  # seconds for one call, including its login, retries and pauses
    attempts: int = 5  # attempts of a read


class _Answer(t.NamedTuple):
    status: int
    retry_after: str | None
    location: str | None
    body: bytes


class Client:
    """Calls the vendor's API.

    `read` is for calls that change nothing; they are retried. `write` is for calls that change something; they are sent
    once. The caller chooses, because some of the vendor's GETs write and some of its POSTs only read. A user and
    password in the URL are sent as Basic authentication, for a gateway.
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
        self.url, gateway = split_user(url)
        self._credentials = credentials
        self._key = credentials.auth_key
        self._secrets = tuple(filter(None, (credentials.password, credentials.auth_key, gateway and gateway[1])))
        self._limits = limits or Limits()
        self._clock = clock
        self._sleep = sleep
        self._session = requests.Session()
        self._session.auth = gateway
        self.exchange = Exchange()
        watch(self._session, self.exchange)
        self._session.headers["User-Agent"] = "certops.gogetssl"
        self._verify: bool | str = ca_path or True
        # Obtains the key from another host of the run, or else by the function that it gets.
        self.share_key: t.Callable[[t.Callable[[], str]], str] = lambda log_in: log_in()
        self.recorded: list[dict[str, Json]] | None = None  # a list if responses are recorded

    def read(self, verb: str, path: str, fields: Fields | None = None) -> Json:
        """Send a read. Retry with increasing pauses until it succeeds or the attempts or the deadline are exhausted."""
        return self._retried(lambda until: self._authorised(verb, path, fields or {}, True, until))

    def write(self, verb: str, path: str, fields: Fields | None = None) -> Json:
        """Send a write once. After a lost response, the caller must determine whether it had an effect."""
        until = self._clock() + self._limits.deadline
        self._ensure_key(until)  # first, so that a failed login cannot be mistaken for a failed write
        try:
            return self._authorised(verb, path, fields or {}, False, until)
        except _Passing as problem:
            raise problem.error from None

    def login(self) -> str:
        """Obtain a key for user and password (API reference 1.2), or that of another host of the run, and return it."""
        return self.share_key(lambda: self._log_in(self._clock() + self._limits.deadline))

    def _retried(self, send: t.Callable[[float], Json], until: float | None = None) -> Json:
        """Return the result of a read, with retries. `until` is the time on the clock at which the read must end."""
        until = self._clock() + self._limits.deadline if until is None else until
        for attempt in range(1, self._limits.attempts + 1):
            try:
                return send(until)
            except _Passing as problem:
                pause = problem.pause_before(attempt + 1)
                if attempt == self._limits.attempts or self._clock() + pause > until:
                    raise problem.error from None
                self._sleep(pause)
        raise AssertionError("the loop above returns or raises")

    def _ensure_key(self, until: float) -> None:
        if self._key is None:
            self._key = self.share_key(lambda: self._log_in(until))

    def _log_in(self, until: float) -> str:
        user, password = self._credentials.user, self._credentials.password
        if not user or not password:
            raise GogetsslError(
                "No usable credentials: set user and password (GOGETSSL_API_USER, GOGETSSL_API_PASSWORD),"
                " or a valid auth_key (GOGETSSL_API_KEY).",
                Kind.INPUT,
            )
        call = "POST /auth/"

        def send(until: float) -> Json:
            answer = self._send("POST", "/auth/", {"user": user, "pass": password}, True, until)
            if refusal := answers.login_refusal(answer.status, answer.body):
                raise _Refused(self.scrub(refusal))
            return self._payload(call, answer, reading=True)

        try:
            payload = self._retried(send, until)
        except _Refused as refusal:
            message = f"{call}: GoGetSSL refused the login: {answers.sentence(refusal.message)} {_LOGIN_HINT}"
            raise GogetsslError(message, Kind.REFUSED) from None
        key = payload.get("key") if isinstance(payload, dict) else None
        if not isinstance(key, str) or not key:
            raise GogetsslError(f"{call}: GoGetSSL's response contains no key.", Kind.ANSWER)
        self._key = key
        return key

    def _authorised(self, verb: str, path: str, fields: Fields, reading: bool, until: float) -> Json:
        """Send one call with a key. Replace a key that the API refuses once: a refused call had no effect."""
        call = f"{verb} {path}"
        self._ensure_key(until)
        try:
            return self._call(verb, path, fields, reading, until)
        except _KeyRefused as refusal:
            if not self._credentials.password:
                raise GogetsslError(
                    f"{call}: GoGetSSL refused the auth_key: {answers.sentence(refusal.message)} A key expires."
                    f" Set a valid one, or user and password. {_LOGIN_HINT}",
                    Kind.REFUSED,
                ) from None
        self._log_in(until)
        try:
            return self._call(verb, path, fields, reading, until)
        except _KeyRefused as refusal:
            raise GogetsslError(
                f"{call}: GoGetSSL refused a key that it had just issued: {answers.sentence(refusal.message)}"
                f" {_LOGIN_HINT}",
                Kind.REFUSED,
            ) from None

    def _call(self, verb: str, path: str, fields: Fields, reading: bool, until: float) -> Json:
        call = f"{verb} {path}"
        answer = self._send(verb, path, fields, reading, until, self._key)
        try:
            payload = self._clean(call, self._payload(call, answer, reading), reading)
        except _KeyRefused:
            raise
        except _Refused as refusal:
            raise GogetsslError(f"{call}: GoGetSSL refused: {refusal.message}", Kind.REFUSED) from None
        if self.recorded is not None:
            self.recorded.append({"call": call, "body": payload})
        if not reading and not answers.confirms(payload):
            raise _lost(call, "GoGetSSL's answer confirms nothing", reading)
        return payload

    def _send(
        self, verb: str, path: str, fields: Fields, reading: bool, until: float, key: str | None = None
    ) -> _Answer:
        """Send one request. A POST has the key in its body, which servers do not log; a GET has to use the URL."""
        call = f"{verb} {path}"
        left = until - self._clock()
        if left <= 0:
            raise GogetsslError(
                f"{call}: not sent: {self._limits.deadline:g} seconds (api_deadline) had passed.", Kind.UNREACHABLE
            )
        try:
            with self.exchange.limited(left):
                answer = self._exchanged(call, verb, path, {**fields, **({"auth_key": key} if key else {})}, reading)
        except _Passing:
            if self.exchange.expired:
                raise self._too_late(call, reading) from None
            raise
        if self.exchange.expired:  # a body without Content-Length seems complete wherever the connection ends
            raise self._too_late(call, reading)
        return answer

    def _exchanged(self, call: str, verb: str, path: str, payload: Fields, reading: bool) -> _Answer:
        try:
            with self._session.request(
                verb,
                self.url + path,
                params=payload if verb == "GET" else None,
                data=payload if verb != "GET" else None,
                timeout=self._limits.timeout,
                verify=self._verify,
                allow_redirects=False,  # another host must not receive the key
                stream=True,
            ) as response:
                body = self._limited_body(call, response, reading)
                headers = response.headers
                return _Answer(response.status_code, headers.get("Retry-After"), headers.get("Location"), body)
        except requests.exceptions.RequestException as error:
            raise self._failed(call, error, reading) from None

    def _failed(self, call: str, error: requests.exceptions.RequestException, reading: bool) -> Exception:
        """Return the error for a failed exchange. The original text is not used: its URL can contain the key."""
        failures = requests.exceptions
        if isinstance(error, failures.SSLError):
            if "CERTIFICATE_VERIFY_FAILED" not in str(error):
                return _Passing(self._broken(call, "the TLS connection broke", reading))
            return GogetsslError(
                f"{call}: the TLS certificate of {self.host} could not be verified. Set api_ca_path if a private CA"
                " signs it.",
                Kind.UNREACHABLE,
            )
        if isinstance(error, failures.ConnectTimeout):
            return _Passing(self._unreachable(call, "no connection in time"))
        if isinstance(error, failures.ConnectionError):
            if _never_connected(error):
                return _Passing(self._unreachable(call, "no connection"))
            return _Passing(self._broken(call, "the connection broke", reading))
        if isinstance(error, failures.Timeout):
            return _Passing(self._broken(call, f"no answer within {self._limits.timeout:g} seconds", reading))
        if isinstance(error, failures.InvalidURL):
            return GogetsslError(f"The API URL {self.url} is not valid.", Kind.INPUT)
        return _Passing(_lost(call, f"the answer broke off ({type(error).__name__})", reading))

    def _too_late(self, call: str, reading: bool) -> GogetsslError:
        return self._broken(
            call, f"no complete answer within {self._limits.deadline:g} seconds (api_deadline)", reading
        )

    def _limited_body(self, call: str, response: requests.Response, reading: bool) -> bytes:
        """Return the decompressed body; raise an error as soon as it is too large."""
        body = bytearray()
        for chunk in response.iter_content(64 * 1024):
            body += chunk
            if len(body) > MAX_BODY_BYTES:
                kind = Kind.ANSWER if reading else Kind.UNCERTAIN
                raise GogetsslError(f"{call}: the answer is larger than {MAX_BODY_BYTES} bytes.", kind)
        return bytes(body)

    def _payload(self, call: str, answer: _Answer, reading: bool) -> Json:
        """Return the JSON of a response that accepts the call; raise an error otherwise (API reference 1.4, 1.6)."""
        payload = answers.parse(answer.body)
        verdict = answers.evaluate(answer.status, payload)
        if verdict is Verdict.ACCEPTED:
            return payload
        message = self.scrub(answers.message_of(payload))
        if verdict is Verdict.KEY_REFUSED:
            raise _KeyRefused(message)
        if verdict is Verdict.REFUSED:
            raise _Refused(message)
        if 300 <= answer.status < 400:
            raise GogetsslError(
                f"{call}: {self.host} redirects to {self.scrub(_host_of(answer.location))}; redirects are not followed,"
                " because another server must not receive the key. Check the API URL.",
                Kind.ANSWER if reading else Kind.UNCERTAIN,
            )
        what = f"{answers.describe(answer.status, answer.body)} instead of GoGetSSL's JSON"
        if message:
            what += f": {message.rstrip('.')}"
        if reading and not answers.repeatable(answer.status):
            raise GogetsslError(
                f"{call}: {what}. Check whether a proxy or firewall answers in place of GoGetSSL.", Kind.ANSWER
            )
        raise _Passing(_lost(call, what, reading), answer.retry_after)

    @property
    def host(self) -> str:
        """The API's host name, for messages."""
        return urlsplit(self.url).netloc or self.url

    def scrub(self, text: str) -> str:
        """Return the text with the client's secrets masked."""
        for secret in (self._key, *self._secrets):
            if secret:
                text = text.replace(secret, "********")
        return text

    def _clean(self, call: str, value: Json, reading: bool) -> Json:
        """Return a response with secrets masked and control characters escaped, for results and messages."""
        texts: list[str] = []
        if not answers.collect_texts(value, texts):
            kind = Kind.ANSWER if reading else Kind.UNCERTAIN
            raise GogetsslError(f"{call}: GoGetSSL's answer is nested too deeply.", kind)
        whole = "\n".join(texts)  # the usual case is checked at once, as a catalogue has many texts
        return value if self._clean_text(whole) == whole else self._cleaned(value)

    def _cleaned(self, value: Json) -> Json:
        if isinstance(value, str):
            return self._clean_text(value)
        if isinstance(value, list):
            return [self._cleaned(entry) for entry in value]
        if isinstance(value, dict):
            return {self._clean_text(key): self._cleaned(entry) for key, entry in value.items()}
        return value

    def _clean_text(self, text: str) -> str:
        return escaped_lines(self.scrub(text))

    def _broken(self, call: str, what: str, reading: bool) -> GogetsslError:
        """Return the error for a failed connection: the effect is unknown if the request may have been sent."""
        return _lost(call, what, reading) if self.exchange.sent else self._unreachable(call, what)

    def _unreachable(self, call: str, what: str) -> GogetsslError:
        return GogetsslError(
            f"{call}: {self.host} cannot be reached ({what}). Check the API URL and the network.", Kind.UNREACHABLE
        )


class _Refused(Exception):
    """The API refused the call."""

    def __init__(self, message: str) -> None:
        self.message = message


class _KeyRefused(_Refused):
    """The API refused the auth key."""


class _Passing(Exception):
    """A temporary failure that can be retried."""

    def __init__(self, error: GogetsslError, retry_after: str | None = None) -> None:
        self.error = error
        self._retry_after = retry_after

    def pause_before(self, attempt: int) -> float:
        """Return the seconds to wait: the server's Retry-After up to a limit, or an exponential pause with jitter."""
        if self._retry_after and self._retry_after.isascii() and self._retry_after.isdigit():
            return min(float(self._retry_after), 2 * LONGEST_PAUSE_SECONDS)
        longest: float = min(FIRST_PAUSE_SECONDS * 2 ** (attempt - 2), LONGEST_PAUSE_SECONDS)
        return longest * random.uniform(0.5, 1.0)


def _lost(call: str, what: str, reading: bool) -> GogetsslError:
    if reading:
        return GogetsslError(f"{call}: {what}. Run again later.", Kind.ANSWER)
    return GogetsslError(f"{call}: {what}; whether it took effect is unknown.", Kind.UNCERTAIN)


def _never_connected(error: requests.exceptions.ConnectionError) -> bool:
    """True if no byte of the request was sent: name resolution or the connection failed."""
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return type(reason).__name__ in ("NewConnectionError", "NameResolutionError", "ConnectTimeoutError")


def _host_of(location: str | None) -> str:
    return printable(urlsplit(location or "").hostname or "", 100) or "another host"
