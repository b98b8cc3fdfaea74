#!/usr/bin/env bash
# Runs every test tier that this machine can run, says which it left out and why, and ends with one line:
#   N passed, N failed, N skipped
set -uo pipefail
cd "$(dirname "$0")"

if [[ "${1:-}" == "--help" || "${1:-}" == "-h" ]]; then
    cat <<'HELP'
Usage: ./test.sh [dotnet test options]

Builds the solution and runs its tests. Tiers:
  default   needs nothing but the .NET 10 SDK
  Broker    needs rabbitmq-server on the machine (installed from the distribution's packages when run as root)
HELP
    exit 0
fi

find_rabbitmq() {
    command -v rabbitmq-server || ls /usr/sbin/rabbitmq-server /usr/lib/rabbitmq/bin/rabbitmq-server 2>/dev/null | head -n 1
}

# Installs without starting the system's own broker: the tests start theirs, on their own ports, and stop it.
install_rabbitmq() {
    local policy=/usr/sbin/policy-rc.d made=0
    if [[ ! -e $policy ]]; then printf '#!/bin/sh\nexit 101\n' > "$policy" && chmod +x "$policy" && made=1; fi
    apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends rabbitmq-server
    [[ $made == 1 ]] && rm -f "$policy"
}

if [[ -z "$(find_rabbitmq)" && "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then
    echo "test.sh: installing rabbitmq-server for the Broker tier"
    install_rabbitmq >/dev/null 2>&1
fi

filter=()
if [[ -z "$(find_rabbitmq)" ]]; then
    filter=(--filter "Category!=Broker")
    echo "test.sh: left out the Broker tier: no rabbitmq-server here (apt-get install rabbitmq-server)"
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
dotnet build AgentPlatform.sln --nologo -v quiet || { echo "test.sh: the build failed"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }
dotnet test AgentPlatform.sln --nologo --no-build "${filter[@]}" --logger trx --results-directory "$results" "$@"
status=$?

# <Counters total="12" executed="11" passed="10" failed="1" ... notExecuted="1" .../>, one per test project.
sum() { cat "$results"/*.trx 2>/dev/null | grep -o '<Counters [^>]*' | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' | awk '{n += $1} END {print n + 0}'; }
total=$(sum total); executed=$(sum executed); passed=$(sum passed)
if [[ $status == 0 && $passed == 0 ]]; then echo "test.sh: no test ran"; status=1; fi
echo "$passed passed, $((executed - passed)) failed, $((total - executed)) skipped"
exit $status
