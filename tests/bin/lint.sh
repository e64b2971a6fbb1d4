#!/usr/bin/env bash
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Every linter from the virtual environment in turn; all of them run even when one fails. Called by make, which sets PATH.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

status=0
check() {
    echo "== $*"
    "$@" || status=1
}

# mypy must see the plugins under the name they are imported by.
collection=.venv/collections/ansible_collections/certops/gogetssl
typed=()
for folder in "$collection/plugins" tests/bin tests/demo tests/dns tests/emulator tests/hosts; do
    [ -d "$folder" ] && typed+=("$folder")
done

check ruff check .
check ruff format --check .
[ ${#typed[@]} = 0 ] || check mypy "${typed[@]}"
check ansible-lint --offline
check antsibull-changelog lint
check antsibull-docs lint-collection-docs --plugin-docs .
exit $status
