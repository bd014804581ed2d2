//! The frame decoder: what must hold for any bytes. Shared by the fuzz target and
//! by the replay among the tests (`tests/it/security/fuzz_replay.rs`).

use ami_bridge::ami::{AmiCodec, Frame, MAX_FRAME_BYTES};
use bytes::BytesMut;

/// Bytes of a peer. The first one says into which pieces they are cut: the
/// frames must be the same as in one piece, and within their limit.
pub(crate) fn check(data: &[u8]) {
    let Some((size, bytes)) = data.split_first() else {
        return;
    };
    let size = usize::from(*size).max(1);
    assert_eq!(decode(bytes.chunks(size)), decode([bytes].into_iter()));
}

/// Frames as text, and the error that ended them.
fn decode<'a>(pieces: impl Iterator<Item = &'a [u8]>) -> (Vec<String>, Option<String>) {
    let mut codec = AmiCodec::default();
    let mut buffer = BytesMut::new();
    let mut frames = Vec::new();
    for piece in pieces {
        buffer.extend_from_slice(piece);
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
