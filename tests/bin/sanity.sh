#!/usr/bin/env bash
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# Runs all tests of ansible-test sanity without ignores:  sanity.sh [ANSIBLE-TEST-ARGUMENT...]
set -euo pipefail
cd "$(dirname "$0")/../.."

if compgen -G 'tests/sanity/ignore*' >/dev/null; then
    echo "sanity.sh: ignore files are not wanted in this collection" >&2
    exit 1
fi

# ansible-test requires this directory layout and treats links as content, so it gets a copy of the files in git.
tree=$(mktemp -d)
trap 'rm -rf "$tree"' EXIT
copy=$tree/ansible_collections/certops/gogetssl
mkdir -p "$copy"
git ls-files -z --cached --others --exclude-standard |
    while IFS= read -r -d '' file; do
        # Listed by git, but deleted in the working tree.
        [ ! -e "$file" ] || cp --parents --preserve=mode "$file" "$copy"
    done

# ansible-test downloads get-pip.py from its own server. Python's ensurepip installs the same pip without a download.
cache=~/.ansible/test/cache
sources=$(python -c 'import ansible_test, pathlib; print(pathlib.Path(ansible_test.__path__[0]) / "_internal")')
mkdir -p "$cache"
# One at a time: two would install the same tools into ansible-test's cache.
exec {lock}>"$cache/gogetssl.lock"
flock "$lock"
mapfile -t versions < <(grep -oE "pip='[0-9.]+'" "$sources/python_requirements.py" | grep -oE '[0-9.]+' | sort -u)
for version in "${versions[@]}"; do
    bootstrap=$cache/get_pip_${version//./_}.py
    [ -e "$bootstrap" ] || cat >"$bootstrap" <<'PYTHON'
import subprocess
import sys

subprocess.check_call([sys.executable, "-m", "ensurepip", "--default-pip"], stdout=subprocess.DEVNULL)
wanted = [word for word in sys.argv[1:] if word not in ("--no-setuptools", "--no-wheel")]
subprocess.check_call([sys.executable, "-m", "pip", "install", *wanted])
PYTHON
done

# ansible-test tries every pythonX.Y on PATH. pyenv's shims exist for Pythons that they cannot run, so the real
# interpreters come first.
for bin in ~/.pyenv/versions/*/bin; do
    [ ! -d "$bin" ] || pythons=${pythons:-}$bin:
done
PATH=$(dirname "$(command -v ansible-test)"):${pythons:-}$PATH

cd "$copy"
ansible-test sanity --color no "$@"
