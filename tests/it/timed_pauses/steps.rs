//! Runs tables of cases: the steps after a timed pause, and which pause must stand at the end.

use std::collections::HashMap;
use std::fmt::Write as _;
use std::sync::Mutex;
use std::time::{Duration, Instant};

use jiff::Timestamp;

use super::{
    LogRow, MAX_DELAY, MAX_STAND_IN_DELAY, Scene, ended_rows, interface, is_before, log_rows,
    parse_time, pause_in_asterisk, wait_for_new_second, wait_until,
};
use crate::support::{ACME, Ami};

/// A step of a case. Its text may contain `{agent}` and `{interface}`.
#[derive(Debug, Clone, Copy)]
pub(super) enum Step {
    /// A request to the bridge that must succeed, without credentials and `action=`.
    Api(&'static str),
    /// An AMI action on a session of the test, with `, ` between its headers.
    Ami(&'static str),
    /// A command on Asterisk's own command line.
    Cli(&'static str),
    /// A number of milliseconds.
    Wait(u64),
    /// Waits until a second begins.
    NewSecond,
}

/// What becomes of a pause in one queue.
#[derive(Debug, Clone, Copy)]
pub(super) enum Expected {
    /// The bridge ends it once, at the `ends_at` of the last response for this queue.
    Ends,
    /// The bridge ends it once, this many seconds after the last pause in `queue_log`.
    EndsAfter(i64),
    /// The bridge does not end it: the agent stays paused with this reason.
    Stays(&'static str),
    /// The agent was unpaused by someone else, and the bridge does not unpause it again.
    Unpaused,
    /// The agent was removed, and the bridge does not unpause it.
    Removed,
}

/// A case: steps, and the expected pause in each queue. Every case has its own agent, which is
/// a member of `acme-6001` and `acme-6002` before the first step.
#[derive(Debug, Clone, Default)]
pub(super) struct Case {
    pub(super) name: &'static str,
    pub(super) steps: Vec<Step>,
    /// Steps while the table's disturbance lasts.
    pub(super) during: Vec<Step>,
    /// Steps after the disturbance.
    pub(super) after: Vec<Step>,
    pub(super) expected: Vec<(&'static str, Expected)>,
}

/// Returns a case without a disturbance, in queue 6001.
pub(super) fn case(name: &'static str, steps: &[Step], expected: Expected) -> Case {
    Case {
        name,
        steps: steps.to_vec(),
        expected: vec![("6001", expected)],
        ..Case::default()
    }
}

/// Whether a member is paused, and the reason. `None` if the agent is not a member.
type Pause<'a> = Option<(bool, &'a str)>;

/// A running case.
struct Run {
    case: Case,
    agent: u16,
    /// The last `ends_at` of each queue.
    ends: HashMap<String, Timestamp>,
}

/// The agent of the first case. The others follow.
const FIRST_AGENT: u16 = 1001;

/// Runs cases at the same time, without a disturbance.
pub(super) fn run_cases(scene: &mut Scene, cases: &[Case]) {
    run_disturbed_cases(scene, cases, |_| {}, |_| {});
}

/// Runs the first steps of all cases, then `disturb`, the steps during the disturbance,
/// `recover`, and the last steps. Then asserts that every pause ends or stays as expected.
pub(super) fn run_disturbed_cases(
    scene: &mut Scene,
    cases: &[Case],
    disturb: impl FnOnce(&mut Scene),
    recover: impl FnOnce(&mut Scene),
) {
    let agents = FIRST_AGENT..;
    let mut runs: Vec<_> = cases.iter().zip(agents).map(Run::new).collect();
    for run in &runs {
        run.add_to_queues(scene);
    }
    run_steps(scene, &mut runs, |case| &case.steps);
    disturb(scene);
    run_steps(scene, &mut runs, |case| &case.during);
    recover(scene);
    let recovered = Timestamp::now();
    run_steps(scene, &mut runs, |case| &case.after);
    let last = runs.iter().flat_map(|run| run.ends.values()).max();
    wait_until(last.map_or(recovered, |last| recovered.max(*last)));
    let judge = Judge {
        scene,
        ami: session(scene),
        recovered,
    };
    // Waits for all ends.
    in_parallel(&mut runs, |run| run.failures(&judge));
    // A second unpause by the same timer would come within this time.
    std::thread::sleep(MAX_DELAY);
    let failures = in_parallel(&mut runs, |run| run.failures(&judge));
    assert!(failures.concat().is_empty(), "\n{}", failures.concat());
}

fn run_steps(scene: &Scene, runs: &mut [Run], steps: impl Fn(&Case) -> &Vec<Step> + Sync) {
    let ami = session(scene);
    in_parallel(runs, |run| {
        let steps = steps(&run.case).clone();
        for step in steps {
            run.execute(scene, &ami, step);
        }
    });
}

/// Opens the AMI session that all cases share. Asterisk's backlog has room for ten connections
/// only.
fn session(scene: &Scene) -> Mutex<Ami> {
    Mutex::new(scene.asterisk.ami())
}

/// What the expectations are compared with.
struct Judge<'a> {
    scene: &'a Scene,
    ami: Mutex<Ami>,
    /// Since when the bridge could end a pause.
    recovered: Timestamp,
}

impl Judge<'_> {
    fn log_rows(&self, queue: &str, agent: u16) -> Vec<LogRow> {
        log_rows(&self.scene.asterisk, queue, agent)
    }
}

/// Runs `work` for all runs at the same time, because each mostly waits.
fn in_parallel<R: Send>(runs: &mut [Run], work: impl Fn(&mut Run) -> R + Sync) -> Vec<R> {
    let work = &work;
    std::thread::scope(|scope| {
        let threads: Vec<_> = runs
            .iter_mut()
            .map(|run| scope.spawn(move || work(run)))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results
            .map(|result| result.unwrap_or_else(|panic| std::panic::resume_unwind(panic)))
            .collect()
    })
}

impl Run {
    fn new((case, agent): (&Case, u16)) -> Self {
        let case = case.clone();
        Self {
            case,
            agent,
            ends: HashMap::new(),
        }
    }

    /// Makes the agent a member of both queues, unless `queues.conf` has done so.
    fn add_to_queues(&self, scene: &Scene) {
        for queue in ["6001", "6002"] {
            let query = format!("action=add&agent={}&queue={queue}", self.agent);
            let outcome = scene.bridge().get_as(ACME, &query).outcome();
            let is_member = ["200 success", "409 already_member"].contains(&outcome.as_str());
            assert!(is_member, "{}: {query}: {outcome}", self.case.name);
        }
    }

    fn execute(&mut self, scene: &Scene, ami: &Mutex<Ami>, step: Step) {
        let fill = |text: &str| {
            let text = text.replace("{agent}", &self.agent.to_string());
            text.replace("{interface}", &interface(self.agent))
        };
        match step {
            Step::Api(query) => self.request(scene, &fill(query)),
            Step::Ami(action) => {
                let mut ami = ami.lock().expect("an unpoisoned lock");
                let reply = ami.reply_text(&fill(action).replace(", ", "\r\n"));
                let is_success = reply.starts_with("Success");
                assert!(is_success, "{}: {action}: {reply}", self.case.name);
            }
            Step::Cli(command) => {
                scene.asterisk.cli(&fill(command));
            }
            Step::Wait(milliseconds) => {
                // The time at which the next step happens is part of the case.
                std::thread::sleep(Duration::from_millis(milliseconds));
            }
            Step::NewSecond => wait_for_new_second(),
        }
    }

    /// Sends a request, and remembers the ends in its response.
    fn request(&mut self, scene: &Scene, query: &str) {
        let query = format!("action={query}&agent={}", self.agent);
        let response = scene.bridge().get_as(ACME, &query);
        let name = self.case.name;
        assert_eq!(
            response.outcome(),
            "200 success",
            "{name}: {query}: {response:?}"
        );
        let body = response.json();
        for row in body["queues"].as_array().expect("queues") {
            if row["ends_at"].is_string() {
                let queue = row["queue"].as_str().expect("a queue").to_owned();
                self.ends.insert(queue, parse_time(&row["ends_at"]));
            }
        }
    }

    /// Describes how the pauses differ from the expected ones.
    fn failures(&self, judge: &Judge) -> String {
        let mut text = String::new();
        for (queue, expected) in &self.case.expected {
            let name = format!("acme-{queue}");
            let result = match expected {
                Expected::Ends => match self.ends.get(*queue) {
                    Some(end) => {
                        self.check_end(judge, &name, *end, (*end).max(judge.recovered), None)
                    }
                    None => Err("no response had ends_at".to_owned()),
                },
                Expected::EndsAfter(seconds) => self.check_limit(judge, &name, *seconds),
                Expected::Stays(reason) => {
                    self.check_not_ended(judge, &name, Some((true, *reason)))
                }
                Expected::Unpaused => self.check_not_ended(judge, &name, Some((false, ""))),
                Expected::Removed => self.check_not_ended(judge, &name, None),
            };
            if let Err(difference) = result {
                let (case, agent) = (self.case.name, self.agent);
                let _ = writeln!(
                    text,
                    "\"{case}\" (agent {agent}, {name}): expected {expected:?}, but {difference}. \
                     ends_at: {:?}. queue_log: {:#?}",
                    self.ends.get(*queue),
                    judge.log_rows(&name, agent)
                );
            }
        }
        text
    }

    /// Checks that the bridge has ended the pause once, not before `end`, and at most
    /// [`MAX_DELAY`] and `delay` after `possible`.
    fn check_end(
        &self,
        judge: &Judge,
        queue: &str,
        end: Timestamp,
        possible: Timestamp,
        delay: Option<Duration>,
    ) -> Result<(), String> {
        let latest = possible + MAX_DELAY + delay.unwrap_or_default();
        let rows = || judge.log_rows(queue, self.agent);
        let deadline = Instant::now() + MAX_DELAY * 5 + delay.unwrap_or_default();
        while ended_rows(&rows()).is_empty() && Instant::now() < deadline {
            // Limits the polling rate. No result depends on this delay.
            std::thread::sleep(Duration::from_millis(20));
        }
        let rows = rows();
        let ended = ended_rows(&rows);
        if ended.len() != 1 {
            return Err(format!("the bridge has ended it {} times", ended.len()));
        }
        check_last_row(&rows)?;
        let at = judge
            .scene
            .watch
            .unpauses(queue, self.agent, super::TIME_OVER);
        let second = ended[0].second;
        // The watch may have missed the event if Asterisk was restarted.
        let is_early = is_before(ended[0], end) || at.iter().any(|at| *at < end);
        let is_late = second > latest.as_second() || at.iter().any(|at| *at > latest);
        if is_early || is_late {
            return Err(format!(
                "the bridge has ended it in second {} ({at:?}) instead of between {end} and \
                 {latest}",
                Timestamp::from_second(second).expect("a time")
            ));
        }
        self.check_pause(judge, queue, Some((false, "")))
    }

    fn check_limit(&self, judge: &Judge, queue: &str, seconds: i64) -> Result<(), String> {
        let rows = judge.log_rows(queue, self.agent);
        let begun = rows.iter().rfind(|row| row.event == "PAUSE");
        let Some(begun) = begun.map(|row| row.second) else {
            return Err("the agent was never paused".to_owned());
        };
        let end = Timestamp::from_second(begun + seconds).expect("a time");
        // The pause may have begun at the end of its second.
        let possible = Timestamp::from_second(begun + seconds + 1).expect("a time");
        let possible = possible.max(judge.recovered);
        self.check_end(judge, queue, end, possible, Some(MAX_STAND_IN_DELAY))
    }

    fn check_not_ended(&self, judge: &Judge, queue: &str, pause: Pause) -> Result<(), String> {
        let rows = judge.log_rows(queue, self.agent);
        if !ended_rows(&rows).is_empty() {
            return Err("the bridge has ended it".to_owned());
        }
        self.check_pause(judge, queue, pause)
    }

    fn check_pause(&self, judge: &Judge, queue: &str, pause: Pause) -> Result<(), String> {
        let found = pause_in_asterisk(
            &mut judge.ami.lock().expect("an unpoisoned lock"),
            queue,
            self.agent,
        );
        let found = found
            .as_ref()
            .map(|(paused, reason)| (*paused, reason.as_str()));
        if found != pause {
            return Err(format!("Asterisk shows (paused, reason) as {found:?}"));
        }
        Ok(())
    }
}

/// Checks that nobody has changed the pause after the bridge ended it.
fn check_last_row(rows: &[LogRow]) -> Result<(), String> {
    match rows.last() {
        Some(row) if row.reason == super::TIME_OVER => Ok(()),
        row => Err(format!("the last row in queue_log is {row:?}")),
    }
}
