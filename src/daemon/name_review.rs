//! Compares the queue names in the configuration with the names on the PBXes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tokio_util::sync::CancellationToken;
use tracing::warn;

use crate::http::RoutesSlot;
use crate::organizations::{NameProblem, Organization};
use crate::queues::{Pbxes, TimingRules};

/// Compares the queue names in the configuration with the names on the PBXes, and logs each
/// problem once.
#[derive(Debug)]
pub(super) struct NameReview {
    pbxes: Arc<Pbxes>,
    logged: Mutex<HashSet<NameProblem>>,
}

impl NameReview {
    pub(super) fn new(pbxes: Arc<Pbxes>) -> Self {
        Self {
            pbxes,
            logged: Mutex::default(),
        }
    }

    /// Passes the configured queue names and the organizations' rules to the PBXes, then reviews
    /// all names.
    pub(super) fn configure(&self, organizations: &[Arc<Organization>]) {
        for (name, pbx) in self.pbxes.iter() {
            let on_pbx = organizations
                .iter()
                .filter(|organization| organization.pbx == *name);
            let listed = on_pbx.clone();
            let listed = listed.flat_map(|organization| organization.exact_names());
            pbx.configure(listed.collect());
            let rules = on_pbx.map(|organization| Arc::clone(organization) as Arc<dyn TimingRules>);
            pbx.set_timing_rules(rules.collect());
        }
        self.review(organizations);
    }

    /// Starts a task for each PBX that reviews the names whenever the PBX's queues change.
    pub(super) fn start(self: &Arc<Self>, routes: &Arc<RoutesSlot>, stop: &CancellationToken) {
        for pbx in self.pbxes.values() {
            let mut names = pbx.watch_names();
            let (review, routes) = (Arc::clone(self), Arc::clone(routes));
            let review_changes = async move {
                while names.changed().await.is_ok() {
                    review.review(routes.api().directory().organizations());
                }
            };
            tokio::spawn(stop.clone().run_until_cancelled_owned(review_changes));
        }
    }

    fn review(&self, organizations: &[Arc<Organization>]) {
        for organization in organizations {
            let pbx = self.pbxes.get(&organization.pbx);
            let Some(pbx) = pbx.filter(|pbx| pbx.is_live()) else {
                continue;
            };
            let names = pbx.listed_names();
            for problem in organization.name_problems(names.iter().map(|name| name.as_str())) {
                let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
                if logged.insert(problem.clone()) {
                    log_problem(&organization.pbx, &problem);
                }
            }
        }
    }
}

fn log_problem(pbx: &str, problem: &NameProblem) {
    match problem {
        NameProblem::Spelling {
            organization,
            configured,
            listed,
        } => warn!(
            pbx,
            organization,
            configured,
            listed,
            "the configuration spells a queue name differently from the PBX; use the PBX's spelling"
        ),
        NameProblem::InvalidCharacters {
            organization,
            listed,
            suggestion,
        } => warn!(
            pbx,
            organization,
            queue = ?listed,
            better = suggestion,
            "queue ignored: a queue number in the API has only letters a-z, digits and _ . -; \
             rename the queue in Asterisk's configuration"
        ),
    }
}
