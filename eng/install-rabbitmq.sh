#!/usr/bin/env bash
# Installs rabbitmq-server from the distribution's packages unless it is there, without starting the system's own broker. Ends with
# exit code 1, and what else helps, if it cannot.
set -uo pipefail

command -v rabbitmq-server >/dev/null || [[ -x /usr/lib/rabbitmq/bin/rabbitmq-server ]] && exit 0
"$(dirname "$0")/install-packages.sh" rabbitmq-server && exit 0
echo "install-rabbitmq.sh: or start Docker or Podman, which the platform runs its broker in" >&2
exit 1
