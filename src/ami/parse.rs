//! nom grammar of one complete AMI frame. Pure; framing is in [`super::codec`].

use nom::bytes::complete::{tag, take_till, take_while};
use nom::combinator::{opt, rest};
use nom::{IResult, Offset, Parser};

/// Where one header stands in its frame.
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
        self.name.of(frame)
    }

    pub(crate) fn value(self, frame: &[u8]) -> &[u8] {
        self.value.of(frame)
    }
}

impl Span {
    fn new(frame: &[u8], part: &[u8]) -> Self {
        let start = frame.offset(part);
        // The codec's cap on a frame's length is far below 4 GiB.
        Self {
            start: start as u32,
            end: (start + part.len()) as u32,
        }
    }

    fn of(self, frame: &[u8]) -> &[u8] {
        &frame[self.start as usize..self.end as usize]
    }
}

/// Finds the headers of a frame, in order. A line without a colon continues the
/// value before it.
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

/// A line: up to a line feed (or the end), without it and one CR before it.
/// A CR elsewhere is data.
fn line(input: &[u8]) -> IResult<&[u8], &[u8]> {
    let (after, line) = take_till(|byte| byte == b'\n').parse(input)?;
    let (after, _) = opt(tag(&b"\n"[..])).parse(after)?;
    Ok((after, line.strip_suffix(b"\r").unwrap_or(line)))
}

/// `Name: value`. One blank after the colon is Asterisk's; a further one
/// belongs to the value (a member named " John" exists).
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
    fn headers_are_found_whatever_the_line_ends() {
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
    fn only_the_first_colon_and_the_first_blank_are_syntax() {
        check(
            "Channel: Local/1@x:y;2\r\n",
            &[("Channel", "Local/1@x:y;2")],
        );
        check("Name:  John\r\n", &[("Name", " John")]);
        check("Name: a\rb\r\n", &[("Name", "a\rb")]);
    }

    #[test]
    fn lines_that_are_no_header_continue_the_value_before_them() {
        check("A: 1\r\n2\r\nB: 3\r\n", &[("A", "1\r\n2"), ("B", "3")]);
        check("A: 1\n\n2\nB: 3\n", &[("A", "1\n\n2"), ("B", "3")]);
        check("A: 1\n\nB: 3\n", &[("A", "1"), ("B", "3")]);
        check("garbage\r\nA: 1\r\n", &[("A", "1")]);
        check("", &[]);
        check("\n\n", &[]);
    }
}
