<?php
// Pauses an agent and shows a queue. Needs PHP 7.4 or later, without extensions.
//
//   BRIDGE=http://127.0.0.1:8088 BRIDGE_TOKEN=… php client.php AGENT QUEUE
//
// A user has BRIDGE_USER=… BRIDGE_PASSWORD=… in place of the token.

declare(strict_types=1);

/** An error response. The code is for programs, the message for developers. */
final class BridgeError extends RuntimeException
{
    public string $errorCode;

    public function __construct(string $errorCode, string $message)
    {
        parent::__construct($message);
        $this->errorCode = $errorCode;
    }
}

/**
 * Sends a request to the bridge and returns the response. The parameters go into a form.
 */
function bridge(array $parameters): array
{
    return send('POST', http_build_query($parameters), [])[2];
}

/**
 * Sends a request to the bridge and returns the status, the headers, and the response; null if it
 * has no body. The credentials go into a header, so that no URL and no proxy log contains them.
 */
function send(string $method, string $parameters, array $headers): array
{
    $endpoint = (getenv('BRIDGE') ?: 'http://127.0.0.1:8088') . '/API/UpdateAgentState.php';
    $token = getenv('BRIDGE_TOKEN');
    $login = base64_encode(getenv('BRIDGE_USER') . ':' . getenv('BRIDGE_PASSWORD'));
    $authorization = $token ? "Bearer $token" : "Basic $login";
    $headers[] = "Authorization: $authorization";
    if ($method === 'GET') {
        $endpoint .= "?$parameters";
    } else {
        $headers[] = 'Content-Type: application/x-www-form-urlencoded';
    }
    $context = stream_context_create(['http' => [
        'method' => $method,
        'header' => $headers,
        'content' => $method === 'GET' ? '' : $parameters,
        'timeout' => 15,
        // An error response also has a JSON body, with its code and message.
        'ignore_errors' => true,
    ]]);
    $text = @file_get_contents($endpoint, false, $context);
    // PHP fills this variable. Its first line is the status, as in "HTTP/1.1 200 OK".
    $received = $http_response_header ?? [];
    $status = (int) (explode(' ', $received[0] ?? '')[1] ?? 0);
    if ($status === 304) {
        return [$status, $received, null];
    }
    $answer = json_decode((string) $text, true);
    if (!is_array($answer)) {
        // The connection failed or broke, or a proxy responded with its own page. The
        // client can't know whether the bridge received the request. This is the same
        // uncertainty as the bridge's own outcome_unknown.
        throw new BridgeError('outcome_unknown', 'The bridge has not answered.');
    }
    if ($answer['status'] === 'error') {
        throw new BridgeError($answer['code'], $answer['message']);
    }
    return [$status, $received, $answer];
}

/** Reads from the bridge. If nothing has changed, the bridge responds without a body. */
function read(array $parameters): array
{
    // The entity tag and the response of each read.
    static $lastReads = [];
    $query = http_build_query($parameters);
    [$tag, $last] = $lastReads[$query] ?? [null, null];
    [$status, $headers, $answer] = send('GET', $query, $tag ? ["If-None-Match: $tag"] : []);
    if ($status === 304) {
        return $last;
    }
    foreach ($headers as $header) {
        if (stripos($header, 'ETag: ') === 0) {
            $lastReads[$query] = [substr($header, 6), $answer];
        }
    }
    return $answer;
}

/** Returns the text to show to a panel user. */
function describe(BridgeError $error): string
{
    switch ($error->errorCode) {
        case 'not_a_member':
            return 'The agent is not in that queue.';
        case 'unknown_queue':
            return 'There is no such queue.';
        case 'unauthorized':
            return 'Wrong user name or password.';
        case 'pbx_unavailable':
        case 'overloaded':
        case 'storage_unavailable':
            return 'Nothing was done. Try again in a moment.';
        case 'outcome_unknown':
            return 'It may or may not have happened. Check before you try again.';
        default:
            return $error->getMessage();
    }
}

[, $agent, $queue] = $argv;
try {
    $answer = bridge(['action' => 'pause', 'agent' => $agent, 'queue' => $queue, 'reason' => 'Lunch break']);
    echo "paused: {$answer['agent']}\n";
    // A client that polls would wait for a second between two reads.
    for ($reads = 0; $reads < 3; $reads++) {
        $answer = read(['action' => 'showqueue', 'queue' => $queue]);
    }
    foreach ($answer['queues'][0]['members'] as $member) {
        $reason = $member['paused_reason'] ?? '-';
        echo "member: {$member['agent']} {$member['state']} $reason\n";
    }
    // Queue 9999 does not exist. The bridge responds with an error.
    read(['action' => 'showqueue', 'queue' => '9999']);
} catch (BridgeError $error) {
    echo "error: {$error->errorCode}: " . describe($error) . "\n";
}
