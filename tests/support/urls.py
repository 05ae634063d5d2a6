# SPDX-License-Identifier: MIT
"""Addresses as URLs have them."""


def bracketed(address):
    return f"[{address}]" if ":" in address else address


def url(address, path="/", port=80):
    return f"http://{bracketed(address)}:{port}{path}"
