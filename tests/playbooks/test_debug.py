# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Ansible's debug mode prints all module options, even with no_log, so no secret may be sent as an option."""

from __future__ import annotations

import hashlib
import re
import socket

import pytest
import yaml

from .conftest import Bench

SECRETS = {
    "password": "api-password-51c2",
    "auth": "auth-key-51c2",
    "store": "store-password-51c2",
    "private": "private-key-51c2",
    "tsig": "dHNpZy1zZWNyZXQtNTFjMg==",
    "powerdns": "powerdns-key-51c2",
    "token": "lexicon-token-51c2",
}
# All options that accept a secret. The results of the tasks do not matter if they use the secret.
PLAY = """
- hosts: all
  gather_facts: false
  ignore_errors: true
  vars:
    record: {zone: example.com, name: _acme.shop.example.com, type: TXT, value: v}
  module_defaults:
    certops.gogetssl.gogetssl_certificate: {certificates: [], directory: "{{ nowhere }}"}
    certops.gogetssl.gogetssl_deploy:
      certificates: [{name: shop, names: [shop.example.com], product: "68"}]
      complete: [shop]
      directory: "{{ nowhere }}"
  tasks:
    - certops.gogetssl.gogetssl_account_info: {gather: [balance], api_password: "{{ password }}"}
    - certops.gogetssl.gogetssl_account_info: {gather: [balance], auth_key: "{{ auth }}"}
    - certops.gogetssl.gogetssl_account_info: {gather: [balance], api_password: "{{ password }}"}
      async: 60
      poll: 1
    - certops.gogetssl.gogetssl_auth:
      no_log: true
      register: login
    - certops.gogetssl.gogetssl_account_info: {gather: [balance], auth_key: "{{ login.auth_key }}"}
    - ansible.builtin.debug: {msg: "hash of the key <{{ login.auth_key | hash('sha256') }}>"}
    - certops.gogetssl.gogetssl_certificate: {store_password: "{{ store }}"}
    - certops.gogetssl.gogetssl_certificate: {private_keys: {shop: "{{ private }}"}}
    - certops.gogetssl.gogetssl_deploy: {store_password: "{{ store }}"}
    - certops.gogetssl.gogetssl_deploy: {private_keys: {shop: "{{ private }}"}}
    - certops.gogetssl.gogetssl_nsupdate:
        {records: ["{{ record }}"], state: present, server: 127.0.0.1, key_name: k, key_secret: "{{ tsig }}"}
    - certops.gogetssl.gogetssl_powerdns:
        {records: ["{{ record }}"], state: present, url: "{{ closed }}", key: "{{ powerdns }}"}
    - certops.gogetssl.gogetssl_lexicon:
        {records: ["{{ record }}"], state: present, provider: unknown_provider, options: {auth_token: "{{ token }}"}}
"""

FETCH = """
- hosts: all
  gather_facts: false
  tasks:
    - certops.gogetssl.gogetssl_certificate_fetch:
        certificates: "{{ gogetssl_certificates }}"
        directory: "{{ gogetssl_directory }}"
      no_log: true
      ignore_errors: true
      register: fetched
    - ansible.builtin.debug: {var: fetched.msg}
"""


@pytest.mark.outermost
def test_ansible_debug_prints_no_secret_option(bench: Bench) -> None:
    play, log = bench.directory / "play.yml", bench.directory / "log"
    assert isinstance(yaml.safe_load(PLAY), list)
    play.write_text(PLAY)
    env = {"ANSIBLE_DEBUG": "1", "ANSIBLE_KEEP_REMOTE_FILES": "0", "ANSIBLE_LOG_PATH": str(log)}
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # without listen()
        closed = f"http://127.0.0.1:{taken.getsockname()[1]}"
        nowhere = str(bench.directory / "nowhere")
        run = bench.run("-vvvvv", playbook=str(play), env=env, nowhere=nowhere, closed=closed, **SECRETS)
    assert run.code == 0, run.output
    assert run.output.count("TASK [") == 13
    for module in ("gogetssl_certificate", "gogetssl_deploy"):
        assert run.output.count(f"done with _execute_module (certops.gogetssl.{module},") == 2
    for text in ("Wrong username and/or password", f"{closed} cannot be reached", "unknown_provider"):
        assert text in run.output
    printed = run.output + log.read_text()
    assert not [text for text in (*SECRETS.values(), bench.emulator.password) if text in printed]
    digest = printed.partition("hash of the key <")[2][:64]
    assert len(digest) == 64
    assert digest not in {hashlib.sha256(word.encode()).hexdigest() for word in re.findall(r"\w{16,}", printed)}


@pytest.mark.slow
def test_ansible_debug_with_the_role_prints_no_secret_and_reads_no_key(bench: Bench) -> None:
    key = bench.session_key()
    env = {"ANSIBLE_DEBUG": "1", "GOGETSSL_STORE_PASSWORD": SECRETS["store"], "GOGETSSL_API_KEY": key}
    run = bench.run("-vvvvv", "--diff", env=env, gogetssl_certificates=[bench.shop(forms=["jks"])])
    assert run.code == 0, run.output
    assert bench.installed()
    secrets = [SECRETS["store"], bench.emulator.password, key, "PRIVATE KEY"]
    assert not [text for text in secrets if text in run.output]

    play = bench.directory / "fetch.yml"
    play.write_text(FETCH)
    run = bench.run(playbook=str(play), env=env, gogetssl_certificates=[bench.shop(order_host="web1")])
    assert "ANSIBLE_DEBUG prints all that hosts answer" in run.output
    assert "PRIVATE KEY" not in run.output
