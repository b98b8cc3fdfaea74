#!/usr/bin/env bash
# Installs rabbitmq-server from the distribution's packages unless it is there, without starting the system's own broker: the
# platform and the tests start theirs, on their own ports, and stop it. Ends with one sentence and exit code 1 if it cannot.
set -uo pipefail

fail() { echo "install-rabbitmq.sh: $1" >&2; exit 1; }

command -v rabbitmq-server >/dev/null || [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] && exit 0
command -v apt-get >/dev/null || fail "there is no apt-get here: install rabbitmq-server with this system's package manager"

as_root=()
if [[ "$(id -u)" != 0 ]]; then
    sudo -n true 2>/dev/null || fail "run 'sudo apt-get install rabbitmq-server', or start Docker or Podman"
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
"${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rabbitmq-server >>"$log" 2>&1 \
    || fail "apt-get could not install rabbitmq-server, see $log"
rm -f "$log"
