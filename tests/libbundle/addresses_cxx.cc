// SPDX-License-Identifier: MIT
#include "tests/libbundle/addresses.c"
