# SPDX-License-Identifier: MIT
"""Waiting for a state, with a deadline."""

import time


class Late(AssertionError):
    """The state was not reached in time."""


def wait_until(predicate, what, deadline=10.0):
    """Returns predicate()'s first true value; raises Late after `deadline` seconds."""
    end = time.monotonic() + deadline
    pause = 0.001
    while True:
        value = predicate()
        if value:
            return value
        if time.monotonic() > end:
            raise Late(f"not within {deadline} s: {what}")
        time.sleep(pause)
        pause = min(pause * 2, 0.05)
