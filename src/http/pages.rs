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
     connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; \
     frame-ancestors 'none'";

const HTML: &str = "text/html; charset=utf-8";
const CSS: &str = "text/css; charset=utf-8";
const SCRIPT: &str = "text/javascript; charset=utf-8";
const SVG: &str = "image/svg+xml; charset=utf-8";

/// An entry of [`FILES`]: the path under `/panel/`, the content type, and the text of a file in
/// `src/pages`.
macro_rules! file {
    ($name:literal, $content_type:expr) => {
        (
            concat!("/panel/", $name),
            $content_type,
            include_str!(concat!("../pages/", $name)),
        )
    };
}

const FILES: [(&str, &str, &str); 24] = [
    file!("theme.css", CSS),
    file!("board.css", CSS),
    file!("dialogs.css", CSS),
    file!("icon.svg", SVG),
    file!("agent-row.js", SCRIPT),
    file!("api.js", SCRIPT),
    file!("changes.js", SCRIPT),
    file!("deadline.js", SCRIPT),
    file!("dialog.js", SCRIPT),
    file!("dom.js", SCRIPT),
    file!("main.js", SCRIPT),
    file!("match.js", SCRIPT),
    file!("notices.js", SCRIPT),
    file!("people.js", SCRIPT),
    file!("pending.js", SCRIPT),
    file!("queue-card.js", SCRIPT),
    file!("reasons.js", SCRIPT),
    file!("session.js", SCRIPT),
    file!("settings.js", SCRIPT),
    file!("state.js", SCRIPT),
    file!("stream.js", SCRIPT),
    file!("time.js", SCRIPT),
    file!("totals.js", SCRIPT),
    file!("view.js", SCRIPT),
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
    text: Bytes,
    etag: String,
}

impl Pages {
    /// Creates the pages. They call the API at `api_path`.
    #[must_use]
    pub fn new(api_path: &str) -> Self {
        // A relative path also works if a proxy serves the pages under another path.
        let api_path = format!(".{}", escape_attribute(api_path));
        let page = include_str!("../pages/index.html").replace("{{interface}}", &api_path);
        let files = FILES.map(|(path, content_type, text)| {
            File::new(path, content_type, Bytes::from_static(text.as_bytes()))
        });
        let mut files = Vec::from(files);
        files.push(File::new("/", HTML, Bytes::from(page)));
        Self { files }
    }

    /// Returns the file that is served at `path`.
    pub(super) fn file(&self, path: &str) -> Option<&File> {
        self.files.iter().find(|file| file.path == path)
    }
}

impl File {
    fn new(path: &'static str, content_type: &'static str, text: Bytes) -> Self {
        let mut etag = String::from("\"");
        for byte in Sha256::digest(&text).iter().take(8) {
            let _ = write!(etag, "{byte:02x}");
        }
        etag.push('"');
        Self {
            path,
            content_type,
            text,
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
            Response::new(ReplyBody::whole(self.text.clone()))
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
        for name in names.filter(|name| !DEVELOPMENT_FILES.contains(&name.as_str())) {
            let path = match name.as_str() {
                "index.html" => "/".to_owned(),
                name => format!("/panel/{name}"),
            };
            assert!(pages.file(&path).is_some(), "{path}");
        }
        assert!(pages.file("/panel/").is_none());
    }

    #[test]
    fn page_contains_the_escaped_api_path() {
        let pages = Pages::new("/a\"><script>&b");
        let page = pages.file("/").expect("the page");
        let text = std::str::from_utf8(&page.text).expect("UTF-8");
        assert!(text.contains("data-interface=\"./a&quot;>&lt;script>&amp;b\""));
    }
}
