//! Which queues and agents an organization may use, and which users may log in for it.
//!
//! An [`Organization`] is a tenant: a part of one PBX. A [`User`] logs in with a password
//! ([`Verifier`], [`Lockout`]) and may have fewer rights than its organization. The
//! [`Directory`] holds all organizations and users of a configuration.

mod directory;
mod lockout;
mod name_problem;
mod natural_order;
mod organization;
mod overlap;
mod password;
mod pattern;
mod template;
mod user;
mod verifier;

pub use directory::Directory;
pub use lockout::{CheckPermit, Lockout, LockoutPolicy};
pub use name_problem::NameProblem;
pub use organization::Organization;
pub use overlap::{Overlap, overlaps};
pub use password::{PasswordDigest, StoredPassword};
pub use pattern::{MAX_AGENT, MAX_QUEUE, Pattern, is_number_char};
pub use template::Template;
pub use user::User;
pub use verifier::{TooManyLogins, Verifier};
