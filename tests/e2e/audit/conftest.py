# SPDX-License-Identifier: MIT
"""Every test here needs the audit, which some machines cannot have."""

import pytest

from support.auditing import why_not


@pytest.fixture(autouse=True)
def able():
    if why_not():
        pytest.skip(why_not())
