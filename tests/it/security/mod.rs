//! Authentication, the separation of organizations, TLS, limits and hostile input.

mod attacks;
mod credentials;
mod fuzz_replay;
mod limited_users;
mod limits;
mod rights;
mod tenants;
mod tickets;
mod tls;
mod tokens;
