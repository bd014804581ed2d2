//! The stream's events match their description in `/openapi.json`.

use std::time::Duration;

use super::client::{Event, EventClient, Item};
use crate::api::openapi::{Schema, contract};
use crate::support::{ACME, SIMULATED, eventually, start};

const EVENT_TIMEOUT: Duration = Duration::from_secs(10);

#[test]
fn every_field_of_every_event_is_in_the_contract() {
    let (mut asterisk, bridge) = start(SIMULATED);
    let document = contract(&bridge);
    let check = |event: &Event| {
        let first = event.name[..1].to_uppercase();
        let schema = format!("{first}{}Event", &event.name[1..]);
        Schema::named(&document, &schema).assert_describes(&event.data, &event.name);
    };
    bridge.get_ok(ACME, "action=add&agent=1001&queue=6001&alias=Dana");
    let mut client = EventClient::open(bridge.address, ACME, "");
    let snapshot = client.until("snapshot", EVENT_TIMEOUT);
    assert_eq!(snapshot[0].data["queues"][0]["members"][0]["alias"], "Dana");
    snapshot.iter().for_each(check);
    bridge.get_ok(ACME, "action=pause&agent=1001&reason=Lunch");
    client.until("member", EVENT_TIMEOUT).iter().for_each(check);
    asterisk.cli("channel originate Local/acme-6001@callers application Wait 60");
    eventually("a queue event contains the caller", || {
        let events = client.until("queue", EVENT_TIMEOUT);
        events.iter().for_each(check);
        let caller = &events.last().expect("an event").data["callers"][0];
        caller.is_object().then_some(())
    });
    asterisk.kill();
    client.until("pbx", EVENT_TIMEOUT).iter().for_each(check);
    bridge.terminate();
    let events = client.until("shutdown", EVENT_TIMEOUT);
    events.iter().for_each(check);
    assert!(matches!(client.next(EVENT_TIMEOUT), Some(Item::End)));
}
