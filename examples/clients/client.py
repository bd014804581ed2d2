#!/usr/bin/env python3
"""Pauses an agent, shows a queue, and follows its events. Needs Python 3.8 or later.

    BRIDGE=http://127.0.0.1:8088 BRIDGE_TOKEN=… client.py AGENT QUEUE

A user has BRIDGE_USER=… BRIDGE_PASSWORD=… in place of the token.
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


def authorization():
    """Returns the credentials for a header, so that no URL contains them."""
    if "BRIDGE_TOKEN" in os.environ:
        return "Bearer " + os.environ["BRIDGE_TOKEN"]
    login = f"{os.environ['BRIDGE_USER']}:{os.environ['BRIDGE_PASSWORD']}"
    return "Basic " + base64.b64encode(login.encode()).decode()


HEADERS = {"Authorization": authorization()}

# Exceptions that are raised when a connection fails or breaks.
CONNECTION_ERRORS = (OSError, http.client.HTTPException)
# Without a response, the client can't know whether the bridge received the request. This
# is the same uncertainty as the bridge's own outcome_unknown.
NO_ANSWER = {"code": "outcome_unknown", "message": "The bridge has not answered."}


class BridgeError(Exception):
    """An error response. The code is for programs, the message for developers."""

    def __init__(self, answer):
        super().__init__(answer["message"])
        self.code = answer["code"]

    @classmethod
    def from_response(cls, response):
        """Reads the JSON body of an error response."""
        try:
            return cls(json.load(response))
        except (*CONNECTION_ERRORS, ValueError, KeyError):
            # A proxy responded, and may or may not have passed the request on.
            return cls(NO_ANSWER)


def bridge(**parameters):
    """Sends a request to the bridge and returns the response."""
    form = urllib.parse.urlencode(parameters).encode()
    request = urllib.request.Request(f"{BRIDGE}/API/UpdateAgentState.php", form, HEADERS)
    try:
        with urllib.request.urlopen(request, timeout=15) as response:
            return json.load(response)
    except urllib.error.HTTPError as error:
        raise BridgeError.from_response(error) from None
    except (*CONNECTION_ERRORS, ValueError):
        raise BridgeError(NO_ANSWER) from None


# The entity tag and the response of each read.
LAST_READS = {}


def read(**parameters):
    """Reads from the bridge. If nothing has changed, the bridge responds without a body."""
    query = urllib.parse.urlencode(parameters)
    tag, answer = LAST_READS.get(query, (None, None))
    headers = dict(HEADERS, **({"If-None-Match": tag} if tag else {}))
    url = f"{BRIDGE}/API/UpdateAgentState.php?{query}"
    try:
        request = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(request, timeout=15) as response:
            answer = json.load(response)
            LAST_READS[query] = response.headers["ETag"], answer
    except urllib.error.HTTPError as error:
        # urllib raises an error for 304 too, which means that the last response still applies.
        if error.code != 304:
            raise BridgeError.from_response(error) from None
    except (*CONNECTION_ERRORS, ValueError):
        raise BridgeError(NO_ANSWER) from None
    return answer


def describe(error):
    """Returns the text to show to a panel user."""
    return {
        "not_a_member": "The agent is not in that queue.",
        "unknown_queue": "There is no such queue.",
        "unauthorized": "Wrong user name or password.",
        "pbx_unavailable": "Nothing was done. Try again in a moment.",
        "overloaded": "Nothing was done. Try again in a moment.",
        "storage_unavailable": "Nothing was done. Try again in a moment.",
        "outcome_unknown": "It may or may not have happened. Check before you try again.",
    }.get(error.code, str(error))


def follow(queue):
    """Yields a queue's events until the caller stops or the bridge refuses the request."""
    last_id = None
    while True:
        headers = dict(HEADERS, **({"Last-Event-ID": last_id} if last_id else {}))
        query = urllib.parse.urlencode({"queue": queue})
        request = urllib.request.Request(f"{BRIDGE}/events?{query}", headers=headers)
        try:
            # The bridge sends a comment every 15 s. If nothing arrives for 40 s, the
            # connection is lost.
            with urllib.request.urlopen(request, timeout=40) as stream:
                fields = {}
                for line in stream:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name:
                        fields[name] = value
                        continue
                    # A comment has no data. It only keeps the connection alive.
                    if "data" in fields:
                        yield fields["event"], json.loads(fields["data"])
                        # The caller has handled the event, so the bridge need not send it again.
                        last_id = fields["id"]
                    fields = {}
        except urllib.error.HTTPError as error:
            # Other errors are permanent.
            if error.code not in (429, 502, 503, 504):
                raise BridgeError.from_response(error) from None
        except CONNECTION_ERRORS:
            pass  # The connection is lost: reconnect.
        time.sleep(1)


def main(agent, queue):
    try:
        paused = bridge(action="pause", agent=agent, queue=queue, reason="Lunch break")
        print("paused:", paused["agent"])
        # A client that polls would wait for a second between two reads.
        for _ in range(3):
            shown = read(action="showqueue", queue=queue)
        for member in shown["queues"][0]["members"]:
            print("member:", member["agent"], member["state"], member["paused_reason"] or "-")
        # Queue 9999 does not exist. The bridge responds with an error.
        read(action="showqueue", queue="9999")
    except BridgeError as error:
        print(f"error: {error.code}: {describe(error)}", flush=True)

    try:
        for event, data in follow(queue):
            # A client that shows the queue replaces all its state when it gets a snapshot.
            about = f" {data['member']['agent']} {data['change']}" if event == "member" else ""
            print(f"event: {event}{about}", flush=True)
    except BridgeError as error:
        sys.exit(f"no events: {error.code}: {describe(error)}")


main(*sys.argv[1:])
