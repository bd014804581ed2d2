#!/usr/bin/env bash
# Pauses an agent and shows a queue, with curl.
#
#   BRIDGE=http://127.0.0.1:8088 BRIDGE_USER=… BRIDGE_PASSWORD=… examples/clients/curl.sh AGENT QUEUE
set -uo pipefail
agent=$1 queue=$2
endpoint=${BRIDGE:-http://127.0.0.1:8088}/API/UpdateAgentState.php

# The parameters go as a form and the credentials as a header, so that no password
# stands in a URL; curl reads them from a file descriptor, so that none stands in the
# list of processes either.
bridge() {
  local form=()
  for parameter; do form+=(--data-urlencode "$parameter"); done
  curl --silent --show-error --max-time 15 "${form[@]}" \
    --config <(printf 'user = "%s:%s"\n' "$BRIDGE_USER" "$BRIDGE_PASSWORD") "$endpoint"
}

# One field of an answer. A panel has a JSON library; this needs nothing but sed.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$2"; }

answer=$(bridge action=pause "agent=$agent" "queue=$queue" "reason=Lunch break") || exit 1
case $answer in
  '{"status":"success"'*) echo "paused: $agent" ;;
  # What it means for the user, by its code; the message is for the developer.
  *'"code":"not_a_member"'*) echo "Agent $agent is not in queue $queue." ;;
  *'"code":"outcome_unknown"'*) echo "It may or may not have happened: look before trying again." ;;
  *'"code":"pbx_unavailable"'* | *'"code":"overloaded"'*) echo "Nothing was done; try again in a moment." ;;
  *) echo "Failed: $(field message "$answer")" ;;
esac

answer=$(bridge action=showqueue "queue=$queue") || exit 1
case $answer in
  '{"status":"success"'*) echo "queue: $answer" ;;
  *) echo "error: $(field code "$answer"): $(field message "$answer")" ;;
esac

# A mistake, to see what an error looks like.
answer=$(bridge action=showqueue queue=9999) || exit 1
echo "error: $(field code "$answer"): $(field message "$answer")"
