//! The Today view: the day's work, as the bridge reports it.

use serde_json::{Value, json};

use super::{ENTER, REASONS, browser_errors, open_board, wait_for_text};
use crate::support::{
    ABSENT_AGENT, ACME, Asterisk, Bridge, Browser, SIMULATED, configuration_with, eventually,
    organization, wait_for_start_of_second, with_acme_keys,
};

const DANA: &str = "Local/1001@acme-agents";

/// A script that returns the texts of the table: of each row its key and the text of each column.
/// The total has no key.
const TABLE: &str = "
    const text = (element) => element.textContent.trim();
    const cells = (row) => [...row.querySelectorAll('td')].map((cell) =>
        [cell.dataset.column, [...cell.children].map(text).filter(Boolean).join(' ')]);
    const rows = [...document.querySelectorAll('#report-table :is(tbody, tfoot) tr')];
    return rows.map((row) => [row.dataset.key ?? null, Object.fromEntries(cells(row))]);";

/// Returns a configuration whose organization acme has the queues 7001, with a wrap-up time, and
/// 7003, with autopause. No other member is ever logged in there.
fn timed_configuration(port: u16) -> String {
    let acme = organization("acme", r#""7001", "7003""#, "timed-{queue}", ACME);
    let text = with_acme_keys(&configuration_with(port, &[acme]), "wrapup = \"8s\"");
    text + REASONS
}

/// Starts a PBX and a bridge, and lets two agents work for a few seconds: 1001 takes a call and has
/// lunch, and 1090 misses a call and takes too long a break. Then both log out, so that the report
/// does not change any more.
fn start_after_work() -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(SIMULATED);
    let bridge = Bridge::start(&timed_configuration(asterisk.port));
    bridge.acme_ok("action=add&agent=1001&queue=7001&alias=Dana");
    bridge.acme_ok("action=add&agent=1090&queue=7001,7003&alias=%D7%93%D7%A0%D7%94");
    bridge.acme_ok("action=pause&agent=1090&queue=7001");
    asterisk.take_call("timed-7001", DANA);
    asterisk.miss_call("timed-7003", ABSENT_AGENT);
    bridge.acme_ok("action=pause&agent=1001&reason=Lunch");
    bridge.acme_ok("action=pause&agent=1090&reason=Short%20break");
    eventually("work of each kind is recorded", || {
        let report = bridge.acme_ok("action=showreport");
        let (dana, other) = (&report["rows"][0], &report["rows"][1]);
        let is_overdue = other["overdue_pauses"] == 1 && dana["paused_seconds"] != 0;
        (is_overdue && dana["calls_taken"] == 1 && other["missed_calls"] != 0).then_some(())
    });
    bridge.acme_ok("action=remove&agent=1001,1090&queue=*");
    eventually("nobody is logged in any more", || {
        let rows = || bridge.acme_ok("action=showreport")["rows"].take();
        let before = rows();
        let second = wait_for_start_of_second();
        eventually("the next second", || {
            (wait_for_start_of_second() > second).then_some(())
        });
        (before == rows()).then_some(())
    });
    (asterisk, bridge)
}

/// Opens the Today view, and waits for its table.
pub(super) fn open_today(bridge: &Bridge) -> Browser {
    let browser = open_board(bridge);
    show_today(&browser);
    browser
}

pub(super) fn show_today(browser: &Browser) {
    browser.click("#view label:has([value=today])");
    browser.wait_visible("#report-table tbody tr");
}

/// Groups the rows by agent, queue or reason.
fn group_by(browser: &Browser, by: &str) {
    browser.click(&format!("#report-by label:has([value={by}])"));
    let noun = format!("All {by}s");
    wait_for_text(browser, "#report-table tfoot .name", &noun);
}

/// Clicks a column's header.
pub(super) fn sort_by(browser: &Browser, label: &str) {
    let script = "[...document.querySelectorAll('#report-table thead button')]
        .find((button) => button.innerText.trim() === arguments[0]).click()";
    browser.run_script(script, &[label]);
}

/// Returns the keys of the rows, in the order of the page.
fn keys(browser: &Browser) -> Vec<String> {
    let table = browser.run_script(TABLE, &[]);
    let rows = table.as_array().expect("rows").iter();
    rows.filter_map(|row| row[0].as_str().map(str::to_owned))
        .collect()
}

fn hours(seconds: &Value) -> String {
    let seconds = seconds.as_u64().expect("seconds");
    let (minutes, rest) = (seconds / 60 % 60, seconds % 60);
    format!("{}:{minutes:02}:{rest:02}", seconds / 3600)
}

/// Returns the text of a time with the number of its pauses, as in a cell of the table.
fn pauses_text(pauses: &Value) -> String {
    let mut text = hours(&pauses["paused_seconds"]);
    if pauses["pauses"] != 0 {
        text += &format!(" {}×", pauses["pauses"]);
    }
    if pauses["overdue_pauses"] != 0 {
        text += &format!(" {} over limit", pauses["overdue_pauses"]);
    }
    text
}

/// Returns the text of each number of a row of the report, by column.
fn expected_cells(row: &Value) -> Vec<(String, String)> {
    let mut cells = Vec::new();
    let is_by_reason = row["reasons"].is_null();
    for (key, value) in row.as_object().expect("a row") {
        let text = match key.as_str() {
            "paused_seconds" if !is_by_reason => pauses_text(row),
            "pauses" | "overdue_pauses" if !is_by_reason => continue,
            key if key.ends_with("_seconds") => hours(value),
            _ if value.is_number() => value.to_string(),
            _ => continue,
        };
        cells.push((key.clone(), text));
    }
    for reason in row["reasons"].as_array().into_iter().flatten() {
        let name = reason["reason"].as_str().unwrap_or_default();
        cells.push((format!("reason {name}"), pauses_text(reason)));
    }
    cells
}

/// Asserts that a row of the table shows all numbers of a row of the report, and no others.
fn assert_shows(shown: &Value, row: &Value) {
    let expected = expected_cells(row);
    let cells = shown[1].as_object().expect("cells");
    for (column, text) in &expected {
        assert_eq!(cells[column], json!(text), "{column}: {shown} {row}");
    }
    for (column, text) in cells {
        let is_expected = expected.iter().any(|(name, _)| name == column);
        assert!(is_expected || text == "", "{column}: {shown} {row}");
    }
}

#[test]
fn today_shows_every_number_of_the_report_and_no_other() {
    let (_asterisk, bridge) = start_after_work();
    let browser = open_today(&bridge);
    for by in ["agent", "queue", "reason"] {
        group_by(&browser, by);
        let report = bridge.acme_ok(&format!("action=showreport&by={by}"));
        let rows = report["rows"].as_array().expect("rows");
        assert!(rows.len() >= 2, "{report}");
        wait_for_text(&browser, "#shown", &format!("{} {by}s", rows.len()));
        let table = browser.run_script(TABLE, &[]);
        let shown = table.as_array().expect("rows");
        for row in rows {
            let key = row[by].as_str().unwrap_or_default();
            let found = shown.iter().find(|shown| shown[0] == key);
            assert_shows(found.unwrap_or_else(|| panic!("{key}: {table}")), row);
        }
        assert_eq!(shown.len(), rows.len() + 1, "{table}");
        // The total is the bridge's, too: overlapping times count once.
        let mut total = bridge.acme_ok("action=showreport&by=day")["rows"][0].take();
        let keys: Vec<&String> = rows[0].as_object().expect("a row").keys().collect();
        let total = total.as_object_mut().expect("a row");
        total.retain(|key, _| keys.contains(&key));
        let total = Value::Object(total.clone());
        assert_shows(shown.last().expect("a total"), &total);
    }
    assert!(browser_errors(&browser).is_empty());
}

#[test]
fn headers_sort_the_rows_and_say_so() {
    let (_asterisk, bridge) = start_after_work();
    let browser = open_today(&bridge);
    let sorted = "[...document.querySelectorAll('#report-table [aria-sort]')]
        .map((header) => [header.innerText.trim(), header.ariaSort, header.scope])";
    let read = || browser.run_script(&format!("return {sorted}"), &[]);
    assert_eq!(read(), json!([["Agent", "ascending", "col"]]));
    assert_eq!(keys(&browser), ["1001", "1090"]);
    sort_by(&browser, "Missed");
    assert_eq!(read(), json!([["Missed", "descending", "col"]]));
    assert_eq!(keys(&browser), ["1090", "1001"]);
    // The keyboard does the same.
    let focus = "document.querySelector('#report-table [aria-sort] button').focus()";
    browser.run_script(focus, &[]);
    browser.press(ENTER);
    browser.wait_until(&format!("{sorted}[0][1] === 'ascending'"));
    assert_eq!(keys(&browser), ["1001", "1090"]);
    // Those without lunch come last in both directions.
    for _ in 0..2 {
        sort_by(&browser, "Lunch");
        assert_eq!(keys(&browser), ["1001", "1090"]);
    }
    // Screen readers name the rows.
    let names = browser.run_script(
        "return [...document.querySelectorAll('#report-table tbody th[scope=row]')]
            .map((name) => name.textContent.trim())",
        &[],
    );
    assert_eq!(names, json!(["Dana 1001", "דנה 1090"]));
    browser.fill("#search", "dana");
    wait_for_text(&browser, "#shown", "1 of 2 agents");
    assert_eq!(keys(&browser), ["1001"]);
}

#[test]
fn csv_is_the_bridges_file() {
    let (_asterisk, bridge) = start_after_work();
    let browser = open_today(&bridge);
    let folder = tempfile::tempdir().expect("a folder");
    let download = json!({"behavior": "allow", "downloadPath": folder.path()});
    browser.devtools("Browser.setDownloadBehavior", &download);
    for by in ["agent", "queue"] {
        group_by(&browser, by);
        let report = bridge.acme_ok(&format!("action=showreport&by={by}"));
        let day = report["from"].as_str().expect("a date");
        browser.click("#report-csv");
        let path = folder.path().join(format!("report-{day}-by-{by}.csv"));
        // The browser first creates an empty file.
        let file = eventually("the file is saved", || {
            std::fs::read(&path).ok().filter(|file| !file.is_empty())
        });
        let query = format!("action=showreport&by={by}&from={day}&to={day}&format=csv");
        let response = bridge.get_as(ACME, &query);
        assert_eq!(response.status, 200);
        assert!(response.body.starts_with('\u{feff}'), "{}", response.body);
        assert_eq!(String::from_utf8(file).expect("UTF-8"), response.body);
    }
    assert!(browser_errors(&browser).is_empty());
}
