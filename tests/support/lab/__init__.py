# SPDX-License-Identifier: MIT
"""Hosts and links made of network namespaces, a broker in them, and what the kernel counts."""
