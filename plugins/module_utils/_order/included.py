# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Names that a product includes with the first name, without further validation or payment. Pure.

- Multi-domain products include no names: each name is paid for and validated.
- Wildcard products include the base: `example.com` with `*.example.com`.
- Single-name DV products of Sectigo and GoGetSSL include `www.example.com` with `example.com` and the reverse, also for
  names below a registered domain. For OV and EV products this is unknown.
- Single-name products of the DigiCert family do so for registered domains only.

The rules for single-name products are inferred; the vendor does not document them. Uncertain names are refused before
the purchase, because a reissue cannot add a missing name.
"""

from __future__ import annotations

from .._api.models import Family, Product, ValidationLevel
from .._core import names
from .._dns import suffixes

_WWW = "www."


def included_names(product: Product, first: str) -> frozenset[str]:
    """Return the names that the product includes with the first one."""
    if product.multi_domain or names.is_address(first):
        return frozenset()
    if names.is_wildcard(first):
        return frozenset({names.base(first)})
    domain = first.removeprefix(_WWW)
    both = {domain, _WWW + domain}
    if product.family is Family.SECTIGO:
        fits = product.validation is ValidationLevel.DV and not suffixes.is_public_suffix(domain)
    else:
        fits = suffixes.is_registered_domain(domain)
    return frozenset(both - {first}) if fits else frozenset()
