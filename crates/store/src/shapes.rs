//! New shapes of commands in the casebook.

use blackrod_model::NewShape;
use rusqlite::params;
use serde_json::json;

use crate::casebook::{read, seal, write};
use crate::{Case, StoreError};

impl Case {
    /// Puts shapes in the place of all that were there.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn set_new_shapes(&mut self, shapes: &[NewShape]) -> Result<(), StoreError> {
        self.change("new shapes", |book, _| {
            book.execute("DELETE FROM new_shapes", [])?;
            let mut insert = book
                .prepare("INSERT OR REPLACE INTO new_shapes (id, score, first, body) VALUES (?, ?, ?, ?)")?;
            for new in shapes {
                let first = write::time_value(new.first);
                insert.execute(params![new.shape.id(), new.score, first, write::json(new)?])?;
            }
            Ok(json!({ "seals": seal::seals(book, &[&seal::NEW_SHAPES], 0)? }))
        })
    }

    /// All new shapes, strongest first.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be read.
    pub fn new_shapes(&self) -> Result<Vec<NewShape>, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare("SELECT body FROM new_shapes ORDER BY score DESC, id")?;
            let rows = statement.query_map([], |row| read::json(row, 0))?;
            rows.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use blackrod_model::CommandShape;

    use super::*;

    #[test]
    fn shapes_are_replaced_and_come_back_strongest_first() {
        let dir = tempfile::tempdir().unwrap();
        let mut case = Case::create_or_open(dir.path().join("case")).unwrap();
        let shape = |image: &str, score| NewShape {
            shape: CommandShape {
                image: image.to_owned(),
                skeleton: String::new(),
            },
            score,
            ..NewShape::default()
        };
        case.set_new_shapes(&[shape("gone.exe", 9.0)]).unwrap();
        case.set_new_shapes(&[shape("a.exe", 1.0), shape("b.exe", 2.0)])
            .unwrap();
        assert_eq!(
            case.new_shapes().unwrap(),
            [shape("b.exe", 2.0), shape("a.exe", 1.0)]
        );
    }
}
