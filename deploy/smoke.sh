#!/usr/bin/env bash
# Asks a running platform what its clients ask, and looks at the raw answers. Exit code 1, and one sentence, if one is not as it must be.
set -uo pipefail

usage() {
    cat <<'HELP'
Usage: deploy/smoke.sh ADDRESS [MODEL]
       deploy/smoke.sh --namespace NAMESPACE [MODEL]

ADDRESS is the gateway's, such as http://localhost:8080; with --namespace it is reached through kubectl port-forward. MODEL is the one to
ask (tiny-chat); a pool at zero has five minutes to come. Needs curl and jq.
HELP
}

fail() { echo "smoke.sh: $1" >&2; exit 1; }

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

ask() { curl --silent --show-error --fail-with-body "$@"; }

health() { ask --max-time 5 --output "$answers/health" "$address/health" 2>"$answers/health-error"; }
for _ in {1..60}; do health && break; sleep 2; done
health || fail "$address/health is not healthy: $(cat "$answers/health-error" "$answers/forward" 2>/dev/null | tail -n 1)"

ask --max-time 20 "$address/v1/models" >"$answers/models" || fail "$address/v1/models: $(head -c 300 "$answers/models")"
jq -e --arg model "$model" 'any(.data[]; .id == $model)' "$answers/models" >/dev/null || fail "$address does not serve the model '$model'"

# The first answer of a pool at zero waits for a node and an image.
chat() { ask --max-time 300 -H 'Content-Type: application/json' --data "$1" "$address/v1/chat/completions" >"$2"; }
chat_to_the_end() {
    local body
    body=$(jq -nc --arg model "$model" '{model: $model, max_tokens: 32, messages: [{role: "user", content: "How do I see traces?"}]}')
    for _ in {1..5}; do chat "$body" "$answers/chat" 2>/dev/null && break; sleep 10; done
    jq -e '.choices[0] | (.message.content | length > 0) and (.finish_reason != null)' "$answers/chat" >/dev/null 2>&1 \
        || fail "the chat with '$model' has no answer: $(head -c 300 "$answers/chat")"

    # Client libraries do not notice a stream that is cut off: only its bytes show that it ended well.
    chat "$(jq -c '. + {stream: true}' <<<"$body")" "$answers/stream" || fail "the streamed chat with '$model' failed: $(head -c 300 "$answers/stream")"
    ! grep -q '^data: {"error"' "$answers/stream" || fail "the streamed chat with '$model' has an error: $(grep -m 1 '^data: {"error"' "$answers/stream")"
    grep -q '"finish_reason":"[a-z_]' "$answers/stream" || fail "the streamed chat with '$model' has no finish_reason"
    [[ "$(grep -v '^\s*$' "$answers/stream" | tail -n 1 | tr -d '\r')" == "data: [DONE]" ]] || fail "the streamed chat with '$model' does not end with data: [DONE]"
}
[[ "$model" == sentiment ]] || chat_to_the_end

if jq -e 'any(.data[]; .id == "sentiment")' "$answers/models" >/dev/null; then
    ask --max-time 300 -H 'Content-Type: application/json' --data '{"text":"What a lovely day."}' "$address/analyze" >"$answers/analyze" \
        && jq -e '.sentiment == "Positive"' "$answers/analyze" >/dev/null || fail "/analyze: $(head -c 300 "$answers/analyze")"
fi

echo "smoke.sh: $address answers, with '$model' to the end"
