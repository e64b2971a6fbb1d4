# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Task: who may approve a name, and what would prove control of it.

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

from . import _names, _x509
from ._api import Api
from ._info import info_task
from ._results import proof_result
from ._task import Context, Result

OPTIONS = {
    "domains": {"type": "list", "elements": "str"},
    "source": {"type": "str", "choices": ["standard", "geotrust", "whois"], "default": "standard"},
    "csr": {"type": "str"},
}


def read(context: Context, api: Api) -> Result:
    """One request for each name, and one for the CSR."""
    params = context.params
    ask = {"standard": api.approver_emails, "geotrust": api.geotrust_emails, "whois": api.whois_emails}
    names = [_names.canonical(name) for name in dict.fromkeys(params["domains"] or [])]
    result: Result = {
        "domains": [{"name": name, "approver_emails": list(ask[params["source"]](_names.base(name)))} for name in names]
    }
    if params["csr"]:
        name = _x509.read_request(params["csr"]).common_name
        proofs = api.alternative_proofs(params["csr"], _names.canonical(name))
        result["proofs"] = [proof_result(proof) for proof in proofs]
    return result


TASK = info_task(OPTIONS, read, rules={"required_one_of": [("domains", "csr")]})
