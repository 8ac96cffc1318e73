//! People from CSV (RFC 4180), as a directory or a personnel office exports them.

use csv::StringRecord;

use super::error::Place;
use super::names::closest;
use super::parse::{Draft, WrittenPerson};
use super::reader::Placed;

/// The columns, in any order. Those with several values separate them with `;`.
const COLUMNS: [&str; 9] = [
    "id",
    "name",
    "addresses",
    "groups",
    "roles",
    "office",
    "organisation",
    "accounts",
    "high_risk",
];

/// Reads the people of the CSV file `file` into `draft`.
pub(super) fn read(file: &str, text: &str, draft: &mut Draft) {
    let text = text.trim_start_matches('\u{feff}');
    let lines: Vec<&str> = text.lines().collect();
    let mut reader = csv::ReaderBuilder::new()
        .flexible(true)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let place = |line: usize, field: &str| Place {
        file: Some(file.to_owned()),
        line,
        text: lines
            .get(line.saturating_sub(1))
            .unwrap_or(&"")
            .trim_end()
            .to_owned(),
        field: field.to_owned(),
        ..Place::default()
    };
    let header = match reader.headers() {
        Ok(header) => header.clone(),
        Err(error) => {
            draft.error(place(1, "header"), format!("not CSV: {error}"), String::new());
            return;
        }
    };
    if !check_header(&header, &place(1, "header"), draft) {
        return;
    }
    for record in reader.records() {
        let record = match record {
            Ok(record) => record,
            Err(error) => {
                let line = error.position().map_or(0, csv::Position::line);
                let line = usize::try_from(line).unwrap_or(0);
                draft.error(
                    place(line, ""),
                    format!("not CSV: {error}"),
                    "check its quotes".to_owned(),
                );
                return;
            }
        };
        let line = record.position().map_or(0, csv::Position::line);
        let line = usize::try_from(line).unwrap_or(0);
        if record.len() != header.len() {
            draft.error(
                place(line, ""),
                format!("{} fields where the header has {}", record.len(), header.len()),
                "put values with commas into quotes".to_owned(),
            );
            continue;
        }
        let row = Row {
            header: &header,
            record: &record,
            place: &|field| place(line, field),
        };
        let high_risk = row.flag("high_risk", draft);
        draft.add_person(WrittenPerson {
            place: place(line, "person"),
            id: row.text("id"),
            name: row.text("name"),
            addresses: row.texts("addresses"),
            accounts: row.texts("accounts"),
            groups: row.texts("groups"),
            roles: row.texts("roles"),
            office: row.text("office"),
            organisation: row.text("organisation"),
            high_risk,
        });
    }
}

/// Whether the rows below this header can be read.
fn check_header(header: &StringRecord, place: &Place, draft: &mut Draft) -> bool {
    if header.len() == 1 && header.get(0).is_some_and(|only| only.contains([';', '\t'])) {
        draft.error(
            place.clone(),
            "the columns are not separated by commas".to_owned(),
            "save it as comma-separated CSV".to_owned(),
        );
        return false;
    }
    for (index, column) in header.iter().enumerate() {
        if header.iter().take(index).any(|before| before == column) {
            let mend = "keep one of the two".to_owned();
            draft.error(
                place.clone(),
                format!("the column `{column}` is there twice"),
                mend,
            );
        } else if !COLUMNS.contains(&column) {
            let mend = match closest(column, COLUMNS) {
                Some(meant) => format!("did you mean `{meant}`?"),
                None => format!("known columns: {}", COLUMNS.join(", ")),
            };
            draft.error(place.clone(), format!("unknown column `{column}`"), mend);
        }
    }
    let has_name = header.iter().any(|column| column == "name");
    if !has_name {
        let mend = "the first line names the columns, such as id,name,addresses,groups".to_owned();
        draft.error(place.clone(), "there is no column `name`".to_owned(), mend);
    }
    has_name
}

struct Row<'r> {
    header: &'r StringRecord,
    record: &'r StringRecord,
    place: &'r dyn Fn(&str) -> Place,
}

impl Row<'_> {
    fn raw(&self, column: &str) -> &str {
        let index = self.header.iter().position(|name| name == column);
        index.and_then(|index| self.record.get(index)).unwrap_or_default()
    }

    fn text(&self, column: &str) -> Option<Placed<String>> {
        let value = self.raw(column);
        (!value.is_empty()).then(|| self.placed(column, value))
    }

    fn texts(&self, column: &str) -> Vec<Placed<String>> {
        let values = self.raw(column).split(';').map(str::trim);
        values
            .filter(|value| !value.is_empty())
            .map(|value| self.placed(column, value))
            .collect()
    }

    fn flag(&self, column: &str, draft: &mut Draft) -> bool {
        let value = self.raw(column).to_lowercase();
        match value.as_str() {
            "" | "no" | "false" | "0" => false,
            "yes" | "true" | "1" => true,
            _ => {
                let place = self.placed(column, &value).place;
                let mend = "write yes or no".to_owned();
                draft.error(place, format!("{value:?} is neither yes nor no"), mend);
                false
            }
        }
    }

    /// A value with its place: its first occurrence on the line, where it is on one.
    fn placed(&self, column: &str, value: &str) -> Placed<String> {
        let person = [self.raw("id"), self.raw("name")];
        let person = person.iter().find(|name| !name.is_empty()).unwrap_or(&"");
        let mut place = (self.place)(&format!("person {person:?}, {column}"));
        if let Some(start) = place.text.find(value) {
            place.column = place.text[..start].chars().count();
            place.width = value.chars().count();
        }
        Placed {
            value: value.to_owned(),
            place,
        }
    }
}
