# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: the approver e-mail addresses of a name, and the validation values for a CSR."""

from __future__ import annotations

from .._api.orders import Api
from .._api.raw import info_task
from .._api.results import validation_result
from .._core import names as _names
from .._core.task import Context, Result
from .._crypto import x509

OPTIONS = {
    "domains": {"type": "list", "elements": "str"},
    "source": {"type": "str", "choices": ["standard", "geotrust", "whois"], "default": "standard"},
    "csr": {"type": "str"},
}


def read(context: Context, api: Api) -> Result:
    """One request for each name, and one for the CSR."""
    params = context.params
    queries = {"standard": api.approver_emails, "geotrust": api.geotrust_emails, "whois": api.whois_emails}
    names = [_names.canonical(name) for name in dict.fromkeys(params["domains"] or [])]
    result: Result = {
        "domains": [
            {"name": name, "approver_emails": list(queries[params["source"]](_names.base(name)))} for name in names
        ]
    }
    if params["csr"]:
        name = x509.read_request(params["csr"]).common_name
        validations = api.alternative_validations(params["csr"], _names.canonical(name))
        result["validations"] = [validation_result(validation) for validation in validations]
    return result


TASK = info_task(OPTIONS, read, rules={"required_one_of": [("domains", "csr")]})
