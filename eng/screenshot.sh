#!/usr/bin/env bash
# Makes docs/images/dashboard.png of a real run: the test that finds every resource in the dashboard takes a picture of what it sees.
# Needs what the tier AppHost needs: rabbitmq-server and Chromium (./test.sh gets them).
set -euo pipefail
cd "$(dirname "$0")/.."
picture=docs/images/dashboard.png
dotnet build AgentPlatform.Tests --nologo -v quiet
AGENTPLATFORM_SCREENSHOT="$PWD/$picture" dotnet test AgentPlatform.Tests --no-build --nologo --filter "FullyQualifiedName~DashboardTests.Resources_OfTheTopology"
size=$(stat -c %s "$picture")
(( size < 200000 )) || { echo "screenshot.sh: $picture has $size bytes; 200,000 are the most" >&2; exit 1; }
echo "$picture: $size bytes"
