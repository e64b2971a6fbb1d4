# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The listeners of a host and the certificates that they serve, queried from the host itself with its openssl.

All connections are part of the script that reads a host, and several run in parallel. After a timeout, a listener is
not queried again, because a dead listener must not delay hundreds of certificates.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import functools
import re
import shlex
import typing as t

from .._core import names
from .._core.errors import input_error

# STARTTLS protocols by their names in openssl, with their default ports.
STARTTLS: dict[str, int] = {
    "smtp": 25,
    "lmtp": 24,
    "imap": 143,
    "pop3": 110,
    "sieve": 4190,
    "ldap": 389,
    "ftp": 21,
    "xmpp": 5222,
    "xmpp-server": 5269,
    "irc": 6667,
    "nntp": 119,
    "postgres": 5432,
    "mysql": 3306,
}
# The default listeners of a service: port, and protocol before TLS. A service without an entry serves HTTPS.
HTTPS: tuple[tuple[int, str | None], ...] = ((443, None),)
SERVICES: dict[str, tuple[tuple[int, str | None], ...]] = {
    "postfix": ((25, "smtp"),),
    "dovecot": ((993, None), (143, "imap")),
    "tomcat": ((8443, None),),
}
LOOPBACK = "127.0.0.1"
ALL = "all"  # every address of the host with a listener on the port
LISTENER_SPEC: dict[str, t.Any] = {
    "port": {"type": "int"},
    "address": {"type": "str", "default": LOOPBACK},
    "starttls": {"type": "str", "choices": list(STARTTLS)},
    "server_name": {"type": "str"},
}

WORKERS = 8
ANSWER_SECONDS = 10
# No connection is started after this time. A connection that was not started counts as no response.
TOTAL_SECONDS = 60

_NONE, _UNKNOWN = "-", "?"
# Values in the script must not have separators of words or fields.
_PLAIN = re.compile(r"[0-9A-Za-z_.:%-]+")

# Servers with an RSA and an ECDSA certificate for one name select it by the client's algorithms. If a server does not
# serve the installed certificate, it is queried for each kind of key.
_ALGORITHMS = "ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512 RSA-PSS+SHA256:RSA-PSS+SHA384:RSA+SHA256:RSA+SHA384:RSA+SHA512"

# A query is one word, `name,number,address,port,server_name,protocol`. A response is one line, written atomically
# because it is short. Each of the n workers takes every n-th query. `dead` has the listeners that timed out.
_PROBE = """
set -f
addresses() {
  ip -o "$1" address show 2>/dev/null | while read -r _ _ _ own rest; do
    case $rest in *"scope link"*) ;; *) echo "${own%%/*}";; esac
  done
}
listening() {
  ss -Hltn "sport = :$1" | while read -r _ _ _ own _; do
    own=${own%:*}; own=${own%%%*}; own=${own#"["}; own=${own%"]"}
    case $own in
      "*") addresses -4; addresses -6;;
      0.0.0.0) addresses -4;;
      ::) addresses -6;;
      fe80:*) ;;
      *) echo "$own";;
    esac
  done | sort -u
}
spread() {
  last=
  for q in $queries; do
    IFS=,; set -- $q; unset IFS
    if [ "$3" != all ]; then echo "$q"; continue; fi
    if [ "$4" != "$last" ]; then
      last=$4; found="?"
      if command -v ss >/dev/null 2>&1 && command -v ip >/dev/null 2>&1; then found=$(listening "$4"); fi
    fi
    for a in ${found:--}; do echo "$1,$2,$a,$4,$5,$6"; done
  done
}
connect() {
  response=
  case $dead in *" $to "*) return 0;; esac
  [ "$(($(date +%s) - begun))" -lt @TOTAL@ ] || return 0
  response=$(timeout @ANSWER@ openssl s_client -connect "$to" $name $before "$@" </dev/null 2>/dev/null
    echo "ended $?")
  case $response in *"ended 124") dead="$dead $to ";; esac
}
query_listener() {
  case $3 in *:*) to="[$3]:$4";; *) to="$3:$4";; esac
  name="-servername $5"; [ "$5" != - ] || name=-noservername
  before="-starttls $6"; [ "$6" != - ] || before=
  connect; shown=$response; own=
  [ ! -f "$d/$1/current/cert.pem" ] || own=$(head -c 65536 "$d/$1/current/cert.pem" 2>/dev/null)
  for algorithms in @ALGORITHMS@; do
    case $own:$response in :*|*:|*:*"$own"*) break;; esac
    connect -sigalgs "$algorithms"
    case $response in *"$own"*) shown=$response;; esac
  done
  response=$shown
  shown=$(printf "%s\\n" "$response" | openssl x509 -noout -fingerprint -sha256 -enddate 2>/dev/null | tr " \\n" "__")
  seen=${shown##*ingerprint=}; seen=${seen%%_*}
  end=${shown##*notAfter=}; end=${end%%GMT*}
}
work() {
  me=$1; turn=0; dead=
  for q in $queries; do
    turn=$((turn + 1)); [ $((turn % workers)) = "$me" ] || continue
    IFS=,; set -- $q; unset IFS
    seen= end=
    case $3 in -) ;; "?") seen="?";; *) query_listener "$@";; esac
    printf "#gogetssl %s listener/%s %s %s %s\\n" "$1" "$2" "$3" "${seen:--}" "${end:--}"
  done
}
echo
if command -v openssl >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
  case $queries in *,all,*) queries=$(spread);; esac
  begun=$(date +%s); worker=0
  while [ $worker -lt $workers ]; do work $worker & worker=$((worker + 1)); done | cat
fi
set +f
"""


@dataclasses.dataclass(frozen=True)
class Listener:
    """A TLS endpoint of a service on the host that serves the certificate."""

    address: str
    port: int
    server_name: str
    starttls: str | None = None

    def __str__(self) -> str:
        return self.at(self.address if self.address != ALL else "every address")

    def at(self, address: str) -> str:
        """The listener at one address, for messages."""
        host = f"[{address}]" if ":" in address else address
        return f"{self.server_name} at {host}:{self.port}" + (f" ({self.starttls})" if self.starttls else "")

    def question(self, certificate: str, number: int) -> str:
        """The query as one word of the script."""
        name = _NONE if names.is_address(self.server_name) else self.server_name
        return f"{certificate},{number},{self.address},{self.port},{name},{self.starttls or _NONE}"


@dataclasses.dataclass(frozen=True)
class Served:
    """The SHA-256 and the end of the certificate that a listener serves, or None if it serves none."""

    listener: str
    sha256: str | None
    not_after: dt.datetime | None = None

    def compared(self, installed: str | None) -> dict[str, t.Any]:
        """The result for this listener. `installed` is the SHA-256 of the installed certificate, if there is one."""
        answers = self.sha256 is not None
        return {"listener": self.listener, "matches": answers and self.sha256 == installed, "answers": answers}


Responses = t.Mapping[tuple[str, int], t.Sequence[tuple[str, str, str]]]


def read_listeners(
    certificate: str, given: t.Sequence[t.Mapping[str, t.Any]] | None, services: t.Sequence[str], default_name: str
) -> tuple[Listener, ...]:
    """The configured listeners of a certificate, or the defaults of its services."""
    if given is None:
        usual = dict.fromkeys(one for service in services for one in SERVICES.get(service, HTTPS))
        given = [{"address": LOOPBACK, "port": port, "starttls": starttls} for port, starttls in usual]
    return tuple(_read_one(certificate, one, default_name) for one in given)


def _read_one(certificate: str, given: t.Mapping[str, t.Any], default_name: str) -> Listener:
    address, starttls, port = given["address"].strip("[]"), given.get("starttls"), given.get("port")
    server_name = given.get("server_name") or default_name
    if port is None:
        port = STARTTLS[starttls] if starttls else HTTPS[0][0]
    if not 0 < port < 65536:
        raise input_error(f"{certificate}: listeners: port must be a number from 1 to 65535, not {port}.")
    for what, value in (("address", address), ("server_name", server_name)):
        if not _PLAIN.fullmatch(value) or value.startswith(_NONE):
            raise input_error(f"{certificate}: listeners: {value!r} is not a valid {what}.")
    return Listener(address, port, server_name, starttls)


def probe_script(listeners: t.Sequence[tuple[str, t.Sequence[Listener]]]) -> str:
    """The part of the script that queries the listeners of all certificates, which are given by certificate name."""
    questions = [one.question(name, number) for name, some in listeners for number, one in enumerate(some)]
    if not questions:
        return ""
    # Sorted by port, so that `spread` looks up the addresses of each port only once.
    questions.sort(key=lambda question: question.split(",")[3])
    everywhere = any(one.address == ALL for _name, some in listeners for one in some)
    workers = WORKERS if everywhere else min(WORKERS, len(questions))
    head = f"\nqueries={shlex.quote(' '.join(questions))}; workers={workers}"
    values = {"@TOTAL@": str(TOTAL_SECONDS), "@ANSWER@": str(ANSWER_SECONDS), "@ALGORITHMS@": _ALGORITHMS}
    return head + functools.reduce(lambda script, value: script.replace(*value), values.items(), _PROBE)


def read_responses(keys: t.Iterable[str]) -> Responses:
    """The responses in the script's output, by certificate name and listener number."""
    answers: dict[tuple[str, int], list[tuple[str, str, str]]] = {}
    for key in keys:
        match = re.fullmatch(r"(\S+) listener/([0-9]{1,6}) (\S+) (\S+)(?: (\S+))?", key)
        if match and _PLAIN.fullmatch(match[3]):
            name, number, address, answer, end = match.groups()
            answers.setdefault((name, int(number)), []).append((address, answer, end or _NONE))
    return answers


def read_served(certificate: str, listeners: t.Sequence[Listener], answers: Responses) -> tuple[Served, ...]:
    """The results of the listeners of a certificate, except listeners that this host cannot query."""
    return tuple(
        Served(listener.at(address) if address != _NONE else str(listener), _sha256(answer), _date(end))
        for number, listener in enumerate(listeners)
        for address, answer, end in sorted(answers.get((certificate, number), ()))
        if answer != _UNKNOWN
    )


def _sha256(fingerprint: str) -> str | None:
    """The fingerprint from openssl in lower case without colons; None if it is not valid."""
    digits = fingerprint.replace(":", "").lower()
    return digits if re.fullmatch(r"[0-9a-f]{64}", digits) else None


def _date(end: str) -> dt.datetime | None:
    """The date from openssl, such as `Jun__5_00:00:00_2027_`; None if it is not valid."""
    try:
        return dt.datetime.strptime(" ".join(end.split("_")), "%b %d %H:%M:%S %Y ").replace(tzinfo=dt.timezone.utc)
    except ValueError:
        return None
