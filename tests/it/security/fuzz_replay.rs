//! Runs the fuzz targets' checks on their seeds and on mutations of the seeds. The mutations
//! are the same in every run and with every toolchain.

use std::path::Path;

#[path = "../../../fuzz/bodies/frames.rs"]
mod frames;
#[path = "../../../fuzz/bodies/names.rs"]
mod names;
#[path = "../../../fuzz/bodies/query.rs"]
mod query;

const MUTATIONS_PER_SEED: usize = 300;

fn read(path: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Changes a byte, or duplicates or removes up to 15 bytes, at a random position.
fn mutate(random: &mut fastrand::Rng, bytes: &mut Vec<u8>) {
    if bytes.is_empty() {
        return;
    }
    let start = random.usize(..bytes.len());
    let end = (start + random.usize(1..16)).min(bytes.len());
    match random.u8(..4) {
        0 => bytes[start] = random.u8(..),
        1 => bytes[start] = *random.choice(b"\r\n:%&=+\0|,;").expect("a byte"),
        2 => {
            let piece = bytes[start..end].to_vec();
            bytes.splice(start..start, piece);
        }
        _ => {
            bytes.drain(start..end);
        }
    }
}

/// Runs `body` on each seed and its mutations. Returns the number of seeds.
fn replay(seeds: impl Iterator<Item = Vec<u8>>, body: fn(&[u8])) -> usize {
    let mut random = fastrand::Rng::with_seed(1);
    let mut count = 0;
    for seed in seeds {
        body(&seed);
        let mut mutated = seed;
        for _ in 0..MUTATIONS_PER_SEED {
            mutate(&mut random, &mut mutated);
            body(&mutated);
        }
        count += 1;
    }
    count
}

#[test]
fn lists_handle_mutated_names() {
    let text = String::from_utf8(read("fuzz/seeds/names.txt")).expect("UTF-8");
    let seeds = text.lines().map(|line| {
        let seed = line.replace("\\r", "\r").replace("\\n", "\n");
        seed.into_bytes()
    });
    assert_eq!(replay(seeds, names::check), text.lines().count());
}

#[test]
fn query_parser_handles_mutated_queries() {
    let text = String::from_utf8(read("fuzz/seeds/query.txt")).expect("UTF-8");
    let seeds = text.lines().map(|line| line.as_bytes().to_vec());
    assert_eq!(replay(seeds, query::check), text.lines().count());
}

#[test]
fn frame_decoder_handles_mutated_transcripts() {
    let mut count = 0;
    for version in ["16", "22"] {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("ami-fixtures")
            .join(version);
        let files = std::fs::read_dir(folder).expect("transcripts");
        let mut paths: Vec<_> = files.map(|file| file.expect("a file").path()).collect();
        paths.sort();
        let seeds = paths.iter().map(|path| {
            let text = std::fs::read_to_string(path).expect("a transcript");
            let lines = text.lines().filter_map(|line| {
                let (line, end) = match line.split_at_checked(2)? {
                    ("S:", line) => (line, "\r\n"),
                    ("s:", line) => (line, "\n"),
                    _ => return None,
                };
                Some([line.strip_prefix(' ').unwrap_or(line), end].concat())
            });
            // Other tests cover large transcripts.
            let mut bytes = [&[7], lines.collect::<String>().as_bytes()].concat();
            bytes.truncate(4096);
            bytes
        });
        count += replay(seeds, frames::check);
    }
    assert!(count >= 30, "{count} transcripts");
}
