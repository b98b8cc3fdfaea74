# Images of the platform, from the root of the repository (docs/images.md):
#   docker build --target gateway -t registry.example/gateway:0.1.0 .
#   docker build --target worker  -t registry.example/worker:0.1.0 .
# Any base images with the .NET 10 SDK and with ASP.NET Core 10 will do. No syntax line, no cache mounts: also Docker without BuildKit, and
# machines that pull nothing, can build this.
ARG SDK_IMAGE=mcr.microsoft.com/dotnet/sdk:10.0
ARG RUNTIME_IMAGE=mcr.microsoft.com/dotnet/aspnet:10.0

FROM ${SDK_IMAGE} AS source
WORKDIR /source

# What decides about packages comes first: a change of code alone restores nothing. A NuGet.config is taken along if there is one.
COPY global.json NuGet.config* Directory.Build.props Directory.Packages.props ./
COPY eng/ eng/
COPY AgentPlatform.Api/*.csproj AgentPlatform.Api/packages.lock.json AgentPlatform.Api/
COPY AgentPlatform.Client/*.csproj AgentPlatform.Client/packages.lock.json AgentPlatform.Client/
COPY AgentPlatform.Inference/*.csproj AgentPlatform.Inference/packages.lock.json AgentPlatform.Inference/
COPY AgentPlatform.Messaging/*.csproj AgentPlatform.Messaging/packages.lock.json AgentPlatform.Messaging/
COPY AgentPlatform.OnnxChat/*.csproj AgentPlatform.OnnxChat/packages.lock.json AgentPlatform.OnnxChat/
COPY AgentPlatform.ServiceDefaults/*.csproj AgentPlatform.ServiceDefaults/packages.lock.json AgentPlatform.ServiceDefaults/
COPY AgentPlatform.Gateway/*.csproj AgentPlatform.Gateway/packages.lock.json AgentPlatform.Gateway/
COPY AgentPlatform.Worker/*.csproj AgentPlatform.Worker/packages.lock.json AgentPlatform.Worker/

# What the lock files say is restored, or nothing.
RUN for project in Gateway Worker; do \
        dotnet restore AgentPlatform.$project --locked-mode || exit 1; \
    done

COPY AgentPlatform.Api/ AgentPlatform.Api/
COPY AgentPlatform.Client/ AgentPlatform.Client/
COPY AgentPlatform.Inference/ AgentPlatform.Inference/
COPY AgentPlatform.Messaging/ AgentPlatform.Messaging/
COPY AgentPlatform.ServiceDefaults/ AgentPlatform.ServiceDefaults/

FROM source AS gateway-build
COPY AgentPlatform.Gateway/ AgentPlatform.Gateway/
RUN dotnet publish AgentPlatform.Gateway --no-restore -c Release -o /app

# Files belong to root and are read by all: what runs cannot change itself.
FROM ${RUNTIME_IMAGE} AS gateway
WORKDIR /app
COPY --from=gateway-build /app .
ENV HTTP_PORTS=8080
EXPOSE 8080
USER 1654
ENTRYPOINT ["dotnet", "AgentPlatform.Gateway.dll"]

FROM source AS worker-build
COPY AgentPlatform.OnnxChat/ AgentPlatform.OnnxChat/
COPY AgentPlatform.Worker/ AgentPlatform.Worker/
COPY models/ models/
RUN case "$(uname -m)" in aarch64) system=linux-arm64;; *) system=linux-x64;; esac && \
    dotnet publish AgentPlatform.Worker --no-restore -c Release -p:ContainerRuntimeIdentifier=$system -o /app

FROM ${RUNTIME_IMAGE} AS worker
WORKDIR /app
COPY --from=worker-build /app .
# ONNX Runtime 1.31 reports its use to Microsoft, from before its API can tell it not to.
ENV HTTP_PORTS=8080 ORT_DISABLE_TELEMETRY=1
EXPOSE 8080
USER 1654
ENTRYPOINT ["dotnet", "AgentPlatform.Worker.dll"]
