//! Generates the shell completions and the manual page in `packaging/` from the
//! command-line definition.
//!
//! ```sh
//! cargo run --example packaged_texts
//! ```

mod texts;

fn main() -> std::io::Result<()> {
    for (path, text) in texts::texts() {
        std::fs::write(texts::packaging().join(path), text)?;
    }
    Ok(())
}
