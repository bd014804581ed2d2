//! Checks the frame decoder with arbitrary bytes. The fuzz target and the replay in the tests
//! share this file (`tests/it/security/fuzz_replay.rs`).

use ami_bridge::ami::{AmiCodec, Frame, MAX_FRAME_BYTES};
use bytes::BytesMut;

/// Decodes bytes from a peer twice: in chunks, and as a whole. The first byte of `data` is the
/// chunk size. Both results must be equal, and no message may exceed [`MAX_FRAME_BYTES`].
pub(crate) fn check(data: &[u8]) {
    let Some((size, bytes)) = data.split_first() else {
        return;
    };
    let size = usize::from(*size).max(1);
    assert_eq!(decode(bytes.chunks(size)), decode([bytes].into_iter()));
}

/// Returns the frames as text, and the error that ended the decoding, if any.
fn decode<'a>(chunks: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, Option<String>) {
    let mut codec = AmiCodec::default();
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for chunk in chunks {
        buffer.extend_from_slice(chunk);
        loop {
            match codec.decode(&mut buffer) {
                Ok(Some(frame)) => {
                    if let Frame::Message(message) = &frame {
                        assert!(message.size() <= MAX_FRAME_BYTES);
                        assert!(message.iter().all(|(name, _)| !name.contains(&b'\n')));
                    }
                    frames.push(format!("{frame:?}"));
                }
                Ok(None) => break,
                Err(error) => return (frames, Some(error.to_string())),
            }
        }
    }
    (frames, None)
}
