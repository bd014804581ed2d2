//! Organizations with their queues and agents, and the accounts that may log in for them.
//!
//! An [`Organization`] is a tenant that uses part of one PBX. An [`Account`] is a user, who logs
//! in with a password ([`Verifier`], [`Lockout`]), or a program with a token ([`TokenHash`]). It
//! may have fewer rights than its organization. The [`Directory`] contains all configured
//! organizations and accounts. [`Tickets`] open event streams.

mod account;
mod directory;
mod limits;
mod lockout;
mod name_problem;
mod natural_order;
mod organization;
mod overlap;
mod password;
mod pattern;
mod template;
mod tickets;
mod token;
mod verifier;
mod wrapup;

pub use account::{Account, AccountSecret, AccountVersion};
pub use directory::{Directory, ExpiringToken};
pub use limits::Limits;
pub use lockout::{CheckPermit, Lockout, LockoutPolicy};
pub use name_problem::NameProblem;
pub(crate) use natural_order::natural_order;
pub use organization::Organization;
pub use overlap::{Overlap, overlaps, patterns_overlap};
pub use password::{PasswordDigest, StoredPassword};
pub use pattern::{MAX_AGENT_CHARS, MAX_QUEUE_CHARS, Pattern, is_number_char};
pub use template::Template;
pub use tickets::{TICKET_LIFETIME, Tickets};
pub use token::{TOKEN_NAME_PREFIX, TOKEN_PREFIX, TokenHash, contains_token, create_token};
pub use verifier::{TooManyLogins, Verifier};
pub use wrapup::WrapupTimes;
