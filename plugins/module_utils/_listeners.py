# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a host serves a certificate, and what is served there: asked by the host itself, with its own openssl.

All questions are part of the one script that reads a host. Several are asked at a time, and what has not answered one
is not asked another: a dead listener must not make five hundred certificates wait.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import re
import shlex
import typing as t

from . import _names
from ._errors import input_error

# Protocols that begin in clear text, by openssl's names for them, and the ports they are usually spoken on.
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
# Where a service serves its certificate unless the user says otherwise: port, and protocol before TLS. What is not
# named here serves HTTPS.
HTTPS: tuple[tuple[int, str | None], ...] = ((443, None),)
SERVICES: dict[str, tuple[tuple[int, str | None], ...]] = {
    "postfix": ((25, "smtp"),),
    "dovecot": ((993, None), (143, "imap")),
    "tomcat": ((8443, None),),
}
LOOPBACK = "127.0.0.1"
ALL = "all"  # every address of the host at which something listens on the port
LISTENER_SPEC: dict[str, t.Any] = {
    "port": {"type": "int"},
    "address": {"type": "str", "default": LOOPBACK},
    "starttls": {"type": "str", "choices": list(STARTTLS)},
    "server_name": {"type": "str"},
}

WORKERS = 8
ANSWER_SECONDS = 10
# No question is begun later than this. One that was never asked counts as not answered.
TOTAL_SECONDS = 60

_NONE, _UNKNOWN = "-", "?"
# What goes into the script must not end a word or a field there.
_PLAIN = re.compile(r"[0-9A-Za-z_.:%-]+")

# A question is one word, `name,number,address,port,server_name,protocol`. Each answer is one line, written at once and
# short enough to stay whole while others write. A worker takes every n-th question; `dead` is what has kept it waiting.
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
  for q in $asked; do
    IFS=,; set -- $q; unset IFS
    if [ "$3" != all ]; then echo "$q"; continue; fi
    if [ "$4" != "$last" ]; then
      last=$4; found="?"
      if command -v ss >/dev/null 2>&1 && command -v ip >/dev/null 2>&1; then found=$(listening "$4"); fi
    fi
    for a in ${found:--}; do echo "$1,$2,$a,$4,$5,$6"; done
  done
}
ask() {
  case $3 in *:*) to="[$3]:$4";; *) to="$3:$4";; esac
  if [ -n "$dead" ]; then
    case $dead in *" $to "*) return 0;; esac
    [ "$(($(date +%s) - begun))" -lt @TOTAL@ ] || return 0
  fi
  name="-servername $5"; [ "$5" != - ] || name=-noservername
  before="-starttls $6"; [ "$6" != - ] || before=
  said=$(timeout @ANSWER@ openssl s_client -connect "$to" $name $before </dev/null 2>/dev/null; echo "ended $?")
  case $said in *"ended 124") dead="$dead $to ";; esac
  seen=$(printf "%s\\n" "$said" | openssl x509 -noout -fingerprint -sha256 2>/dev/null)
  seen=${seen##*=}
}
work() {
  me=$1; turn=0; dead=
  for q in $asked; do
    turn=$((turn + 1)); [ $((turn % workers)) = "$me" ] || continue
    IFS=,; set -- $q; unset IFS
    seen=
    case $3 in -) ;; "?") seen="?";; *) ask "$@";; esac
    printf "#gogetssl %s listener/%s %s %s\\n" "$1" "$2" "$3" "${seen:--}"
  done
}
echo
if command -v openssl >/dev/null 2>&1 && command -v timeout >/dev/null 2>&1; then
  case $asked in *,all,*) asked=$(spread);; esac
  begun=$(date +%s); worker=0
  while [ $worker -lt $workers ]; do work $worker & worker=$((worker + 1)); done | cat
fi
set +f
"""


@dataclasses.dataclass(frozen=True)
class Listener:
    """Where a service of the host serves the certificate."""

    address: str
    port: int
    server_name: str
    starttls: str | None = None

    def __str__(self) -> str:
        return self.at(self.address if self.address != ALL else "every address")

    def at(self, address: str) -> str:
        """One of its addresses, for people."""
        host = f"[{address}]" if ":" in address else address
        return f"{self.server_name} at {host}:{self.port}" + (f" ({self.starttls})" if self.starttls else "")

    def question(self, certificate: str, number: int) -> str:
        """One word of the script."""
        name = _NONE if _names.is_address(self.server_name) else self.server_name
        return f"{certificate},{number},{self.address},{self.port},{name},{self.starttls or _NONE}"


@dataclasses.dataclass(frozen=True)
class Served:
    """What a listener serves: the SHA-256 of its certificate, or nothing if it serves none."""

    listener: str
    sha256: str | None


Heard = t.Mapping[tuple[str, int], t.Sequence[tuple[str, str]]]


def read_listeners(
    certificate: str, given: t.Sequence[t.Mapping[str, t.Any]] | None, services: t.Sequence[str], default_name: str
) -> tuple[Listener, ...]:
    """The listeners of a certificate: those given, or those its services usually have."""
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
        raise input_error(f"{certificate}: a listener's port is a number from 1 to 65535, not {port}.")
    for what, value in (("address", address), ("server_name", server_name)):
        if not _PLAIN.fullmatch(value) or value.startswith(_NONE):
            raise input_error(f"{certificate}: {value!r} cannot be the {what} of a listener.")
    return Listener(address, port, server_name, starttls)


def probe_script(listeners: t.Sequence[tuple[str, t.Sequence[Listener]]]) -> str:
    """The part of the script that asks all listeners of all certificates, each given with its name."""
    questions = [one.question(name, number) for name, some in listeners for number, one in enumerate(some)]
    if not questions:
        return ""
    # Those that ask at every address of a port one after the other: it is looked up once.
    questions.sort(key=lambda question: question.split(",")[3])
    everywhere = any(one.address == ALL for _name, some in listeners for one in some)
    workers = WORKERS if everywhere else min(WORKERS, len(questions))
    head = f"\nasked={shlex.quote(' '.join(questions))}; workers={workers}"
    return head + _PROBE.replace("@TOTAL@", str(TOTAL_SECONDS)).replace("@ANSWER@", str(ANSWER_SECONDS))


def heard(keys: t.Iterable[str]) -> Heard:
    """The answers in the script's output, by certificate and number of its listener."""
    answers: dict[tuple[str, int], list[tuple[str, str]]] = {}
    for key in keys:
        match = re.fullmatch(r"(\S+) listener/(\d+) (\S+) (\S+)", key)
        if match:
            name, number, address, answer = match.groups()
            answers.setdefault((name, int(number)), []).append((address, answer))
    return answers


def read_served(certificate: str, listeners: t.Sequence[Listener], answers: Heard) -> tuple[Served, ...]:
    """What a certificate's listeners serve; nothing about those that cannot be asked on this host."""
    return tuple(
        Served(listener.at(address) if address != _NONE else str(listener), _sha256(answer))
        for number, listener in enumerate(listeners)
        for address, answer in sorted(answers.get((certificate, number), ()))
        if answer != _UNKNOWN
    )


def _sha256(fingerprint: str) -> str | None:
    """As elsewhere in the collection, from openssl's way of writing it."""
    digits = fingerprint.replace(":", "").lower()
    return digits if re.fullmatch(r"[0-9a-f]{64}", digits) else None
