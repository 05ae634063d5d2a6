#!/bin/bash
# SPDX-License-Identifier: MIT
# Building px: sourced by ./check and ./demo.

# Debian's tools, whatever else is first in PATH.
readonly px_meson=(/usr/bin/python3 /usr/bin/meson)

# px_configure DIRECTORY OPTIONS...: sets a build directory up, or again.
px_configure() {
  local directory=$1 werror=false
  shift
  if [ "${CI:-}" = true ]; then werror=true; fi
  local options=("$directory" "-Dwerror=$werror" "$@")
  if [ ! -f "$directory/build.ninja" ]; then
    "${px_meson[@]}" setup "${options[@]}"
  elif ! "${px_meson[@]}" setup --reconfigure "${options[@]}"; then
    # From another Meson, or of a tree that has moved.
    "${px_meson[@]}" setup --wipe "${options[@]}"
  fi
}

# px_build DIRECTORY TARGETS...: with ninja's own progress.
px_build() {
  local directory=$1
  shift
  ninja -C "$directory" "$@"
}
