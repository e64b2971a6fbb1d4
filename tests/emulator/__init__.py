# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The offline GoGetSSL: the vendor's reseller API, a CA that issues real X.509 and really checks proofs.

Run it with `python -m tests.emulator`; the README beside this file lists its options and settings.
"""
