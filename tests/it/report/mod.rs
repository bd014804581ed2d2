//! The day's work. Asterisk's `queue_log` is the judge: a small reader computes every sum from it.

mod judge;
mod late_events;
mod queue_log;
mod request;
