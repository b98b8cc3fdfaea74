#!/usr/bin/env bash
# Trains the models in this folder from the data beside them: models/train.sh sentiment|tiny-chat|all [options of the trainer]
#
# Needs the .NET SDK and, for tiny-chat, a libstdc++ of GCC 13 or newer (PyTorch's library asks for it). Where the system's is older, as on
# Debian 12, that of Debian 13 is fetched with its C library into ~/.cache/agentplatform/trixie, by apt-get from the mirror that the system uses; root
# is not needed and nothing is installed. The trainer then starts through that folder's loader.
set -euo pipefail
cd "$(dirname "$0")/.."

usage() { sed -n '2s/^# //p' "$0" >&2; exit 2; }

has_new_libstdcxx() {
    local library
    library=$(ldconfig -p | sed -n 's/.*libstdc++\.so\.6 .*x86-64.*=> //p' | head -1)
    [[ -n $library ]] && grep -q GLIBCXX_3.4.32 "$library"
}

# Unpacks Debian 13's C and C++ libraries into the folder $1.
fetch_libraries() {
    local work mirror
    work=$(mktemp -d)
    trap 'rm -rf "$work"; trap - RETURN' RETURN # Otherwise it would run again when the next function returns.
    mirror=$(apt-get indextargets --format '$(ORIGIN) $(SUITE) $(REPO_URI)' | sed -n 's/^Debian [a-z]* \(.*\)/\1/p' | grep -v security | head -1)
    mkdir -p "$work"/state/lists/partial "$work"/cache/archives/partial "$work"/root
    echo "deb [signed-by=/usr/share/keyrings/debian-archive-keyring.gpg] ${mirror:?apt-get knows no Debian mirror} trixie main" > "$work/sources.list"
    touch "$work/state/status"
    local apt=(apt-get -qq -o Dir::State="$work/state" -o Dir::State::status="$work/state/status" -o Dir::Cache="$work/cache"
        -o Dir::Etc::SourceList="$work/sources.list" -o Dir::Etc::SourceParts=/dev/null -o APT::Sandbox::User=)
    "${apt[@]}" update
    (cd "$work" && "${apt[@]}" download libc6 libgcc-s1 libstdc++6)
    for package in "$work"/*.deb; do
        dpkg-deb -x "$package" "$work/root"
    done

    # .NET looks for its runtime beside the program that the kernel started, which is the loader: it is named dotnet and stands beside links to it.
    local dotnet
    dotnet=$(dirname "$(readlink -f "$(command -v dotnet)")")
    mkdir "$work/root/dotnet"
    cp "$work"/root/usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2 "$work/root/dotnet/dotnet"
    ln -s "$dotnet/host" "$dotnet/shared" "$work/root/dotnet/"
    mkdir -p "$(dirname "$1")"
    rm -rf "$1"
    mv "$work/root" "$1"
}

train() {
    local program=artifacts/trainer/AgentPlatform.Trainer.dll root=${XDG_CACHE_HOME:-$HOME/.cache}/agentplatform/trixie
    # Threads that wait must not spin: they would take the processor from those that work.
    export OMP_WAIT_POLICY=passive
    if [[ $1 != tiny-chat ]] || has_new_libstdcxx; then
        dotnet "$program" "$@"
        return
    fi

    [[ -x $root/dotnet/dotnet && -e $root/dotnet/shared ]] || fetch_libraries "$root"
    "$root/dotnet/dotnet" --library-path "$root/usr/lib/x86_64-linux-gnu" "$(readlink -f "$(command -v dotnet)")" exec "$program" "$@"
}

case ${1:-} in
    sentiment|tiny-chat) models=("$1") ;;
    all) models=(sentiment tiny-chat) ;;
    *) usage ;;
esac
shift
dotnet build models/trainer -c Release --nologo -v quiet -o artifacts/trainer
for model in "${models[@]}"; do
    train "$model" "$@"
done
