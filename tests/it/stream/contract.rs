//! The events that `/openapi.json` has are those that are told.

use std::time::Duration;

use super::client::{Event, EventClient, Item};
use crate::api::openapi::{Schema, contract};
use crate::support::{ACME, SIMULATED, eventually, start};

const SOON: Duration = Duration::from_secs(10);

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
    let snapshot = client.until("snapshot", SOON);
    assert_eq!(snapshot[0].data["queues"][0]["members"][0]["alias"], "Dana");
    snapshot.iter().for_each(check);
    bridge.get_ok(ACME, "action=pause&agent=1001&reason=Lunch");
    client.until("member", SOON).iter().for_each(check);
    asterisk.cli("channel originate Local/acme-6001@callers application Wait 60");
    eventually("a queue is told with its caller", || {
        let told = client.until("queue", SOON);
        told.iter().for_each(check);
        let caller = &told.last().expect("an event").data["callers"][0];
        caller.is_object().then_some(())
    });
    asterisk.kill();
    client.until("pbx", SOON).iter().for_each(check);
    bridge.terminate();
    let told = client.until("shutdown", SOON);
    told.iter().for_each(check);
    assert!(matches!(client.next(SOON), Some(Item::End)));
}
