//! Pictures of the page, for the documentation.

#[test]
fn pictures() {}
