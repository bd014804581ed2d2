//! A request about others' agents and queues costs the PBX as little as one about nobody's. A
//! client can therefore not tell them apart by the response time.

use std::collections::HashMap;

use serde_json::Value;

use super::scene::{ASKERS, Asker, Login, Scene, Whose};
use super::usage::{Usage, Use};
use crate::support::SIMULATED;

/// Whose agents and queues the limited accounts can't reach.
const UNREACHABLE: [Whose; 3] = [Whose::Others, Whose::Nobodys, Whose::Foreign];

/// Returns the parameters of requests about the agent and the queue of `whose`. Each is also
/// combined with the account's own.
fn requests(whose: Whose) -> Vec<(String, String)> {
    let own = Whose::Own;
    let pairs = [
        (whose.agent().to_owned(), own.queue().to_owned()),
        (own.agent().to_owned(), whose.queue().to_owned()),
        (whose.agent().to_owned(), whose.queue().to_owned()),
        (
            own.agent().to_owned(),
            format!("{},{}", own.queue(), whose.queue()),
        ),
        (
            format!("{},{}", own.agent(), whose.agent()),
            own.queue().to_owned(),
        ),
    ];
    pairs.to_vec()
}

/// Counts the actions that the bridge has sent to the PBX, by request id.
fn sent_counts(scene: &Scene) -> HashMap<String, usize> {
    let mut counts = HashMap::new();
    let log = scene.bridge.log();
    let lines = log.lines();
    let lines = lines.filter_map(|line| serde_json::from_str::<Value>(line).ok());
    for line in lines.filter(|line| line["message"] == "sent") {
        let id = line["request_id"].as_str().unwrap_or_default();
        *counts.entry(id.to_owned()).or_default() += 1;
    }
    counts
}

/// Sends the requests about `whose`, and returns their outcomes and ids.
fn send_all(scene: &mut Scene, asker: &Asker, whose: Whose) -> Vec<(String, String)> {
    let mut sent = Vec::new();
    for usage in Usage::all() {
        for (agent, queue) in requests(whose) {
            let agent = match usage.agent {
                Use::Refused => String::new(),
                _ => format!("&agent={agent}"),
            };
            for fresh in ["", "&fresh=1"] {
                let parameters = format!("{agent}&queue={queue}{fresh}");
                let id = format!("{}-{whose:?}-{}", asker.name, sent.len());
                let response = scene.ask(asker, &usage, &parameters, &id);
                let query = format!("{} {parameters}", usage.action);
                let query = query.replace(whose.agent(), "AGENT");
                let query = query.replace(whose.queue(), "QUEUE");
                sent.push((format!("{query}: {}", response.status), id));
                scene.restore();
            }
        }
    }
    sent
}

#[test]
fn requests_about_others_and_about_nobody_send_the_same_actions() {
    let mut scene = Scene::start(SIMULATED, "\"*\"");
    let is_limited = |asker: &Asker| asker.has_agent_limit && asker.has_queue_limit;
    let can_change = |asker: &Asker| matches!(asker.login, Login::Password | Login::Token);
    let askers = ASKERS.into_iter().filter(is_limited).filter(can_change);
    for asker in askers {
        let sent = UNREACHABLE.map(|whose| send_all(&mut scene, &asker, whose));
        let counts = sent_counts(&scene);
        let counted = sent.map(|requests| {
            let counted = requests.into_iter().map(|(request, id)| {
                let count = counts.get(&id).copied().unwrap_or_default();
                (request, count)
            });
            counted.collect::<Vec<_>>()
        });
        let [others, nobodys, foreign] = counted;
        assert_eq!(others, nobodys);
        assert_eq!(foreign, nobodys);
        // The own queue in a list makes the bridge send changes, so the counts are not all 0.
        assert!(others.iter().any(|(_, count)| *count > 0), "{others:?}");
        for (request, count) in others
            .iter()
            .filter(|(request, _)| request.ends_with("404"))
        {
            assert_eq!(*count, 0, "{request}");
        }
    }
}
