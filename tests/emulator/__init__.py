# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An offline GoGetSSL: the vendor's reseller API and a CA that validates names and issues real X.509 certificates.

Run it with `python -m tests.emulator`. README.md in this directory lists the options and settings.
"""
