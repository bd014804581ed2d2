//! Recorded sessions for tests. They serve as parser input, and as scripts that play
//! Asterisk. `ami-fixtures/README.md` describes the format.

use std::fs;
use std::path::{Path, PathBuf};

use bytes::BytesMut;
use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream};

use super::codec::{AmiCodec, Frame};
use super::message::Message;

/// The recorded Asterisk versions.
pub(crate) const VERSIONS: [u32; 2] = [16, 22];

/// The bytes that both sides sent, in order.
#[derive(Debug)]
pub(crate) struct Transcript {
    pub(crate) steps: Vec<Step>,
}

/// Consecutive bytes from one side.
#[derive(Debug, PartialEq)]
pub(crate) enum Step {
    Server(Vec<u8>),
    Client(Vec<u8>),
}

impl Transcript {
    pub(crate) fn load(version: u32, scene: &str) -> Self {
        let path = folder(version).join(scene).with_extension("txt");
        let text = fs::read_to_string(&path);
        Self::parse(&text.unwrap_or_else(|error| panic!("{}: {error}", path.display())))
    }

    /// Parses a transcript. Ignores spaces at the start of a line, so that tests can indent
    /// scripts.
    pub(crate) fn parse(text: &str) -> Self {
        let mut steps: Vec<Step> = Vec::new();
        for line in text.lines().map(str::trim_start) {
            if line.is_empty() || line.starts_with('#') {
                continue;
            }
            let (side, text) = line.split_once(':').expect("a colon after the side");
            let mut bytes = unescape(text.strip_prefix(' ').unwrap_or(text));
            let end: &[u8] = match side {
                "S" | "C" => b"\r\n",
                "s" | "c" => b"\n",
                _ => panic!("{side:?} is not one of S, s, C and c"),
            };
            bytes.extend_from_slice(end);
            match (side, steps.last_mut()) {
                ("S" | "s", Some(Step::Server(step))) | ("C" | "c", Some(Step::Client(step))) => {
                    step.extend(bytes);
                }
                ("S" | "s", _) => steps.push(Step::Server(bytes)),
                _ => steps.push(Step::Client(bytes)),
            }
        }
        Self { steps }
    }

    /// Returns all bytes that the server sent.
    pub(crate) fn server(&self) -> Vec<u8> {
        let steps = self.steps.iter().filter_map(|step| match step {
            Step::Server(bytes) => Some(bytes.as_slice()),
            Step::Client(_) => None,
        });
        steps.collect::<Vec<_>>().concat()
    }

    /// Returns all bytes that the client sent.
    pub(crate) fn client(&self) -> Vec<u8> {
        let steps = self.steps.iter().filter_map(|step| match step {
            Step::Server(_) => None,
            Step::Client(bytes) => Some(bytes.as_slice()),
        });
        steps.collect::<Vec<_>>().concat()
    }

    /// Returns the messages that the server sent.
    pub(crate) fn messages(&self) -> Vec<Message> {
        let frames = decode(&self.server(), usize::MAX).into_iter();
        let messages = frames.filter_map(|frame| match frame {
            Frame::Message(message) => Some(message),
            Frame::Banner(_) => None,
        });
        messages.collect()
    }

    /// Plays the server: sends the server's bytes, and asserts that the client sends the
    /// recorded bytes.
    pub(crate) async fn play(&self, stream: &mut DuplexStream) {
        for step in &self.steps {
            match step {
                Step::Server(bytes) => stream.write_all(bytes).await.expect("an open pipe"),
                Step::Client(expected) => {
                    let mut bytes = vec![0; expected.len()];
                    stream
                        .read_exact(&mut bytes)
                        .await
                        .expect("bytes from the client");
                    assert_eq!(
                        String::from_utf8_lossy(&bytes),
                        String::from_utf8_lossy(expected)
                    );
                }
            }
        }
    }
}

/// Decodes a byte stream that arrives in chunks of `chunk_size` bytes. Panics if bytes
/// are left over.
pub(crate) fn decode(bytes: &[u8], chunk_size: usize) -> Vec<Frame> {
    let mut codec = AmiCodec::default();
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for chunk in bytes.chunks(chunk_size) {
        buffer.extend_from_slice(chunk);
        while let Some(frame) = codec.decode(&mut buffer).expect("a valid stream") {
            frames.push(frame);
        }
    }
    assert!(buffer.is_empty(), "{buffer:?}");
    frames
}

/// Returns the scene names of a version, sorted.
pub(crate) fn scenes(version: u32) -> Vec<String> {
    let entries = fs::read_dir(folder(version)).expect("a folder of recorded sessions");
    let mut names: Vec<String> = entries
        .filter_map(|entry| {
            entry
                .expect("a directory entry")
                .file_name()
                .into_string()
                .ok()
        })
        .filter_map(|name| name.strip_suffix(".txt").map(str::to_owned))
        .collect();
    names.sort();
    names
}

fn folder(version: u32) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("ami-fixtures/{version}"))
}

fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let [first, after @ ..] = rest {
        let (byte, after) = match (first, after) {
            (b'\\', [b'\\', after @ ..]) => (b'\\', after),
            (b'\\', [b'x', high, low, after @ ..]) => {
                let digits = [*high, *low].map(|digit| char::from(digit).to_digit(16));
                let [Some(high), Some(low)] = digits else {
                    panic!("invalid escape in {text:?}");
                };
                ((high * 16 + low) as u8, after)
            }
            (b'\\', _) => panic!("invalid escape in {text:?}"),
            (byte, after) => (*byte, after),
        };
        bytes.push(byte);
        rest = after;
    }
    bytes
}

mod tests;
