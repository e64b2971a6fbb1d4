# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: the web server types that an order can specify."""

from __future__ import annotations

from .._api.models import Family
from .._api.orders import Api
from .._api.raw import info_task
from .._core.task import Context, Result

OPTIONS = {
    "family": {"type": "str", "choices": ["sectigo", "digicert"]},
    "name": {"type": "str"},
}


def read(context: Context, api: Api) -> Result:
    """The lists of one or both families, with one request each."""
    text = (context.params["name"] or "").casefold()
    families = [Family(context.params["family"])] if context.params["family"] else list(Family)
    return {
        "webservers": [
            {"id": number, "name": name, "family": family.value, "other": number == family.other_webserver}
            for family in families
            for name, number in api.webservers(family).items()
            if text in name.casefold()
        ]
    }


TASK = info_task(OPTIONS, read)
