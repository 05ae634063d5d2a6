# SPDX-License-Identifier: MIT
"""Programs that tests run at the lab's client, and the tests' ends of them.

A program whose docstring begins with a command line is a script: it knows nothing of px.
"""
