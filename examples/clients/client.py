#!/usr/bin/env python3
"""Pauses an agent, shows a queue, and follows events. Needs only Python 3.8.

    BRIDGE=http://127.0.0.1:8088 BRIDGE_USER=… BRIDGE_PASSWORD=… client.py AGENT QUEUE
"""

import base64
import http.client
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

BRIDGE = os.environ.get("BRIDGE", "http://127.0.0.1:8088")
# As a header, so that no password stands in a URL.
LOGIN = base64.b64encode(f"{os.environ['BRIDGE_USER']}:{os.environ['BRIDGE_PASSWORD']}".encode())
HEADERS = {"Authorization": "Basic " + LOGIN.decode()}

# What a connection that is lost, or was never made, can raise.
LOST = (OSError, http.client.HTTPException)
# It may have been sent: as doubtful as the bridge's own outcome_unknown.
NO_ANSWER = {"code": "outcome_unknown", "message": "The bridge has not answered."}


class BridgeError(Exception):
    """An answer that is no success. The code is for programs, the message for developers."""

    def __init__(self, answer):
        super().__init__(answer["message"])
        self.code = answer["code"]

    @classmethod
    def refusal(cls, response):
        """An error has a body too, which says what is wrong."""
        try:
            return cls(json.load(response))
        except (*LOST, ValueError, KeyError):
            # Not the bridge's own: a proxy speaks, and nobody knows what was sent.
            return cls(NO_ANSWER)


def bridge(**parameters):
    form = urllib.parse.urlencode(parameters).encode()
    request = urllib.request.Request(f"{BRIDGE}/API/UpdateAgentState.php", form, HEADERS)
    try:
        with urllib.request.urlopen(request, timeout=15) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise BridgeError.refusal(error) from None
    except (*LOST, ValueError):
        raise BridgeError(NO_ANSWER) from None


def words(error):
    """What a user of a panel should read."""
    return {
        "not_a_member": "The agent is not in that queue.",
        "unknown_queue": "There is no such queue.",
        "unauthorized": "Wrong user name or password.",
        "pbx_unavailable": "Nothing was done; try again in a moment.",
        "overloaded": "Nothing was done; try again in a moment.",
        "outcome_unknown": "It may or may not have happened: look before trying again.",
    }.get(error.code, str(error))


def follow(queue):
    """Every event, for as long as someone takes them."""
    last = None
    while True:
        headers = dict(HEADERS, **({"Last-Event-ID": last} if last else {}))
        query = urllib.parse.urlencode({"queue": queue})
        request = urllib.request.Request(f"{BRIDGE}/events?{query}", headers=headers)
        try:
            # A comment comes every 15 s: longer silence is a connection that is gone.
            with urllib.request.urlopen(request, timeout=40) as stream:
                fields = {}
                for line in stream:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name:
                        fields[name] = value
                        continue
                    # A comment has no data: it only keeps the connection alive.
                    if "data" in fields:
                        yield fields["event"], json.loads(fields["data"])
                        # Only now is it dealt with.
                        last = fields["id"]
                    fields = {}
        except urllib.error.HTTPError as error:
            # Only what passes by itself is worth another try.
            if error.code not in (429, 502, 503, 504):
                raise BridgeError.refusal(error) from None
        except LOST:
            pass  # The connection is lost: come back.
        time.sleep(1)


def main(agent, queue):
    try:
        paused = bridge(action="pause", agent=agent, queue=queue, reason="Lunch break")
        print("paused:", paused["agent"])
        for member in bridge(action="showqueue", queue=queue)["queues"][0]["members"]:
            print("member:", member["agent"], member["state"], member["paused_reason"] or "-")
        # A mistake, to see what an error looks like.
        bridge(action="showqueue", queue="9999")
    except BridgeError as error:
        print(f"error: {error.code}: {words(error)}", flush=True)

    try:
        for event, data in follow(queue):
            # A snapshot replaces all that was known before.
            about = f" {data['member']['agent']} {data['change']}" if event == "member" else ""
            print(f"event: {event}{about}", flush=True)
    except BridgeError as error:
        sys.exit(f"no events: {error.code}: {words(error)}")


main(*sys.argv[1:])
