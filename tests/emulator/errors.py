# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The exception for refused calls, and the vendor's texts that were observed (API reference 1.7)."""

from __future__ import annotations

UNKNOWN_METHOD = "The requested method is not supported"
BAD_KEY = "Auth key is not valid"
NO_CREDENTIALS = "Username and/or password not supplied"
NO_CREDENTIALS_WHY = "This request requires username and password"
INVALID_EMAIL = "Invalid email address"
INVALID_PERIOD = (
    "Validity Period is not supported. Please specify correct validity period in months for current product"
)
INVALID_COMMON_NAME = (
    "Common name({name}) from your CSR is invalid. "
    "Please provide valid CSR code with valid TLDN (Top-Level-Domain-Name) common name."
)
UNEXPECTED_WILDCARD = (
    "The Common Name (Domain Name: {name}) may not contain a *. Please buy Wildcard SSL Certificate for that CSR"
)
NO_SANS = "The product {product} does not support SAN`s"
UNSUPPORTED_STATUS = "Not supported status"


class ApiError(Exception):
    """A refusal in the vendor's format. The default HTTP status is 200 (API reference 1.4)."""

    def __init__(self, message: str, description: str = "", status: int = 200) -> None:
        super().__init__(message)
        self.message = message
        self.description = description or message
        self.status = status

    def body(self) -> dict[str, object]:
        return {"error": True, "message": self.message, "description": self.description}


def wrong_approver(email: str, name: str) -> ApiError:
    """The observed text has an empty address and a star; with an address, both address and name are included."""
    return ApiError(f"Wrong approver email({email}) for {name if email else '*'}")
