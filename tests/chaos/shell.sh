#!/bin/sh
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Replaces /bin/sh on the host: counts the commands of a run and, before or after the chosen command, creates
# CHAOS_REACHED and waits for the run to be killed.
echo >> "$CHAOS_COUNT"
number=$(wc -l < "$CHAOS_COUNT")
[ "$number" = "$CHAOS_KILL_BEFORE" ] && { : > "$CHAOS_REACHED"; sleep 60; }
[ "$number" = "$CHAOS_KILL_AFTER" ] || exec /bin/sh "$@"
/bin/sh "$@"
: > "$CHAOS_REACHED"
sleep 60
