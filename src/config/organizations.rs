//! What the file must say of organizations and their users.

use std::collections::{BTreeMap, HashSet};
use std::sync::Arc;

use tokio_util::sync::CancellationToken;

use super::file;
use super::text::check_line;
use super::validate::Check;
use crate::ami::value::MAX_MEMBER;
use crate::organizations::{
    MAX_AGENT, Organization, Overlap, PasswordDigest, Pattern, StoredPassword, Template, User,
    overlaps,
};

/// The actions that may stand in a user's list.
const ACTIONS: [&str; 8] = [
    "pause",
    "unpause",
    "add",
    "remove",
    "showqueue",
    "showqueuestat",
    "showstate",
    "events",
];

impl Check<'_> {
    pub(super) fn organizations(
        &mut self,
        files: BTreeMap<String, file::Organization>,
        pbxes: &[String],
    ) -> (Vec<Arc<Organization>>, Vec<User>) {
        let mut organizations = Vec::new();
        let mut users = Vec::new();
        let mut usernames = HashSet::new();
        for (name, file) in files {
            let own_users = self.organization(&name, &file, pbxes).map(|organization| {
                let organization = Arc::new(organization);
                organizations.push(Arc::clone(&organization));
                organization
            });
            if file.user.is_empty() {
                let key = format!("organization.{name}.user");
                self.missing(&key, "at least one [[organization.NAME.user]]");
            }
            for (place, user) in file.user.iter().enumerate() {
                let key = format!("organization.{name}.user[{place}]");
                if let Some(username) = &user.username
                    && !usernames.insert(username.clone())
                {
                    self.mistake(
                        format!("{key}.username"),
                        "stands twice in the configuration",
                    );
                }
                let organization = own_users.clone();
                users.extend(self.user(&key, user, organization));
            }
        }
        (organizations, users)
    }

    fn organization(
        &mut self,
        name: &str,
        file: &file::Organization,
        pbxes: &[String],
    ) -> Option<Organization> {
        let key = |part: &str| format!("organization.{name}.{part}");
        self.name(&format!("organization.{name}"), name);
        let pbx = match (&file.pbx, pbxes) {
            (Some(pbx), _) if pbxes.contains(pbx) => Some(pbx.clone()),
            (None, [only]) => Some(only.clone()),
            (_, []) => None,
            (_, names) => {
                self.mistake(key("pbx"), format!("must be one of {}", names.join(", ")));
                None
            }
        };
        if file.queues.is_empty() {
            self.missing(&key("queues"), "queue numbers, as [\"6001\", \"60*\"]");
        }
        let queues = self.patterns(&key("queues"), &file.queues, Pattern::queue);
        if file.agents.as_ref().is_some_and(Vec::is_empty) {
            let what = "is an empty list, which no agent is in: leave it out for any agent";
            self.mistake(key("agents"), what);
        }
        let agents = file
            .agents
            .as_ref()
            .map(|agents| self.patterns(&key("agents"), agents, Pattern::agent));
        let queue_name = self.take(&key("queue_name"), Template::new(&file.queue_name, "queue"));
        let interface = self.member_template(&key("interface"), &file.interface);
        if let Some(what) = interface.as_ref().and_then(way_out) {
            self.mistake(key("interface"), what);
        }
        let state_interface = match file.state_interface.as_str() {
            "" => None,
            text => Some(self.member_template(&key("state_interface"), text)?),
        };
        Some(Organization {
            name: name.to_owned(),
            pbx: pbx?,
            queues,
            queue_name: queue_name?,
            agents,
            interface: interface?,
            state_interface,
            shared: file.shared,
        })
    }

    fn patterns(
        &mut self,
        key: &str,
        items: &[String],
        parse: fn(&str) -> Result<Pattern, String>,
    ) -> Vec<Pattern> {
        let parsed = items.iter().map(|item| self.take(key, parse(item)));
        parsed.collect::<Vec<_>>().into_iter().flatten().collect()
    }

    /// A template of an interface, or of a device or hint.
    fn member_template(&mut self, key: &str, text: &str) -> Option<Template> {
        let template = self.take(key, Template::new(text, "agent"))?;
        if template.prefix().len() + template.suffix().len() + MAX_AGENT > MAX_MEMBER {
            let what = format!(
                "is too long: with a phone number of {MAX_AGENT} characters it passes \
                 Asterisk's {MAX_MEMBER} bytes"
            );
            self.mistake(key, what);
        }
        Some(template)
    }

    fn user(
        &mut self,
        key: &str,
        file: &file::User,
        organization: Option<Arc<Organization>>,
    ) -> Option<User> {
        match &file.username {
            None => self.missing(&format!("{key}.username"), "the name to log in with"),
            Some(name) => {
                self.take(&format!("{key}.username"), check_line(name));
            }
        }
        let password = self.password(key, file);
        for action in &file.actions {
            if action != "*" && !ACTIONS.contains(&action.to_ascii_lowercase().as_str()) {
                let what = format!("\"{action}\" is not one of * {}", ACTIONS.join(" "));
                self.mistake(format!("{key}.actions"), what);
            }
        }
        let everything = file.actions.iter().any(|action| action == "*");
        let actions = file
            .actions
            .iter()
            .map(|action| action.to_ascii_lowercase());
        let allow_from = self.networks(&format!("{key}.allow_from"), &file.allow_from);
        Some(User {
            username: file.username.clone()?,
            organization: organization?,
            password: password?,
            actions: (!everything).then(|| actions.collect()),
            allow_from,
            withdrawn: CancellationToken::new(),
        })
    }

    fn password(&mut self, key: &str, file: &file::User) -> Option<StoredPassword> {
        match (&file.password_hash, &file.password_md5, &file.password) {
            (Some(hash), None, None) => self.take(
                &format!("{key}.password_hash"),
                StoredPassword::hash(&hash.0),
            ),
            (None, Some(md5), None) => {
                let digest = PasswordDigest::from_hex(&md5.0).map(StoredPassword::Digest);
                let what = "must be the 32 hex digits of the password's MD5";
                self.take(&format!("{key}.password_md5"), digest.ok_or(what))
            }
            (None, None, Some(password)) => {
                self.take(&format!("{key}.password"), check_line(&password.0))?;
                Some(StoredPassword::Digest(PasswordDigest::of(&password.0)))
            }
            (None, None, None) => {
                let what = "password_hash (see `ami-bridge hash-password`), or password_md5 \
                            or password";
                self.missing(&format!("{key}.password"), what);
                None
            }
            _ => {
                let what = "give one of password_hash, password_md5 and password";
                self.mistake(format!("{key}.password"), what);
                None
            }
        }
    }

    /// Refuses what would let one organization into another, unless both say that
    /// they share; returns what they do share.
    pub(super) fn overlaps(&mut self, organizations: &[Arc<Organization>]) -> Vec<Overlap> {
        let organizations: Vec<&Organization> = organizations.iter().map(AsRef::as_ref).collect();
        let (intended, refused) = overlaps(&organizations)
            .into_iter()
            .partition::<Vec<_>, _>(|overlap| overlap.intended);
        for overlap in refused {
            let (part, what) = if overlap.is_queue {
                ("queues", "the queue")
            } else {
                ("agents", "the interface")
            };
            self.mistake(
                format!("organization.{}.{part}", overlap.second),
                format!(
                    "{what} {} could be reached by {} as well: set them apart, or put \
                     shared = true into both",
                    overlap.example, overlap.first
                ),
            );
        }
        intended
    }
}

/// What a phone number could choose by this template besides a phone.
fn way_out(interface: &Template) -> Option<&'static str> {
    let Some((technology, rest)) = interface.prefix().split_once('/') else {
        return Some("must name the technology before {agent}, as \"PJSIP/{agent}\"");
    };
    if rest.contains('@') {
        return Some("lets {agent} choose the context or host: it must stand before the @");
    }
    // Only a Local channel has options behind a slash, as /n.
    if interface.suffix().contains('/') && !technology.eq_ignore_ascii_case("Local") {
        return Some("lets {agent} choose the trunk: nothing may follow it behind a /");
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_can_choose_nothing_but_a_phone() {
        for (template, refusal) in [
            ("PJSIP/{agent}", None),
            ("PJSIP/acme-{agent}", None),
            ("SIP/trunk/{agent}", None),
            ("Local/{agent}@acme-agents", None),
            ("Local/{agent}@acme-agents/n", None),
            ("local/{agent}@acme/nj", None),
            ("{agent}", Some("technology")),
            ("{agent}/1001", Some("technology")),
            ("Local/1001@{agent}", Some("context")),
            ("PJSIP/{agent}/sip:900@host", Some("trunk")),
            ("SIP/{agent}/900", Some("trunk")),
        ] {
            let parsed = Template::new(template, "agent").expect(template);
            let found = way_out(&parsed);
            assert_eq!(found.is_some(), refusal.is_some(), "{template}: {found:?}");
            assert!(
                found
                    .unwrap_or_default()
                    .contains(refusal.unwrap_or_default())
            );
        }
    }
}
