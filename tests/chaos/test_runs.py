# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checks of the chaos runner besides orders: printed secrets, and keys that do not match their certificates."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from ansible_collections.certops.gogetssl.plugins.module_utils._crypto import x509
from tests.chaos.runs import Run, Site, Violation
from tests.chaos.simulated import Vendor


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    with Vendor() as vendor:
        vendor.reset()
        vendor.set(dcv_mode="pass", issuance_delay=0.0)
        yield Site(tmp_path, vendor)


def test_printed_secrets_and_mismatched_keys_are_violations(site: Site) -> None:
    assert Run(site)() == "done"
    assert Run(site)() == "healthy"
    assert site.certificate()
    run = Run(site)
    auth_keys = site.secrets - {site.vendor.password}
    assert auth_keys
    for text in (site.vendor.password, auth_keys.pop(), "-----BEGIN PRIVATE KEY-----"):
        with pytest.raises(Violation, match="secret in the output"):
            run._print(f"Request failed: {text}.")
    (site.root / "current" / "privkey.pem").write_bytes(x509.new_key("ecdsa-p256"))
    with pytest.raises(Violation, match="do not match"):
        site.certificate()
