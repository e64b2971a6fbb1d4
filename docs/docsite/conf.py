# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Settings of Sphinx for the documentation site; see tests/bin/site.py."""

from __future__ import annotations

from typing import Any

from docutils import nodes

project = "certops.gogetssl"
copyright = "The certops.gogetssl contributors"
extensions = ["myst_parser", "sphinx_antsibull_ext"]
html_theme = "furo"
html_title = project
html_copy_source = False
html_static_path = ["site.css"]
html_css_files = ["site.css"]
highlight_language = "text"
myst_heading_anchors = 4  # links to headings of other guides
suppress_warnings = ["myst.header"]  # SECURITY.md and README.md begin as their readers expect

# References to Ansible's own documentation. Its inventory for intersphinx would need the network.
ANSIBLE = "https://docs.ansible.com/ansible/latest/"
LABELS = {
    "action_plugins": "plugins/action.html",
    "ansible_configuration_settings": "reference_appendices/config.html",
    "common_return_values": "reference_appendices/common_return_values.html",
}


def setup(app: Any) -> None:
    app.connect("missing-reference", refer_to_ansible)


def refer_to_ansible(_app: Any, _env: Any, node: Any, content: Any) -> nodes.reference | None:
    """Return the link for a label or an environment variable of Ansible, or None."""
    kind, target = node["reftype"], node["reftarget"]
    page = LABELS.get(target) if kind == "ref" else None
    if kind == "envvar" and target.startswith("ANSIBLE_"):
        page = f"reference_appendices/config.html#envvar-{target}"
    return nodes.reference("", "", content, internal=False, refuri=ANSIBLE + page) if page else None
