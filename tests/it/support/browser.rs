//! Controls a real Chromium over WebDriver, with plain HTTP and JSON.

use std::net::SocketAddr;
use std::sync::Mutex;

use serde_json::{Value, json};

use super::chromium::Chromium;
use super::eventually;

/// A headless Chromium without cookies and stored data. Dropping it closes its pages, and lets
/// other tests use the process.
pub(crate) struct Browser {
    /// `None` while the browser is dropped.
    chromium: Option<Chromium>,
    /// The origins that may have stored data.
    origins: Mutex<Vec<String>>,
}

/// The JSON key under which WebDriver returns an element id.
const ELEMENT_KEY: &str = "element-6066-11e4-a52e-4f735466cecf";

/// Waits until an element has the same place in two successive frames. WebDriver looks up the place
/// before it clicks, so a click misses an element that moves meanwhile.
const STAND_STILL: &str = "const [selector] = arguments;
    const place = () => JSON.stringify(document.querySelector(selector)?.getBoundingClientRect());
    return new Promise((resolve) => {
        const check = (before) => {
            const now = place();
            if (now === before) resolve();
            else requestAnimationFrame(() => check(now));
        };
        requestAnimationFrame(() => check(null));
    });";

impl Browser {
    pub(crate) fn start() -> Self {
        let browser = Self {
            chromium: Some(Chromium::take()),
            origins: Mutex::default(),
        };
        browser.set_color_scheme("light");
        browser
    }

    fn try_send(&self, method: &str, path: &str, body: &Value) -> Result<Value, String> {
        let chromium = self.chromium.as_ref().expect("a running browser");
        chromium.send(method, path, body)
    }

    fn post(&self, path: &str, body: &Value) -> Value {
        match self.try_send("POST", path, body) {
            Ok(value) => value,
            Err(error) => panic!("{error}"),
        }
    }

    pub(crate) fn open(&self, address: SocketAddr) {
        self.open_page(address, "/");
    }

    pub(crate) fn open_page(&self, address: SocketAddr, path: &str) {
        let origin = format!("http://{address}");
        let url = format!("{origin}{path}");
        self.origins.lock().expect("unpoisoned").push(origin);
        self.post("/url", &json!({"url": url}));
    }

    /// Runs `script` in the page, as the body of a function with these arguments. Returns the
    /// function's result.
    pub(crate) fn run_script(&self, script: &str, arguments: &[&str]) -> Value {
        self.post(
            "/execute/sync",
            &json!({"script": script, "args": arguments}),
        )
    }

    /// Like [`Self::run_script`], but waits until the function calls its last argument, which
    /// is a callback that receives the result.
    pub(crate) fn run_async_script(&self, script: &str) -> Value {
        self.post("/timeouts", &json!({"script": 120_000}));
        self.post("/execute/async", &json!({"script": script, "args": []}))
    }

    /// Waits until a JavaScript expression in the page is neither null nor false. Returns its
    /// value.
    pub(crate) fn wait_until(&self, expression: &str) -> Value {
        // The page evaluates the expression several times for each command, because a command
        // takes 4 ms of processor time.
        let script = format!(
            "return new Promise((resolve) => {{
                const check = (attempts) => {{
                    let value = null;
                    try {{ value = ({expression}); }} catch {{}}
                    const holds = (value ?? false) !== false;
                    if (holds || attempts === 0) resolve(value ?? null);
                    else setTimeout(check, 20, attempts - 1);
                }};
                check(10);
            }});"
        );
        let script = json!({"script": script, "args": []});
        eventually(expression, || {
            // The script fails if the browser leaves the page.
            let value = self.try_send("POST", "/execute/sync", &script).ok()?;
            let holds = !matches!(value, Value::Null | Value::Bool(false));
            holds.then_some(value)
        })
    }

    /// Waits until the element is visible. Returns its WebDriver id.
    pub(crate) fn wait_visible(&self, selector: &str) -> String {
        let selector = json!(selector);
        self.wait_until(&format!(
            "document.querySelector({selector})?.checkVisibility() ? {selector} : null"
        ));
        let body = json!({"using": "css selector", "value": selector});
        let element = self.post("/element", &body);
        element[ELEMENT_KEY]
            .as_str()
            .expect("an element")
            .to_owned()
    }

    /// Clicks an element as a user would: when it no longer moves. Fails if another element covers
    /// it.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.wait_visible(selector);
        self.run_script(STAND_STILL, &[selector]);
        self.post(&format!("/element/{element}/click"), &json!({}));
    }

    /// Replaces the content of an input field by typing.
    pub(crate) fn fill(&self, selector: &str, text: &str) {
        let element = self.wait_visible(selector);
        self.post(&format!("/element/{element}/clear"), &json!({}));
        self.post(&format!("/element/{element}/value"), &json!({"text": text}));
    }

    /// Presses a key in the focused element.
    pub(crate) fn press(&self, key: &str) {
        let keys = [
            json!({"type": "keyDown", "value": key}),
            json!({"type": "keyUp", "value": key}),
        ];
        let actions = json!({"actions": [{"type": "key", "id": "keyboard", "actions": keys}]});
        self.post("/actions", &actions);
    }

    /// Returns the visible text of an element.
    pub(crate) fn text(&self, selector: &str) -> String {
        let text = self.run_script(
            "return document.querySelector(arguments[0])?.innerText ?? ''",
            &[selector],
        );
        text.as_str().expect("text").to_owned()
    }

    /// Sends a command of the Chrome DevTools protocol. Returns its result.
    pub(crate) fn devtools(&self, command: &str, parameters: &Value) -> Value {
        let body = json!({"cmd": command, "params": parameters});
        self.post("/goog/cdp/execute", &body)
    }

    /// Sets the screen size in CSS pixels. If `width` is below 600, the browser emulates a
    /// phone with two device pixels per CSS pixel.
    pub(crate) fn set_screen_size(&self, width: u32, height: u32) {
        let is_phone = width < 600;
        let scale = if is_phone { 2 } else { 1 };
        let metrics = json!({"width": width, "height": height, "deviceScaleFactor": scale, "mobile": is_phone});
        self.devtools("Emulation.setDeviceMetricsOverride", &metrics);
    }

    /// Sets the color scheme to `light` or `dark`. Turns animations off, so that tests never
    /// see an animation in progress.
    pub(crate) fn set_color_scheme(&self, scheme: &str) {
        self.set_media(scheme, "none");
    }

    /// Shows the page in a few system colors, as in a high contrast mode, with a dark background.
    pub(crate) fn force_colors(&self) {
        self.set_media("dark", "active");
    }

    fn set_media(&self, scheme: &str, forced_colors: &str) {
        let features = json!({"features": [
            {"name": "prefers-color-scheme", "value": scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
            {"name": "forced-colors", "value": forced_colors},
        ]});
        self.devtools("Emulation.setEmulatedMedia", &features);
    }

    /// Sets the clock of all pages that the browser opens from now on: they see a time that is
    /// `milliseconds` later than the real one.
    pub(crate) fn set_clock_offset(&self, milliseconds: i64) {
        let source =
            format!("const realNow = Date.now; Date.now = () => realNow() + ({milliseconds});");
        self.devtools(
            "Page.addScriptToEvaluateOnNewDocument",
            &json!({"source": source}),
        );
    }

    /// Takes a screenshot and returns it as PNG.
    pub(crate) fn screenshot(&self) -> Vec<u8> {
        use base64::Engine as _;
        let screenshot = self.try_send("GET", "/screenshot", &Value::Null);
        let screenshot = screenshot.expect("a screenshot");
        let engine = base64::engine::general_purpose::STANDARD;
        let png = engine.decode(screenshot.as_str().expect("base64"));
        png.expect("base64")
    }

    /// Returns and clears the browser's log: page errors and violations of the
    /// Content-Security-Policy.
    pub(crate) fn take_log(&self) -> Vec<String> {
        let entries = self.post("/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().expect("entries").iter();
        entries.map(|entry| entry["message"].to_string()).collect()
    }
}

impl Drop for Browser {
    fn drop(&mut self) {
        let Some(chromium) = self.chromium.take() else {
            return;
        };
        // The browser of a failed test may be in any state.
        if !std::thread::panicking() {
            let origins = self.origins.get_mut().expect("unpoisoned");
            chromium.put_back(origins);
        }
    }
}
