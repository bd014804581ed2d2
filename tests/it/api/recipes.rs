//! Runs the commands in docs/RECIPES.md with the configuration in docs/RECIPES.md.

use std::path::Path;
use std::process::Command;

use ami_bridge::organizations::TokenHash;
use serde_json::Value;

use crate::support::{Asterisk, Bridge, SIMULATED, configuration};

const PASSWORD: &str = "sample-password";

/// A part of a recipe between two headings. Its configuration and its commands belong together.
struct Recipe {
    heading: String,
    blocks: Vec<Block>,
}

/// A fenced block.
struct Block {
    language: String,
    text: String,
}

impl Recipe {
    fn parse(text: &str) -> Self {
        let parts: Vec<&str> = text.split("```").collect();
        let blocks = parts.iter().skip(1).step_by(2).map(|block| {
            let (language, text) = block.split_once('\n').expect("a language");
            Block {
                language: language.to_owned(),
                text: text.to_owned(),
            }
        });
        Self {
            heading: text.lines().next().unwrap_or_default().to_owned(),
            blocks: blocks.collect(),
        }
    }

    fn all() -> Vec<Self> {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/RECIPES.md");
        let text = std::fs::read_to_string(path).expect("the recipes");
        text.split("\n## ").skip(1).map(Self::parse).collect()
    }

    /// Returns a token for this recipe.
    fn token(&self) -> String {
        let name = self.heading.replace(' ', "-");
        format!("amib_{name}")
    }

    /// Returns the configuration, with usable secrets in place of the placeholders.
    fn configuration(&self) -> String {
        let blocks = self.blocks.iter().filter(|block| block.language == "toml");
        let text: String = blocks.map(|block| block.text.as_str()).collect();
        let hash = TokenHash::of(&self.token());
        text.replace(
            "password_hash = \"…\"",
            &format!("password = \"{PASSWORD}\""),
        )
        .replace("\"sha256:…\"", &format!("\"{hash}\""))
    }

    /// Runs the commands, and compares each response with the one in the recipe. Returns the
    /// number of commands.
    fn run(&self, bridge: &Bridge) -> usize {
        let mut count = 0;
        for pair in self
            .blocks
            .windows(2)
            .filter(|pair| pair[0].language == "sh")
        {
            let script = pair[0]
                .text
                .replace("127.0.0.1:8088", &bridge.address.to_string());
            let output = Command::new("bash")
                .args(["-c", &script])
                .env("PASSWORD", PASSWORD)
                .env("TOKEN", self.token())
                .output()
                .expect("bash");
            let printed = String::from_utf8(output.stdout).expect("text");
            assert!(output.status.success(), "{script}: {printed}");
            if pair[1].language == "json" {
                assert_same_shape(&printed, &pair[1].text);
            } else {
                let start = pair[1].text.split('…').next().unwrap_or_default();
                assert!(printed.starts_with(start), "{printed}");
            }
            count += 1;
        }
        count
    }
}

/// Asserts that two responses have the same fields, the same status and the same error.
fn assert_same_shape(printed: &str, documented: &str) {
    let [actual, expected] = [printed, documented].map(|text| {
        serde_json::from_str::<Value>(text).unwrap_or_else(|_| panic!("not JSON: {text}"))
    });
    for field in ["status", "action", "code", "message", "agent", "reason"] {
        assert_eq!(actual.get(field), expected.get(field), "{printed}");
    }
    assert_eq!(paths(&actual), paths(&expected), "{printed}");
}

/// Returns the paths of all fields, without the positions in lists.
fn paths(value: &Value) -> Vec<String> {
    let mut paths = Vec::new();
    collect_paths("", value, &mut paths);
    paths.sort_unstable();
    paths.dedup();
    paths
}

fn collect_paths(prefix: &str, value: &Value, paths: &mut Vec<String>) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                collect_paths(&format!("{prefix}.{name}"), value, paths);
            }
        }
        Value::Array(items) => {
            for item in items {
                collect_paths(prefix, item, paths);
            }
        }
        _ => paths.push(prefix.to_owned()),
    }
}

#[test]
fn curl_runs_the_recipes() {
    let asterisk = Asterisk::start(SIMULATED);
    let recipes = Recipe::all();
    let accounts: String = recipes.iter().map(Recipe::configuration).collect();
    let bridge = Bridge::start(&(configuration(asterisk.port) + &accounts));
    bridge.acme_ok("action=add&agent=1001&queue=6001,6002&alias=Dana");
    bridge.acme_ok("action=add&agent=1002&queue=6001&alias=Noa");
    for recipe in &recipes {
        let count = recipe.run(&bridge);
        assert!(count > 0, "no commands: {}", recipe.heading);
    }
    assert_eq!(recipes.len(), 4);
}
