# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Build the documentation site in .cache/site/html: `make site`.

The guides are the Markdown files that the repository shows too, so each text exists once. They are not RST files with
an `extra-docs.yml`: Galaxy shows only `docs/*.md`, and GitHub does not follow references between RST files.
antsibull-docs writes the reference of modules and role, and Sphinx turns both into pages. A warning of Sphinx is an
error.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]
SITE = ROOT / ".cache" / "site"
SOURCES = SITE / "rst"
REFERENCE = SOURCES / "reference"
COLLECTION = "certops.gogetssl"
LINK = re.compile(r"\]\(([^)#\s]+)(#[^)\s]*)?\)")


def main() -> int:
    shutil.rmtree(SITE, ignore_errors=True)
    REFERENCE.mkdir(parents=True)
    options = ["--use-current", "--squash-hierarchy", "--fail-on-error"]
    subprocess.run(["antsibull-docs", "collection", *options, "--dest-dir", REFERENCE, COLLECTION], check=True)
    leave_out_filters()
    adapt_to_theme()
    describe_role()
    required_first()
    repository = yaml.safe_load((ROOT / "galaxy.yml").read_text())["repository"]
    for source, target in guides().items():
        copy = SOURCES / target
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(relinked(source.read_text(), source, copy, f"{repository}/blob/main/"))
    for name in ("conf.py", "index.md", "site.css"):
        shutil.copy(ROOT / "docs" / "docsite" / name, SOURCES / name)
    shutil.copy(ROOT / "docs" / "report.png", SOURCES / "guides" / "report.png")
    return subprocess.run(["sphinx-build", "-q", "-W", "--keep-going", SOURCES, SITE / "html"], check=False).returncode


def guides() -> dict[Path, str]:
    """Each Markdown file of the site, and its place there."""
    docs = ROOT / "docs"
    found = {
        path: f"guides/{path.relative_to(docs)}" for path in sorted(docs.rglob("*.md")) if "docsite" not in path.parts
    }
    return {
        ROOT / "README.md": "guides/getting-started.md",
        ROOT / "SECURITY.md": "guides/security.md",
        ROOT / "CONTRIBUTING.md": "guides/contributing.md",
        ROOT / "tests" / "emulator" / "README.md": "guides/emulator.md",
        ROOT / "roles" / "gogetssl" / "README.md": "guides/role.md",
        **found,
    }


def relinked(text: str, source: Path, copy: Path, repository: str) -> str:
    """Text whose links lead to pages of the site, or else to the repository."""
    places = {path: SOURCES / target for path, target in guides().items()}

    def replace(link: re.Match[str]) -> str:
        target, anchor = link[1], link[2] or ""
        target = re.sub(r"^https://raw\.githubusercontent\.com/[^/]+/[^/]+/main/", repository, target)
        if target.startswith(repository):
            file = ROOT / target.removeprefix(repository)
        elif "://" in target or target.startswith("mailto:"):
            return link[0]
        else:
            file = (source.parent / target).resolve()
        if file in places:
            return f"]({relative(places[file], copy.parent)}{anchor})"
        if file.suffix == ".png":
            return f"]({file.name})"
        return f"]({repository}{file.relative_to(ROOT)}{anchor})"

    return LINK.sub(replace, text)


def relative(path: Path, folder: Path) -> str:
    """A path from a folder of the site; all of them are at most two levels deep."""
    up = 0
    while not path.is_relative_to(folder):
        folder, up = folder.parent, up + 1
    return "../" * up + str(path.relative_to(folder))


def leave_out_filters() -> None:
    """Leave out the pages of the filters: the role uses them, and their interface may change at any time."""
    index = REFERENCE / "index.rst"
    filters = r"\.\. _filter_plugins_in_.*?(?=\.\. _role_plugins_in_)"
    text, count = re.subn(filters, "", index.read_text(), flags=re.DOTALL)
    if count != 1:
        sys.exit("site.py: the index of antsibull-docs has changed; correct leave_out_filters")
    index.write_text(text)
    for page in REFERENCE.glob("*_filter.rst"):
        page.unlink()


def adapt_to_theme() -> None:
    """Leave out tables of contents, which the theme shows beside each page, and shorten the names in its sidebar."""
    for page in REFERENCE.glob("*.rst"):
        page.write_text(re.sub(r"(?m)^\.\. contents::\n(?:   .*\n)*", "", page.read_text()))
    index = REFERENCE / "index.rst"
    index.write_text(re.sub(r"(?m)^    (\w+)_(module|role)$", r"    \1 <\1_\2>", index.read_text()))


def describe_role() -> None:
    """Describe the role in the index, where antsibull-docs does so only for entry points with the name `main`."""
    specs = yaml.safe_load((ROOT / "roles" / "gogetssl" / "meta" / "argument_specs.yml").read_text())["argument_specs"]
    index = REFERENCE / "index.rst"
    text, count = re.subn(r"(?m)#role>` --$", rf"\g<0> {specs['main.yml']['short_description']}", index.read_text())
    if count != 1:
        sys.exit("site.py: the index of antsibull-docs has changed; correct describe_role")
    index.write_text(text)


def required_first() -> None:
    """Begin the tables of options with what a reader has to write. antsibull-docs sorts them by name."""
    begin = r'(?m)^(?=  \* - \.\. raw:: html\n\n +<div class="ansible-option-)'
    tables = 0
    for page in REFERENCE.glob("*.rst"):
        text = page.read_text()
        if table := re.search(r"(?ms)^  \* - Parameter\n.*?(?=^\S)", text):
            head, *rows = re.split(begin, table[0])
            page.write_text(text.replace(table[0], "".join([head, *sorted_options(rows)])))
            tables += bool(rows) and "ansible-option-required" in table[0]
    if not tables:
        sys.exit("site.py: the tables of antsibull-docs have changed; correct required_first")


def sorted_options(rows: list[str], depth: int = 0) -> list[str]:
    """The required options first, each with its suboptions. `certificates` is one even where a task can do without."""
    options: list[list[str]] = []
    for row in rows:
        if row.count('"ansible-option-indent"') == depth:
            options.append([row])
        else:
            options[-1].append(row)
    required = (":ansible-option-required:", 'id="parameter-certificates"')
    options.sort(key=lambda option: not any(mark in option[0] for mark in required))
    return [row for first, *below in options for row in (first, *sorted_options(below, depth + 1))]


if __name__ == "__main__":
    sys.exit(main())
