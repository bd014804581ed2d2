//! Verifies that member events arrive, by setting a member's penalty to its current value and
//! waiting for the event.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, sleep, timeout_at};

use super::permissions::{report_required_lines, required_lines};
use super::report::{MemberEvents, PbxReport, Report};
use crate::ami::{Action, Client, Message, Observer, Reply};
use crate::queues::{Member, Membership, QueueError, QueueName, QueueQueries, set_penalty};

/// How long to wait for the event.
const EVENT_TIMEOUT: Duration = Duration::from_secs(3);

/// The interval between pings while waiting. A busy Asterisk 22.10, which wakes idle AMI sessions
/// with a signal, was once seen to send no event for three seconds. A ping is input, so the session
/// does not depend on the signal.
const PING_INTERVAL: Duration = Duration::from_millis(500);

/// A link observer that forwards `QueueMemberPenalty` events.
pub(super) struct PenaltyObserver(UnboundedSender<Message>);

/// Creates an observer and the receiver for the events that it forwards.
pub(super) fn penalty_events() -> (PenaltyObserver, UnboundedReceiver<Message>) {
    let (sender, receiver) = unbounded_channel();
    (PenaltyObserver(sender), receiver)
}

impl Observer for PenaltyObserver {
    fn link_up(&mut self) {}

    fn event(&mut self, event: &Message) {
        if event.event() == Some(b"QueueMemberPenalty") {
            // Without a probe, the receiver has been dropped, and sending fails.
            let _ = self.0.send(event.clone());
        }
    }

    fn answered(&mut self, _: &Action, _: &Reply) {}

    fn link_down(&mut self) {}
}

/// Sets the penalty of a member in one of `queues` to its current value. Returns whether the
/// event arrived, or `None` if the queues have no members. Prefers a dynamic member, since a
/// static member's penalty may be stored in a realtime database.
///
/// # Errors
/// Returns a [`QueueError`] if the members can't be read or the penalty can't be set.
pub(super) async fn probe(
    client: &Client,
    deadline: Instant,
    queues: &[QueueName],
    mut events: UnboundedReceiver<Message>,
) -> Result<Option<bool>, QueueError> {
    let queries = QueueQueries::new(client.begin(deadline, "check")?);
    let Some((queue, member)) = find_member(&queries, queues).await? else {
        return Ok(None);
    };
    let interface = &*member.interface;
    set_penalty(&queries, &queue, interface, member.penalty).await?;
    let arrived = async {
        while let Some(event) = events.recv().await {
            let has_value = |header, value: &str| event.get_last(header) == Some(value.as_bytes());
            if has_value("Queue", &queue) && has_value("Interface", interface) {
                return true;
            }
        }
        false
    };
    let pings = async {
        loop {
            sleep(PING_INTERVAL).await;
            // A failed ping changes nothing: the event either arrives or not.
            let _ = queries.ping().await;
        }
    };
    tokio::select! {
        arrived = timeout_at(Instant::now() + EVENT_TIMEOUT, arrived) => {
            Ok(Some(arrived.unwrap_or(false)))
        }
        () = pings => unreachable!("the pings never end"),
    }
}

/// Finds a member to probe. Skips members whose name is not UTF-8, because Asterisk sends no
/// events for them.
async fn find_member(
    queries: &QueueQueries,
    queue_names: &[QueueName],
) -> Result<Option<(QueueName, Arc<Member>)>, QueueError> {
    let all_queues = queries.all_queues().await?;
    let queues = all_queues
        .iter()
        .filter(|queue| queue_names.contains(&queue.name));
    let members = queues.flat_map(|queue| queue.members.iter().map(move |m| (queue, m)));
    let members = members.filter(|(_, m)| !m.name.contains(char::REPLACEMENT_CHARACTER));
    let is_dynamic = |(_, m): &(_, &Arc<Member>)| m.membership == Membership::Dynamic;
    let candidate = members.clone().find(is_dynamic).or(members.clone().next());
    Ok(candidate.map(|(queue, member)| (queue.name.clone(), Arc::clone(member))))
}

/// Adds the result of [`probe`] to the report.
pub(super) fn report_events(
    result: Result<Option<bool>, QueueError>,
    username: &str,
    pbx: &mut PbxReport,
    report: &mut Report,
) {
    let name = &pbx.name;
    match result {
        Ok(None) => report.warn(format!(
            "pbx {name}: events could not be verified, because no queue of the organizations \
             has a member"
        )),
        Ok(Some(true)) => pbx.events = Some(MemberEvents::Seen),
        Ok(Some(false)) => {
            pbx.events = Some(MemberEvents::Missing);
            report.fail(format!(
                "pbx {name}: the bridge set a member's penalty, but received no event for it. In \
                 manager.conf, the section [{username}] needs these lines:\n{}\nIt must have no \
                 eventfilter, and [general] must not list QueueMember events in disabledevents. \
                 Then run `manager reload`, and restart the bridge if it is running",
                required_lines()
            ));
            report_required_lines(pbx);
        }
        Err(error) => {
            report.fail(format!("pbx {name}: events could not be verified: {error}"));
        }
    }
}
