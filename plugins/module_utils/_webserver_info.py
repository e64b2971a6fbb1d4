# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: the web servers that an order may name.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from ._api import Api
from ._info import info_task
from ._models import Family
from ._task import Context, Result

OPTIONS = {
    "family": {"type": "str", "choices": ["sectigo", "digicert"]},
    "name": {"type": "str"},
}


def read(context: Context, api: Api) -> Result:
    """The lists of one family or of both, at one request each."""
    wish = (context.params["name"] or "").casefold()
    families = [Family(context.params["family"])] if context.params["family"] else list(Family)
    return {
        "webservers": [
            {"id": number, "name": name, "family": family.value, "other": number == family.other_webserver}
            for family in families
            for name, number in api.webservers(family).items()
            if wish in name.casefold()
        ]
    }


TASK = info_task(OPTIONS, read)
