//! The pause reasons that an organization offers.

/// A pause reason with the time that such a pause may take.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PauseReason {
    /// The reason in the configured spelling, which is sent to Asterisk.
    pub name: String,
    /// A longer pause is overdue; `None` for no limit.
    pub limit_seconds: Option<u64>,
    /// Whether the bridge ends the pause when it reaches the limit.
    pub ends: bool,
}

/// The pause reasons of an organization, in configured order.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct ReasonCatalog(Vec<(String, PauseReason)>);

impl ReasonCatalog {
    /// Creates a catalog. The names must differ in more than case.
    #[must_use]
    pub fn new(reasons: impl IntoIterator<Item = PauseReason>) -> Self {
        let with_keys = reasons
            .into_iter()
            .map(|reason| (fold(&reason.name), reason));
        Self(with_keys.collect())
    }

    /// Appends a reason. Its name must differ from the others in more than case.
    pub fn push(&mut self, reason: PauseReason) {
        self.0.push((fold(&reason.name), reason));
    }

    /// Returns the reason with this name. Ignores case in all scripts.
    #[must_use]
    pub fn find(&self, name: &str) -> Option<&PauseReason> {
        if self.0.is_empty() {
            return None;
        }
        let mut reasons = self.0.iter();
        let found = if name.is_ascii() {
            // Rendering looks up the reason of every paused member, so avoid an allocation.
            reasons.find(|(key, _)| key.eq_ignore_ascii_case(name))
        } else {
            let folded = fold(name);
            reasons.find(|(key, _)| *key == folded)
        };
        found.map(|(_, reason)| reason)
    }

    /// Returns all reasons in configured order.
    pub fn iter(&self) -> impl Iterator<Item = &PauseReason> {
        self.0.iter().map(|(_, reason)| reason)
    }

    /// Returns whether the catalog has no reasons.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

/// Returns a key that is equal for texts that differ only in case. The upper case makes `ß`
/// equal to `ss`, and a final sigma equal to any other sigma. Some capital letters, such as `ẞ`,
/// only have the same key as their lower case.
fn fold(text: &str) -> String {
    text.to_lowercase().to_uppercase()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reason_is_found_without_case_in_all_scripts() {
        let names = [
            "Lunch",
            "Größe",
            "Spaß",
            "ОБЕД",
            "ΔΙΑΛΕΙΜΜΑ Σ",
            "הפסקה",
            "İzin",
        ];
        let catalog = ReasonCatalog::new(names.map(|name| PauseReason {
            name: name.to_owned(),
            limit_seconds: None,
            ends: false,
        }));
        for (given, found) in [
            ("lunch", Some("Lunch")),
            ("GRÖSSE", Some("Größe")),
            ("spass", Some("Spaß")),
            ("SPAẞ", Some("Spaß")),
            ("i\u{307}zin", Some("İzin")),
            ("lunc\u{68}", Some("Lunch")),
            ("обед", Some("ОБЕД")),
            ("διαλειμμα ς", Some("ΔΙΑΛΕΙΜΜΑ Σ")),
            ("הפסקה", Some("הפסקה")),
            ("lunch ", None),
            ("", None),
        ] {
            let reason = catalog.find(given);
            assert_eq!(reason.map(|reason| reason.name.as_str()), found, "{given}");
        }
    }
}
