#!/usr/bin/env bash
# Builds both images, agentplatform/gateway:TAG and agentplatform/worker:TAG. Base images are SDK_IMAGE and RUNTIME_IMAGE, or those that
# make-base-images.sh made, or Microsoft's, or, where these cannot be pulled, those that make-base-images.sh makes now.
#   eng/build-images.sh [TAG]
set -euo pipefail
cd "$(dirname "$0")/.."
tag=${1:-0.1.0}

has() { docker image inspect "$1" >/dev/null 2>&1; }
# With the SDK of this machine, which may have been another one then.
has_made() { [[ "$(docker image inspect --format '{{index .Config.Labels "agentplatform.sdk"}}' agentplatform/local-sdk 2>/dev/null)" == "$(dotnet --version)" ]] && has agentplatform/local-rabbitmq; }
get() { has "$1" || docker pull --quiet "$1" >/dev/null 2>&1; }

if [[ -z "${SDK_IMAGE:-}${RUNTIME_IMAGE:-}" ]]; then
    if ! has_made && ! { get mcr.microsoft.com/dotnet/sdk:10.0 && get mcr.microsoft.com/dotnet/aspnet:10.0; }; then
        ./eng/make-base-images.sh --broker
    fi
    if has_made; then
        SDK_IMAGE=agentplatform/local-sdk RUNTIME_IMAGE=agentplatform/local-aspnet
    fi
fi

for image in gateway worker; do
    # The machine's network: its names and its way to the NuGet feed.
    docker build --network host ${SDK_IMAGE:+--build-arg "SDK_IMAGE=$SDK_IMAGE"} ${RUNTIME_IMAGE:+--build-arg "RUNTIME_IMAGE=$RUNTIME_IMAGE"} \
        --target "$image" --tag "agentplatform/$image:$tag" .
done
docker images --filter "reference=agentplatform/*:$tag" --format '{{.Repository}}:{{.Tag}} {{.Size}}'
