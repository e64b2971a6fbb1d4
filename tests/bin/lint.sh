#!/usr/bin/env bash
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs all linters from the virtual environment, even if one fails. Called by make, which sets PATH.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

status=0
check() {
    echo "== $*"
    "$@" || status=1
}

# mypy needs the plugins under the path from which they are imported.
collection=.venv/collections/ansible_collections/certops/gogetssl
typed=()
for folder in "$collection/plugins" tests/bin tests/demo tests/dns tests/emulator tests/hosts; do
    [ -d "$folder" ] && typed+=("$folder")
done

check ruff check .
check ruff format --check .
[ ${#typed[@]} = 0 ] || check mypy "${typed[@]}"
check ansible-lint --offline
check reuse lint --quiet
check antsibull-changelog lint
check antsibull-docs lint-collection-docs --plugin-docs .
exit $status
