# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real name servers on loopback: BIND as primary, secondary and resolver.

Each runs as the user of the tests, on free ports, with everything in a directory of its own.
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
KEY = "certificates"  # as the documentation has it
OTHER_KEY = "other-key"
ZONE = """$TTL 300
@ IN SOA ns1.example.com. hostmaster.example.com. 1 3600 600 86400 2
@ IN NS ns1.example.com.
"""
# Its absence is remembered by who has asked for it.
MEMORY_SECONDS = 25
MEMORY = ZONE.replace("86400 2", f"86400 {MEMORY_SECONDS}")
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
    """A server that runs until it is stopped; what it says goes to a file."""

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


def ask(port: int, name: str, kind: str) -> list[str]:
    """The records of a name, as one server has them."""
    message = dns.query.udp(dns.message.make_query(name, kind), "127.0.0.1", 5, port)
    return sorted(entry.to_text() for rrset in message.answer for entry in rrset)


def wait_for(port: int, name: str | None, process: Process, seconds: float = 30.0) -> None:
    """Until the server answers for a zone, or at all."""
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
    """A primary, a secondary that lags until it is told not to, and a resolver that knows where to ask.

    The secondary is also the only server of sub.example.com. `resolve` and `nameservers` are what a client needs.
    """

    directory: Path
    secret: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())
    other: str = field(default_factory=lambda: base64.b64encode(secrets.token_bytes(32)).decode())

    def __post_init__(self) -> None:
        self.primary, self.secondary, self.resolver, self.control = (free_port() for _unused in range(4))
        self.places = {
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
    def remembering(self) -> Iterator[str]:
        """Another resolver, which remembers what it has heard, as those of authorities may."""
        port = free_port()
        self._configure("remembering resolver", port, self._forwards())
        process = self.processes["remembering resolver"]
        try:
            wait_for(port, "shop.co.uk.", process)
            yield f"127.0.0.1:{port}"
        finally:
            process.stop()

    def stop(self) -> None:
        for process in self.processes.values():
            process.stop()

    def catch_up(self) -> None:
        """The secondary fetches what the primary has now."""
        serial = ask(self.primary, "example.com.", "SOA")
        deadline = time.monotonic() + 30
        self._rndc("retransfer", "example.com")
        while ask(self.secondary, "example.com.", "SOA") != serial:
            assert time.monotonic() < deadline, "the secondary did not catch up"
            time.sleep(0.02)

    def records(self, kind: str = "CNAME") -> list[str]:
        """All records of a type in the primary's zones and in the sub-zone, found by zone transfer."""
        found = []
        zones = [
            (self.primary, zone)
            for zone in ("example.com", "shop.co.uk", "xn--mller-kva-q9a.com", "memory.co.uk", "locked.example")
        ]
        for port, zone in [*zones, (self.secondary, "sub.example.com")]:
            for message in dns.query.xfr("127.0.0.1", zone, port=port, relativize=False, timeout=10):
                found += [
                    f"{rrset.name} {entry.to_text()}"
                    for rrset in message.answer
                    if rrset.rdtype == dns.rdatatype.from_text(kind)
                    for entry in rrset
                ]
        return sorted(set(found))

    @contextlib.contextmanager
    def standing(self, zone: str, name: str, kind: str, value: str) -> Iterator[None]:
        """A record of somebody else's on the primary, for the duration of the block."""
        self.change(zone, "add", name, 300, kind, value)
        try:
            yield
        finally:
            self.change(zone, "delete", name, kind, value)

    def change(self, zone: str, verb: str, name: str, *what: str | int) -> None:
        """One dynamic update of the primary: add or delete."""
        ring = dns.tsigkeyring.from_text({KEY: (dns.tsig.HMAC_SHA256, self.secret)})
        message = dns.update.UpdateMessage(zone, keyring=ring)
        getattr(message, verb)(f"{name}.", *what)
        assert dns.query.tcp(message, "127.0.0.1", 10, self.primary).rcode() == dns.rcode.NOERROR

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
            ("memory.co.uk", MEMORY),
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
                {"" if name == "remembering resolver" else "max-cache-ttl 0; max-ncache-ttl 0;"}
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
        # A root of our own, in which nothing but these zones is delegated: no question leaves this machine.
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
    """BIND, up for the duration of the block."""
    servers = Bind(directory)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
