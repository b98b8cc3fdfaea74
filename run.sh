#!/usr/bin/env bash
# Starts the platform on this machine and gets what is missing first. See --help.
set -uo pipefail
cd "$(dirname "$0")"

if [[ "${1:-}" == "--help" || "${1:-}" == "-h" ]]; then
    cat <<'HELP'
Usage: ./run.sh [settings of the application host]

Builds and starts gateway, broker, workers and dashboard. One line tells when they are ready and where:
  AgentPlatform is ready: gateway http://localhost:8080, dashboard http://localhost:15135/login?t=...
Ctrl-C stops everything.

Needs the .NET 10 SDK; Aspire's orchestrator and dashboard come as packages. RabbitMQ is the one of ConnectionStrings__messaging,
else a container if Docker or Podman answers, else the machine's, which is installed with apt-get if need be.

Settings, for example:
  --Broker:Mode=local        auto (default), external, container or local
  --Gateway:Port=9090        port of the gateway (8080)
HELP
    exit 0
fi

fail() { echo "run.sh: $1" >&2; exit 1; }

command -v dotnet >/dev/null && dotnet --list-sdks | grep -q '^10\.' \
    || fail "the .NET 10 SDK is missing: install it from https://dotnet.microsoft.com/download/dotnet/10.0"

broker_mode() {
    local mode="${Broker__Mode:-auto}" previous="" argument
    for argument in "$@"; do
        [[ "${argument,,}" == --broker:mode=* ]] && mode="${argument#*=}"
        [[ "${previous,,}" == --broker:mode ]] && mode="$argument"
        previous="$argument"
    done
    echo "${mode,,}"
}

# The questions of AgentPlatform.AppHost/Broker/ContainerEngine.cs, so that what the application host chooses is there.
container_can_run() {
    local image="docker.io/library/rabbitmq:4.3" engine
    for engine in ${ASPIRE_CONTAINER_RUNTIME:-docker podman}; do
        [[ ! "$("$engine" --version 2>/dev/null)" =~ ^Docker\ version\ ([0-9]+)\. ]] || (( BASH_REMATCH[1] >= 25 )) || continue
        timeout 10 "$engine" container ls --quiet >/dev/null 2>&1 || continue
        "$engine" image inspect "$image" >/dev/null 2>&1 && return
        echo "run.sh: pulling $image with $engine" >&2
        timeout 600 "$engine" pull --quiet "$image" >/dev/null 2>&1
        return
    done
    return 1
}

needs_local_broker() {
    case "$(broker_mode "$@")" in
        local) return 0 ;;
        auto) [[ -z "${ConnectionStrings__messaging:-}" && "$*" != *ConnectionStrings:messaging* ]] && ! container_can_run ;;
        *) return 1 ;;
    esac
}
if needs_local_broker "$@"; then
    ./eng/install-rabbitmq.sh || exit 1
fi

# Without the servers that a build leaves running for the next one: what stops is to be gone.
export MSBUILDDISABLENODEREUSE=1 UseSharedCompilation=false
dotnet build AgentPlatform.AppHost --nologo -v quiet "-clp:ErrorsOnly;NoSummary" >&2 || fail "the build failed"

exec dotnet run --project AgentPlatform.AppHost --no-build -- "$@"
