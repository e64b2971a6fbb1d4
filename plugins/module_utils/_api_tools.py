# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The vendor's tools for CSRs, domains and web servers (API reference 4.7, 5).

Note that this module util is **PRIVATE** to the collection. It can have breaking changes at any time.
"""

from __future__ import annotations

import re
import typing as t

from . import _loose, _proofs
from ._api_base import Base, Fields
from ._errors import GogetsslError, Kind
from ._models import Family, Proof, ProofState

_SUBJECT = {"CN": "common_name", "O": "organization", "OU": "division", "L": "city", "S": "region", "C": "country"}
_EMAILS = ("ComodoApprovalEmails", "GeotrustApprovalEmails", "getDomainEmailsForGeotrust")
_ALTERNATIVES = ("http", "https", "dns")


class ToolsApi(Base):
    """Web servers, CSRs, approvers."""

    def webservers(self, family: Family) -> dict[str, int]:
        """Web servers of a family, name -> id (4.7)."""
        listed = self._read("GET", f"/tools/webservers/{family.supplier}").get("webservers")
        return {
            _loose.text(item.get("software"), "software"): _loose.integer(item.get("id"), "id")
            for item in _loose.items(listed, "webservers")
        }

    def csr_problem(self, csr: str, wildcard: bool) -> str:
        """What the vendor finds wrong with a CSR, or nothing (5). Wildcards have to be announced."""
        return str(self.decode_csr(csr, wildcard)["problem"])

    def decode_csr(self, csr: str, wildcard: bool) -> dict[str, t.Any]:
        """What the vendor reads in a CSR (5)."""
        return read_csr(self._read("POST", "/tools/csr/decode/", {"csr": csr, "wildcard": int(wildcard)}))

    def validate_csr(self, csr: str) -> dict[str, t.Any]:
        """The same by the method that judges it (5)."""
        return read_csr(self._read("POST", "/tools/csr/validate/", {"csr": csr}))

    def generate_key(self, fields: Fields) -> str:
        """Have the vendor make a key, with a CSR that nobody needs (5). Nothing is kept there, as far as is known."""
        return read_generated_key(self._read("POST", "/tools/csr/generate/", fields))

    def approver_emails(self, domain: str) -> tuple[str, ...]:
        """The addresses that may approve a name (5)."""
        return read_emails(self._read("POST", "/tools/domain/emails/", {"domain": domain}))

    def geotrust_emails(self, domain: str) -> tuple[str, ...]:
        """The same for GeoTrust, by a method of its own (5)."""
        return read_emails(self._read("POST", "/tools/domain/emails/geotrust", {"domain": domain}))

    def whois_emails(self, domain: str) -> tuple[str, ...]:
        """Addresses from WHOIS, often none (5). The path is disputed: the other spelling is tried after the first."""
        try:
            return read_emails(self._read("POST", "/tools/domain/domain_get_from_whois", {"domain": domain}))
        except GogetsslError as error:
            if "requested method" not in error.message.lower():
                raise
        return read_emails(self._read("POST", "/tools/domain_get_from_whois/", {"domain": domain}))

    def alternative_proofs(self, csr: str, name: str) -> tuple[Proof, ...]:
        """File and DNS proofs for a CSR, without the unique value, Sectigo and GoGetSSL only, deprecated (5)."""
        return read_alternatives(self._read("POST", "/tools/domain/alternative/", {"csr": csr}), name)


def read_csr(answer: _loose.Object) -> dict[str, t.Any]:
    """What `csrResult` says (5)."""
    result = _loose.obj(answer.get("csrResult"), "csrResult")
    found: dict[str, t.Any] = {word: _loose.word(result.get(key), key) for key, word in _SUBJECT.items()}
    others = _loose.words(result.get("dnsName(s)"), "dnsName(s)")
    size = _loose.text(result.get("Key Size"), "Key Size").split(" ")[0]
    return {
        **found,
        "email": _loose.word(result.get("Email"), "Email"),
        "names": list(dict.fromkeys(name.lower() for name in (found["common_name"] or "", *others) if name)),
        "key_size": _loose.integer_or_none(size, "Key Size"),
        **{key: _loose.text(result.get(key), key).lower() or None for key in ("md5", "sha1", "sha256")},
        "problem": _loose.text(result.get("errorMessage"), "errorMessage")[:500],
    }


def read_generated_key(answer: _loose.Object) -> str:
    """The private key of `csr_key`; whatever else stands there is never shown."""
    key = answer.get("csr_key")
    body = key.replace("\r\n", "\n").strip() if isinstance(key, str) else ""
    if not re.fullmatch(r"-----BEGIN ((RSA )?PRIVATE KEY)-----\n[A-Za-z0-9+/=\n]{100,10000}\n-----END \1-----", body):
        raise GogetsslError("GoGetSSL's answer holds no private key in 'csr_key'.", Kind.ANSWER)
    return body + "\n"


def read_emails(answer: _loose.Object) -> tuple[str, ...]:
    """The addresses under the first of the keys that has any (5)."""
    for key in _EMAILS:
        addresses = answer.get(key) or []
        if not isinstance(addresses, list):
            raise _loose.bad(key, addresses, "a list")
        if addresses:
            return tuple(dict.fromkeys(_loose.text(address, key).lower() for address in addresses))
    return ()


def read_alternatives(answer: _loose.Object, name: str) -> tuple[Proof, ...]:
    """The proofs under `validation`, or bare (5)."""
    given = _loose.obj(answer.get("validation"), "validation") or answer
    return tuple(
        _proofs.read(name, {method: given[method]}, method, "", ProofState.UNSET, "")
        for method in _ALTERNATIVES
        if given.get(method)
    )
