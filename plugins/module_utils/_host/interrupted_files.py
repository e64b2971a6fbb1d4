# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Files left by interrupted runs: their names, and how the inspection script detects them without extra processes.

Partially written files and partially removed directories of modules may contain a key. They are created under a lock,
so the holder of the lock may remove them. Partially written notes, which the controller writes through a shell, contain
no secrets and use no lock. They count only when they are too old to belong to an active run.
"""

from __future__ import annotations

import hashlib
import re
import shlex
import typing as t

SCRATCH = ".gogetssl-new-"
NOTES = (".intent.", ".order.", ".new-dns.")  # a number follows
NOTES_AGE_MINUTES = 60
FILE_NOTE = ".dcv-files.json"  # DCV files to remove; beside the certificates, of which none has this name

_HALVES = " ".join(f'"$p"/{prefix}[0-9]*' for prefix in NOTES)
_ABOVE = " ".join(f'"$d"/{prefix}[0-9]*' for prefix in NOTES)

# Parts of the inspection script. A glob starts no process, and `find` runs on a match.
FUNCTION = f"""
interrupted_files() {{
  for f in "$@"; do
    [ -e "$f" ] || [ -L "$f" ] || continue
    case "${{f##*/}}" in {SCRATCH}*) return 0 ;; esac
    [ -z "$(find "$f" -mmin +{NOTES_AGE_MINUTES} 2>/dev/null)" ] || return 0
  done
  return 1
}}
"""
# In a certificate's directory and its subdirectories.
IN_DIRECTORY = f'interrupted_files "$p"/{SCRATCH}* "$p"/*/{SCRATCH}* {_HALVES}'
# In the parent directory: an interrupted removal of a certificate leaves files there.
ABOVE = f'if interrupted_files "$d"/{SCRATCH}* {_ABOVE}; then show interrupted_files; fi\n'

# The probe of the role's preflight: a prefix per host, and a suffix per run.
PROBE_NAME = re.compile(r"(gogetssl-probe-[0-9a-f]{20}-)[0-9a-z]{20}\.txt")
MOST_PROBES = 20  # of a host; the owner of the web root can create any number


def probe_prefix(host: str) -> str:
    """Return the file name prefix of all probes for an inventory host."""
    return f"gogetssl-probe-{hashlib.sha256(host.encode()).hexdigest()[:20]}-"


def is_probe(name: str, host: str) -> bool:
    """Whether a file name is that of a probe of this inventory host."""
    return PROBE_NAME.fullmatch(name) is not None and name.startswith(probe_prefix(host))


def own_probes(names: t.Iterable[str], host: str) -> list[str]:
    """A few of these probes: a host may print any number, also those of other hosts with the same web root."""
    return sorted({name for name in names if is_probe(name, host)})[:MOST_PROBES]


def probes_script(web_root: str, host: str) -> str:
    """Part of the inspection script: lists probes left by interrupted runs in a web root."""
    start = shlex.quote(f"{web_root}/.well-known/pki-validation/{probe_prefix(host)}")
    return f"""
i=0
for f in {start}*.txt; do
  case "${{f##*/}}" in *[!0-9a-z.-]*) continue ;; esac  # a line end would forge a mark
  [ -f "$f" ] && [ ! -L "$f" ] || continue
  [ $i != 0 ] || show probes
  [ $i -lt {MOST_PROBES} ] || break
  i=$((i+1)); echo "${{f##*/}}"
done
"""
