//! The panel's files over HTTP. The page loads only these files, under a strict content
//! security policy.

use crate::support::{Asterisk, Bridge, SIMULATED, configuration, request};

fn start_with(http_settings: &str) -> (Asterisk, Bridge) {
    let asterisk = Asterisk::start(SIMULATED);
    let text = configuration(asterisk.port).replace("[http]", &format!("[http]\n{http_settings}"));
    let bridge = Bridge::start(&text);
    (asterisk, bridge)
}

#[test]
fn page_and_its_files_are_served_with_a_strict_policy() {
    let (_asterisk, bridge) = start_with("path = \"/queues/api\"");
    let page = request(bridge.address, "GET", "/", &[], b"");
    assert_eq!(page.status, 200);
    assert_eq!(
        page.header("Content-Type"),
        Some("text/html; charset=utf-8")
    );
    assert!(page.body.contains("data-interface=\"./queues/api\""));
    let policy = page.header("Content-Security-Policy").expect("a policy");
    assert!(policy.starts_with("default-src 'none'; script-src 'self'; style-src 'self';"));
    assert!(!policy.contains("unsafe"));
    let agent_page = request(bridge.address, "GET", "/agent", &[], b"");
    assert_eq!(agent_page.status, 200);
    let wall = request(bridge.address, "GET", "/wall", &[], b"");
    assert_eq!(wall.status, 200);
    let html = page.body.clone() + &agent_page.body + &wall.body;
    // The pages contain nothing that would need an exception in the policy.
    for forbidden in [
        "<style",
        " style=",
        " onclick=",
        "<script>",
        "http://",
        "https://",
    ] {
        assert!(!html.contains(forbidden), "{forbidden}");
    }
    let files = html.split('"').filter(|text| text.starts_with("panel/"));
    let mut loaded: Vec<String> = files.map(str::to_owned).collect();
    loaded.sort();
    loaded.dedup();
    let mut next = 0;
    while let Some(path) = loaded.get(next).cloned() {
        next += 1;
        let file = request(bridge.address, "GET", &format!("/{path}"), &[], b"");
        assert_eq!(file.status, 200, "{path}");
        for (name, value) in [
            ("Cache-Control", "no-cache"),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Content-Security-Policy", policy),
        ] {
            assert_eq!(file.header(name), Some(value), "{path}");
        }
        assert!(!file.body.contains("innerHTML"), "{path}");
        let imports = file.body.lines().filter(|line| line.starts_with("import "));
        for module in imports.filter_map(|line| line.split(" from \"").nth(1)) {
            let module = module_path(&path, module.split('"').next().expect("a name"));
            if !loaded.contains(&module) {
                loaded.push(module);
            }
        }
    }
    loaded.sort();
    assert_eq!(loaded, page_files());
    let missing = request(bridge.address, "GET", "/panel/nowhere.js", &[], b"");
    assert_eq!(missing.outcome(), "404 not_found");
}

/// Returns the path of a module that the file at `path` imports as `./NAME` or `../FOLDER/NAME`.
fn module_path(path: &str, module: &str) -> String {
    let folder = path.rsplit_once('/').expect("a folder").0;
    match module.strip_prefix("../") {
        Some(name) => format!("panel/{name}"),
        None => format!("{folder}/{}", module.trim_start_matches("./")),
    }
}

/// Returns the files in the folders of `src/pages` that a browser loads, as paths relative to the
/// page.
fn page_files() -> Vec<String> {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages");
    let mut files: Vec<_> = names_in(root)
        .filter(|name| !name.contains('.'))
        .flat_map(|folder| {
            names_in(&format!("{root}/{folder}")).map(move |name| format!("panel/{folder}/{name}"))
        })
        .filter(|name| !name.ends_with(".html"))
        .collect();
    files.sort();
    files
}

/// Returns the names in a folder.
fn names_in(folder: &str) -> impl Iterator<Item = String> + use<> {
    let entries = std::fs::read_dir(folder).expect("a folder of src/pages");
    let names = entries.map(|entry| entry.expect("a folder entry").file_name());
    names.map(|name| name.into_string().expect("UTF-8"))
}

#[test]
fn unchanged_files_are_not_sent_again() {
    let (_asterisk, bridge) = start_with("");
    for path in ["/", "/agent", "/wall", "/panel/board/page.js"] {
        let first = request(bridge.address, "GET", path, &[], b"");
        let tag = first.header("ETag").expect("an ETag");
        let tag_list = format!("\"other\", W/{tag}");
        for known in [tag, &tag_list] {
            let again = request(
                bridge.address,
                "GET",
                path,
                &[("If-None-Match", known)],
                b"",
            );
            assert_eq!((again.status, again.body.as_str()), (304, ""));
            assert_eq!(again.header("ETag"), Some(tag));
        }
        let other_tag = [("If-None-Match", "\"other\"")];
        assert_eq!(
            request(bridge.address, "GET", path, &other_tag, b"").status,
            200
        );
        let refused = request(bridge.address, "POST", path, &[], b"");
        assert_eq!(
            (refused.status, refused.header("Allow")),
            (405, Some("GET, HEAD"))
        );
    }
}

#[test]
fn panel_can_be_disabled() {
    let (_asterisk, bridge) = start_with("panel = false");
    for path in ["/", "/agent", "/wall", "/panel/board/page.js"] {
        let response = request(bridge.address, "GET", path, &[], b"");
        assert_eq!(response.outcome(), "404 not_found");
    }
}
