<?php
// Pauses an agent and shows a queue. PHP 7.4 or later; no extension is needed.
//
//   BRIDGE=http://127.0.0.1:8088 BRIDGE_USER=… BRIDGE_PASSWORD=… php client.php AGENT QUEUE

declare(strict_types=1);

/** An answer that is no success. The code is for programs, the message for developers. */
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
 * Asks the bridge. The parameters go as a form and the credentials as a header, so
 * that no password stands in a URL, and so in no proxy's log.
 */
function bridge(array $parameters): array
{
    $endpoint = (getenv('BRIDGE') ?: 'http://127.0.0.1:8088') . '/API/UpdateAgentState.php';
    $login = base64_encode(getenv('BRIDGE_USER') . ':' . getenv('BRIDGE_PASSWORD'));
    $context = stream_context_create(['http' => [
        'method' => 'POST',
        'header' => "Authorization: Basic $login\r\nContent-Type: application/x-www-form-urlencoded",
        'content' => http_build_query($parameters),
        'timeout' => 15,
        // An error has a body too, which says what is wrong.
        'ignore_errors' => true,
    ]]);
    $text = @file_get_contents($endpoint, false, $context);
    $answer = json_decode((string) $text, true);
    if (!is_array($answer)) {
        // No answer, or a page of a proxy in its place. It may have been sent: as
        // doubtful as the bridge's own outcome_unknown.
        throw new BridgeError('outcome_unknown', 'The bridge has not answered.');
    }
    if ($answer['status'] === 'error') {
        throw new BridgeError($answer['code'], $answer['message']);
    }
    return $answer;
}

/** What a user of a panel should read. */
function words(BridgeError $error): string
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
            return 'Nothing was done; try again in a moment.';
        case 'outcome_unknown':
            return 'It may or may not have happened: look before trying again.';
        default:
            return $error->getMessage();
    }
}

[, $agent, $queue] = $argv;
try {
    $answer = bridge(['action' => 'pause', 'agent' => $agent, 'queue' => $queue, 'reason' => 'Lunch break']);
    echo "paused: {$answer['agent']}\n";
    $answer = bridge(['action' => 'showqueue', 'queue' => $queue]);
    foreach ($answer['queues'][0]['members'] as $member) {
        $reason = $member['paused_reason'] ?? '-';
        echo "member: {$member['agent']} {$member['state']} $reason\n";
    }
    // A mistake, to see what an error looks like.
    bridge(['action' => 'showqueue', 'queue' => '9999']);
} catch (BridgeError $error) {
    echo "error: {$error->errorCode}: " . words($error) . "\n";
}
