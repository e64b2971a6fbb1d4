# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real DNS servers on loopback: BIND as primary, secondary and resolver.

Each runs as the user of the tests on a free port, with all files in its own directory.
"""

from __future__ import annotations

import base64
import contextlib
import os
import secrets
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import dns.tsig
import dns.tsigkeyring
import dns.update

PATH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
KEY = "certificates"  # as in the documentation
OTHER_KEY = "other-key"
ZONE = """$TTL 300
@ IN SOA ns1.example.com. hostmaster.example.com. 1 3600 600 86400 2
@ IN NS ns1.example.com.
"""
# Resolvers cache that a record of this zone does not exist.
LONG_NEGATIVE_TTL = 25
LONG_NEGATIVE_TTL_ZONE = ZONE.replace("86400 2", f"86400 {LONG_NEGATIVE_TTL}")
EXAMPLE = f"""{ZONE}
@ IN NS ns2.example.com.
@ IN A 127.0.0.1
ns1 IN A 127.0.0.1
ns2 IN A 127.0.0.1
www IN A 127.0.0.1
sub IN NS ns.sub.example.com.
ns.sub IN A 127.0.0.1
"""
SUB = """$TTL 300
@ IN SOA ns.sub.example.com. hostmaster.example.com. 1 3600 600 86400 2
@ IN NS ns.sub.example.com.
ns IN A 127.0.0.1
@ IN A 127.0.0.1
"""


def free_port() -> int:
    """A port that is free for UDP and TCP."""
    for _attempt in range(50):
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind(("127.0.0.1", 0))
            port: int = tcp.getsockname()[1]
            with contextlib.suppress(OSError):
                udp.bind(("127.0.0.1", port))
                return port
    raise AssertionError("no free port")


@dataclass
class Process:
    """A server process that writes its output to a file."""

    command: list[str]
    log: Path
    running: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        with self.log.open("ab") as log:
            self.running = subprocess.Popen(
                self.command, stdout=log, stderr=log, env={**os.environ, "PATH": PATH}, start_new_session=True
            )

    def stop(self) -> None:
        if self.running:
            self.running.kill()
            self.running.wait()
            self.running = None


def _length(zone: tuple[int, str]) -> int:
    return len(zone[1])


def query(port: int, name: str, kind: str) -> list[str]:
    """The records of a name on one server."""
    message = dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", 5, port)
    return sorted(entry.to_text() for rrset in message.answer for entry in rrset)


def wait_for(port: int, name: str | None, process: Process, seconds: float = 30.0) -> None:
    """Wait until the server answers for a zone or, without a name, answers any query."""
    deadline = time.monotonic() + seconds
    while True:
        with contextlib.suppress(dns.exception.DNSException, OSError):
            message = dns.query.udp(dns.message.make_query(name or ".", "SOA"), "127.0.0.1", 1, port)
            if name is None or (message.rcode() == dns.rcode.NOERROR and message.answer):
                return
        assert process.running, process.command
        assert process.running.poll() is None, process.log.read_text(errors="replace")[-2000:]
        assert time.monotonic() < deadline, process.log.read_text(errors="replace")[-2000:]
        time.sleep(0.02)


@dataclass
class Bind:
    """A primary, a secondary that is updated by `catch_up` only, and a resolver for their zones.

    The secondary is also the only server of sub.example.com. Clients need `addresses` and `nameservers`.
    """

    directory: Path
    secret: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    other: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def __post_init__(self) -> None:
        self.primary, self.secondary, self.resolver, self.control = (free_port() for _unused in range(4))
        self.addresses = {
            "ns1.example.com": f"127.0.0.1:{self.primary}",
            "ns2.example.com": f"127.0.0.1:{self.secondary}",
            "ns.sub.example.com": f"127.0.0.1:{self.secondary}",
        }
        self.nameservers = [f"127.0.0.1:{self.resolver}"]
        self.processes: dict[str, Process] = {}

    def start(self) -> None:
        self._configure("primary", self.primary, self._primary_zones())
        self._configure("secondary", self.secondary, self._secondary_zones(), self._controls())
        self._configure("resolver", self.resolver, self._forwards())
        wait_for(self.primary, "example.com.", self.processes["primary"])
        wait_for(self.secondary, "example.com.", self.processes["secondary"])
        wait_for(self.secondary, "sub.example.com.", self.processes["secondary"])
        wait_for(self.resolver, "shop.co.uk.", self.processes["resolver"])

    @contextlib.contextmanager
    def caching_resolver(self) -> Iterator[str]:
        """An additional resolver that caches answers, as the CAs' resolvers may do."""
        port = free_port()
        self._configure("caching resolver", port, self._forwards())
        process = self.processes["caching resolver"]
        try:
            wait_for(port, "shop.co.uk.", process)
            yield f"127.0.0.1:{port}"
        finally:
            process.stop()

    def stop(self) -> None:
        for process in self.processes.values():
            process.stop()

    def catch_up(self) -> None:
        """Transfer the zone from the primary to the secondary."""
        serial = query(self.primary, "example.com.", "SOA")
        deadline = time.monotonic() + 30
        self._rndc("retransfer", "example.com")
        while query(self.secondary, "example.com.", "SOA") != serial:
            assert time.monotonic() < deadline, "the secondary did not catch up"
            time.sleep(0.02)

    def _zones(self) -> list[tuple[int, str]]:
        """The port of the primary and the name of each zone."""
        own = ("example.com", "shop.co.uk", "xn--mller-kva-q9a.com", "memory.co.uk", "locked.example")
        return [*((self.primary, zone) for zone in own), (self.secondary, "sub.example.com")]

    def records(self, kind: str = "CNAME") -> list[str]:
        """All records of a type in the primary's zones and in the sub-zone, read by zone transfer."""
        found = []
        for port, zone in self._zones():
            for message in dns.query.xfr("127.0.0.1", zone, port=port, relativize=False, timeout=10):
                found += [
                    f"{rrset.name} {entry.to_text()}"
                    for rrset in message.answer
                    if rrset.rdtype == dns.rdatatype.from_text(kind)
                    for entry in rrset
                ]
        return sorted(set(found))

    def remove_records(self) -> list[str]:
        """Remove what a test has left, so that the next test does not fail for it, and return it."""
        left = {kind: self.records(kind) for kind in ("CNAME", "TXT")}
        for kind, records in left.items():
            for name in {record.split()[0].rstrip(".") for record in records}:
                # The longest zone, as sub.example.com is also inside example.com.
                port, zone = max((one for one in self._zones() if f".{name}".endswith(f".{one[1]}")), key=_length)
                self.change(zone, "delete", name, kind, port=port)
        return sorted(left["CNAME"] + left["TXT"])

    @contextlib.contextmanager
    def foreign_records(self, zone: str, name: str, kind: str, value: str) -> Iterator[None]:
        """A foreign record on the primary for the duration of the context."""
        self.change(zone, "add", name, 300, kind, value)
        try:
            yield
        finally:
            self.change(zone, "delete", name, kind, value)

    def change(self, zone: str, verb: str, name: str, *values: str | int, port: int = 0) -> None:
        """Send a dynamic update to the primary of a zone; `verb` is add or delete."""
        ring = dns.tsigkeyring.from_text({KEY: (dns.tsig.HMAC_SHA256, self.secret)})
        message = dns.update.UpdateMessage(zone, keyring=ring)
        getattr(message, verb)(f"{name}.", *values)
        assert dns.query.tcp(message, "127.0.0.1", 10, port or self.primary).rcode() == dns.rcode.NOERROR

    def _rndc(self, *command: str) -> None:
        configuration = self.directory / "rndc.conf"
        subprocess.run(
            [program("rndc"), "-c", str(configuration), "-s", "127.0.0.1", "-p", str(self.control), *command],
            check=True,
            capture_output=True,
            env={**os.environ, "PATH": PATH},
        )

    def _configure(self, name: str, port: int, zones: str, more: str = "") -> None:
        folder = self.directory / name
        folder.mkdir(parents=True)
        for zone, text in (
            ("example.com", EXAMPLE),
            ("shop.co.uk", f"{ZONE}@ IN A 127.0.0.1\n"),
            ("xn--mller-kva-q9a.com", f"{ZONE}@ IN A 127.0.0.1\n"),
            ("locked.example", ZONE),
            ("memory.co.uk", LONG_NEGATIVE_TTL_ZONE),
            ("sub.example.com", SUB),
        ):
            (folder / f"{zone}.zone").write_text(text)
        configuration = folder / "named.conf"
        configuration.write_text(
            f"""
            key "{KEY}" {{ algorithm hmac-sha256; secret "{self.secret}"; }};
            key "{OTHER_KEY}" {{ algorithm hmac-sha256; secret "{self.other}"; }};
            options {{
                directory "{folder}"; pid-file none; session-keyfile none; listen-on-v6 {{ none; }};
                listen-on port {port} {{ 127.0.0.1; }}; dnssec-validation no; empty-zones-enable no; notify no;
                recursion {"yes" if "resolver" in name else "no"}; servfail-ttl 0;
                {"" if name == "caching resolver" else "max-cache-ttl 0; max-ncache-ttl 0;"}
                allow-transfer {{ any; }};
            }};
            {more or "controls { };"}
            {zones}
            """
        )
        self.processes[name] = Process([program("named"), "-g", "-c", str(configuration)], folder / "log")
        self.processes[name].start()

    def _primary_zones(self) -> str:
        policy = f"update-policy {{ grant {KEY} zonesub ANY; }};"
        zones = "".join(
            f'zone "{zone}" {{ type primary; file "{zone}.zone"; {policy} }};\n'
            for zone in ("example.com", "shop.co.uk", "xn--mller-kva-q9a.com", "memory.co.uk")
        )
        return zones + 'zone "locked.example" { type primary; file "locked.example.zone"; };\n'

    def _secondary_zones(self) -> str:
        return f"""
            zone "example.com" {{ type secondary; primaries port {self.primary} {{ 127.0.0.1; }}; file "copy.zone"; }};
            zone "sub.example.com" {{
                type primary; file "sub.example.com.zone"; update-policy {{ grant {KEY} zonesub ANY; }};
            }};
            """

    def _controls(self) -> str:
        secret = base64.b64encode(secrets.token_bytes(32)).decode()
        key = f'key "rndc" {{ algorithm hmac-sha256; secret "{secret}"; }};\n'
        (self.directory / "rndc.conf").write_text(f'{key}options {{ default-key "rndc"; }};\n')
        return f'{key}controls {{ inet 127.0.0.1 port {self.control} allow {{ 127.0.0.1; }} keys {{ "rndc"; }}; }};'

    def _forwards(self) -> str:
        zones = dict.fromkeys(
            ("example.com", "shop.co.uk", "xn--mller-kva-q9a.com", "memory.co.uk", "locked.example"), self.primary
        )
        zones["sub.example.com"] = self.secondary
        # An own root zone that delegates only these zones, so that no query leaves this machine.
        root = ["$TTL 300", "@ IN SOA ns. hostmaster. 1 3600 600 86400 2", "@ IN NS ns.", "ns. IN A 127.0.0.1"]
        root += [f"{zone}. IN NS ns." for zone in zones if zone != "sub.example.com"]
        (self.directory / "root.zone").write_text("\n".join(root) + "\n")
        top = f'zone "." {{ type primary; file "{self.directory}/root.zone"; }};\n'
        return top + "".join(
            f'zone "{zone}" {{ type forward; forward only; forwarders {{ 127.0.0.1 port {port}; }}; }};\n'
            for zone, port in zones.items()
        )


def program(name: str) -> str:
    found = shutil.which(name, path=PATH)
    assert found, f"{name} is not installed"
    return found


@contextlib.contextmanager
def bind(directory: Path) -> Iterator[Bind]:
    """BIND for the duration of the context."""
    servers = Bind(directory)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
