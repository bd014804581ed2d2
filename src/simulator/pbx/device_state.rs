//! Asterisk's device state codes, as in a queue member's `Status`.

pub(crate) const UNKNOWN: u8 = 0;
pub(crate) const NOT_IN_USE: u8 = 1;
pub(crate) const IN_USE: u8 = 2;
pub(crate) const INVALID: u8 = 4;
pub(crate) const UNAVAILABLE: u8 = 5;
pub(crate) const RINGING: u8 = 6;
pub(crate) const RINGING_IN_USE: u8 = 7;
pub(crate) const ON_HOLD: u8 = 8;
