# SPDX-License-Identifier: MIT
"""What whole-program tests, benchmarks and the demo share.

`lab` makes hosts and links out of network namespaces, with a broker in them; `clients` and
`servers` are the programs that run there.
"""
