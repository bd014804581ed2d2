//! Holds the names of queues in the configuration against those of the PBXes.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use tracing::warn;

use crate::api::Links;
use crate::http::Current;
use crate::organizations::{NameProblem, Organization};

/// What is wrong with names is logged once for each queue.
#[derive(Debug)]
pub(crate) struct NameReview {
    links: Arc<Links>,
    logged: Mutex<HashSet<NameProblem>>,
}

impl NameReview {
    pub(crate) fn new(links: Arc<Links>) -> Self {
        Self {
            links,
            logged: Mutex::default(),
        }
    }

    /// Takes over which queues the configuration lists.
    pub(crate) fn configure(&self, organizations: &[Arc<Organization>]) {
        for (pbx, link) in self.links.iter() {
            let own = organizations.iter().filter(|own| own.pbx == *pbx);
            let listed = own.flat_map(|own| own.listed_names());
            link.live.configure(listed.collect());
        }
        self.review(organizations);
    }

    /// Reviews the names whenever the queues of a PBX have changed.
    pub(crate) async fn follow(self: Arc<Self>, pbx: String, current: Arc<Current>) {
        let Some(link) = self.links.get(&pbx) else {
            return;
        };
        let mut names = link.live.watch_names();
        while names.changed().await.is_ok() {
            self.review(current.api().directory().organizations());
        }
    }

    fn review(&self, organizations: &[Arc<Organization>]) {
        for organization in organizations {
            let link = self.links.get(&organization.pbx);
            let Some(link) = link.filter(|link| link.live.is_loaded()) else {
                continue;
            };
            let names = link.live.spelled_names();
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
