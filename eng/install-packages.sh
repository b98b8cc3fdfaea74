#!/usr/bin/env bash
# Installs packages of Debian or Ubuntu, without starting the services that come with them: the platform and the tests start theirs, on
# their own ports, and stop them. Ends with one sentence and exit code 1 if it cannot.
#   eng/install-packages.sh docker.io debootstrap
set -uo pipefail

fail() { echo "install-packages.sh: $1" >&2; exit 1; }

command -v apt-get >/dev/null || fail "there is no apt-get here: install $* with this system's package manager"

as_root=()
if [[ "$(id -u)" != 0 ]]; then
    sudo -n true 2>/dev/null || fail "run 'sudo apt-get install $*'"
    as_root=(sudo -n)
fi

# Packages ask this script whether their service may start; 101 is no.
policy=/usr/sbin/policy-rc.d
if [[ ! -e $policy ]]; then
    trap '"${as_root[@]}" rm -f "$policy"' EXIT
    printf '#!/bin/sh\nexit 101\n' | "${as_root[@]}" tee "$policy" >/dev/null && "${as_root[@]}" chmod +x "$policy"
fi

log=$(mktemp)
"${as_root[@]}" apt-get update -qq >"$log" 2>&1
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$@" >>"$log" 2>&1 \
    || fail "apt-get could not install $*, see $log"
rm -f "$log"
