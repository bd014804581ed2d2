//! The bridge's web pages.

mod browser;
mod files;
