use super::*;

fn member(interface: &str) -> SeenMember {
    SeenMember {
        interface: interface.to_owned(),
        state_interface: interface.to_owned(),
    }
}

fn member_with_state(interface: &str, state_interface: &str) -> SeenMember {
    SeenMember {
        interface: interface.to_owned(),
        state_interface: state_interface.to_owned(),
    }
}

fn queue(name: &str, members: &[SeenMember]) -> SeenQueue {
    SeenQueue {
        name: name.to_owned(),
        members: members.to_vec(),
    }
}

fn seen(queues: &[SeenQueue]) -> SeenQueues {
    SeenQueues::new(queues.to_vec(), Vec::new(), Distribution::FreePbx)
}

fn group_texts(names: &[&str]) -> Vec<String> {
    let queues: Vec<_> = names.iter().map(|name| queue(name, &[])).collect();
    let groups = seen(&queues).groups().into_iter();
    let texts = groups.map(|g| format!("{}:{}", g.prefix, g.queues.join(" ")));
    texts.collect()
}

/// Sorts the names within each group, because their order does not matter.
fn sort_within_groups(texts: &mut [String]) {
    for text in texts {
        let (prefix, names) = text.split_once(':').expect("a colon");
        let mut names: Vec<_> = names.split(' ').collect();
        names.sort_unstable();
        *text = format!("{prefix}:{}", names.join(" "));
    }
}

#[test]
fn groups_are_prefixes_followed_by_numbers_or_shared_names() {
    for (names, expected) in [
        (&["6001", "6002"][..], &[":6001 6002"][..]),
        (
            &["acme-6001", "globex-6001", "acme-6002"],
            &["acme-:acme-6001 acme-6002", "globex-:globex-6001"],
        ),
        (
            &["acme_sales", "globex_sales", "acme_vip"],
            &["acme_:acme_sales acme_vip", "globex_:globex_sales"],
        ),
        // A section for defaults, which a distribution writes.
        (
            &["acme-6001", "acme-6002", "default"],
            &["acme-:acme-6001 acme-6002"],
        ),
        // Parts of names, not organizations.
        (
            &["sales-de", "sales-en", "support"],
            &[":sales-de sales-en support"],
        ),
        (&["6001-de", "6001-en"], &[":6001-de 6001-en"]),
        (&["6001", "acme-6001"], &[":6001", "acme-:acme-6001"]),
        (
            &["ACME-1", "acme-2", "ACME-3"],
            &["ACME-:ACME-1 acme-2 ACME-3"],
        ),
        (&["acme-", "-6001"], &[":-6001 acme-"]),
        // The longer prefix is another organization's.
        (
            &["acme-6001", "acme-west-6001", "globex-6001"],
            &[
                "acme-:acme-6001",
                "acme-west-:acme-west-6001",
                "globex-:globex-6001",
            ],
        ),
        // Departments of an organization without numbers of its own.
        (
            &["acme-sales-1", "acme-help-1", "globex-sales-1"],
            &["acme-:acme-sales-1 acme-help-1", "globex-:globex-sales-1"],
        ),
        (&["acme-1", "acme-2-3"], &["acme-:acme-1 acme-2-3"]),
        (&[], &[]),
    ] {
        let mut texts = group_texts(names);
        let mut expected: Vec<_> = expected.iter().map(ToString::to_string).collect();
        sort_within_groups(&mut texts);
        sort_within_groups(&mut expected);
        assert_eq!(texts, expected, "{names:?}");
    }
}

#[test]
fn queue_belongs_to_the_longest_name() {
    let names = ["acme-6001", "acme-west-6001", "aa6001", "acme-west"];
    let queues: Vec<_> = names.iter().map(|name| queue(name, &[])).collect();
    let seen = seen(&queues);
    let group = |name: &str| seen.group_of_name(name).expect(name);
    let mut groups = [group("acme"), group("acme-west"), group("AA")];
    separate(&mut groups);
    let texts = groups.map(|group| format!("{}:{}", group.prefix, group.queues.join(" ")));
    assert_eq!(
        texts,
        [
            "acme-:acme-6001 acme-west",
            "acme-west-:acme-west-6001",
            "aa:aa6001"
        ]
    );
    for name in ["ac", "acme-6001", "globex"] {
        assert_eq!(seen.group_of_name(name), None, "{name}");
    }
    let west = propose_group(&seen, &group("acme-west"), &Known::default());
    assert_eq!(
        (west.queue_name.as_str(), west.queue_count),
        ("acme-west-{queue}", 1)
    );
}

#[test]
fn suggested_name_is_a_valid_table_name() {
    for (prefix, expected) in [("Acme-", "acme"), ("a.b_", "a-b"), ("", "")] {
        let group = Group {
            prefix: prefix.to_owned(),
            queues: Vec::new(),
        };
        assert_eq!(group.suggested_name(), expected);
    }
}

/// Proposes an organization from the members, and checks its templates and its misfits.
fn assert_templates(members: &[SeenMember], templates: (&str, &str), misfits: &[&str]) {
    let proposal = propose_all(&seen(&[queue("6001", members)]), &Known::default());
    let interface = proposal.interface.expect("a template");
    let actual = (interface.as_str(), proposal.state_interface.as_str());
    assert_eq!(actual, templates, "{members:?}");
    assert_eq!(proposal.misfits, misfits, "{members:?}");
    assert_eq!(proposal.fitting + misfits.len(), members.len());
}

#[test]
fn most_frequent_interface_becomes_the_template() {
    let pjsip = |n: u32| member(&format!("PJSIP/{n}"));
    let freepbx = |n: u32| {
        member_with_state(
            &format!("Local/{n}@from-queue/n"),
            &format!("hint:{n}@ext-local"),
        )
    };
    let usual = ("Local/{agent}@from-queue/n", "hint:{agent}@ext-local");
    assert_templates(&[pjsip(1001), pjsip(1002)], ("PJSIP/{agent}", ""), &[]);
    let mixed = [freepbx(1001), freepbx(1002), freepbx(1003), pjsip(1004)];
    assert_templates(&mixed, usual, &["PJSIP/1004"]);
    let stateless = member("Local/1003@from-queue/n");
    let members = [freepbx(1001), freepbx(1002), stateless];
    // The interface decides whether the API can change a member.
    assert_templates(&members, usual, &[]);
    let seen_members = seen(&[queue("6001", &members)]);
    let proposal = propose_all(&seen_members, &Known::default());
    assert_eq!(proposal.other_states, ["Local/1003@from-queue/n"]);
    proposal.numbers.get("1003").expect("an agent");
    let members = [
        member_with_state("Local/1001@agents", "PJSIP/1001"),
        member_with_state("Local/1002@agents", "PJSIP/1002"),
        member_with_state("Local/1003@agents", "PJSIP/desk"),
    ];
    assert_templates(&members, ("Local/{agent}@agents", "PJSIP/{agent}"), &[]);
}

#[test]
fn template_includes_a_prefix_that_most_names_have() {
    let members = |names: &[&str]| names.iter().map(|name| member(name)).collect::<Vec<_>>();
    for (names, template) in [
        (
            &["PJSIP/acme-1001", "PJSIP/acme-1002"][..],
            "PJSIP/acme-{agent}",
        ),
        // The whole name is more frequent than the prefix.
        (
            &["PJSIP/acme-1001", "PJSIP/bob", "PJSIP/eve"],
            "PJSIP/{agent}",
        ),
        (
            &["SIP/trunk/5551234", "SIP/trunk/5551235"],
            "SIP/trunk/{agent}",
        ),
    ] {
        assert_templates(&members(names), (template, ""), &[]);
    }
}

#[test]
fn members_without_a_number_give_no_template() {
    let members = [
        "Local/1001",
        "console",
        "PJSIP/1001;x",
        "PJSIP/a b",
        "SIP/1001@/",
    ]
    .map(member);
    let proposal = propose_all(&seen(&[queue("6001", &members[1..])]), &Known::default());
    assert_eq!((proposal.interface, proposal.misfits.len()), (None, 4));
    let usual = UsualTemplates {
        interface: "Local/{agent}@from-queue/n",
        state_interface: "hint:{agent}@ext-local",
    };
    let proposal = propose_all(
        &seen(&[queue("6001", &[])]),
        &Known {
            usual: Some(usual),
            ..Known::default()
        },
    );
    assert_eq!(proposal.interface.as_deref(), Some(usual.interface));
    assert_eq!(proposal.state_interface, usual.state_interface);
    assert!(proposal.agents.is_empty());
}

#[test]
fn known_templates_are_used_even_if_members_differ() {
    let members = [
        member("PJSIP/1001"),
        member("PJSIP/1002"),
        member("SIP/1003"),
    ];
    let seen = seen(&[queue("acme-6001", &members), queue("acme-700", &[])]);
    let known = Known {
        interface: Some("SIP/{agent}".to_owned()),
        ..Known::default()
    };
    let patterns = ["6*".to_owned()];
    let proposal = propose_named(&seen, "acme-{queue}", &patterns, &known).expect("a proposal");
    assert_eq!(proposal.interface.as_deref(), Some("SIP/{agent}"));
    assert_eq!((proposal.queue_count, proposal.fitting), (1, 1));
    assert_eq!(proposal.agents, ["1000-1099"]);
    assert_eq!(proposal.misfits, ["PJSIP/1001", "PJSIP/1002"]);
    propose_named(&seen, "acme", &patterns, &known).expect_err("no placeholder");
    propose_named(&seen, "{queue}", &["6/".to_owned()], &known).expect_err("no pattern");
}

#[test]
fn agents_from_the_operator_are_not_narrowed() {
    let mut proposal = propose_all(&seen(&[queue("6001", &[])]), &Known::default());
    proposal.agents = vec!["1001-1099".to_owned()];
    proposal.narrow_agents();
    assert_eq!(proposal.agents, ["1001-1099"]);
}

#[test]
fn agents_are_ranges_of_hundreds_and_external_numbers_stay_exact() {
    let agents = |names: &[&str]| {
        let members: Vec<_> = names
            .iter()
            .map(|n| member(&format!("PJSIP/{n}")))
            .collect();
        let mut proposal = propose_all(&seen(&[queue("6001", &members)]), &Known::default());
        let wide = proposal.agents.join(" ");
        proposal.narrow_agents();
        (wide, proposal.agents.join(" "))
    };
    for (names, wide, exact) in [
        (&["1001", "1002"][..], "1000-1099", "1001 1002"),
        (&["1001", "1002", "1003"], "1000-1099", "1001-1003"),
        (
            &["1099", "1100", "1300"],
            "1000-1199 1300-1399",
            "1099 1100 1300",
        ),
        (
            &["201", "0201", "21"],
            "20-29 200-299 0200-0299",
            "21 201 0201",
        ),
        (
            &["5551234567", "bob", "7"],
            "5551234567 7 bob",
            "5551234567 7 bob",
        ),
    ] {
        assert_eq!(
            agents(names),
            (wide.to_owned(), exact.to_owned()),
            "{names:?}"
        );
    }
}

#[test]
fn section_for_default_settings_matches_no_pattern() {
    let default = |members: &[SeenMember]| queue("default", members);
    let [six, seven] = ["600", "7000"].map(|name| queue(name, &[]));
    let of = |queues: &[SeenQueue], distribution| {
        let seen = SeenQueues::new(queues.to_vec(), Vec::new(), distribution);
        propose_all(&seen, &Known::default()).queues
    };
    let queues = [six.clone(), seven, default(&[])];
    assert_eq!(of(&queues, Distribution::FreePbx), ["6*", "7*"]);
    assert_eq!(of(&queues, Distribution::Plain), ["*"]);
    // With a member, it is a queue.
    let queues = [six, default(&[member("PJSIP/1001")])];
    assert_eq!(of(&queues, Distribution::FreePbx), ["*"]);
    // The queues to come have unknown numbers.
    assert_eq!(of(&[default(&[])], Distribution::FreePbx), ["*"]);
}

#[test]
fn queues_without_a_pattern_of_their_own_are_listed() {
    let names = |names: &[&str]| names.iter().map(ToString::to_string).collect::<Vec<_>>();
    let patterns = patterns::for_queues(&names(&["600", "7000"]), &names(&["601"]));
    assert_eq!(patterns, ["600", "7000"]);
}

#[test]
fn names_that_the_api_can_not_carry_are_set_apart() {
    let queues = ["6001", "my queue", "Büro", ""].map(|name| queue(name, &[]));
    let seen = SeenQueues::new(queues.to_vec(), vec!["x ".to_owned()], Distribution::Plain);
    assert_eq!(seen.usable, [queue("6001", &[])]);
    assert_eq!(seen.unusable, ["x ", "my queue", "Büro", ""]);
}
