# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Several hosts that request the same certificate: none buys it until `order_host` names the ordering host.

For the vendor, two hosts with two keys have two certificates. Only a comparison of the specs finds duplicates. It is
made only before a purchase. One host may have two certificates for the same names, if one has an RSA key and the other
an ECDSA key: web servers choose between them for each client.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import typing as t

from .._core import locks, names
from .._core.errors import GogetsslError
from .spec import DEFAULT_KEY_TYPE, CertificateSpec

_HOSTS_NAMED = 4
_ALL = "all"


class HostRequest(t.NamedTuple):
    """A certificate that a host would buy."""

    host: str
    common_name: str
    product: str
    order_host: str = ""
    name: str = ""
    key_type: str = DEFAULT_KEY_TYPE


class SharedRunState:
    """The requests of all hosts of a play: a file for each common name in the temporary directory of the run.

    Reading the variables of a host takes some milliseconds. Only the first host that has to buy reads those of all
    hosts, because the time would otherwise grow with the square of their number. Each batch adds its own hosts again,
    because play variables are available only for hosts that have started.
    """

    def __init__(self, directory: str, read: t.Callable[[t.Sequence[str]], t.Iterable[HostRequest]]) -> None:
        self._directory, self._read = directory, read

    def fill(self, hosts: t.Sequence[str], batch: t.Sequence[str]) -> None:
        """Publish the requests of all hosts and of a batch, unless another host has published them."""
        mark = os.path.join(self._directory, "batch-" + hashlib.sha256("\n".join(batch).encode()).hexdigest())
        if os.path.exists(mark):
            return
        with self._held():
            if os.path.exists(mark):
                return
            os.makedirs(self._directory, mode=0o700, exist_ok=True)
            all_hosts = os.path.join(self._directory, _ALL)
            self._append(self._read(batch if os.path.exists(all_hosts) else hosts))
            for done in (all_hosts, mark):  # last, so that an interrupted call is repeated
                with open(done, "w", encoding="utf-8"):
                    pass

    def publish(self, requests: t.Iterable[HostRequest]) -> None:
        """Add requests to the shared state."""
        with self._held():
            self._append(requests)

    def _append(self, requests: t.Iterable[HostRequest]) -> None:
        for request in requests:
            path = self._path(request.common_name)
            if path is not None:
                with open(path, "a", encoding="utf-8") as stream:
                    stream.write(json.dumps(request) + "\n")

    def requests(self, common_name: str) -> list[HostRequest]:
        """All requests published for a name."""
        path = self._path(common_name)
        if path is None:
            return []
        with self._held():
            if not os.path.exists(path):
                return []
            with open(path, encoding="utf-8") as stream:
                return [HostRequest(*json.loads(line)) for line in stream]

    def _path(self, common_name: str) -> str | None:
        try:
            name = names.canonical(common_name)
        except GogetsslError:  # an invalid name, which its own host reports
            return None
        return os.path.join(self._directory, "name-" + hashlib.sha256(name.encode()).hexdigest())

    def _held(self) -> contextlib.AbstractContextManager[None]:
        return locks.run_state(f"{self._directory}.lock")


def conflicting_hosts(spec: CertificateSpec, others: t.Iterable[t.Mapping[str, t.Any]]) -> list[str]:
    """The other hosts that would buy the same certificate. The list is empty if `order_host` is set.

    `others` are the requests of the other hosts of the play: host, common_name, product.
    """
    if spec.order_host is not None:
        return []
    return sorted({str(one.get("host")) for one in others if _is_same(spec, one)})


def of_spec(spec: CertificateSpec, host: str) -> HostRequest:
    return HostRequest(host, spec.common_name, spec.product, spec.order_host or "", spec.name, spec.key_type)


def others(shared: SharedRunState, spec: CertificateSpec, host: str) -> list[dict[str, t.Any]]:
    """Publish the request of this host, and return the requests of other hosts for the same common name."""
    shared.publish([of_spec(spec, host)])
    return [request._asdict() for request in shared.requests(spec.common_name) if request.host != host]


def siblings(spec: CertificateSpec, requests: t.Iterable[HostRequest]) -> list[str]:
    """The host's other certificates for the same common name, by name, whose keys have the other algorithm."""
    return sorted(
        {
            one.name
            for one in requests
            if one.name not in ("", spec.name)
            and other_algorithm(spec, one.key_type)
            and _same_name(spec, one.common_name)
        }
    )


def other_algorithm(spec: CertificateSpec, key_type: str) -> bool:
    """True if one key is an RSA key and the other an ECDSA key. `key_type`: such as rsa-2048."""
    return {key_type.partition("-")[0], spec.key_type.partition("-")[0]} == {"rsa", "ecdsa"}


def count_owners(spec: CertificateSpec, others: t.Sequence[t.Mapping[str, t.Any]]) -> int | None:
    """The number of other hosts that order the same certificate for themselves.

    None if the number is not known: `order_host` is set, and no request of another host is visible.
    """
    if spec.order_host is not None and not others:
        return None
    hosts = {
        str(one.get("host"))
        for one in others
        if _is_same(spec, one) and str(one.get("order_host") or one.get("host")) == str(one.get("host"))
    }
    return len(hosts)


def name_hosts(hosts: t.Sequence[str]) -> str:
    """The names of the first hosts, and the number of the others."""
    shown, more = hosts[:_HOSTS_NAMED], len(hosts) - _HOSTS_NAMED
    return f"{', '.join(shown)} and {more} more hosts" if more > 0 else f"{', '.join(shown[:-1])} and {shown[-1]}"


def _same_name(spec: CertificateSpec, common_name: str) -> bool:
    try:
        return names.canonical(common_name) == spec.common_name
    except GogetsslError:  # an invalid name, which its own host reports
        return False


def _is_same(spec: CertificateSpec, other: t.Mapping[str, t.Any]) -> bool:
    """True if both would buy the same certificate. A product id and a product name count as equal."""
    if not _same_name(spec, str(other.get("common_name"))):
        return False
    ours, theirs = spec.product.casefold(), str(other.get("product")).strip().casefold()
    return ours == theirs or ours.isdigit() != theirs.isdigit()
