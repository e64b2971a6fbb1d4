# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients as other people write them: each with a transport, a reading of types and a flow of its own.

Built from what the API reference tells of known integrations, of none of this collection's code. What they have in
common is only what Python brings along.
"""
