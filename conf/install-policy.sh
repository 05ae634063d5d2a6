#!/bin/sh
# install-policy.sh FILE DIRECTORY: installs the policy, unless there is one already.
set -eu
policy="${DESTDIR:-}$2/px.yaml"
if [ -e "$policy" ]; then
  echo "$policy exists and stays as it is"
else
  install -D -m 644 "$1" "$policy"
fi
