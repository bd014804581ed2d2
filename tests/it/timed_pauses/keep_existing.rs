//! `keep_existing`: pauses that stand are left alone, with their own ends.

use super::{Scene, log_rows, parse_time, pause_in_asterisk};
use crate::support::{ACME, on_every_pbx};

on_every_pbx!(
    pauses_that_stand_are_kept_with_their_ends,
    pauses_that_stand_are_replaced_without_keep_existing,
);

/// Pauses agent 1001 in queue 6001, but not in queue 6002. Returns the response.
fn pause_in_one_queue(scene: &Scene) -> serde_json::Value {
    let bridge = scene.bridge();
    for queue in ["6001", "6002"] {
        bridge.acme_ok(&format!("action=add&agent=1001&queue={queue}"));
    }
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=Tea&duration=600")
}

fn pauses_that_stand_are_kept_with_their_ends(version: u32) {
    let scene = Scene::start(version, &[]);
    let first = pause_in_one_queue(&scene);
    let end = parse_time(&first["queues"][0]["ends_at"]);
    for (keep, queues) in [
        ("1", ""),
        ("true", "&queue=6001,6002"),
        ("yes", "&queue=6001"),
    ] {
        let query = format!(
            "action=pause&agent=1001&reason=Meeting&duration=60&keep_existing={keep}{queues}"
        );
        let body = scene.bridge().acme_ok(&query);
        let kept = &body["queues"][0];
        assert_eq!(kept["queue"], "6001", "{query}: {body}");
        assert_eq!(kept["result"], "ok", "{query}: {body}");
        assert_eq!(kept["kept"], true, "{query}: {body}");
        assert_eq!(
            kept.get("ends_at"),
            None,
            "{query}: a kept row has no end: {body}"
        );
        let rows = body["queues"].as_array().map(Vec::len);
        assert_eq!(
            rows,
            Some(2 - usize::from(keep == "yes")),
            "{query}: {body}"
        );
        if keep == "1" {
            let made = &body["queues"][1];
            assert!(made["ends_at"].is_string(), "{query}: {body}");
            assert_eq!(made.get("kept"), None, "{query}: {body}");
        }
    }
    let pause = |queue| pause_in_asterisk(&mut scene.asterisk.ami(), queue, 1001);
    assert_eq!(pause("acme-6001"), Some((true, "Tea".to_owned())));
    assert_eq!(pause("acme-6002"), Some((true, "Meeting".to_owned())));
    for queue in ["acme-6001", "acme-6002"] {
        let rows = log_rows(&scene.asterisk, queue, 1001);
        assert_eq!(rows.len(), 1, "one pause in {queue}: {rows:#?}");
    }
    let state = scene.bridge().acme_ok("action=showstate&agent=1001");
    let shown = parse_time(&state["queues"][0]["pause_ends_at"]);
    assert_eq!(shown, end, "the kept pause keeps its end: {state}");
    let query = "action=pause&agent=1001&reason=Meeting&keep_existing=maybe";
    let outcome = scene.bridge().get_as(ACME, query).outcome();
    assert_eq!(outcome, "400 invalid_parameter", "{query}");
}

fn pauses_that_stand_are_replaced_without_keep_existing(version: u32) {
    let scene = Scene::start(version, &[]);
    pause_in_one_queue(&scene);
    for keep in ["", "&keep_existing=0", "&keep_existing=no"] {
        let query = format!("action=pause&agent=1001&reason=Meeting{keep}");
        let body = scene.bridge().acme_ok(&query);
        for row in body["queues"].as_array().expect("rows") {
            assert_ne!(row["kept"], true, "{query}: {body}");
        }
        let state = scene.bridge().acme_ok("action=showstate&agent=1001");
        assert_eq!(state["reason"], "Meeting", "{query}: {state}");
        assert_eq!(
            state["queues"][0]["pause_ends_at"],
            serde_json::Value::Null,
            "{query}: nothing ends the new pause: {state}"
        );
    }
    let pause = pause_in_asterisk(&mut scene.asterisk.ami(), "acme-6001", 1001);
    assert_eq!(pause, Some((true, "Meeting".to_owned())));
}
