//! What takes effect at a start only.

use std::collections::BTreeMap;

use super::validate::Settings;

impl Settings {
    /// The settings that can't be changed while the daemon runs, by their keys; no
    /// secret is among them.
    #[must_use]
    pub fn fixed(&self) -> BTreeMap<String, String> {
        let http = &self.http;
        let mut fixed = BTreeMap::from([
            ("http.listen".to_owned(), http.listen.to_string()),
            (
                // Whether there is one; its files are read again.
                "http.tls_certificate".to_owned(),
                http.tls.is_some().to_string(),
            ),
            (
                "http.max_connections".to_owned(),
                http.max_connections.to_string(),
            ),
            ("http.serve_stale".to_owned(), http.serve_stale.to_string()),
            (
                "admin.listen".to_owned(),
                format!("{:?}", self.admin.listen),
            ),
            (
                "admin.queue_metrics".to_owned(),
                self.admin.queue_metrics.to_string(),
            ),
            ("log.format".to_owned(), format!("{:?}", self.log.format)),
        ]);
        for pbx in &self.pbxes {
            let link = &pbx.link;
            let rest = (
                (&link.address, link.username.as_str(), &link.tls),
                (link.connect_timeout, link.max_pending),
                (pbx.action_timeout, pbx.resync_interval),
            );
            fixed.insert(format!("pbx.{}", link.name), format!("{rest:?}"));
        }
        fixed
    }
}
