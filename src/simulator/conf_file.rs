//! Parses Asterisk's configuration file format: sections, templates and settings. It supports
//! only the syntax that a simulation's `queues.conf` and `manager.conf` need.

/// A section with its settings in file order, preceded by the settings of its templates.
pub(crate) struct Section<'a> {
    pub(crate) name: &'a str,
    is_template: bool,
    settings: Vec<(&'a str, &'a str)>,
}

impl<'a> Section<'a> {
    fn new(name: &'a str, options: &str, earlier: &[Section<'a>]) -> Self {
        let options = options.split(',').map(str::trim);
        let templates = options.clone().filter_map(|option| {
            let template = earlier.iter().find(|section| section.name == option)?;
            Some(template.settings.clone())
        });
        Self {
            name,
            is_template: options.clone().any(|option| option == "!"),
            settings: templates.flatten().collect(),
        }
    }

    /// Returns the value of the last setting with this key.
    pub(crate) fn last_value(&self, key: &str) -> Option<&'a str> {
        self.values(key).next_back()
    }

    /// Returns the value of the last setting with this key, or 0 if the value is not a number.
    pub(crate) fn number(&self, key: &str) -> u32 {
        self.last_value(key)
            .and_then(|v| v.parse().ok())
            .unwrap_or(0)
    }

    /// Returns the values of all settings with this key.
    pub(crate) fn values(&self, key: &str) -> impl DoubleEndedIterator<Item = &'a str> {
        let settings = self.settings.iter().filter(move |(k, _)| *k == key);
        settings.map(|(_, value)| *value)
    }
}

/// Parses a configuration file. Returns the sections that are neither templates nor
/// `[general]`.
pub(crate) fn parse_sections(text: &str) -> Vec<Section<'_>> {
    let mut sections = parse_all_sections(text);
    sections.retain(|section| !section.is_template && section.name != "general");
    sections
}

/// Returns true if the last setting with this key in `[general]` is true.
pub(crate) fn is_set_in_general(text: &str, key: &str) -> bool {
    let sections = parse_all_sections(text);
    let mut general = sections.iter().filter(|section| section.name == "general");
    general.any(|section| section.last_value(key).is_some_and(is_true))
}

fn parse_all_sections(text: &str) -> Vec<Section<'_>> {
    let mut sections: Vec<Section<'_>> = Vec::new();
    for line in text.lines() {
        let line = line.split(';').next().unwrap_or_default().trim();
        if let Some((name, rest)) = line.strip_prefix('[').and_then(|l| l.split_once(']')) {
            let options = rest
                .trim()
                .strip_prefix('(')
                .and_then(|options| options.split_once(')'));
            let options = options.map_or("", |(options, _)| options);
            sections.push(Section::new(name, options, &sections));
        } else if let (Some(section), Some((key, value))) =
            (sections.last_mut(), line.split_once('='))
        {
            let value = value.strip_prefix('>').unwrap_or(value);
            section.settings.push((key.trim(), value.trim()));
        }
    }
    sections
}

/// Returns true if Asterisk's `ast_true` accepts the text.
pub(crate) fn is_true(text: &str) -> bool {
    ["yes", "true", "y", "t", "1", "on"]
        .iter()
        .any(|yes| yes.eq_ignore_ascii_case(text))
}

/// Returns true if Asterisk's `ast_false` accepts the text. Some texts are neither true nor
/// false.
pub(crate) fn is_false(text: &str) -> bool {
    ["no", "false", "n", "f", "0", "off"]
        .iter()
        .any(|no| no.eq_ignore_ascii_case(text))
}
