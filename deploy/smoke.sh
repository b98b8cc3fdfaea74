#!/usr/bin/env bash
# Asks a running platform what its clients ask, and looks at the raw answers. Exit code 1, and one sentence, if one is not as it must be.
set -uo pipefail

usage() {
    cat <<'HELP'
Usage: deploy/smoke.sh ADDRESS [MODEL]
       deploy/smoke.sh --namespace NAMESPACE [MODEL]

ADDRESS is the gateway's, such as http://localhost:8080; with --namespace it is reached through kubectl port-forward. MODEL is the one to
ask (tiny-chat). All of it ends within SMOKE_SECONDS (110); give more where a pool at zero waits for a node. Needs curl and jq.
HELP
}

fail() { echo "smoke.sh: $1" >&2; exit 1; }
say() { echo "smoke.sh: $1" >&2; }

seconds="${SMOKE_SECONDS:-110}"
[[ "$seconds" =~ ^[1-9][0-9]{0,4}$ ]] || fail "SMOKE_SECONDS is '$seconds', no number of seconds"
# What is left of them; a second at least, since 0 is no limit for curl.
left() { echo $((seconds > SECONDS + 1 ? seconds - SECONDS : 1)); }
is_over() { ((SECONDS >= seconds)); }
for tool in curl jq; do command -v $tool >/dev/null || fail "there is no $tool here"; done

answers=$(mktemp -d)
forward=""
trap '[[ -z "$forward" ]] || kill "$forward" 2>/dev/null; rm -rf "$answers"' EXIT

case "${1:-}" in
    "" | -h | --help) usage; exit 0 ;;
    --namespace)
        [[ -n "${2:-}" ]] || { usage >&2; exit 1; }
        kubectl --namespace "$2" port-forward service/gateway-service 18080:8080 >"$answers/forward" 2>&1 &
        forward=$!
        address=http://localhost:18080
        shift 2 ;;
    *) address="${1%/}"; shift ;;
esac
model="${1:-tiny-chat}"

ask() { curl --silent --show-error --fail-with-body --connect-timeout 5 --max-time "$(left)" "$@"; }

health() { ask --max-time 3 --output "$answers/health" "$address/health" 2>"$answers/health-error"; }
why_not() { cat "$answers/health-error" "$answers/forward" 2>/dev/null | tail -n 1; }
until health; do
    is_over && fail "$address/health is not healthy: $(why_not)"
    say "waiting for $address/health, up to $(left) s more: $(why_not)"
    sleep 2
done

ask "$address/v1/models" >"$answers/models" || fail "$address/v1/models: $(head -c 300 "$answers/models")"
jq -e --arg model "$model" 'any(.data[]; .id == $model)' "$answers/models" >/dev/null || fail "$address does not serve the model '$model'"

# The first answer of a pool at zero waits for a node and an image.
chat() { ask -H 'Content-Type: application/json' --data "$1" "$address/v1/chat/completions" >"$2" 2>"$answers/chat-error"; }
what_came() { head -c 300 "$1"; [[ -s "$1" ]] || cat "$answers/chat-error"; }
chat_to_the_end() {
    local body
    body=$(jq -nc --arg model "$model" '{model: $model, max_tokens: 32, messages: [{role: "user", content: "How do I see traces?"}]}')
    say "waiting for the first answer of '$model', up to $(left) s"
    until chat "$body" "$answers/chat"; do
        is_over && fail "the chat with '$model' has no answer: $(what_came "$answers/chat")"
        say "waiting for an answer of '$model', up to $(left) s more: $(what_came "$answers/chat")"
        sleep 3
    done
    jq -e '.choices[0] | (.message.content | length > 0) and (.finish_reason != null)' "$answers/chat" >/dev/null 2>&1 \
        || fail "the chat with '$model' has no answer: $(head -c 300 "$answers/chat")"

    # Client libraries do not notice a stream that is cut off: only its bytes show that it ended well.
    chat "$(jq -c '. + {stream: true}' <<<"$body")" "$answers/stream" || fail "the streamed chat with '$model' failed: $(what_came "$answers/stream")"
    ! grep -q '^data: {"error"' "$answers/stream" || fail "the streamed chat with '$model' has an error: $(grep -m 1 '^data: {"error"' "$answers/stream")"
    grep -q '"finish_reason":"[a-z_]' "$answers/stream" || fail "the streamed chat with '$model' has no finish_reason"
    [[ "$(grep -v '^\s*$' "$answers/stream" | tail -n 1 | tr -d '\r')" == "data: [DONE]" ]] || fail "the streamed chat with '$model' does not end with data: [DONE]"
}
[[ "$model" == sentiment ]] || chat_to_the_end

if jq -e 'any(.data[]; .id == "sentiment")' "$answers/models" >/dev/null; then
    say "waiting for an answer of 'sentiment', up to $(left) s"
    ask -H 'Content-Type: application/json' --data '{"text":"What a lovely day."}' "$address/analyze" >"$answers/analyze" 2>"$answers/chat-error" \
        && jq -e '.sentiment == "Positive"' "$answers/analyze" >/dev/null || fail "/analyze: $(what_came "$answers/analyze")"
fi

echo "smoke.sh: $address answers, with '$model' to the end"
