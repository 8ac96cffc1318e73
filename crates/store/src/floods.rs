//! Floods in the casebook.

use blackrod_model::flood::Flood;
use rusqlite::params;
use serde_json::json;

use crate::casebook::{read, seal, write};
use crate::{Case, StoreError};

impl Case {
    /// Puts floods in the place of all that were there.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn set_floods(&mut self, floods: &[Flood]) -> Result<(), StoreError> {
        self.change("floods", |book, _| {
            book.execute("DELETE FROM floods", [])?;
            let mut insert =
                book.prepare("INSERT OR REPLACE INTO floods (key, title, start, body) VALUES (?, ?, ?, ?)")?;
            for flood in floods {
                let start = write::time_value(flood.start);
                insert.execute(params![flood.key, flood.title, start, write::json(flood)?])?;
            }
            Ok(json!({ "seals": seal::seals(book, &[&seal::FLOODS], 0)? }))
        })
    }

    /// All floods, by time.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be read.
    pub fn floods(&self) -> Result<Vec<Flood>, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare("SELECT body FROM floods ORDER BY start, key")?;
            let rows = statement.query_map([], |row| read::json(row, 0))?;
            rows.collect()
        })
    }
}
