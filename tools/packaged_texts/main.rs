//! Writes what packages contain and the command line decides: the shells'
//! completions and the manual page, into `packaging/`.
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
