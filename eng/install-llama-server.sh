#!/usr/bin/env bash
# Gets llama.cpp's llama-server, an inference server with OpenAI's API, and prints the path of a program that runs it. It comes from a
# newer suite of Debian, with the C library and the rest of what it needs, into a folder of its own: nothing is installed, the system's
# package lists and libraries stay as they are, and root is not needed. Does nothing if it is there already. Ends with one sentence and
# exit code 1 if it cannot. Beside the program is llama-quantize, which changes the precision of a model's file.
#   AGENTPLATFORM_LLAMA_SERVER=PROGRAM  use this llama-server and get none
#   AGENTPLATFORM_CACHE=FOLDER          where it goes (~/.cache/agentplatform)
set -uo pipefail

suite=forky # The first with the package llama.cpp-tools.

fail() { echo "install-llama-server.sh: $1" >&2; exit 1; }

if [[ -n "${AGENTPLATFORM_LLAMA_SERVER:-}" ]]; then
    [[ -x "$AGENTPLATFORM_LLAMA_SERVER" ]] || fail "AGENTPLATFORM_LLAMA_SERVER is $AGENTPLATFORM_LLAMA_SERVER, which is no program"
    echo "$AGENTPLATFORM_LLAMA_SERVER"
    exit 0
fi

cache="${AGENTPLATFORM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/agentplatform}"
home="$cache/llama.cpp-$suite"
program="$home/llama-server"
is_there() { [[ -x "$home/llama-server" && -x "$home/llama-quantize" ]]; }
is_there && { echo "$program"; exit 0; }

for tool in apt-get dpkg-deb flock; do
    command -v $tool >/dev/null || fail "there is no $tool here; install llama.cpp yourself and set AGENTPLATFORM_LLAMA_SERVER to its llama-server"
done
mkdir -p "$cache" && cache=$(realpath "$cache") || fail "$cache cannot be made"
home="$cache/llama.cpp-$suite"
program="$home/llama-server"

# One at a time; who had to wait finds the work done.
exec 9>"$cache/llama.cpp.lock"
flock -w 900 9 || fail "another run has been getting it for a quarter of an hour"
is_there && { echo "$program"; exit 0; }

# The mirror that this machine takes its own packages from, whatever kind of file names it and whether or not its lists are there. Sample:
#   'http://mirror/debian/dists/bookworm/InRelease' mirror_debian_dists_bookworm_InRelease 0
release=$(. /etc/os-release && echo "${VERSION_CODENAME:-}")
mirror=$(apt-get update --print-uris 2>/dev/null | sed -n "s|^'\([^']*\)/dists/${release:-stable}/InRelease' .*|\1|p" | head -n 1)
[[ -n "$mirror" ]] || fail "apt knows no mirror of Debian here; install llama.cpp yourself and set AGENTPLATFORM_LLAMA_SERVER to its llama-server"

work="$cache/llama.cpp.work"
rm -rf "$work"
mkdir -p "$work"/{lists,archives,state}/partial "$work/root" || fail "$work cannot be made"
trap 'rm -rf "$work"' EXIT
: >"$work/status"
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
echo "deb $([[ -r $keyring ]] && echo "[signed-by=$keyring] ")$mirror $suite main" >"$work/sources.list"

# An apt with lists, archives and an empty package database of its own: what it would install on an empty system is what the server
# needs. Settings of the machine, such as a proxy, apply to it too.
cat >"$work/apt.conf" <<CONF
Dir::State "$work/state";
Dir::State::status "$work/status";
Dir::State::lists "$work/lists";
Dir::Cache "$work";
Dir::Cache::archives "$work/archives";
Dir::Etc::sourcelist "$work/sources.list";
Dir::Etc::sourceparts "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
APT::Sandbox::User "";
APT::Install-Recommends "false";
APT::Update::Post-Invoke "";
APT::Update::Post-Invoke-Success "";
Acquire::Languages "none";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "3";
CONF
export APT_CONFIG="$work/apt.conf" DEBIAN_FRONTEND=noninteractive
log="$work/log"
apt-get update -qq >"$log" 2>&1 && apt-get install -qq -y --download-only llama.cpp-tools >>"$log" 2>&1 \
    || fail "apt could not get llama.cpp-tools of Debian's suite $suite: $(grep -m 1 '^E:' "$log" || tail -n 1 "$log")"
for package in "$work"/archives/*.deb; do
    dpkg-deb -x "$package" "$work/root" || fail "$package cannot be unpacked"
done

loader=$(cd "$work/root" && compgen -G 'usr/lib/*/ld-linux*.so.*' | head -n 1)
[[ -n "$loader" && -x "$work/root/usr/bin/llama-server" ]] || fail "the packages of $suite hold no llama-server where it used to be"
libraries=$(dirname "$loader")

# ggml looks for the code of each kind of CPU beside the running program, which here is the loader.
(cd "$work/root/$libraries" && for backend in ggml/backends*/*.so; do ln -s "$backend" .; done)

for name in llama-server llama-quantize; do
    cat >"$work/$name" <<RUN
#!/bin/sh
# Runs $name with the C library and the libraries that came with it.
root=\$(dirname "\$(readlink -f "\$0")")/root
exec "\$root/$loader" --library-path "\$root/$libraries:\$root/$libraries/llama" "\$root/usr/bin/$name" "\$@"
RUN
    chmod +x "$work/$name"
done
"$work/llama-server" --version >"$log" 2>&1 || fail "llama-server does not run here: $(tail -n 1 "$log")"

rm -rf "$work"/{lists,archives,state,status,lock*,sources.list,apt.conf,log,*.bin} "$home"
mv "$work" "$home" || fail "$home cannot be made"
echo "$program"
