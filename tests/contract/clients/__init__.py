# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clients like those of other integrations, each with its own transport, type handling and order of calls.

They follow the API reference's descriptions of known integrations and share no code with the collection. They use the
standard library only.
"""
