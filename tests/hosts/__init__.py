# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Test hosts without a container engine, each with systemd, sshd, a file system and an IP address.

A host is an overlay over a cached Debian root file system. systemd-nspawn boots it in its own network namespace, which
is connected to the bridge of the run. Root is required. The command line is in __main__.py.
"""
