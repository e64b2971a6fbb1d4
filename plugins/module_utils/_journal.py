# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A certificate's directory on its host, seen from the controller: one read for everything, and two small records.

`intent.json` stands while a purchase is under way and is made exclusively, so that two runs cannot both buy.
`order.json` is the journal: which order the certificate comes from. A version that was copied from the host that
ordered it says so in its `origin.json`. None of them holds a secret.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import dataclasses
import datetime as dt
import json
import re
import shlex
import typing as t

from . import _layout, _leftovers, _listeners, _published, _x509
from ._errors import GogetsslError, host_error
from ._listeners import Heard, Served
from ._shell import Shell, output
from ._wanted import Wanted

FORMAT = 1

MARK = "#gogetssl "
_PRINTED = (
    "order.json",
    "intent.json",
    "staged/request.csr",
    "current/cert.pem",
    "current/chain.pem",
    "current/origin.json",
    _layout.UNPROVEN,
)
_INTENT_EXISTS = 17

# Every file is printed behind a line that names it. What exists but cannot be read ends the script: a certificate
# that is merely out of sight must never be taken for one that has to be bought.
_INSPECT = f"""
out_of_sight() {{ echo "$1 exists but cannot be read; use become" >&2; exit 13; }}
show() {{ echo; echo "#gogetssl $1"; }}
[ ! -e "$d" ] || [ -r "$d" -a -x "$d" ] || out_of_sight "$d"
for n in $names; do
  p="$d/$n"
  [ -e "$p" ] || continue
  [ -r "$p" ] && [ -x "$p" ] || out_of_sight "$p"
  for f in $files; do
    [ -e "$p/$f" ] || continue
    [ -r "$p/$f" ] || out_of_sight "$p/$f"
    show "$n $f"; cat "$p/$f" || exit 13
  done
  if {_leftovers.IN_DIRECTORY}; then show "$n leftovers"; fi
  if [ -d "$p/current" ]; then
    show "$n current/files"
    (cd "$p/current" && {{ stat -c '%n/%a/%u/%U/%g/%G' -- * 2>/dev/null || ls; }}) || exit 13
  fi
  k="$p/current/privkey.pem"
  if [ -e "$k" ]; then
    [ -r "$k" ] || out_of_sight "$k"
    show "$n current/public"
    if ! command -v openssl >/dev/null 2>&1; then echo unknown
    else openssl pkey -in "$k" -passin pass: -pubout </dev/null 2>/dev/null || echo damaged; fi
  fi
done
"""


@dataclasses.dataclass(frozen=True)
class Purchase:
    """Something that was paid for; the price is the vendor's list price before tax, in minor units, if it was known."""

    date: str  # ISO
    step: str  # buy | renew | add_names
    order_id: int
    price: int | None = None
    currency: str | None = None


@dataclasses.dataclass(frozen=True)
class Journal:
    """The order a certificate comes from, and what was wished for when it was placed."""

    api: str  # orders of another API (the sandbox, say) are other orders
    order_id: int
    product_id: int
    public_key: str  # SHA-256 of the key the newest CSR was made for
    end_date: str | None = None  # ISO; end of the paid term
    ordered: str | None = None  # ISO; when a run of ours placed the order
    keyed: str | None = None  # ISO, with time; when a run of ours sent the newest CSR
    purchases: tuple[Purchase, ...] = ()  # of the certificate, the newest last; whatever order they were for


@dataclasses.dataclass(frozen=True)
class Intent:
    """A purchase that may or may not have happened."""

    api: str
    step: str  # buy | renew | add_names
    product_id: int
    period: int
    names: tuple[str, ...]
    public_key: str
    md5: str  # of the CSR; Sectigo's proofs are named after it
    unique_code: str
    created: float  # seconds since the epoch, by the controller's clock
    price: int | None = None  # before tax, in minor units
    currency: str | None = None


@dataclasses.dataclass(frozen=True)
class FileFacts:
    """A file of the current version; nothing but its being there where the host has no `stat` that tells."""

    mode: int | None = None
    owner: tuple[str, ...] = ()  # number and name
    group: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Origin:
    """Where a copied version comes from."""

    host: str  # that ordered it, as the inventory calls it
    order_id: int | None = None
    end_date: str | None = None  # ISO; end of the paid term, so that copies are due on the same day
    keyed: str | None = None  # ISO; when the key was sent, if the ordering host knows


@dataclasses.dataclass(frozen=True)
class HostState:
    """What was found on the host for one certificate."""

    certificate: _x509.Certificate | None = None
    chain: tuple[_x509.Certificate, ...] = ()
    damage: str = ""  # what is wrong with the installed files, in one clause
    key: str | None = None  # SHA-256 of the installed key's public half; None if there is none or it cannot be told
    staged: _x509.Request | None = None
    journal: Journal | None = None
    intent: Intent | None = None
    origin: Origin | None = None
    served: tuple[Served, ...] = ()
    files: t.Mapping[str, FileFacts] | None = None  # of the current version; None if they were not looked at
    unproven: bool = False  # services have not been seen to take the current version
    leftovers: bool = False  # a killed run left something in the certificate's directory, or in the one above it
    published: bool = False  # the host has notes of DNS records that were published for one of its orders


def inspect(shell: Shell, directory: str, wanted: t.Sequence[Wanted]) -> dict[str, HostState]:
    """Everything there is to know on the host about all its certificates, in one command."""
    text = output(shell(inspection_script(directory, wanted)), "Reading the installed certificates")
    parts = split_parts(text)
    answers = _listeners.heard(parts)
    return {one.name: read_state(one, parts, answers) for one in wanted}


def inspection_script(directory: str, wanted: t.Sequence[Wanted]) -> str:
    """The shell script behind `inspect`."""
    names = " ".join(one.name for one in wanted)
    head = f"d={shlex.quote(directory)}; names={shlex.quote(names)}; files={shlex.quote(' '.join(_PRINTED))}"
    probes = _listeners.probe_script([(one.name, one.listeners) for one in wanted])
    return head + _leftovers.FUNCTION + _INSPECT + _leftovers.ABOVE + _published.EXISTS + probes + "\nexit 0\n"


def split_parts(text: str) -> dict[str, str]:
    """The script's output by its marks, "NAME FILE" -> content."""
    parts: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith(MARK):
            lines = parts.setdefault(line[len(MARK) :], [])
        else:
            lines.append(line)
    return {key: "\n".join(content).strip() for key, content in parts.items()}


def read_state(one: Wanted, parts: t.Mapping[str, str], answers: Heard) -> HostState:
    """One certificate's share of the output."""

    def part(file: str) -> str:
        return parts.get(f"{one.name} {file}", "")

    certificate, chain, damage = _read_installed(part("current/cert.pem"), part("current/chain.pem"))
    key, key_damage = _read_key(part("current/public"))
    try:
        staged = _x509.read_request(part("staged/request.csr")) if part("staged/request.csr") else None
    except GogetsslError:
        staged = None  # half written by a run that died; gogetssl_csr makes it anew
    intent = _read_record(Intent, part("intent.json"), f"{one.name}/intent.json")
    # A run that died in the last moment of an installation may have left the installed key staged.
    twice = staged is not None and key is not None and staged.public_key == key and intent is None
    return HostState(
        certificate=certificate,
        chain=chain,
        damage=damage or (key_damage if certificate else ""),
        key=key,
        staged=staged,
        journal=_read_record(Journal, part("order.json"), f"{one.name}/order.json"),
        intent=intent,
        origin=read_origin(part("current/origin.json")) if certificate else None,
        served=_listeners.read_served(one.name, one.listeners, answers),
        files=_read_files(part("current/files")),
        unproven=certificate is not None and part(_layout.UNPROVEN) == certificate.serial,
        leftovers=twice or f"{one.name} leftovers" in parts or "leftovers" in parts,
        published="published" in parts,
    )


def begin(shell: Shell, directory: str, name: str, intent: Intent, known: Journal | None) -> bool:
    """Write down a purchase before it is made; False if another run has written one down or bought since `known`.

    The journal is compared while the intent is held: a run that bought in between has changed it by then.
    """
    script = f"""
umask 077
d={shlex.quote(f"{directory}/{name}")}
(umask 022; mkdir -p "$d") && t="$d/.intent.$$" && printf '%s\\n' {shlex.quote(_dump(intent))} > "$t" || exit 1
{_sync("$t")}
if ln "$t" "$d/intent.json" 2>/dev/null; then r=0; elif [ -e "$d/intent.json" ]; then r={_INTENT_EXISTS}; else r=1; fi
rm -f "$t"
[ $r = 0 ] && [ -e "$d/order.json" ] && cat "$d/order.json"
[ $r = 0 ] && {{ {_sync("$d/intent.json")}; }}
exit $r
"""
    result = shell(script)
    if result.rc == _INTENT_EXISTS:
        return False
    current = _read_record(Journal, output(result, f"Writing down the purchase in {directory}/{name}").strip(), name)
    if current != known:
        forget(shell, directory, name)
        return False
    return True


def record(shell: Shell, directory: str, name: str, journal: Journal, settled: bool = True) -> None:
    """Write the journal and, if it tells of the purchase of an intent, remove the intent."""
    script = f"""
umask 022
d={shlex.quote(f"{directory}/{name}")}
mkdir -p "$d" && t="$d/.order.$$" && printf '%s\\n' {shlex.quote(_dump(journal))} > "$t" || exit 1
{_sync("$t")}
mv -f "$t" "$d/order.json"{' && rm -f "$d/intent.json"' if settled else ""}
"""
    output(shell(script), f"Writing the journal of order {journal.order_id} in {directory}/{name}")


def forget(shell: Shell, directory: str, name: str, intent: Intent | None = None) -> None:
    """Remove the intent of a purchase that certainly did not happen; if one is given, only that and no later one."""
    path = shlex.quote(f"{directory}/{name}/intent.json")
    guard = f'[ "$(cat {path} 2>/dev/null)" != {shlex.quote(_dump(intent))} ] || ' if intent else ""
    output(shell(f"{guard}rm -f {path}"), "Removing the note of a purchase")


def dump_origin(origin: Origin) -> str:
    """The text of `origin.json`."""
    return json.dumps({"format": FORMAT, **dataclasses.asdict(origin)}, sort_keys=True) + "\n"


def read_origin(text: str) -> Origin | None:
    """An origin, or nothing: unlike the journal's records it decides about dates only, never about money."""
    try:
        fields = json.loads(text)
        fields.pop("format")
        origin = Origin(**fields)
        dt.date.fromisoformat(origin.end_date or "2000-01-01")
        dt.datetime.fromisoformat(origin.keyed or "2000-01-01T00:00:00+00:00").astimezone()
        return origin
    except (ValueError, TypeError, KeyError, AttributeError):
        return None


def _sync(path: str) -> str:
    return f'sync "{path}" 2>/dev/null || sync'


def _dump(entry: Journal | Intent) -> str:
    return json.dumps({"format": FORMAT, **dataclasses.asdict(entry)}, sort_keys=True)


_Entry = t.TypeVar("_Entry", Journal, Intent)


def _read_record(kind: type[_Entry], text: str, where: str) -> _Entry | None:
    """A record, or an error if there is one that cannot be understood: guessing here could buy twice."""
    if not text:
        return None
    try:
        fields = json.loads(text)
        if fields.pop("format") != FORMAT:
            raise ValueError("format")
        if "names" in fields:
            fields["names"] = tuple(fields["names"])
        if "purchases" in fields:
            fields["purchases"] = tuple(Purchase(**entry) for entry in fields["purchases"])
        return kind(**fields)
    except (ValueError, TypeError, KeyError, AttributeError):
        raise host_error(
            f"{where} on the host cannot be read as a record of this collection; put it right or remove it after"
            " looking up the certificate's order (gogetssl_order, option adopt)."
        ) from None


def _read_installed(cert: str, chain: str) -> tuple[_x509.Certificate | None, tuple[_x509.Certificate, ...], str]:
    if not cert:
        return None, (), ""
    try:
        certificate = _x509.read_certificate(cert)
        return certificate, _x509.read_certificates(chain) if chain else (), ""
    except GogetsslError:
        return None, (), "the installed certificate cannot be read"


def _read_key(text: str) -> tuple[str | None, str]:
    if text == "unknown":
        return None, ""
    try:
        return _x509.public_key_of_pem(text), ""
    except GogetsslError:
        return None, "the installed private key is missing or damaged"


def _read_files(text: str) -> dict[str, FileFacts] | None:
    """Lines of `stat`, or of `ls` where a host's `stat` knows no format."""
    files = {}
    for line in text.splitlines():
        name, *rest = line.split("/")
        if len(rest) == 5 and re.fullmatch("[0-7]{1,5}", rest[0]):
            files[name] = FileFacts(int(rest[0], 8), (rest[1], rest[2]), (rest[3], rest[4]))
        else:
            files[name] = FileFacts()
    return files or None
