#!/usr/bin/env bash
# Makes base images where none can be pulled: Debian by debootstrap, and this machine's .NET in it. Needs root, debootstrap, a container
# engine, and the .NET 10 SDK. Prints what to build with. With --broker also an image with RabbitMQ, for tests.
#   agentplatform/local-aspnet   agentplatform/local-sdk   agentplatform/local-rabbitmq
set -euo pipefail

suite=bookworm
# Without ICU, as this repository's programs run invariant.
packages=ca-certificates,libssl3,libstdc++6,tzdata,zlib1g

fail() { echo "make-base-images.sh: $1" >&2; exit 1; }

[[ "$(id -u)" == 0 ]] || fail "run as root, which debootstrap needs"
command -v debootstrap >/dev/null || fail "there is no debootstrap here (apt-get install debootstrap)"
command -v docker >/dev/null && docker info >/dev/null 2>&1 || fail "no container engine answers (DOCKER_HOST names another one)"
dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
[[ -d $dotnet/sdk ]] || fail "there is no .NET SDK here"
sdk=$(cd "$(dirname "$0")" && dotnet --version)

root=$(mktemp -d)
trap 'rm -rf --one-file-system "$root"' EXIT
debootstrap --variant=minbase --include="$packages" "$suite" "$root" >"$root.log" 2>&1 || fail "debootstrap failed, see $root.log"
rm -f "$root.log"
# Certificates of a registry inside of a company, if this machine knows any.
cp /etc/ssl/certs/ca-certificates.crt "$root/etc/ssl/certs/ca-certificates.crt"
ln -s ../share/dotnet/dotnet "$root/usr/bin/dotnet"
echo 'app:x:1654:1654::/home/app:/usr/sbin/nologin' >>"$root/etc/passwd"
echo 'app:x:1654:' >>"$root/etc/group"

import() {
    local name=$1; shift
    rm -rf "$root"/var/cache/apt/* "$root"/var/lib/apt/lists/* "$root"/var/log/* "$root"/usr/share/{doc,man,locale,info}/* "$root"/tmp/*
    tar -C "$root" --numeric-owner -c . | docker import "$@" - "$name" >/dev/null
    echo "$name $(docker image inspect --format '{{.Size}}' "$name" | awk '{ printf "%.0f MB", $1 / 1e6 }')"
}

settings=(--change "ENV DOTNET_SYSTEM_GLOBALIZATION_INVARIANT=1 DOTNET_RUNNING_IN_CONTAINER=true")
# Where the network checks of this machine are set otherwise, restores in the image need the same.
sdk_settings=()
[[ -z "${NUGET_CERT_REVOCATION_MODE:-}" ]] || sdk_settings=(--change "ENV NUGET_CERT_REVOCATION_MODE=$NUGET_CERT_REVOCATION_MODE")

mkdir -p "$root/usr/share/dotnet"
cp -a "$dotnet"/{dotnet,host,shared} "$root/usr/share/dotnet/"
import agentplatform/local-aspnet "${settings[@]}"

cp -a "$dotnet/." "$root/usr/share/dotnet/"
import agentplatform/local-sdk "${settings[@]}" "${sdk_settings[@]}" --change "ENV DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1" --change "LABEL agentplatform.sdk=$sdk"

if [[ "${1:-}" == --broker ]]; then
    rm -rf "$root/usr/share/dotnet" "$root/usr/bin/dotnet"
    printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d" && chmod +x "$root/usr/sbin/policy-rc.d"
    cp /etc/resolv.conf /etc/hosts "$root/etc/"
    { chroot "$root" apt-get update -qq \
        && DEBIAN_FRONTEND=noninteractive chroot "$root" apt-get install -y -qq --no-install-recommends rabbitmq-server; } >"$root.log" 2>&1 \
        || fail "apt-get could not install rabbitmq-server, see $root.log"
    rm -f "$root.log"
    import agentplatform/local-rabbitmq --change 'USER rabbitmq' --change 'ENTRYPOINT ["/usr/lib/rabbitmq/bin/rabbitmq-server"]'
fi

echo "docker build --network host --build-arg SDK_IMAGE=agentplatform/local-sdk --build-arg RUNTIME_IMAGE=agentplatform/local-aspnet --target gateway ."
