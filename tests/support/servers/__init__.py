# SPDX-License-Identifier: MIT
"""Servers that tests run in the lab, and what starts them."""
