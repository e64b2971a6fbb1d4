# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Real test hosts without a container engine: systemd, sshd, a file system and an address each, up in seconds.

A host is an overlay over one cached Debian root file system, booted by systemd-nspawn in a network namespace of its
own on a bridge of the run's own. Root is needed. The command line is in __main__.py.
"""
