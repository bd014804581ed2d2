//! The board fits small screens, holds still, and does not depend on colors.

use serde_json::{Value, json};

use super::{
    LIVE, agent_selector, browser_errors, open_board, person_selector, show_people,
    start_with_reasons, total_selector, wait_for_match, wait_for_text,
};
use crate::support::{Browser, SIMULATED};

/// Returns the number that an expression in the page gives.
fn measure(browser: &Browser, expression: &str) -> f64 {
    let value = browser.run_script(&format!("return {expression}"), &[]);
    value
        .as_f64()
        .unwrap_or_else(|| panic!("{expression}: {value}"))
}

/// Returns the height of a queue's card, and the top of its first agent within the card.
fn card_places(browser: &Browser) -> (f64, f64) {
    let card = "document.querySelector('.card[data-queue=\"6001\"]').getBoundingClientRect()";
    let agent =
        "document.querySelector('.card[data-queue=\"6001\"] .agent').getBoundingClientRect()";
    (
        measure(browser, &format!("{card}.height")),
        measure(browser, &format!("{agent}.top - {card}.top")),
    )
}

#[test]
fn cards_height_does_not_change_with_callers() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Lunch");
    let browser = open_board(&bridge);
    browser.wait_visible(&agent_selector("6001", "1001"));
    // The statistics arrive later than the agents.
    browser.wait_visible(".card[data-queue=\"6001\"] .statistics div");
    for width in [1440, 360] {
        browser.set_screen_size(width, 900);
        let before = card_places(&browser);
        let waiting = measure(
            &browser,
            "document.querySelectorAll('.card[data-queue=\"6001\"] .caller').length",
        );
        for callers in 1..=5 {
            asterisk.add_caller("acme-6001");
            let count = waiting as u64 + callers;
            browser.wait_until(&format!(
                "document.querySelectorAll('.card[data-queue=\"6001\"] .caller').length === {count}"
            ));
            assert_eq!(
                card_places(&browser),
                before,
                "{count} callers, {width} px wide"
            );
        }
    }
    wait_for_text(
        &browser,
        ".card[data-queue=\"6001\"] .callers h3",
        "10 callers",
    );
    // The keyboard reaches the callers who are scrolled out of view.
    let list = ".card[data-queue=\"6001\"] .callers ol";
    browser.run_script("document.querySelector(arguments[0]).focus()", &[list]);
    browser.wait_until(&format!("document.activeElement.matches({})", json!(list)));
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn counts_have_words_and_contrast() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Lunch");
    let browser = open_board(&bridge);
    let states = ".card[data-queue=\"6001\"] .states";
    wait_for_text(
        &browser,
        &format!("{states} [data-state=available]"),
        "0\nfree",
    );
    wait_for_text(
        &browser,
        &format!("{states} [data-state=paused]"),
        "1\npaused",
    );
    // Each count of 0 has a contrast of at least 4.5:1 in both color schemes.
    let contrast_script = "
        const channels = (color) => color.match(/[\\d.]+/g).map(Number);
        const luminance = (color) => channels(color).slice(0, 3)
            .map((channel) => channel / 255)
            .map((value) => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
            .reduce((sum, value, index) => sum + value * [0.2126, 0.7152, 0.0722][index], 0);
        const background = (element) => {
            const color = getComputedStyle(element).backgroundColor;
            return channels(color)[3] === 0 ? background(element.parentElement) : color;
        };
        return [...document.querySelectorAll('.states .none:not([hidden]) b, .total.none b')]
            .filter((element) => element.checkVisibility())
            .map((element) => {
                const [a, b] = [getComputedStyle(element).color, background(element)].map(luminance);
                return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
            });";
    for scheme in ["light", "dark"] {
        browser.set_color_scheme(scheme);
        let contrasts = browser.run_script(contrast_script, &[]);
        let contrasts = contrasts.as_array().expect("an array");
        println!("{scheme}: {contrasts:?}");
        assert!(contrasts.len() > 4, "{contrasts:?}");
        assert!(
            contrasts
                .iter()
                .all(|contrast| contrast.as_f64() >= Some(4.5)),
            "{contrasts:?}"
        );
    }
    // A queue with a caller and no free agent says so.
    asterisk.add_caller("acme-6001");
    wait_for_text(&browser, &format!("{states} .unstaffed"), "nobody free");
    wait_for_text(
        &browser,
        &format!("{states} .unstaffed span"),
        "nobody free",
    );
    let icon = "return document.querySelector(arguments[0]).getAttribute('href')";
    let icon = browser.run_script(icon, &[&format!("{states} .unstaffed use")]);
    assert_eq!(icon, "#icon-warning");
    wait_for_match(
        &browser,
        ".card[data-queue=\"6001\"] .wait",
        "1\\s+waiting\\D+0:\\d\\d",
    );
}

#[test]
fn choice_and_alarm_are_visible_in_forced_colors() {
    let (asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana&paused=1&reason=Short%20break");
    asterisk.add_caller("acme-6001");
    let browser = open_board(&bridge);
    browser.force_colors();
    let style = |selector: &str, property: &str| -> Value {
        let script = "return getComputedStyle(document.querySelector(arguments[0]))[arguments[1]]";
        browser.run_script(script, &[selector, property])
    };
    let chosen = "#filter input:checked + span";
    let other = "#filter input:not(:checked) + span";
    assert_ne!(
        style(chosen, "backgroundColor"),
        style(other, "backgroundColor")
    );
    browser.wait_until("document.querySelector('.total .over:not(.none)') !== null");
    assert_eq!(style(".total .over", "outlineStyle"), "solid");
    // A caller is late after one second.
    browser.click("#settings");
    browser.fill("#dialog [name=late]", "1");
    browser.click("#dialog .primary");
    browser.wait_visible(".card.late .wait.late");
    assert_eq!(style(".card.late", "borderTopStyle"), "double");
    assert_eq!(style(".card:not(.late)", "borderTopStyle"), "solid");
    assert_eq!(style(".wait.late", "outlineStyle"), "solid");
    browser.click(&total_selector("paused"));
    browser.wait_visible(&person_selector("1001"));
    let pressed = total_selector("paused");
    assert_ne!(
        style(&pressed, "backgroundColor"),
        style(&total_selector("in_call"), "backgroundColor")
    );
    assert_eq!(style(".person.overdue", "borderInlineStartStyle"), "double");
}

#[test]
fn board_has_no_sideways_scroll() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    let long =
        "A%20name%20that%20is%20as%20long%20as%20any%20that%20an%20agent%20can%20have%20here";
    bridge.acme_ok(&format!(
        "action=add&agent=1001&queue=6001,6002&alias={long}"
    ));
    bridge.acme_ok("action=pause&agent=1001&queue=6001&reason=A%20reason%20that%20is%20quite%20long%20as%20well");
    bridge.acme_ok(
        "action=add&agent=1002&queue=6001&alias=%D7%93%D7%A0%D7%94&paused=1&reason=Short%20break",
    );
    let browser = open_board(&bridge);
    wait_for_text(&browser, "[data-total=overdue]", "1");
    for view in ["queues", "people"] {
        browser.click(&format!("#view [value={view}]"));
        browser.wait_visible(&match view {
            "people" => person_selector("1001"),
            _ => agent_selector("6001", "1001"),
        });
        // 720 px are a screen of 1440 px at 200 %.
        for width in [320, 390, 720, 1440] {
            browser.set_screen_size(width, 700);
            let overflow = measure(
                &browser,
                "Math.max(...['html', '#app', '.dock'].map((part) => document.querySelector(part))
                    .map(({scrollWidth, clientWidth}) => scrollWidth - clientWidth))",
            );
            assert!(
                overflow <= 0.0,
                "{view}, {width} px: {overflow} px too wide"
            );
        }
    }
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn filters_take_two_rows_on_a_small_laptop() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    let browser = open_board(&bridge);
    browser.set_screen_size(1280, 800);
    for view in ["people", "queues"] {
        browser.click(&format!("#view [value={view}]"));
        browser.wait_visible(&match view {
            "people" => person_selector("1050"),
            _ => agent_selector("6002", "1050"),
        });
        let height = measure(
            &browser,
            "document.querySelector('#board').getBoundingClientRect().top
                - document.querySelector('.filters').getBoundingClientRect().top",
        );
        // A row is at least 32 px high.
        assert!((64.0..112.0).contains(&height), "{view}: {height} px");
    }
}

#[test]
fn controls_do_not_move_when_names_of_another_script_arrive() {
    let (_asterisk, bridge) = start_with_reasons(SIMULATED);
    bridge.acme_ok("action=add&agent=1001&queue=6001&alias=Dana");
    let browser = open_board(&bridge);
    browser.wait_until(LIVE);
    show_people(&browser);
    let dana = person_selector("1001");
    browser.wait_visible(&dana);
    let places = |browser: &Browser| {
        let script = "return ['.choose', '.name', 'time', '.queues', '.pause']
            .map((part) => document.querySelector(`${arguments[0]} ${part}`).getBoundingClientRect().left)";
        browser.run_script(script, &[&dana])
    };
    let before = places(&browser);
    for (number, alias) in [
        ("1002", "%D7%93%D7%A0%D7%94"),
        ("1003", "%D9%84%D9%8A%D9%84%D9%89"),
    ] {
        bridge.acme_ok(&format!(
            "action=add&agent={number}&queue=6001&alias={alias}"
        ));
        browser.wait_visible(&person_selector(number));
    }
    assert_eq!(places(&browser), before);
}
