//! Every page in each of its states, as axe, a keyboard and a screen reader find it. The names of
//! tests that need axe contain `axe_`, so that `./test` can leave them out.

use serde_json::{Value, json};

use super::hands::TAB;
use crate::support::Browser;

/// A way to look at a page: the screen's size, and the colors.
struct Look {
    name: &'static str,
    screen: (u32, u32),
    set_colors: fn(&Browser),
}

const fn look(name: &'static str, screen: (u32, u32), set_colors: fn(&Browser)) -> Look {
    Look {
        name,
        screen,
        set_colors,
    }
}

/// At 200 %, a screen of 1280 by 1024 pixels has half as many CSS pixels.
const LOOKS: [Look; 8] = [
    look("light, 390 px", (390, 844), light),
    look("light, 320 px", (320, 568), light),
    look("light, 200 %", (640, 512), light),
    look("dark, 1440 px", (1440, 900), dark),
    look("dark, 320 px", (320, 568), dark),
    look("forced colors, 1440 px", (1440, 900), Browser::force_colors),
    look("forced colors, 390 px", (390, 844), Browser::force_colors),
    look("light, 1440 px", (1440, 900), light),
];

fn light(browser: &Browser) {
    browser.set_color_scheme("light");
}

fn dark(browser: &Browser) {
    browser.set_color_scheme("dark");
}

/// A page that a test leads from state to state.
pub(super) trait Scene {
    fn browser(&self) -> &Browser;
}

/// The name of a state, and the steps that lead to it from the previous state of the same table.
pub(super) type State<S> = (&'static str, fn(&mut S));

/// Leads a page through its states. In each one, asserts that axe finds nothing in any look, that
/// lists and dialogs have names, and that Tab visits every control in the order of the page.
pub(super) fn assert_accessible<S: Scene>(scene: &mut S, states: &[State<S>]) {
    let axe = axe_script();
    let mut problems = Vec::new();
    for (state, enter) in states {
        enter(scene);
        let browser = scene.browser();
        browser.run_script(&axe, &[]);
        for Look {
            name,
            screen: (width, height),
            set_colors,
        } in LOOKS
        {
            browser.set_screen_size(width, height);
            set_colors(browser);
            let found = violations(browser);
            problems.extend(
                found
                    .iter()
                    .map(|found| format!("{state}, {name}: {found}")),
            );
        }
        let unnamed = unnamed_containers(browser);
        problems.extend(
            unnamed
                .iter()
                .map(|found| format!("{state}: no name: {found}")),
        );
        let focus = focus_problems(browser);
        problems.extend(focus.iter().map(|found| format!("{state}: focus: {found}")));
        println!("{state}: all problems so far: {problems:#?}");
    }
    assert!(problems.is_empty(), "{problems:#?}");
}

/// Returns the script that defines `axe`.
fn axe_script() -> String {
    let file = std::env::var_os("AMI_BRIDGE_AXE").expect(
        "AMI_BRIDGE_AXE: the path to axe.min.js from the npm package axe-core (set by ./test)",
    );
    std::fs::read_to_string(file).expect("axe.min.js")
}

/// Returns everything that axe finds, each with the HTML of one element.
fn violations(browser: &Browser) -> Vec<String> {
    let results = browser.run_async_script(
        "const done = arguments[arguments.length - 1];
        const describe = ({id, impact, nodes: [{html, failureSummary}]}) =>
            `${id} (${impact}) ${html.slice(0, 200)} ${failureSummary}`;
        axe.run(document, {resultTypes: ['violations']}).then(
            ({passes, violations}) => done([passes.length, violations.map(describe)]),
            (error) => done(String(error)));",
    );
    assert!(results[0].as_u64() > Some(5), "few rules: {results}");
    strings(&results[1])
}

fn strings(array: &Value) -> Vec<String> {
    let array = array.as_array().unwrap_or_else(|| panic!("{array}")).iter();
    array
        .map(|text| text.as_str().unwrap_or_default().to_owned())
        .collect()
}

/// Roles of elements that contain several others. A screen reader announces their names.
const CONTAINERS: [&str; 8] = [
    "list",
    "grid",
    "listbox",
    "table",
    "dialog",
    "radiogroup",
    "toolbar",
    "region",
];

/// Returns the visible lists, dialogs and so on that have no accessible name.
fn unnamed_containers(browser: &Browser) -> Vec<String> {
    let tree = browser.devtools("Accessibility.getFullAXTree", &json!({}));
    let nodes = tree["nodes"].as_array().expect("nodes").iter();
    let unnamed = nodes.filter(|node| {
        let role = node["role"]["value"].as_str().unwrap_or_default();
        node["ignored"] == false
            && CONTAINERS.contains(&role)
            && node["name"]["value"]
                .as_str()
                .unwrap_or_default()
                .is_empty()
    });
    let describe = |node: &Value| {
        let id = json!({"backendNodeId": node["backendDOMNodeId"]});
        let html = browser.devtools("DOM.getOuterHTML", &id);
        let html = html["outerHTML"].as_str().unwrap_or_default();
        format!(
            "{}: {}",
            node["role"]["value"],
            html.chars().take(120).collect::<String>()
        )
    };
    unnamed.map(describe).collect()
}

/// Describes the focused element: its position in the document, its HTML, and whether its middle
/// can be seen. Returns null at the end of the page.
const FOCUSED: &str = "
    const focused = document.activeElement;
    if (focused === null || focused === document.body) return null;
    const {left, top, width, height} = focused.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + height / 2);
    const label = focused.labels?.[0];
    const isSeen = hit !== null && (focused.contains(hit) || hit.contains(focused) || label?.contains(hit) === true);
    const position = [...document.querySelectorAll('*')].indexOf(focused);
    const html = focused.outerHTML.replaceAll(/\\s+/g, ' ').slice(0, 120);
    return [position, html, isSeen];";

/// Returns the controls that Tab should reach: all that are visible, but one of each group of radio
/// buttons, and one of each list in which the arrow keys move the focus.
const REACHABLE: &str = "
    const root = document.querySelector('dialog[open]') ?? document;
    const controls = [...root.querySelectorAll('a[href], button, input, select, textarea, [tabindex=\"0\"]')];
    const all = [...document.querySelectorAll('*')];
    return controls
        .filter((element) => element.checkVisibility({visibilityProperty: true})
            && !element.matches(':disabled') && !element.closest('[inert]') && element.tabIndex >= 0 && element.type !== 'radio')
        .map((element) => [all.indexOf(element), element.outerHTML.replaceAll(/\\s+/g, ' ').slice(0, 120)]);";

/// Presses Tab until the focus has gone once around the page, or around the open dialog. Returns the
/// controls that get no focus, get it in another order than that of the page, or can't be seen while
/// they have it.
fn focus_problems(browser: &Browser) -> Vec<String> {
    let reachable = browser.run_script(REACHABLE, &[]);
    let reachable = reachable.as_array().expect("an array");
    let mut problems = Vec::new();
    let mut visited: Vec<u64> = Vec::new();
    for _ in 0..300 {
        browser.press(TAB);
        let focused = browser.run_script(FOCUSED, &[]);
        // At the end of the page, no element has the focus.
        let Some(position) = focused[0].as_u64() else {
            continue;
        };
        // A date has several fields, which are one control.
        if visited.last() == Some(&position) {
            continue;
        }
        if visited.contains(&position) {
            break;
        }
        if focused[2] == false {
            problems.push(format!("covered: {}", focused[1]));
        }
        visited.push(position);
    }
    // The round begins anywhere, so it goes back once.
    let backward = visited.windows(2).filter(|pair| pair[0] > pair[1]).count();
    if backward > 1 {
        problems.push(format!("out of order: {visited:?}"));
    }
    let missed = reachable.iter().filter(|control| {
        let position = control[0].as_u64();
        position.is_some_and(|position| !visited.contains(&position))
    });
    problems.extend(missed.map(|control| format!("not reached: {}", control[1])));
    problems
}
