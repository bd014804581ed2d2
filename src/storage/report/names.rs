//! Replaces names with numbers.

use std::collections::HashMap;

use rusqlite::{Connection, OptionalExtension, params};

/// The number of a name. 0 stands for no name.
pub type NameId = u32;

/// The names whose numbers were looked up on this connection.
#[derive(Debug, Default)]
pub(in crate::storage) struct Names(HashMap<Box<str>, NameId>);

impl Names {
    /// Returns the number of a name, and stores the name if it is new. Returns 0 for the empty
    /// name.
    pub(super) fn id(&mut self, connection: &Connection, name: &str) -> rusqlite::Result<NameId> {
        if name.is_empty() {
            return Ok(0);
        }
        if let Some(id) = self.0.get(name) {
            return Ok(*id);
        }
        let select = "SELECT id FROM report_names WHERE name = ?1";
        let mut select = connection.prepare(select)?;
        let known = select.query_row([name], |row| row.get(0)).optional()?;
        let id = match known {
            Some(id) => id,
            None => {
                let insert = "INSERT INTO report_names (name) VALUES (?1) RETURNING id";
                let mut insert = connection.prepare(insert)?;
                insert.query_row(params![name], |row| row.get(0))?
            }
        };
        self.0.insert(name.into(), id);
        Ok(id)
    }

    /// Forgets everything, because a transaction was rolled back or names were deleted.
    pub(in crate::storage) fn clear(&mut self) {
        self.0.clear();
    }
}
