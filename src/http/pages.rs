//! The web pages: static files that are compiled into the program. This module knows
//! nothing about queues; the pages use the API like any other client.

use std::fmt::Write as _;

use bytes::Bytes;
use hyper::header::{
    CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, ETAG, HeaderValue, IF_NONE_MATCH,
    REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use hyper::{HeaderMap, Response, StatusCode};
use sha2::{Digest, Sha256};

use super::body::ReplyBody;

/// The pages' `Content-Security-Policy`: they may load only their own files and send requests
/// only to this server. Scripts and styles from other origins, inline scripts and styles, form
/// submission, and frames are blocked.
const POLICY: &str = "default-src 'none'; script-src 'self'; style-src 'self'; \
     connect-src 'self'; img-src 'self' data:; manifest-src 'self'; base-uri 'none'; \
     form-action 'none'; frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";
const PNG: &str = "image/png";
const MANIFEST: &str = "application/manifest+json; charset=utf-8";

/// An entry of [`FILES`]: the path under `/panel/`, the content type, and the content of a file
/// in `src/pages`.
macro_rules! file {
    ($name:literal, $content_type:expr) => {
        (
            concat!("/panel/", $name),
            $content_type,
            include_bytes!(concat!("../pages/", $name)),
        )
    };
}

const FILES: [(&str, &str, &[u8]); 35] = [
    file!("theme.css", CSS),
    file!("agent.css", CSS),
    file!("board.css", CSS),
    file!("dialogs.css", CSS),
    file!("icon.svg", SVG),
    file!("icon.png", PNG),
    file!("agent.webmanifest", MANIFEST),
    file!("agent-actions.js", SCRIPT),
    file!("agent-page.js", SCRIPT),
    file!("agent-row.js", SCRIPT),
    file!("agent-view.js", SCRIPT),
    file!("api.js", SCRIPT),
    file!("changes.js", SCRIPT),
    file!("deadline.js", SCRIPT),
    file!("dialog.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("login.js", SCRIPT),
    file!("main.js", SCRIPT),
    file!("match.js", SCRIPT),
    file!("notices.js", SCRIPT),
    file!("own-alerts.js", SCRIPT),
    file!("own-state.js", SCRIPT),
    file!("own-text.js", SCRIPT),
    file!("pending.js", SCRIPT),
    file!("people.js", SCRIPT),
    file!("queue-card.js", SCRIPT),
    file!("reasons.js", SCRIPT),
    file!("session.js", SCRIPT),
    file!("settings.js", SCRIPT),
    file!("signals.js", SCRIPT),
    file!("state.js", SCRIPT),
    file!("stream.js", SCRIPT),
    file!("time.js", SCRIPT),
    file!("totals.js", SCRIPT),
    file!("view.js", SCRIPT),
];

/// The path and the HTML of each page.
const PAGES: [(&str, &str); 2] = [
    ("/", include_str!("../pages/index.html")),
    ("/agent", include_str!("../pages/agent.html")),
];

/// Parts that several pages contain: the placeholder, and the HTML that replaces it.
const PARTS: [(&str, &str); 3] = [
    ("{{login}}\n", include_str!("../pages/login.part.html")),
    ("{{dialog}}\n", include_str!("../pages/dialog.part.html")),
    ("{{icons}}\n", include_str!("../pages/icons.part.html")),
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
    etag: String,
}

impl Pages {
    /// Creates the pages. They call the API at `api_path`.
    #[must_use]
    pub fn new(api_path: &str) -> Self {
        // A relative path also works if a proxy serves the pages under another path.
        let api_path = format!(".{}", escape_attribute(api_path));
        let files = FILES.iter().map(|&(path, content_type, content)| {
            File::new(path, content_type, Bytes::from_static(content))
        });
        let pages = PAGES.iter().map(|&(path, html)| {
            let html = PARTS.iter().fold(html.to_owned(), |html, (name, part)| {
                html.replace(name, part)
            });
            let html = html.replace("{{interface}}", &api_path);
            File::new(path, HTML, Bytes::from(html))
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
    fn new(path: &'static str, content_type: &'static str, content: Bytes) -> Self {
        let mut etag = String::from("\"");
        for byte in Sha256::digest(&content).iter().take(8) {
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        Self {
            path,
            content_type,
            content,
            etag,
        }
    }

    /// Returns the file, or a 304 if the browser already has this version.
    pub(super) fn response(&self, request: &HeaderMap) -> Response<ReplyBody> {
        let mut response = if self.is_cached(request) {
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
        if let Ok(etag) = HeaderValue::from_str(&self.etag) {
            headers.insert(ETAG, etag);
        }
        response
    }

    fn is_cached(&self, request: &HeaderMap) -> bool {
        let cached = request.get_all(IF_NONE_MATCH).into_iter();
        cached
            .filter_map(|tags| tags.to_str().ok())
            .flat_map(|tags| tags.split(','))
            .any(|tag| tag.trim().trim_start_matches("W/") == self.etag)
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

    /// Files in `src/pages` that only the type checker reads.
    const DEVELOPMENT_FILES: [&str; 3] = ["bridge.d.ts", "jsconfig.json", "package.json"];

    #[test]
    fn every_page_file_is_served() {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/src/pages");
        let entries = std::fs::read_dir(folder).expect("src/pages");
        let names = entries.map(|entry| entry.expect("a folder entry").file_name());
        let names = names.filter_map(|name| name.into_string().ok());
        let pages = Pages::new("/api");
        let is_served = |name: &String| {
            !DEVELOPMENT_FILES.contains(&name.as_str()) && !name.ends_with(".part.html")
        };
        for name in names.filter(is_served) {
            let path = match name.as_str() {
                "index.html" => "/".to_owned(),
                "agent.html" => "/agent".to_owned(),
                name => format!("/panel/{name}"),
            };
            assert!(pages.file(&path).is_some(), "{path}");
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
}
