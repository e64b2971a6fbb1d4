# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A real PowerDNS on loopback: authoritative, with its HTTP API and its own database.

It runs as the user of the tests on free ports, with all files in one directory.
"""

from __future__ import annotations

import contextlib
import json
import secrets
import shutil
import sqlite3
import tempfile
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from .servers import Process, free_port, program, query, wait_for

SCHEMA = Path("/usr/share/pdns-backend-sqlite3/schema/schema.sqlite3.sql")
ZONES = ("example.com", "example.net", "shop.example.net", "example.jp")
SECONDARY = "theirs.example"
NEGATIVE_TTL = 2


@dataclass
class PowerDns:
    """The server, its connection data, and access to its records without the collection."""

    directory: Path
    key: str = field(default_factory=lambda: secrets.token_urlsafe(24))

    def __post_init__(self) -> None:
        self.port, self.api_port = free_port(), free_port()
        self.url = f"http://127.0.0.1:{self.api_port}"
        self.nameservers = [f"127.0.0.1:{self.port}"]
        self.addresses = {"ns1.example.net": f"127.0.0.1:{self.port}"}
        self.process = Process([program("pdns_server"), f"--config-dir={self.directory}"], self.directory / "log")

    def start(self) -> None:
        database = self.directory / "zones.sqlite3"
        with contextlib.closing(sqlite3.connect(database)) as connection:
            connection.executescript(SCHEMA.read_text())
        # Without caches and without the query for security updates.
        configuration = self.directory / "pdns.conf"
        configuration.touch(0o600)
        configuration.write_text(
            f"""
            daemon=no\nguardian=no\nlaunch=gsqlite3\ngsqlite3-database={database}\nsocket-dir={self.directory}
            local-address=127.0.0.1\nlocal-port={self.port}\nsecurity-poll-suffix=\nprimary=yes
            cache-ttl=0\nquery-cache-ttl=0\nnegquery-cache-ttl=0\nzone-cache-refresh-interval=0
            webserver=yes\nwebserver-address=127.0.0.1\nwebserver-port={self.api_port}
            api=yes\napi-key={self.key}
            """.replace("            ", "")
        )
        self.process.start()
        wait_for(self.port, None, self.process)
        for zone in ZONES:
            self._create(zone)
        self.call("POST", "zones", {"name": f"{SECONDARY}.", "kind": "Slave", "masters": ["127.0.0.1:9"]})

    def _create(self, zone: str) -> None:
        soa = f"ns1.example.net. hostmaster.example.net. 1 3600 600 86400 {NEGATIVE_TTL}"
        sets = [("SOA", zone, soa), ("A", zone, "127.0.0.1"), ("A", f"www.{zone}", "127.0.0.1")]
        definition = {
            "name": f"{zone}.",
            "kind": "Native",
            "nameservers": ["ns1.example.net."],
            "rrsets": [
                {"name": f"{name}.", "type": kind, "ttl": 300, "records": [{"content": content}]}
                for kind, name, content in sets
            ],
        }
        self.call("POST", "zones", definition)

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the HTTP API."""
        request = urllib.request.Request(
            f"{self.url}/api/v1/servers/localhost/{path}",
            method=method,
            data=None if body is None else json.dumps(body).encode(),
            headers={"X-API-Key": self.key, "Content-Type": "application/json"},
        )
        with urllib.request.urlopen(request, timeout=30) as answer:
            text = answer.read()
        return json.loads(text) if text else None

    def put(self, zone: str, name: str, kind: str, *contents: str, ttl: int = 300, **more: Any) -> None:
        """Replace a foreign record set, or remove it if no contents are given."""
        one = {"name": f"{name}.", "type": kind, "ttl": ttl, **more}
        one.update(changetype="REPLACE" if contents else "DELETE")
        one.setdefault("records", [{"content": content, "disabled": False} for content in contents])
        self.call("PATCH", f"zones/{zone}.", {"rrsets": [one]})

    def rrset(self, zone: str, name: str, kind: str) -> dict[str, Any] | None:
        sets = self.call("GET", f"zones/{zone}.")["rrsets"]
        return next((one for one in sets if (one["name"], one["type"]) == (f"{name}.", kind)), None)

    def records(self) -> list[str]:
        """All CNAME and TXT records in all zones."""
        return sorted(
            f"{rrset['name']} {rrset['type']} {record['content']}"
            for zone in ZONES
            for rrset in self.call("GET", f"zones/{zone}.")["rrsets"]
            if rrset["type"] in ("CNAME", "TXT")
            for record in rrset["records"]
        )

    def remove_records(self) -> list[str]:
        """Remove what a test has left, so that the next test does not fail for it, and return it."""
        left = self.records()
        for record in left:
            name, kind = record.split()[:2]
            zone = max((zone for zone in ZONES if f".{name}".endswith(f".{zone}.")), key=len)
            self.put(zone, name.rstrip("."), kind)
        return left

    def query(self, name: str, kind: str) -> list[str]:
        return query(self.port, f"{name}.", kind)

    @contextlib.contextmanager
    def foreign_records(self, zone: str, name: str, kind: str, *contents: str) -> Iterator[None]:
        """Foreign records for the duration of the context."""
        self.put(zone, name, kind, *contents)
        try:
            yield
        finally:
            self.put(zone, name, kind)


@contextlib.contextmanager
def powerdns() -> Iterator[PowerDns]:
    """PowerDNS for the duration of the context, in a directory with a short path for its control socket."""
    directory = Path(tempfile.mkdtemp(prefix="pdns-"))
    server = PowerDns(directory)
    try:
        server.start()
        yield server
    finally:
        server.process.stop()
        shutil.rmtree(directory)
