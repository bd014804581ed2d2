//! Holds the names of queues in the configuration against those of the PBXes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use crate::http::RoutesSlot;
use crate::organizations::{NameProblem, Organization};
use crate::queues::Pbxes;

/// What is wrong with names is logged once for each queue.
#[derive(Debug)]
pub(crate) struct NameReview {
    pbxes: Arc<Pbxes>,
    logged: Mutex<HashSet<NameProblem>>,
}

impl NameReview {
    pub(crate) fn new(pbxes: Arc<Pbxes>) -> Self {
        Self {
            pbxes,
            logged: Mutex::default(),
        }
    }

    /// Takes over which queues the configuration lists.
    pub(crate) fn configure(&self, organizations: &[Arc<Organization>]) {
        for (name, pbx) in self.pbxes.iter() {
            let own = organizations.iter().filter(|own| own.pbx == *name);
            let listed = own.flat_map(|own| own.listed_names());
            pbx.configure(listed.collect());
        }
        self.review(organizations);
    }

    /// Reviews the names whenever the queues of a PBX have changed.
    pub(crate) async fn follow(self: Arc<Self>, name: String, current: Arc<RoutesSlot>) {
        let Some(pbx) = self.pbxes.get(&name) else {
            return;
        };
        let mut names = pbx.watch_names();
        while names.changed().await.is_ok() {
            self.review(current.api().directory().organizations());
        }
    }

    fn review(&self, organizations: &[Arc<Organization>]) {
        for organization in organizations {
            let pbx = self.pbxes.get(&organization.pbx);
            let Some(pbx) = pbx.filter(|pbx| pbx.is_live()) else {
                continue;
            };
            let names = pbx.spelled_names();
            for problem in organization.name_problems(names.iter().map(|name| name.as_str())) {
                let mut logged = self.logged.lock().unwrap_or_else(PoisonError::into_inner);
                if logged.insert(problem.clone()) {
                    log(&organization.pbx, &problem);
                }
            }
        }
    }
}

fn log(pbx: &str, problem: &NameProblem) {
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
            "the configuration spells a queue otherwise than the PBX; use the PBX's spelling"
        ),
        NameProblem::Unfit {
            organization,
            listed,
            better,
        } => warn!(
            pbx,
            organization,
            queue = ?listed,
            better,
            "a queue is left out, since the interface carries only letters a-z, digits and \
             _ . - in a queue's number; rename it in Asterisk's configuration"
        ),
    }
}
