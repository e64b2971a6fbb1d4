# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Controller-side access to a certificate's directory on its host: one inspection command and two small records.

`intent.json` exists while a purchase is in progress. It is created exclusively, so that two runs cannot both buy.
`order.json` is the journal: it records the order of the certificate. `origin.json` marks a version that was copied
from the ordering host. None of these files contains secrets.
"""

from __future__ import annotations

import dataclasses
import json
import re
import shlex
import typing as t

from .._core import stored
from .._core.errors import GogetsslError, host_error
from .._core.shell import Shell, output
from .._core.text import printable
from .._crypto import x509
from .._crypto.chain import read_installed
from .._request import endpoints, layout
from .._request.endpoints import Responses, Served
from .._request.spec import CertificateSpec
from . import dns_notes, file_notes, interrupted_files
from . import files as _files

MARK = "#gogetssl "
_PRINTED = (
    "order.json",
    "intent.json",
    "staged/request.csr",
    "current/cert.pem",
    "current/chain.pem",
    "current/origin.json",
    layout.UNVERIFIED,
)
_INTENT_EXISTS = 17

# A line with its name precedes each printed file. A file that exists but cannot be read ends the script: an unreadable
# certificate must never count as missing, because a missing one is bought.
_INSPECT = f"""{_files.PLAIN}show() {{ echo; echo "#gogetssl $1"; }}
[ ! -e "$d" ] || [ -r "$d" -a -x "$d" ] || out_of_sight "$d"
for n in $names; do
  p="$d/$n"
  [ -e "$p" ] || continue
  [ -r "$p" ] && [ -x "$p" ] || out_of_sight "$p"
  [ ! -L "$p" ] && [ -d "$p" ] || odd "$p"
  if [ -e "$p/current" ]; then
    at=$(cd -P "$p" && pwd) && to=$(cd -P "$p/current" 2>/dev/null && pwd) || odd "$p/current"
    [ "$at" = "${{to%/*}}" ] || odd "$p/current"
  fi
  for f in $files; do
    [ -e "$p/$f" ] || continue
    plain "$p/$f"
    show "$n $f"; head -c {_files.LARGEST} "$p/$f" || exit 13
  done
  if {interrupted_files.IN_DIRECTORY}; then show "$n interrupted_files"; fi
  if [ -d "$p/current" ]; then
    show "$n current/files"
    (cd "$p/current" && {{ stat -c '%n/%a/%u/%U/%g/%G' -- * 2>/dev/null || ls; }}) || exit 13
  fi
  k="$p/current/privkey.pem"
  if [ -e "$k" ]; then
    plain "$k"
    show "$n current/public"
    if ! command -v openssl >/dev/null 2>&1; then echo unknown
    else head -c {_files.LARGEST} "$k" | openssl pkey -passin pass: -pubout 2>/dev/null || echo damaged; fi
  fi
done
"""


UNREADABLE = (
    "{record} on the host cannot be read as a record of this collection. Correct it, or remove it after looking up the"
    " certificate's order (gogetssl_order, option adopt)"
)


@dataclasses.dataclass(frozen=True)
class Purchase:
    """A paid purchase. The price, if known, is the vendor's list price before tax, in minor units."""

    date: str  # ISO
    step: str  # buy | renew | add_names
    order_id: int
    price: int | None = None
    currency: str | None = None
    slots: int | None = None  # add_names: number of paid names, including wildcards, of the order afterwards


@dataclasses.dataclass(frozen=True)
class Reissue:
    """The last requested reissue of an order: its reason, its key, and the certificate that it replaces."""

    reason: str  # names:a,b | key | rekey | ends
    key: str  # SHA-256 of the public key in its CSR
    leaf: str  # SHA-256 of the certificate to replace
    ends: str  # ISO, with time; the end of that certificate


@dataclasses.dataclass(frozen=True)
class Journal:
    """The order of a certificate, and the parameters of that order."""

    api: str  # API endpoint; order ids of another endpoint, such as the sandbox, are unrelated
    order_id: int
    product_id: int
    public_key: str  # SHA-256 of the public key in the newest CSR
    end_date: str | None = None  # ISO; end of the paid term
    ordered: str | None = None  # ISO; when this collection placed the order
    keyed: str | None = None  # ISO, with time; when this collection sent the newest CSR
    purchases: tuple[Purchase, ...] = ()  # all of the certificate, for any order, newest last
    adopted: int | None = None  # the value of `adopt` that has been applied
    flagged: bool = False  # abandon_intent was set when the order or its names were bought
    reissued: Reissue | None = None
    withdrawn: int | None = None  # the earlier order of another run for which this order's cancellation is requested


@dataclasses.dataclass(frozen=True)
class Intent:
    """A purchase that was started, and whose outcome may be unknown."""

    api: str
    step: str  # buy | renew | add_names
    product_id: int
    period: int
    names: tuple[str, ...]
    public_key: str
    md5: str  # of the CSR; Sectigo names DCV records and files after it
    unique_code: str
    created: float  # seconds since the epoch, by the controller's clock
    price: int | None = None  # before tax, in minor units
    currency: str | None = None
    newest: int = 0  # the largest order id that the account listed before the purchase
    before: int | None = None  # the journal's order when the intent was written
    flagged: bool = False  # abandon_intent was set


@dataclasses.dataclass(frozen=True)
class FileFacts:
    """A file of the current version. The fields are empty if the host's `stat` does not support formats."""

    mode: int | None = None
    owner: tuple[str, ...] = ()  # ID and name
    group: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Origin:
    """The origin of a copied version."""

    host: str  # the ordering host, by its inventory name
    order_id: int | None = None
    end_date: str | None = None  # ISO; end of the paid term, so that copies are renewed on the same day
    keyed: str | None = None  # ISO; when the key was sent, if recorded on the ordering host


@dataclasses.dataclass(frozen=True)
class HostState:
    """The state of one certificate on its host."""

    certificate: x509.Certificate | None = None
    chain: tuple[x509.Certificate, ...] = ()
    damage: str = ""  # the defect of the installed files, as a clause
    key: str | None = None  # SHA-256 of the installed public key; None if missing or unknown
    staged: x509.Request | None = None
    journal: Journal | None = None
    intent: Intent | None = None
    origin: Origin | None = None
    served: tuple[Served, ...] = ()
    files: t.Mapping[str, FileFacts] | None = None  # of the current version; None if not inspected
    unverified: bool = False  # the current version is not yet verified as served
    interrupted_files: bool = False  # an interrupted run left files in the certificate's directory or its parent
    published: bool = False  # the host has notes of published DNS records
    probes: tuple[str, ...] = ()  # file names of probes left by interrupted runs in the web root
    unremoved: str = ""  # the host's note of DCV files that could not be removed
    unreadable: str = ""  # its journal or intent that cannot be read, if `inspect` was called with `apart`


def inspect(
    shell: Shell, directory: str, spec: t.Sequence[CertificateSpec], probes: str = "", apart: bool = False
) -> dict[str, HostState]:
    """Read the state of all certificates of the host in one command.

    `probes` is the script that lists probes in a web root, if the web root is on the host. A journal or intent that
    cannot be read is an error; with `apart`, it is noted in the state, for callers that go on without the certificate.
    """
    text = output(shell(inspection_script(directory, spec, probes)), "Reading the installed certificates")
    parts = split_parts(text)
    answers = endpoints.read_responses(parts)
    return {one.name: read_state(one, parts, answers, apart) for one in spec}


def inspection_script(directory: str, spec: t.Sequence[CertificateSpec], probes: str = "") -> str:
    """Return the shell script of `inspect`."""
    names = " ".join(one.name for one in spec)
    head = f"d={shlex.quote(directory)}; names={shlex.quote(names)}; files={shlex.quote(' '.join(_PRINTED))}"
    served = endpoints.probe_script([(one.name, one.listeners) for one in spec])
    notes = dns_notes.EXISTS + file_notes.PRINT
    return (
        head + interrupted_files.FUNCTION + _INSPECT + interrupted_files.ABOVE + notes + probes + served + "\nexit 0\n"
    )


def split_parts(text: str) -> dict[str, str]:
    """Split the script's output at its marks: "NAME FILE" -> content."""
    parts: dict[str, list[str]] = {}
    lines: list[str] = []
    for line in text.replace("\r\n", "\n").split("\n"):
        if line.startswith(MARK):
            lines = parts.setdefault(line[len(MARK) :], [])
        else:
            lines.append(line)
    return {key: "\n".join(content).strip() for key, content in parts.items()}


def read_state(one: CertificateSpec, parts: t.Mapping[str, str], answers: Responses, apart: bool = False) -> HostState:
    """Read the state of one certificate from the output."""

    def part(file: str) -> str:
        return parts.get(f"{one.name} {file}", "")

    def record(kind: type[_Entry], file: str) -> _Entry | None:
        try:
            return _read_record(kind, part(file), f"{one.name}/{file}")
        except GogetsslError:
            if not apart:
                raise
            unreadable.append(f"{one.name}/{file}")
            return None

    unreadable: list[str] = []
    certificate, chain, damage = read_installed(part("current/cert.pem"), part("current/chain.pem"))
    key, key_damage = _read_key(part("current/public"))
    staged = _read_staged(part("staged/request.csr"))
    intent, journal = record(Intent, "intent.json"), record(Journal, "order.json")
    # A run interrupted at the end of an installation may have left the installed key staged.
    twice = staged is not None and key is not None and staged.public_key == key and intent is None
    return HostState(
        certificate=certificate,
        chain=chain,
        damage=damage or (key_damage if certificate else ""),
        key=key,
        staged=staged,
        journal=journal,
        intent=intent,
        origin=read_origin(part("current/origin.json")) if certificate else None,
        served=endpoints.read_served(one.name, one.listeners, answers),
        files=_read_files(part("current/files")),
        unverified=certificate is not None and part(layout.UNVERIFIED) == certificate.serial,
        interrupted_files=twice or f"{one.name} interrupted_files" in parts or "interrupted_files" in parts,
        published="published" in parts,
        probes=tuple(name for name in parts.get("probes", "").split() if interrupted_files.PROBE_NAME.fullmatch(name)),
        unremoved=parts.get(file_notes.PART, ""),
        unreadable=", ".join(unreadable),
    )


def write_intent(shell: Shell, directory: str, name: str, intent: Intent, known: Journal | None) -> bool:
    """Record an intent before its purchase; False if another run has recorded one or bought since `known` was read.

    The journal is compared after the intent is created, because a run that bought in between has changed the journal.
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
        remove_intent(shell, directory, name)
        return False
    return True


def record(shell: Shell, directory: str, name: str, journal: Journal, settled: bool = True) -> None:
    """Write the journal. If it records the purchase of an intent (`settled`), remove the intent."""
    script = f"""
umask 022
d={shlex.quote(f"{directory}/{name}")}
mkdir -p "$d" && t="$d/.order.$$" && printf '%s\\n' {shlex.quote(_dump(journal))} > "$t" || exit 1
{_sync("$t")}
mv -f "$t" "$d/order.json"{' && rm -f "$d/intent.json"' if settled else ""}
"""
    output(shell(script), f"Writing the journal of order {journal.order_id} in {directory}/{name}")


def remove_intent(shell: Shell, directory: str, name: str, intent: Intent | None = None) -> None:
    """Remove the intent of a purchase that did not happen; with `intent`, only that one, not a later one."""
    path = shlex.quote(f"{directory}/{name}/intent.json")
    guard = f'[ "$(cat {path} 2>/dev/null)" != {shlex.quote(_dump(intent))} ] || ' if intent else ""
    output(shell(f"{guard}rm -f {path}"), "Removing the note of a purchase")


def unflag(shell: Shell, directory: str, name: str, intent: Intent) -> Intent:
    """Record that abandon_intent was unset after the intent was written, so that setting it again takes effect."""
    unflagged = dataclasses.replace(intent, flagged=False)
    script = f"""
umask 077
d={shlex.quote(f"{directory}/{name}")}; t="$d/.intent.$$"
[ "$(cat "$d/intent.json" 2>/dev/null)" = {shlex.quote(_dump(intent))} ] || exit 0
printf '%s\\n' {shlex.quote(_dump(unflagged))} > "$t" && mv -f "$t" "$d/intent.json"
"""
    output(shell(script), f"Updating {directory}/{name}/intent.json")
    return unflagged


def orders_held(shell: Shell, directory: str) -> dict[str, int]:
    """Return certificate name -> order id from all journals of the host. Damaged journals are skipped."""
    script = f"""
for f in {shlex.quote(directory)}/*/order.json; do
  [ ! -r "$f" ] || [ ! -f "$f" ] || [ -L "$f" ] || {{ echo "{MARK}$f"; head -c {_files.LARGEST} "$f"; echo; }}
done
"""
    held = {}
    for path, text in split_parts(output(shell(script), f"Reading the journals in {directory}")).items():
        try:
            held[path.split("/")[-2]] = int(stored.load(text)["order_id"])
        except (ValueError, TypeError, LookupError, OverflowError):
            continue
    return held


def dump_origin(origin: Origin) -> str:
    """Return the text of `origin.json`."""
    return json.dumps({"format": stored.FORMAT, **dataclasses.asdict(origin)}, sort_keys=True) + "\n"


def read_origin(text: str) -> Origin | None:
    """Read an origin; None if invalid. Unlike the journal, it affects dates only, never purchases."""
    try:
        return stored.build(Origin, stored.load(text))
    except ValueError:
        return None


def _sync(path: str) -> str:
    return f'sync "{path}" 2>/dev/null || sync'


def _dump(entry: Journal | Intent) -> str:
    return json.dumps({"format": stored.FORMAT, **dataclasses.asdict(entry)}, sort_keys=True)


_Entry = t.TypeVar("_Entry", Journal, Intent)


def _read_record(kind: type[_Entry], text: str, where: str) -> _Entry | None:
    """Read a record; an error if it is invalid, because a wrong guess could cause a second purchase."""
    if not text:
        return None
    try:
        fields = stored.load(text)
        if "names" in fields:
            if not fields["names"] or not isinstance(fields["names"], list):
                raise ValueError("names")
            fields["names"] = tuple(fields["names"])
        if "purchases" in fields:
            fields["purchases"] = tuple(stored.build(Purchase, entry) for entry in fields["purchases"])
        if fields.get("reissued"):
            fields["reissued"] = stored.build(Reissue, fields["reissued"])
        return stored.build(kind, fields)
    except (ValueError, TypeError):
        raise host_error(f"{UNREADABLE.format(record=where)}.") from None


def _read_staged(text: str) -> x509.Request | None:
    try:
        return x509.read_request(text) if text else None
    except GogetsslError:
        return None  # partially written by an interrupted run; gogetssl_csr creates it again


def _read_key(text: str) -> tuple[str | None, str]:
    if text == "unknown":
        return None, ""
    try:
        return x509.public_key_of_pem(text), ""
    except GogetsslError:
        return None, "the installed private key is missing or damaged"


def _read_files(text: str) -> dict[str, FileFacts] | None:
    """Read lines of `stat`, or of `ls` if the host's `stat` does not support formats."""
    files = {}
    for line in text.splitlines():
        name, *rest = line.split("/")
        if len(rest) == 5 and re.fullmatch("[0-7]{1,5}", rest[0]):
            owner, group = (tuple(map(printable, pair)) for pair in (rest[1:3], rest[3:5]))
            files[name] = FileFacts(int(rest[0], 8), owner, group)
        else:
            files[name] = FileFacts()
    return files or None
