#!/usr/bin/env bash
# Runs a command with a container engine: the one that answers, or else, as root, a dockerd of its own that ends with the command and
# leaves nothing but its images, in ~/.cache/agentplatform/docker. That one changes neither routing nor the firewall: containers reach each
# other and this machine, and nothing beyond it.
#   eng/with-container-engine.sh docker images
set -uo pipefail

fail() { echo "with-container-engine.sh: $1" >&2; exit 125; }

command -v docker >/dev/null || fail "there is no docker here (apt-get install docker.io)"
docker info >/dev/null 2>&1 && exec "$@"
[[ "$(id -u)" == 0 ]] || fail "no container engine answers, and only root can start one"
command -v dockerd >/dev/null || fail "no container engine answers, and there is no dockerd to start (apt-get install docker.io)"

data="${AGENTPLATFORM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/agentplatform}/docker"
mkdir -p "$data" && state=$(mktemp -d) || fail "$data cannot be made"
name="agentplatform-${state##*.}"
export DOCKER_HOST="unix://$state/docker.sock"

# One engine at a time has these images; the lock is open in dockerd, and so ends with it.
exec 9>"$data.lock"
flock -w 600 9 || fail "another engine has had $data for ten minutes"

# In a mount namespace of its own, so that no mount outlives it, with layers over the folders where it would write besides its own. In a
# session of its own, so that a signal to all of this script's group reaches it last. It ends with this script, however that ends.
setsid setpriv --pdeathsig TERM unshare --mount sh -c '
    layers=$1; shift
    mkdir "$layers" && mount -n -t tmpfs none "$layers" || exit
    for folder in etc/docker opt run; do
        [ ! -d "/$folder" ] || { mkdir -p "$layers/$folder/upper" "$layers/$folder/work" &&
            mount -n -t overlay -o "lowerdir=/$folder,upperdir=$layers/$folder/upper,workdir=$layers/$folder/work" none "/$folder"; } || exit
    done
    exec "$@"' sh "$state/layers" dockerd --host "$DOCKER_HOST" --data-root "$data" --exec-root "$state/exec" --pidfile "$state/pid" \
    --cgroup-parent "/$name" --bridge none --iptables=false --ip6tables=false --ip-forward=false >"$state/log" 2>&1 </dev/null &
engine=$!

stop() {
    local containers
    containers=$(timeout 60 docker ps --all --quiet 2>/dev/null)
    # shellcheck disable=SC2086
    [[ -z "$containers" ]] || timeout 60 docker rm --force --volumes $containers >/dev/null 2>&1
    timeout 60 docker network prune --force >/dev/null 2>&1
    # Stages of builds have no name; they spare the next build its restore.
    timeout 60 docker image prune --force --filter until=168h >/dev/null 2>&1
    kill -TERM "$engine" 2>/dev/null; wait "$engine" 2>/dev/null
    find /sys/fs/cgroup -depth -type d -path "*/$name*" -exec rmdir {} + 2>/dev/null
    rm -rf --one-file-system "$state"
}
trap stop EXIT
command=""
trap 'kill -TERM $command 2>/dev/null; exit 143' HUP INT TERM

for _ in $(seq 120); do
    docker info >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || { tail -n 3 "$state/log" >&2; fail "dockerd does not run on this machine"; }
    sleep 0.5
done

# Waited for, so that a signal to this script does not wait for the command's end.
"$@" 9>&- &
command=$!
wait "$command"
