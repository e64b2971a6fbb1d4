# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plays of the services' pages and README's first playbook as they stand, on test hosts with the real services.

The configuration of a service is that of its page. What the operator's configuration has around it is added here.
"""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from tests.bin.stages import no_hosts
from tests.emulator.testing import Emulator
from tests.hosts import lifecycle

ROOT = Path(__file__).resolve().parents[2]
# Those of the molecule scenario `services`, so that both use one root file system.
PACKAGES = ("apache2", "dovecot-imapd", "haproxy", "postfix", "tomcat10")
PAGES = ROOT / "docs" / "services"
RUN = "pages"
PARALLEL = 4
# Other services of the root file system would use the ports.
STOP = (
    "systemctl is-system-running --wait; systemctl stop nginx apache2 haproxy postfix dovecot tomcat10 2>&1 || true\n"
)
BROKER = """
install -m 755 /dev/stdin /usr/local/sbin/{program} <<'END'
#!/bin/sh
[ "$1" != {check} ] || exec /usr/bin/python3 /root/broker.py --check {name}
exec /usr/bin/python3 /root/broker.py {name} {arguments}
END
cat > /etc/systemd/system/{unit}.service <<'END'
[Service]
ExecStart=/usr/local/sbin/{program}
ExecReload=/bin/kill -HUP $MAINPID
END
"""


@dataclass(frozen=True)
class Case:
    """A play of a page, and a script that configures the service with the page's configuration (`{page}`)."""

    page: str
    script: str
    endpoint: tuple[str, ...]
    number: int = 0  # of the play in its page

    @property
    def name(self) -> str:
        """The name of the host. README's play names it."""
        return "web1" if self.page == "README" else f"{self.page}{self.number or ''}"


CASES = (
    Case(
        # As README says: nginx starts with the first server, and the second one is added without a reload.
        "README",
        "rm /etc/nginx/sites-enabled/default; cat > /etc/nginx/conf.d/both <<'END'\n{page}END\n"
        "sed '/^}}/q' /etc/nginx/conf.d/both > /etc/nginx/conf.d/shop.conf; systemctl start nginx\n"
        "mv /etc/nginx/conf.d/both /etc/nginx/conf.d/shop.conf\n",
        ("443",),
    ),
    Case(
        "nginx",
        "systemctl start nginx\n"
        "cat > /etc/nginx/conf.d/tls.conf <<'END'\nserver {{ listen 443 ssl; root /var/www/html;\n{page}}}\nEND\n",
        ("443",),
    ),
    Case(
        "apache",
        "a2enmod --quiet ssl; systemctl start apache2\n"
        "cat >> /etc/apache2/sites-available/000-default.conf <<'END'\n"
        "<VirtualHost *:443>\nSSLEngine on\n{page}</VirtualHost>\nEND\n",
        ("443",),
    ),
    Case(
        "haproxy",
        "cat > /etc/haproxy/haproxy.cfg <<'END'\n"
        "defaults\n timeout connect 5s\n timeout client 30s\n timeout server 30s\n{page}\nEND\n",
        ("443",),
    ),
    Case(
        "postfix",
        "cat > /etc/postfix/main.cf <<'END'\ncompatibility_level = 3.6\nmyhostname = mail.example.com\n{page}END\n",
        ("25", "-starttls", "smtp"),
    ),
    Case(
        "dovecot",
        "sed -Ei 's/^(ssl_(cert|key) =)/#\\1/' /etc/dovecot/conf.d/10-ssl.conf\n"
        "cat >> /etc/dovecot/conf.d/10-ssl.conf <<'END'\n{page}END\n",
        ("993",),
    ),
    Case(
        "tomcat",
        'cat > /etc/tomcat10/server.xml <<\'END\'\n<Server port="-1"><Service name="Catalina">\n{page}'
        '<Engine name="Catalina" defaultHost="localhost"><Host name="localhost" appBase="webapps"/></Engine>\n'
        "</Service></Server>\nEND\n",
        ("8443",),
    ),
    Case(
        "custom",
        BROKER.format(program="broker", unit="broker", check="--check", name="mq", arguments="8883"),
        ("8883",),
    ),
    Case(
        "custom",
        BROKER.format(program="exim", unit="exim4", check="-bV", name="mx", arguments="25 smtp"),
        ("25", "-starttls", "smtp"),
        number=1,
    ),
)


def blocks(page: str) -> list[tuple[str, str]]:
    """The code blocks of a page as (language, text)."""
    text = (ROOT / "README.md" if page == "README" else PAGES / f"{page}.md").read_text()
    found = re.findall(r"^ *```(\w*)\n(.*?)^ *```$", text, re.DOTALL | re.MULTILINE)
    return [(language, textwrap.dedent(block)) for language, block in found]


@pytest.fixture(scope="session")
def results(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, list[str]]]:
    """What each case has printed: its play, the client of its service, and the orders."""
    hosts = {host.name: host for host in lifecycle.up(RUN, [case.name for case in CASES], PACKAGES)}
    try:
        with ThreadPoolExecutor(PARALLEL) as pool:
            directory = tmp_path_factory.mktemp("pages")
            done = pool.map(lambda case: run_case(case, hosts[case.name], directory / case.name), CASES)
            yield dict(zip([case.name for case in CASES], done))
    finally:
        lifecycle.down(RUN)


def run_case(case: Case, host: lifecycle.Host, directory: Path) -> list[str]:
    directory.mkdir()
    yaml_blocks = [text for language, text in blocks(case.page) if language == "yaml"]
    plays = [text for text in yaml_blocks if "hosts:" in text]
    (directory / "play.yml").write_text(plays[case.number])
    for text in yaml_blocks:
        if text.startswith("# "):  # a task file, whose first line names it
            (directory / text.split()[1]).write_text(text)
    configuration = next((text for language, text in blocks(case.page) if language not in ("yaml", "sh")), "")
    ssh(host, "cat > /root/broker.py", Path(__file__).with_name("broker.py").read_text())
    ssh(host, "sh -s", STOP + (case.script.format(page=configuration) if "{page}" in case.script else case.script))
    (play,) = yaml.safe_load(plays[case.number])
    (certificate,) = (play.get("vars") or play["roles"][0]["vars"])["gogetssl_certificates"]
    resolve = dict.fromkeys(certificate["names"], host.address)
    with Emulator(resolve=resolve) as emulator, contextlib.suppress(subprocess.TimeoutExpired):
        emulator.set(issuance_delay=0.0, dcv_interval=0.5)
        (directory / "inventory.yml").write_text(inventory(host, emulator, resolve))
        output = playbook(directory)
        endpoint = ["-connect", f"{host.address}:{case.endpoint[0]}", *case.endpoint[1:]]
        client = ["openssl", "s_client", "-servername", certificate["names"][0], "-CAfile", str(emulator.ca), *endpoint]
        served = subprocess.run(client, input="", capture_output=True, text=True, timeout=30, check=False)
        return [output, served.stdout, json.dumps(emulator.ledger()["orders"])]
    return ["timeout"] * 3


def ssh(host: lifecycle.Host, command: str, text: str) -> None:
    options = ["-i", host.identity_file, "-o", f"UserKnownHostsFile={host.known_hosts}", "-o", "IdentitiesOnly=yes"]
    process = ["ssh", *options, f"{host.user}@{host.address}", command]
    subprocess.run(process, input=text, text=True, check=True, capture_output=True, timeout=120)


def inventory(host: lifecycle.Host, emulator: Emulator, resolve: dict[str, str]) -> str:
    """Only what an operator has in his inventory, and what leads the names to the test host."""
    variables = {
        "ansible_host": host.address,
        "ansible_user": host.user,
        "ansible_ssh_private_key_file": host.identity_file,
        "ansible_ssh_common_args": f"-o UserKnownHostsFile={host.known_hosts} -o IdentitiesOnly=yes",
        "ansible_python_interpreter": "/usr/bin/python3",
        "gogetssl_api_url": emulator.url,
        "gogetssl_api_user": emulator.user,
        "gogetssl_api_password": emulator.password,
        "gogetssl_resolve": resolve,
        "gogetssl_wait_interval": 1,
        "gogetssl_serve_timeout": 30,
    }
    return yaml.safe_dump({"all": {"hosts": {host.name: variables}}})


def playbook(directory: Path) -> str:
    clean = {key: value for key, value in os.environ.items() if not key.startswith(("ANSIBLE_", "GOGETSSL_"))}
    environment = {
        **clean,
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / ".venv" / "collections"),
        "ANSIBLE_HOME": str(directory / "ansible"),
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_PIPELINING": "true",
    }
    program = str(Path(sys.executable).with_name("ansible-playbook"))
    command = [program, "-i", "inventory.yml", "play.yml"]
    done = subprocess.run(
        command, cwd=directory, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    return done.stdout + done.stderr


@pytest.mark.skipif(bool(no_hosts()), reason=no_hosts() or "test hosts can be started")
@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_the_play_of_the_page_installs_a_certificate_that_is_served(results: dict[str, list[str]], case: Case) -> None:
    output, served, orders = results[case.name]
    assert "failed=0" in output, output
    assert "installed: order" in output, output
    assert "Verify return code: 0 (ok)" in served, served
    assert len(json.loads(orders)) == 1, orders


def test_every_play_of_the_pages_is_run() -> None:
    pages = sorted(page.stem for page in PAGES.glob("*.md"))
    plays = [page for page in pages for _language, text in blocks(page) if "hosts:" in text]
    assert ["README", *plays] == sorted(case.page for case in CASES)
