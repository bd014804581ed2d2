//! The web pages: static files that are compiled into the program. This module knows
//! nothing about queues; the pages use the API like any other client.

use std::fmt::Write as _;

use bytes::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HeaderValue, REFERRER_POLICY,
    X_CONTENT_TYPE_OPTIONS,
};
use hyper::{Response, StatusCode};
use sha2::{Digest, Sha256};

use super::body::ReplyBody;
use super::reply::set_entity_tag;
use crate::api::EntityTag;

/// The pages' `Content-Security-Policy`: they may load only their own files and send requests
/// only to this server. Scripts and styles from other origins, inline scripts and styles, form
/// submission, and frames are blocked.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src 'self' data:; manifest-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

/// Creates [`FILES`] from names of files in `src/pages`.
macro_rules! files {
    ($($name:literal,)*) => {
        &[$((concat!("/panel/", $name), include_bytes!(concat!("../pages/", $name)))),*]
    };
}

/// The files that the pages load: the path, and the content of the file in `src/pages`.
const FILES: &[(&str, &[u8])] = files![
    "agent/actions.js",
    "agent/agent.css",
    "agent/agent.webmanifest",
    "agent/my-day.js",
    "agent/own-day.js",
    "agent/own-alerts.js",
    "agent/own-state.js",
    "agent/own-text.js",
    "agent/page.js",
    "agent/signals.js",
    "agent/view.js",
    "board/add-dialog.js",
    "board/agent-row.js",
    "board/board.css",
    "board/bulk.js",
    "board/caller-list.js",
    "board/card-head.js",
    "board/changes.js",
    "board/commands.js",
    "board/keyboard.js",
    "board/match.js",
    "board/memberships.js",
    "board/page.js",
    "board/pause-control.js",
    "board/pause-dialog.js",
    "board/people-view.js",
    "board/people.css",
    "board/person-order.js",
    "board/person-row.js",
    "board/person.js",
    "board/queue-card.js",
    "board/queues-view.js",
    "board/rows.js",
    "board/scope-dialogs.js",
    "board/selection.js",
    "board/texts.js",
    "board/today-columns.js",
    "board/today-query.js",
    "board/today-table.js",
    "board/today.css",
    "board/today.js",
    "board/totals.js",
    "board/undo.js",
    "board/view.js",
    "shared/api.js",
    "shared/deadline.js",
    "shared/dialog.js",
    "shared/dialogs.css",
    "shared/dom.js",
    "shared/icon.png",
    "shared/icon.svg",
    "shared/login.js",
    "shared/member.js",
    "shared/notices.js",
    "shared/outcome.js",
    "shared/pending.js",
    "shared/people.js",
    "shared/reason-fields.js",
    "shared/reasons.js",
    "shared/refresher.js",
    "shared/repeats.js",
    "shared/report.js",
    "shared/rights.js",
    "shared/search.js",
    "shared/session.js",
    "shared/settings.js",
    "shared/state.js",
    "shared/stream.js",
    "shared/theme.css",
    "shared/time.js",
    "shared/tones.js",
    "wall/alarm.js",
    "wall/layout.js",
    "wall/notice.js",
    "wall/page.js",
    "wall/screen.js",
    "wall/sound.js",
    "wall/upgrade.js",
    "wall/view.js",
    "wall/wall.css",
];

/// The path and the HTML of each page.
const PAGES: [(&str, &str); 3] = [
    ("/", include_str!("../pages/board/board.html")),
    ("/agent", include_str!("../pages/agent/agent.html")),
    ("/wall", include_str!("../pages/wall/wall.html")),
];

/// Parts that several pages contain: the placeholder, and the HTML that replaces it.
const PARTS: [(&str, &str); 3] = [
    (
        "{{login}}\n",
        include_str!("../pages/shared/login.part.html"),
    ),
    (
        "{{dialog}}\n",
        include_str!("../pages/shared/dialog.part.html"),
    ),
    (
        "{{icons}}\n",
        include_str!("../pages/shared/icons.part.html"),
    ),
];

/// The web pages and the files that they load.
#[derive(Debug)]
pub struct Pages {
    files: Vec<File>,
}

/// A file ready to be served.
#[derive(Debug)]
pub(super) struct File {
    path: &'static str,
    content_type: &'static str,
    content: Bytes,
    entity_tag: EntityTag,
}

impl Pages {
    /// Creates the pages. They call the API at `api_path`.
    #[must_use]
    pub fn new(api_path: &str) -> Self {
        // A relative path also works if a proxy serves the pages under another path.
        let api_path = format!(".{}", escape_attribute(api_path));
        let files = FILES
            .iter()
            .map(|&(path, content)| File::new(path, Bytes::from_static(content)));
        let pages = PAGES.iter().map(|&(path, html)| {
            let html = PARTS.iter().fold(html.to_owned(), |html, (name, part)| {
                html.replace(name, part)
            });
            let html = html.replace("{{interface}}", &api_path);
            page(path, &html)
        });
        Self {
            files: files.chain(pages).collect(),
        }
    }

    /// Returns the file that is served at `path`.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    fn new(path: &'static str, content: Bytes) -> Self {
        let version = version(Sha256::new_with_prefix(&content));
        Self {
            path,
            content_type: content_type(path),
            content,
            entity_tag: EntityTag::strong(&version),
        }
    }

    /// Returns the file, or a 304 if the request's `If-None-Match` header names this version.
    pub(super) fn response(&self, if_none_match: &str) -> Response<ReplyBody> {
        let mut response = if self.entity_tag.is_in(if_none_match) {
            let mut response = Response::new(ReplyBody::default());
            *response.status_mut() = StatusCode::NOT_MODIFIED;
            response
        } else {
            Response::new(ReplyBody::whole(self.content.clone()))
        };
        let headers = response.headers_mut();
        for (name, value) in [
            (CONTENT_TYPE, self.content_type),
            // The browser must revalidate every file: a page from one version would break with
            // scripts from another version.
            (CACHE_CONTROL, "no-cache"),
            (CONTENT_SECURITY_POLICY, POLICY),
            (X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (REFERRER_POLICY, "no-referrer"),
        ] {
            headers.insert(name, HeaderValue::from_static(value));
        }
        set_entity_tag(headers, &self.entity_tag);
        response
    }
}

/// Returns a page. Its version, and thus its `ETag`, also changes with the files that it loads, so
/// that a page that is open for weeks can find out whether the program has been upgraded.
fn page(path: &'static str, html: &str) -> File {
    let mut hash = Sha256::new_with_prefix(html);
    for (name, content) in FILES {
        hash.update(name);
        hash.update(content);
    }
    let version = version(hash);
    let html = html.replace("{{version}}", &version);
    File {
        path,
        content_type: content_type(path),
        content: Bytes::from(html),
        entity_tag: EntityTag::strong(&version),
    }
}

/// Returns the start of the hash in hexadecimal.
fn version(hash: Sha256) -> String {
    let mut version = String::new();
    for byte in hash.finalize().iter().take(8) {
        let _ = write!(version, "{byte:02x}");
    }
    version
}

/// Returns the content type of the file at `path`. The pages themselves have no extension.
fn content_type(path: &str) -> &'static str {
    match path.rsplit_once('.').map(|(_, extension)| extension) {
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("svg") => "image/svg+xml; charset=utf-8",
        Some("png") => "image/png",
        Some("webmanifest") => "application/manifest+json; charset=utf-8",
        _ => "text/html; charset=utf-8",
    }
}

/// Escapes text for use in an HTML attribute value.
fn escape_attribute(text: &str) -> String {
    text.replace('&', "&amp;")
        .replace('"', "&quot;")
        .replace('<', "&lt;")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns the names of the files in the folders of `src/pages` that browsers load.
    fn loaded_files() -> Vec<String> {
        let root = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages");
        let names_in = |folder: &str| -> Vec<String> {
            let entries = std::fs::read_dir(folder).expect("a folder of src/pages");
            let names = entries.map(|entry| entry.expect("a folder entry").file_name());
            names.filter_map(|name| name.into_string().ok()).collect()
        };
        let folders = names_in(root)
            .into_iter()
            .filter(|name| !name.contains('.'));
        let names = folders.flat_map(|folder| {
            let names = names_in(&format!("{root}/{folder}")).into_iter();
            names.map(move |name| format!("{folder}/{name}"))
        });
        names.filter(|name| !name.ends_with(".html")).collect()
    }

    #[test]
    fn every_page_file_is_served() {
        let pages = Pages::new("/api");
        let files = loaded_files();
        assert_eq!(files.len(), FILES.len());
        for name in files {
            assert!(pages.file(&format!("/panel/{name}")).is_some(), "{name}");
        }
        assert!(pages.file("/panel/").is_none());
    }

    #[test]
    fn pages_contain_the_escaped_api_path_and_all_parts() {
        let pages = Pages::new("/a\"><script>&b");
        for (path, _) in PAGES {
            let page = pages.file(path).expect("the page");
            let text = std::str::from_utf8(&page.content).expect("UTF-8");
            assert!(text.contains("data-interface=\"./a&quot;>&lt;script>&amp;b\""));
            assert!(text.contains("id=\"login-form\"") && text.contains("id=\"icon-close\""));
            assert!(!text.contains("{{"), "{path}");
        }
    }

    #[test]
    fn version_of_the_wall_screen_is_its_etag() {
        let pages = Pages::new("/api");
        let wall = pages.file("/wall").expect("the page");
        let text = std::str::from_utf8(&wall.content).expect("UTF-8");
        let version = wall.entity_tag.as_str().trim_matches('"');
        assert!(text.contains(&format!("data-version=\"{version}\"")));
    }
}
