#!/usr/bin/env bash
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Builds the collection and imports it like Galaxy and Automation Hub do. A warning of the importer is a failure. The
# importer has a virtual environment of its own, because it pins versions that other tools do not accept.
set -uo pipefail
cd "$(dirname "$0")/../.." || exit

cache=.cache/importer
mkdir -p "$cache"
if ! tests/bin/venv.sh "${PYTHON:-python3}" "$cache/venv" galaxy-importer; then
    echo "galaxy-importer cannot be installed on this machine"
    exit 77
fi
cat > "$cache/settings.cfg" <<'SETTINGS'
[galaxy-importer]
CHECK_REQUIRED_TAGS = True
CHECK_CHANGELOG = True
RUN_ANSIBLE_DOC = True
RUN_ANSIBLE_LINT = True
RUN_ANSIBLE_TEST = False
RUN_FLAKE8 = False
SETTINGS
rm -f "$cache"/*.tar.gz
ansible-galaxy collection build --output-path "$cache" . || exit
cd "$cache" || exit  # the importer writes its results there
PATH="$PWD/venv/bin:$PATH" GALAXY_IMPORTER_CONFIG=settings.cfg venv/bin/python -m galaxy_importer.main ./*.tar.gz 2>&1 |
    grep -v '^Loading ' | tee log || exit
! grep -E '^(WARNING|ERROR)|Traceback|\.ya?ml:' log
