#!/usr/bin/env bash
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Create or update a virtual environment:  venv.sh PYTHON DIRECTORY PIP-ARGUMENT...
set -euo pipefail

python=$1 venv=$2
shift 2

die() { echo "venv.sh: $*" >&2; exit 1; }

version() { "$1" -c 'import sys; print(*sys.version_info[:2], sep=".")'; }

command -v "$python" >/dev/null || die "no interpreter '$python'; say make PYTHON=/path/to/python3"

if ! "$python" -c 'import ensurepip, venv' 2>/dev/null; then
    # Debian ships these two modules in a separate package.
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        apt-get -qq update && DEBIAN_FRONTEND=noninteractive apt-get -qq install python3-venv
    else
        die "$python cannot make virtual environments; on Debian: apt-get install python3-venv"
    fi
fi

if [ "$(version "$venv/bin/python" 2>/dev/null)" != "$(version "$python")" ]; then
    "$python" -m venv --clear "$venv"
fi
echo "Installing Python packages into $venv" >&2
"$venv/bin/python" -m pip -qq --disable-pip-version-check install --upgrade "$@"
