//! The grammar of a complete AMI frame, written with nom. The framing is in
//! [`super::codec`].

use nom::bytes::complete::{tag, take_till, take_while};
use nom::combinator::{opt, rest};
use nom::{IResult, Offset, Parser};

/// The position of a header in its frame.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Header {
    name: Span,
    value: Span,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Span {
    start: u32,
    end: u32,
}

impl Header {
    pub(crate) fn name(self, frame: &[u8]) -> &[u8] {
        self.name.slice(frame)
    }

    pub(crate) fn value(self, frame: &[u8]) -> &[u8] {
        self.value.slice(frame)
    }
}

impl Span {
    fn new(frame: &[u8], subslice: &[u8]) -> Self {
        let start = frame.offset(subslice);
        // The casts are lossless: the codec limits a frame to far less than 4 GiB.
        Self {
            start: start as u32,
            end: (start + subslice.len()) as u32,
        }
    }

    fn slice(self, frame: &[u8]) -> &[u8] {
        &frame[self.start as usize..self.end as usize]
    }
}

/// Returns the positions of a frame's headers, in order. A line without a colon continues
/// the value of the previous header.
pub(crate) fn headers(frame: &[u8]) -> Vec<Header> {
    // A queue event has about twenty headers.
    let mut found = Vec::with_capacity(20);
    let mut remaining = frame;
    while !remaining.is_empty() {
        let Ok((after, line)) = line(remaining) else {
            break;
        };
        if let Ok((_, (name, value))) = header(line) {
            found.push(Header {
                name: Span::new(frame, name),
                value: Span::new(frame, value),
            });
        } else if let (Some(last), false) = (found.last_mut(), line.is_empty()) {
            last.value.end = Span::new(frame, line).end;
        }
        remaining = after;
    }
    found
}

/// Parses a line up to its LF or the end of the frame. Strips the LF and one CR before
/// the LF; any other CR is part of the value.
fn line(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (after, line) = take_till(|byte| byte == b'\n').parse(input)?;
    let (after, _) = opt(tag(&b"\n"[..])).parse(after)?;
    Ok((after, line.strip_suffix(b"\r").unwrap_or(line)))
}

/// Parses `Name: value`. Asterisk writes one space after the colon. A second space is
/// part of the value, because a member's name can begin with a space.
fn header(line: &[u8]) -> IResult<&[u8], (&[u8], &[u8])> {
    let (input, name) = take_while(|byte| byte != b':').parse(line)?;
    let (input, _) = tag(&b":"[..]).parse(input)?;
    let (input, _) = opt(tag(&b" "[..])).parse(input)?;
    let (input, value) = rest(input)?;
    Ok((input, (name, value)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(frame: &str, expected: &[(&str, &str)]) {
        let frame = frame.as_bytes();
        let found: Vec<_> = headers(frame)
            .into_iter()
            .map(|h| {
                (
                    String::from_utf8_lossy(h.name(frame)).into_owned(),
                    String::from_utf8_lossy(h.value(frame)).into_owned(),
                )
            })
            .collect();
        let found: Vec<_> = found
            .iter()
            .map(|(n, v)| (n.as_str(), v.as_str()))
            .collect();
        assert_eq!(found, expected);
    }

    #[test]
    fn headers_are_found_in_crlf_and_lf_lines() {
        check("A: 1\r\nB: 2\r\n", &[("A", "1"), ("B", "2")]);
        check("A: 1\nB: 2", &[("A", "1"), ("B", "2")]);
        check("A:1\r\n", &[("A", "1")]);
        check("A:\r\nB: \r\n", &[("A", ""), ("B", "")]);
        check(
            "Output: a\r\nOutput: b\r\n",
            &[("Output", "a"), ("Output", "b")],
        );
    }

    #[test]
    fn only_the_first_colon_and_one_space_are_syntax() {
        check(
            "Channel: Local/1@x:y;2\r\n",
            &[("Channel", "Local/1@x:y;2")],
        );
        check("Name:  John\r\n", &[("Name", " John")]);
        check("Name: a\rb\r\n", &[("Name", "a\rb")]);
    }

    #[test]
    fn line_without_a_colon_continues_the_previous_value() {
        check("A: 1\r\n2\r\nB: 3\r\n", &[("A", "1\r\n2"), ("B", "3")]);
        check("A: 1\n\n2\nB: 3\n", &[("A", "1\n\n2"), ("B", "3")]);
        check("A: 1\n\nB: 3\n", &[("A", "1"), ("B", "3")]);
        check("garbage\r\nA: 1\r\n", &[("A", "1")]);
        check("", &[]);
        check("\n\n", &[]);
    }
}
