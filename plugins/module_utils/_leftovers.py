# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What killed runs leave on a host: its names, and how the one read of a host notices it without a process of its own.

Half-written files and half-removed directories of the host's own tasks may hold a key. They are made under a lock, so
whoever holds the lock may remove them. The halves of notes that the controller writes through a shell hold no secret
and know no lock: they count only once no run can be at work on them any more.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

SCRATCH = ".gogetssl-new-"
NOTES = (".intent.", ".order.", ".new-dns.")  # a number follows
NOTES_AGE_MINUTES = 60

_HALVES = " ".join(f'"$p"/{prefix}[0-9]*' for prefix in NOTES)
_ABOVE = " ".join(f'"$d"/{prefix}[0-9]*' for prefix in NOTES)

# Parts of the inspection. A glob costs no process; `find` runs only where one has matched.
FUNCTION = f"""
leftovers() {{
  for f in "$@"; do
    [ -e "$f" ] || [ -L "$f" ] || continue
    case "${{f##*/}}" in {SCRATCH}*) return 0 ;; esac
    [ -z "$(find "$f" -mmin +{NOTES_AGE_MINUTES} 2>/dev/null)" ] || return 0
  done
  return 1
}}
"""
# In a certificate's directory, and in those in it.
IN_DIRECTORY = f'leftovers "$p"/{SCRATCH}* "$p"/*/{SCRATCH}* {_HALVES}'
# In the directory above: what is left of a certificate that was being retired lies there.
ABOVE = f'if leftovers "$d"/{SCRATCH}* {_ABOVE}; then show leftovers; fi\n'
