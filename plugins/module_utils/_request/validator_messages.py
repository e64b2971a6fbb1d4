# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's messages about invalid options, without Python's class names and with a full stop. Pure."""

from __future__ import annotations

import re

_KINDS = {
    "bool": "true or false",
    "dict": "a dictionary",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "path": "a path",
    "str": "text",
}
_CLASSES = {"str": "text", "list": "a list", "dict": "a dictionary", "int": "a number", "bool": "a boolean"}
_CHOICES = re.compile(r"value of (\S+) must be one of: (.*), got: (.*?)(?: found in \S+(?: -> \S+)*)?")
_TYPES = re.compile(  # the type is "<class 'str'>" before ansible-core 2.19
    r"(argument|Elements value for option) '([^']+)'.*? is of type (?:<class ')?(\w+).*? unable to convert to (\w+).*",
    re.DOTALL,
)


def plain(message: str) -> str:
    """One sentence, such as `key_type must be one of a, b, not c.`"""
    choices, types = _CHOICES.fullmatch(message), _TYPES.fullmatch(message)
    if choices:
        message = "{} must be one of {}, not {}".format(*choices.groups())
    elif types and types.group(4) in _KINDS:
        each = "" if types.group(1) == "argument" else "each item of "
        given = _CLASSES.get(types.group(3), types.group(3))
        message = f"{each}{types.group(2)} must be {_KINDS[types.group(4)]}, not {given}"
    else:
        message = re.sub(r" found in certificates(?= |$)", "", message)
    return message if message.endswith((".", "!", "?")) else f"{message}."
