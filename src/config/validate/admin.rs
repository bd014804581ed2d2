//! `[admin]`

use super::value::listen_address;
use crate::config::file;
use crate::config::mistake::Mistakes;
use crate::config::settings::AdminSettings;

pub(super) fn validate(table: &file::Admin, mistakes: &mut Mistakes) -> Option<AdminSettings> {
    let listen = match table.listen.as_str() {
        "" => None,
        text => Some(mistakes.ok_or_add("admin.listen", listen_address(text))?),
    };
    Some(AdminSettings {
        listen,
        queue_metrics: table.queue_metrics,
    })
}
