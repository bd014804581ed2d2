#!/usr/bin/env bash
# Pauses an agent and shows a queue, with curl.
#
#   BRIDGE=http://127.0.0.1:8088 BRIDGE_TOKEN=… examples/clients/curl.sh AGENT QUEUE
#
# A user has BRIDGE_USER=… BRIDGE_PASSWORD=… in place of the token.
set -uo pipefail
agent=$1 queue=$2
endpoint=${BRIDGE:-http://127.0.0.1:8088}/API/UpdateAgentState.php

# Sends a request to the bridge. The parameters go into a form and the credentials into a
# header, so that no URL contains them. curl reads the credentials from a file descriptor, so
# that the process list does not show them either.
credentials() {
  if [ -n "${BRIDGE_TOKEN:-}" ]; then
    printf 'header = "Authorization: Bearer %s"\n' "$BRIDGE_TOKEN"
  else
    printf 'user = "%s:%s"\n' "$BRIDGE_USER" "$BRIDGE_PASSWORD"
  fi
}
bridge() {
  local form=()
  for parameter; do form+=(--data-urlencode "$parameter"); done
  curl --silent --show-error --max-time 15 "${form[@]}" \
    --config <(credentials) "$endpoint"
}

# Reads from the bridge into the variable `answer`. curl stores each read's entity tag in a file. If
# nothing has changed, the bridge responds without a body, and `answer` is the read's last response.
tags=$(mktemp -d)
trap 'rm -r "$tags"' EXIT
poll() {
  local form=() changed tag
  for parameter; do form+=(--data-urlencode "$parameter"); done
  tag=$tags/$(printf '%s\n' "$@" | cksum | cut -d ' ' -f 1)
  touch "$tag"
  changed=$(curl --silent --show-error --max-time 15 --get "${form[@]}" \
    --etag-compare "$tag" --etag-save "$tag" --config <(credentials) "$endpoint") || return 1
  [[ -z $changed ]] || printf '%s\n' "$changed" >"$tag.json"
  answer=$(<"$tag.json")
}

# Prints a string field of a JSON response. A panel would use a JSON library; this function
# needs only sed.
field() { sed -n "s/.*\"$1\":\"\([^\"]*\)\".*/\1/p" <<<"$2"; }

answer=$(bridge action=pause "agent=$agent" "queue=$queue" "reason=Lunch break") || exit 1
case $answer in
  '{"status":"success"'*) echo "paused: $agent" ;;
  # The text for the user depends on the code. The message is for developers.
  *'"code":"not_a_member"'*) echo "Agent $agent is not in queue $queue." ;;
  *'"code":"outcome_unknown"'*) echo "It may or may not have happened. Check before you try again." ;;
  *'"code":"pbx_unavailable"'* | *'"code":"overloaded"'* | *'"code":"storage_unavailable"'*)
    echo "Nothing was done. Try again in a moment." ;;
  *) echo "Failed: $(field message "$answer")" ;;
esac

# A client that polls would wait for a second between two reads.
for _ in 1 2 3; do poll action=showqueue "queue=$queue" || exit 1; done
case $answer in
  '{"status":"success"'*) echo "queue: $answer" ;;
  *) echo "error: $(field code "$answer"): $(field message "$answer")" ;;
esac

# Queue 9999 does not exist. The bridge responds with an error.
answer=$(bridge action=showqueue queue=9999) || exit 1
echo "error: $(field code "$answer"): $(field message "$answer")"
