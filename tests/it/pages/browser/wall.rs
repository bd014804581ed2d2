//! The wall screen: helpers for its tests.

use std::fmt::Write as _;

use ami_bridge::organizations::TokenHash;
use serde_json::{Value, json};

use super::REASONS;
use crate::support::{Asterisk, Bridge, Browser, configuration};

/// The token of the screen.
pub(super) const TOKEN: &str = "amib_wall";

/// Returns the section of the screen's token, which can only receive events.
pub(super) fn token_section() -> String {
    let hash = TokenHash::of(TOKEN);
    format!(
        "[[organization.acme.token]]\nname = \"wall\"\ntoken_hash = \"{hash}\"\n\
         actions = [\"events\"]\n"
    )
}

/// Returns a configuration with [`REASONS`] and the screen's token.
pub(super) fn wall_configuration(ami_port: u16) -> String {
    configuration(ami_port) + REASONS + &token_section()
}

/// Starts a PBX and a bridge with [`wall_configuration`].
pub(super) fn start_with_token(version: u32) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(version);
    let bridge = Bridge::start(&wall_configuration(asterisk.port));
    (asterisk, bridge)
}

/// Returns a `queues.conf` with this many queues. Each has a member, its [`agent`].
pub(super) fn queues_conf(count: usize) -> String {
    let mut text = String::from("[general]\n");
    for queue in numbers(count) {
        let agent = agent(queue);
        let _ = write!(
            text,
            "[acme-{queue}]\nstrategy = ringall\n\
             member => Local/{agent}@acme-agents,0,Agent {agent}\n"
        );
    }
    text
}

/// Returns the numbers of the first queues: 6001, 6002 and so on.
pub(super) fn numbers(count: usize) -> impl Iterator<Item = usize> {
    (6001..).take(count)
}

/// Returns the number of the member of a queue: 1001 in queue 6001.
pub(super) fn agent(queue: usize) -> usize {
    queue - 5000
}

/// Returns [`wall_configuration`] with these queues instead of 6001 and 6002.
pub(super) fn configuration_with_queues(ami_port: u16, queues: &[String]) -> String {
    let queues = serde_json::to_string(queues).expect("JSON");
    wall_configuration(ami_port).replacen(
        "queues = [\"6001\", \"6002\"]",
        &format!("queues = {queues}"),
        1,
    )
}

/// Starts a browser with a usual screen, opens the wall screen with the token, and waits until it
/// is live. `options` follow the token.
pub(super) fn open_wall(bridge: &Bridge, options: &str) -> Browser {
    let browser = Browser::start();
    browser.set_screen_size(1920, 1080);
    open_screen(&browser, bridge, options);
    browser
}

/// Opens the wall screen with the token, and waits until it is live.
pub(super) fn open_screen(browser: &Browser, bridge: &Bridge, options: &str) {
    browser.open_page(bridge.address, &format!("/wall#token={TOKEN}{options}"));
    browser.wait_until(LIVE_WALL);
}

/// A JavaScript condition that is true while the wall screen receives events.
pub(super) const LIVE_WALL: &str = "document.getElementById('cover').hidden \
     && document.querySelector('#wall:not(.stale) .tile') !== null";

/// Returns the selector of a queue's tile.
pub(super) fn tile(queue: &str) -> String {
    format!(".tile[data-queue=\"{queue}\"]")
}

/// Returns the font size of the first element in pixels.
pub(super) fn font_size(browser: &Browser, selector: &str) -> f64 {
    let script =
        "return parseFloat(getComputedStyle(document.querySelector(arguments[0])).fontSize)";
    let size = browser.run_script(script, &[selector]);
    size.as_f64().expect("a size")
}

/// Returns the problems of the layout: what is outside of the screen or of its tile, and the page's
/// size if it is not exactly the screen's.
pub(super) fn layout_problems(browser: &Browser) -> Value {
    let script = "const problems = [];
        const page = document.documentElement;
        const size = [page.scrollWidth, page.scrollHeight];
        if (size[0] !== innerWidth || size[1] !== innerHeight) problems.push(['page', ...size]);
        const screen = {left: 0, top: 0, right: innerWidth, bottom: innerHeight};
        // A pixel is the rounding of text that is a few pixels high.
        const isInside = (inner, outer) => inner.left >= outer.left - 1 && inner.top >= outer.top - 1
            && inner.right <= outer.right + 1 && inner.bottom <= outer.bottom + 1;
        const check = (elements, outer, name) => {
            for (const element of elements) {
                const box = element.getBoundingClientRect();
                if (box.width > 0 && element.checkVisibility() && !isInside(box, outer)) {
                    problems.push([name, element.outerHTML.slice(0, 60), box.toJSON()]);
                }
            }
        };
        check(document.querySelectorAll('.tile, #totals > *, #sound, #clock'), screen, 'screen');
        const tiles = [...document.querySelectorAll('.tile')].filter((tile) => tile.checkVisibility());
        for (const tile of tiles) {
            const name = tile.dataset.queue;
            check(tile.querySelectorAll(':not(.visually-hidden)'), tile.getBoundingClientRect(), name);
            for (const element of [tile, ...tile.querySelectorAll('.name, .callers, .agents')]) {
                if (element.scrollWidth > element.clientWidth + 1) problems.push([name, 'too wide', element.outerHTML]);
            }
        }
        const sizes = tiles.map((tile) => tile.getBoundingClientRect());
        const spread = (key) => Math.max(...sizes.map((box) => box[key])) - Math.min(...sizes.map((box) => box[key]));
        if (spread('width') > 1 || spread('height') > 1) problems.push(['unequal tiles']);
        return problems;";
    browser.run_script(script, &[])
}

/// Asserts that the page fits the screen, and that nothing is cut.
pub(super) fn assert_fits(browser: &Browser, name: &str) {
    // The page adapts to a new size in the next frame.
    let frames = "const done = arguments[arguments.length - 1];
        requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(done, 0)));";
    browser.run_async_script(frames);
    assert_eq!(layout_problems(browser), json!([]), "{name}");
}
