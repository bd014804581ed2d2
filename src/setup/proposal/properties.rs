//! Properties of proposals for any queues and members.

use proptest::collection::vec;
use proptest::prelude::*;

use super::*;
use crate::config::load_text;
use crate::organizations::PasswordDigest;
use crate::setup::configuration::{Configuration, NewOrganization, SecretSource};

fn matches(patterns: &[String], number: &str) -> bool {
    let mut parsed = patterns.iter().map(|p| Pattern::parse_agent(p).expect(p));
    parsed.any(|pattern| pattern.matches(number))
}

fn configuration(organizations: Vec<NewOrganization>) -> Configuration {
    Configuration {
        listen: "127.0.0.1:8088".parse().expect("an address"),
        admin_listen: None,
        is_for_unit: false,
        pbx_address: "127.0.0.1:5038".to_owned(),
        ami_username: "queuebridge".to_owned(),
        organizations,
    }
}

fn interface() -> impl Strategy<Value = String> {
    prop_oneof![
        "PJSIP/[0-9]{2,6}",
        "SIP/[a-z]{1,4}-[0-9]{2,4}",
        "Local/[0-9]{3,5}@[a-z]{3,8}(/n)?",
        "[A-Z]{3}/[ -~]{0,12}",
        "[ -~]{0,12}",
    ]
}

fn seen_queues() -> impl Strategy<Value = Vec<SeenQueue>> {
    let state = prop_oneof![
        Just(String::new()),
        interface(),
        "hint:[0-9]{3,5}@ext-local"
    ];
    let member = (interface(), state).prop_map(|(interface, state)| SeenMember {
        interface,
        state_interface: state,
    });
    let name = prop_oneof![
        "[0-9]{3,4}",
        "(acme|globex|Acme)[-_.][0-9a-z]{1,4}",
        "[ -~]{1,8}"
    ];
    let queue = (name, vec(member, 0..6)).prop_map(|(name, members)| SeenQueue { name, members });
    vec(queue, 0..12)
}

proptest! {
    #[test]
    fn proposal_matches_its_own_members_and_queues(queues in seen_queues()) {
        let seen = SeenQueues::new(queues, Vec::new(), Distribution::Plain);
        for group in seen.groups() {
            let mut proposal = propose_group(&seen, &group, &Known::default());
            let template = Template::new(&proposal.queue_name, "queue").expect("a template");
            let is_included = |name: &str| {
                let number = template.extract(name);
                number.is_some_and(|number| matches(&proposal.queues, number))
            };
            for queue in &seen.usable {
                let belongs = group.queues.contains(&queue.name);
                let is_same = group.queues.iter().any(|name| name.eq_ignore_ascii_case(&queue.name));
                prop_assert!(is_included(&queue.name) == belongs || is_same, "{}", queue.name);
            }
            for _ in 0..2 {
                for number in &proposal.numbers {
                    prop_assert!(matches(&proposal.agents, number), "{number}");
                }
                proposal.narrow_agents();
            }
        }
    }

    #[test]
    fn proposed_configuration_is_valid(queues in seen_queues()) {
        let seen = SeenQueues::new(queues, Vec::new(), Distribution::Plain);
        let proposal = propose_all(&seen, &Known::default());
        // Setup asks for what the members do not show.
        prop_assume!(proposal.interface.is_some() && !proposal.agents.is_empty());
        let organization = NewOrganization {
            name: "acme".to_owned(),
            proposal,
            username: "acme".to_owned(),
            password_hash: HASH.with(Clone::clone),
            is_shared: false,
        };
        let text = configuration(vec![organization]).to_toml(SecretSource::Inline("s\"\\"));
        let loaded = load_text("proposed", &text);
        prop_assert!(loaded.is_ok(), "{:?}\n{}", loaded.err(), *text);
    }
}

thread_local! {
    /// Hashing is slow, so all cases share one hash.
    static HASH: String = PasswordDigest::of("acme-password").hash().expect("a hash");
}
