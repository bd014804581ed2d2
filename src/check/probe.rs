//! Verifies that events about members arrive, by setting a penalty to its current value.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::time::{Instant, timeout_at};

use super::pbx::NEEDED;
use super::report::{PbxReport, Report};
use crate::ami::{Action, Client, Message, Observer, Reply};
use crate::queues::{Member, Membership, QueueError, QueueName, QueueQueries, set_penalty};

/// Nothing was changed, so nothing is known.
pub(super) const UNVERIFIED: &str = "unverified";

/// How long the event may take.
const EVENT_WAIT: Duration = Duration::from_secs(3);

/// Passes on the events of penalties.
pub(super) struct PenaltyEvents(UnboundedSender<Message>);

/// An observer, and what it sees.
pub(super) fn penalty_events() -> (PenaltyEvents, UnboundedReceiver<Message>) {
    let (sender, receiver) = unbounded_channel();
    (PenaltyEvents(sender), receiver)
}

impl Observer for PenaltyEvents {
    fn link_up(&mut self) {}

    fn event(&mut self, event: &Message) {
        if event.event() == Some(b"QueueMemberPenalty") {
            // Nobody waits for it where nothing is probed.
            let _ = self.0.send(event.clone());
        }
    }

    fn answered(&mut self, _: &Action, _: &Reply) {}

    fn link_down(&mut self) {}
}

/// Sets the penalty of one member of these queues to the value that it has, and waits
/// for the event. A dynamic member is preferred: the penalty of another can stand in a
/// realtime database. Returns whether the event has come; `None` if no queue has a member.
///
/// # Errors
/// What can become of a question or a change.
async fn probe(
    queries: &QueueQueries,
    queues: &[QueueName],
    mut events: UnboundedReceiver<Message>,
) -> Result<Option<bool>, QueueError> {
    let Some((queue, member)) = find_member(queries, queues).await? else {
        return Ok(None);
    };
    let interface = &*member.interface;
    set_penalty(queries, &queue, interface, member.penalty).await?;
    let announced = async {
        while let Some(event) = events.recv().await {
            let is = |header, value: &str| event.get_last(header) == Some(value.as_bytes());
            if is("Queue", &queue) && is("Interface", interface) {
                return true;
            }
        }
        false
    };
    let announced = timeout_at(Instant::now() + EVENT_WAIT, announced).await;
    Ok(Some(announced.unwrap_or(false)))
}

/// A member whose events arrive: not one whose name is not UTF-8.
async fn find_member(
    queries: &QueueQueries,
    own: &[QueueName],
) -> Result<Option<(QueueName, Arc<Member>)>, QueueError> {
    let queues = queries.all_queues().await?;
    let own = queues.iter().filter(|queue| own.contains(&queue.name));
    let members = own.flat_map(|queue| queue.members.iter().map(move |m| (queue, m)));
    let members = members.filter(|(_, m)| !m.name.contains(char::REPLACEMENT_CHARACTER));
    let is_dynamic = |(_, m): &(_, &Arc<Member>)| m.membership == Membership::Dynamic;
    let found = members.clone().find(is_dynamic).or(members.clone().next());
    Ok(found.map(|(queue, member)| (queue.name.clone(), Arc::clone(member))))
}

/// Verifies that events come, by one of these queues.
pub(super) async fn probe_queues(
    client: &Client,
    deadline: Instant,
    queues: &[QueueName],
    events: UnboundedReceiver<Message>,
) -> Result<Option<bool>, QueueError> {
    let queries = QueueQueries::new(client.begin(deadline, "check")?);
    probe(&queries, queues, events).await
}

impl Report {
    /// Reports whether events about members come.
    pub(super) fn events(
        &mut self,
        pbx: &mut PbxReport,
        username: &str,
        probed: Result<Option<bool>, QueueError>,
    ) {
        let name = &pbx.name;
        match probed {
            Ok(None) => self.warnings.push(format!(
                "pbx {name}: no queue of the organizations has a member, so events could not be \
                 verified"
            )),
            Ok(Some(true)) => pbx.events = Some("seen"),
            Ok(Some(false)) => {
                pbx.events = Some("missing");
                self.fail(format!(
                    "pbx {name}: a member's penalty was set, and no event announced it. In \
                     manager.conf, the section [{username}] needs the lines\n  {}\nand no \
                     eventfilter; [general] no disabledevents that names QueueMember events. Then \
                     `manager reload`, and restart a bridge that is running",
                    NEEDED.join("\n  ")
                ));
                pbx.manager_conf = Some(NEEDED.map(str::to_owned).to_vec());
            }
            Err(error) => {
                self.fail(format!("pbx {name}: events could not be verified: {error}"));
            }
        }
    }
}
