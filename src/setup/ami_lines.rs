//! The lines of `manager.conf` that give the bridge an AMI user.

use std::net::IpAddr;

/// Placeholder for a new secret, which is not shown.
pub(super) const HIDDEN_SECRET: &str = "(64 random hex digits)";

/// Returns the section of a user who may log in from one address, and may do no more than the
/// bridge needs. With `enabling_head`, which is the head of a section, the lines also turn the AMI
/// on, for this machine only. The first and the last line mark the others, so that a command can
/// remove them.
pub(super) fn lines(
    username: &str,
    secret: &str,
    own_address: IpAddr,
    enabling_head: Option<&str>,
) -> String {
    let enable = enabling_head.map_or(String::new(), |head| {
        format!("{head}\nenabled = yes\nbindaddr = 127.0.0.1\n\n")
    });
    // Each deny line covers one family of addresses.
    format!(
        "; Added by ami-bridge setup: {username}\n{enable}[{username}]\nsecret = {secret}\n\
         deny = 0.0.0.0/0.0.0.0\ndeny = ::/0\npermit = {}\nread = agent,system\n\
         write = agent\nallowmultiplelogin = yes\n; End of ami-bridge setup: {username}\n",
        permit(own_address)
    )
}

fn permit(address: IpAddr) -> String {
    match address.to_canonical() {
        IpAddr::V4(address) => format!("{address}/255.255.255.255"),
        IpAddr::V6(address) => format!("{address}/128"),
    }
}

/// Checks the name of an AMI user, which becomes the name of a section.
///
/// # Errors
/// Returns a message for the operator.
pub(super) fn check_username(name: &str) -> Result<(), String> {
    let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || !name.chars().all(is_allowed) || name.eq_ignore_ascii_case("general") {
        return Err("--ami-username: use letters, digits and - _ .".to_owned());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_permit_one_address() {
        for (address, expected) in [
            ("127.0.0.1", "permit = 127.0.0.1/255.255.255.255\n"),
            ("::ffff:10.0.0.2", "permit = 10.0.0.2/255.255.255.255\n"),
            ("fd00::2", "permit = fd00::2/128\n"),
        ] {
            let lines = lines(
                "queuebridge",
                "s",
                address.parse().expect("an address"),
                None,
            );
            assert!(lines.contains(expected), "{lines}");
            assert!(!lines.contains("[general]"), "{lines}");
        }
    }

    #[test]
    fn username_can_not_end_its_section() {
        for (name, is_valid) in [
            ("queuebridge", true),
            ("a]", false),
            ("", false),
            ("General", false),
        ] {
            assert_eq!(check_username(name).is_ok(), is_valid, "{name}");
        }
    }
}
