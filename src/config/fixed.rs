//! What takes effect at a start only.

use std::collections::{BTreeMap, BTreeSet};

use sha2::{Digest, Sha256};

use super::settings::Settings;

/// Which keys have changed between two readings; of a PBX that is there in one of
/// them only, the PBX.
#[must_use]
pub fn changed<'a>(
    before: &'a BTreeMap<String, String>,
    after: &'a BTreeMap<String, String>,
) -> BTreeSet<&'a str> {
    let keys = before.keys().chain(after.keys()).map(String::as_str);
    let changed = keys.filter(|key| before.get(*key) != after.get(*key));
    let mut changed: BTreeSet<&str> = changed.collect();
    let all = changed.clone();
    changed.retain(|key| {
        let whole = key.rsplit_once('.').map(|(whole, _)| whole);
        whole.is_none_or(|whole| !all.contains(whole))
    });
    changed
}

impl Settings {
    /// The settings that can't be changed while the daemon runs, by their keys; of a
    /// secret, its digest.
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
            let settings = [
                ("address", link.address.to_string()),
                ("username", link.username.as_str().to_owned()),
                // Only whether it is another one is of interest.
                (
                    "secret",
                    format!("{:?}", Sha256::digest(link.secret.as_bytes())),
                ),
                ("tls", format!("{:?}", link.tls)),
                ("connect_timeout", format!("{:?}", link.connect_timeout)),
                ("max_pending", link.max_pending.to_string()),
                ("action_timeout", format!("{:?}", pbx.action_timeout)),
                ("resync_interval", format!("{:?}", pbx.resync_interval)),
            ];
            fixed.insert(format!("pbx.{}", link.name), "there".to_owned());
            for (key, value) in settings {
                fixed.insert(format!("pbx.{}.{key}", link.name), value);
            }
        }
        fixed
    }
}
