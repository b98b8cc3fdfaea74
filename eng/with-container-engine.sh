#!/usr/bin/env bash
# Runs a command with a container engine: the one that answers, or else, as root, a dockerd of its own that ends with the command. What
# images it has are kept in ~/.cache/agentplatform/docker.
#   eng/with-container-engine.sh docker images
set -uo pipefail

fail() { echo "with-container-engine.sh: $1" >&2; exit 125; }

command -v docker >/dev/null || fail "there is no docker here (apt-get install docker.io)"
docker info >/dev/null 2>&1 && exec "$@"
[[ "$(id -u)" == 0 ]] || fail "no container engine answers, and only root can start one"
command -v dockerd >/dev/null || fail "no container engine answers, and there is no dockerd to start (apt-get install docker.io)"

state=$(mktemp -d)
export DOCKER_HOST="unix://$state/docker.sock"
dockerd --host "$DOCKER_HOST" --data-root "$HOME/.cache/agentplatform/docker" --exec-root "$state/exec" --pidfile "$state/pid" >"$state/log" 2>&1 </dev/null &
engine=$!
stop() { kill -TERM "$engine" 2>/dev/null; wait "$engine" 2>/dev/null; }
# Namespaces of networks that containers had stay mounted until the engine's folder is gone.
trap 'stop; umount "$state"/exec/netns/* 2>/dev/null; rm -rf --one-file-system "$state"' EXIT
command=""
trap 'kill -TERM $command 2>/dev/null; exit 143' HUP INT TERM

for _ in $(seq 120); do
    docker info >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || { tail -n 3 "$state/log" >&2; fail "dockerd does not run on this machine"; }
    sleep 0.5
done

# Waited for, so that a signal to this script does not wait for the command's end.
"$@" &
command=$!
wait "$command"
