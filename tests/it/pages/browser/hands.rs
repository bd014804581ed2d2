//! A user's hands: every click and every key is counted.

use std::cell::Cell;

use crate::support::Browser;

pub(super) const TAB: &str = "\u{e004}";
pub(super) const ENTER: &str = "\u{e007}";
pub(super) const ESCAPE: &str = "\u{e00c}";
pub(super) const END: &str = "\u{e010}";
pub(super) const HOME: &str = "\u{e011}";
pub(super) const LEFT: &str = "\u{e012}";
pub(super) const UP: &str = "\u{e013}";
pub(super) const RIGHT: &str = "\u{e014}";
pub(super) const DOWN: &str = "\u{e015}";

/// Clicks and presses keys in a browser, and counts both.
pub(super) struct Hands<'a> {
    browser: &'a Browser,
    clicks: Cell<u32>,
    keys: Cell<u32>,
}

impl<'a> Hands<'a> {
    pub(super) fn new(browser: &'a Browser) -> Self {
        Self {
            browser,
            clicks: Cell::new(0),
            keys: Cell::new(0),
        }
    }

    pub(super) fn click(&self, selector: &str) {
        self.browser.click(selector);
        self.clicks.set(self.clicks.get() + 1);
    }

    pub(super) fn press(&self, key: &str) {
        self.browser.press(key);
        self.keys.set(self.keys.get() + 1);
    }

    /// Types a text. Its characters do not count as keys.
    pub(super) fn type_text(&self, text: &str) {
        for character in text.chars() {
            self.browser.press(&character.to_string());
        }
    }

    /// Returns the clicks since the last call.
    pub(super) fn take_clicks(&self) -> u32 {
        self.clicks.take()
    }

    /// Returns the keys since the last call.
    pub(super) fn take_keys(&self) -> u32 {
        self.keys.take()
    }
}
