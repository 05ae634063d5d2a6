// SPDX-License-Identifier: MIT
// What makes a function one of libbundle.so's own: everything else in it is hidden. Those functions
// stand in libbundle.map, too, each with the version that brought it.
#pragma once

#define BUNDLE_EXPORT extern "C" __attribute__((visibility("default")))
