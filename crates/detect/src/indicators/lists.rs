//! Indicators out of CSV files and plain lists.

use blackrod_model::{RuleProblem, Severity, Timestamp};

use super::stix::Raw;
use super::value::is_type_name;

/// Whether `text` is a table with several columns: its first telling line holds a known heading or
/// begins with the name of an indicator type.
pub(crate) fn is_csv(text: &str) -> bool {
    let Some(line) = telling_lines(text).next() else {
        return false;
    };
    let separator = separator_of(line);
    let mut cells = line.split(char::from(separator)).map(clean);
    let first_is_type = cells.clone().next().is_some_and(is_type_name);
    line.contains(char::from(separator))
        && (first_is_type || cells.any(|cell| role_of(cell) == Some(Role::Value)))
}

/// Hands each row of a table to `indicator`, and rows that are none to `problem`.
///
/// With a heading line the columns may stand in any order and be called what the common feeds call
/// them; without one they are `type,value[,title[,severity[,source]]]`.
pub(crate) fn read_csv(
    text: &str,
    place: &str,
    indicator: &mut dyn FnMut(Raw, u64),
    problem: &mut dyn FnMut(RuleProblem),
) {
    let separator = telling_lines(text).next().map_or(b',', separator_of);
    let mut rows = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .comment(Some(b'#'))
        .delimiter(separator)
        .trim(csv::Trim::All)
        .from_reader(text.as_bytes());
    let by_place = [Role::Type, Role::Value, Role::Title, Role::Severity, Role::Source];
    let mut roles: Vec<Option<Role>> = by_place.into_iter().map(Some).collect();
    let mut is_first = true;
    let mut row = csv::StringRecord::new();
    loop {
        let line = rows.position().line();
        match rows.read_record(&mut row) {
            Ok(false) => return,
            Ok(true) => {}
            Err(error) => {
                problem(RuleProblem {
                    rule: format!("{place}:{line}"),
                    title: String::new(),
                    reason: format!("not a row of a CSV file: {error}"),
                });
                continue;
            }
        }
        let line = row.position().map_or(line, csv::Position::line);
        let is_heading = is_first && row.iter().any(|cell| role_of(cell) == Some(Role::Value));
        is_first = false;
        if is_heading {
            roles = row.iter().map(role_of).collect();
            continue;
        }
        for raw in row_to_raws(&row, &roles) {
            indicator(raw, line);
        }
    }
}

/// Hands each line of a plain list to `indicator`. A comment behind the value becomes its title.
pub(crate) fn read_list(text: &str, indicator: &mut dyn FnMut(Raw, u64)) {
    for (number, line) in (1..).zip(text.lines()) {
        let trimmed = line.trim().trim_start_matches('\u{feff}');
        if is_comment(trimmed) {
            continue;
        }
        // A lone `#` belongs to a URL; only one after a blank begins a comment.
        let (value, comment) = match trimmed.find([' ', '\t']) {
            Some(end) => trimmed.split_at(end),
            None => (trimmed, ""),
        };
        let mut raw = Raw::bare(value);
        raw.title = comment.trim_start_matches([' ', '\t', '#', ';', '-']).to_owned();
        indicator(raw, number);
    }
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Role {
    Type,
    Value,
    Title,
    Severity,
    Source,
    ValidFrom,
    ValidUntil,
}

fn role_of(heading: &str) -> Option<Role> {
    let folded = clean(heading).to_ascii_lowercase().replace([' ', '-'], "_");
    Some(match folded.as_str() {
        "type" | "indicator_type" | "ioc_type" | "kind" => Role::Type,
        "value" | "indicator" | "ioc" | "ioc_value" | "observable" => Role::Value,
        "title" | "description" | "comment" | "name" | "malware" | "malware_printable" | "threat" => {
            Role::Title
        }
        "severity" | "level" => Role::Severity,
        "source" | "reporter" | "feed" => Role::Source,
        "valid_from" | "first_seen" => Role::ValidFrom,
        "valid_until" | "expires" => Role::ValidUntil,
        _ => return None,
    })
}

/// One indicator, or two where a feed writes `filename|sha256` and `name|digest` in one cell.
fn row_to_raws(row: &csv::StringRecord, roles: &[Option<Role>]) -> Vec<Raw> {
    let mut raw = Raw::bare("");
    for (cell, role) in row.iter().zip(roles) {
        let text = clean(cell);
        match role {
            Some(Role::Type) if !text.is_empty() => raw.type_name = Some(text.to_owned()),
            Some(Role::Value) => text.clone_into(&mut raw.value),
            Some(Role::Title) if raw.title.is_empty() => text.clone_into(&mut raw.title),
            Some(Role::Severity) => raw.severity = text.parse::<Severity>().ok(),
            Some(Role::Source) if !text.is_empty() => raw.source = Some(text.to_owned()),
            Some(Role::ValidFrom) => raw.valid_from = Timestamp::parse(text).unwrap_or(Timestamp::UNKNOWN),
            Some(Role::ValidUntil) => raw.valid_until = Timestamp::parse(text).unwrap_or(Timestamp::UNKNOWN),
            _ => {}
        }
    }
    if raw.value.is_empty() {
        // A row of one cell: the value alone.
        if let (Some(only), None) = (row.get(0), row.get(1)) {
            raw.type_name = None;
            clean(only).clone_into(&mut raw.value);
        }
    }
    let types = raw.type_name.clone().unwrap_or_default();
    match (types.split_once('|'), raw.value.split_once('|')) {
        // The digest alone identifies the file; its name may be anybody's.
        (Some((_, digest_type)), Some((_, digest))) if types.starts_with("filename") => vec![Raw {
            type_name: Some(digest_type.to_owned()),
            value: digest.to_owned(),
            ..raw.clone()
        }],
        (Some((first_type, second_type)), Some((first, second))) => {
            [(first_type, first), (second_type, second)]
                .into_iter()
                .filter(|(type_name, _)| *type_name != "port")
                .map(|(type_name, value)| Raw {
                    type_name: Some(type_name.to_owned()),
                    value: value.to_owned(),
                    ..raw.clone()
                })
                .collect()
        }
        _ => vec![raw],
    }
}

fn clean(cell: &str) -> &str {
    cell.trim_start_matches('\u{feff}').trim().trim_matches('"')
}

fn is_comment(line: &str) -> bool {
    line.is_empty()
        || line.starts_with('#')
        || line.starts_with("//")
        || (line.starts_with(';') && !line.contains('.'))
}

fn telling_lines(text: &str) -> impl Iterator<Item = &str> {
    text.lines()
        .map(|line| line.trim_start_matches('\u{feff}').trim())
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
}

fn separator_of(line: &str) -> u8 {
    [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|separator| {
            (
                line.bytes().filter(|byte| byte == separator).count(),
                *separator == b',',
            )
        })
        .unwrap_or(b',')
}

/// Whether a line could be an indicator at all; keeps a stray text file from being taken for a list.
pub(crate) fn looks_like_list(text: &str) -> bool {
    telling_lines(text)
        .take(20)
        .any(|line| super::value::parse(None, line.split([' ', '\t']).next().unwrap_or_default()).is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(text: &str) -> Vec<(String, String, String)> {
        let mut found = Vec::new();
        read_csv(
            text,
            "t.csv",
            &mut |raw, _| found.push((raw.type_name.unwrap_or_default(), raw.value, raw.title)),
            &mut |_| {},
        );
        found
    }

    fn row(type_name: &str, value: &str, title: &str) -> (String, String, String) {
        (type_name.to_owned(), value.to_owned(), title.to_owned())
    }

    #[test]
    fn columns_are_found_by_heading_or_place() {
        let expected = [row("domain", "evil.example", "Portal, copied")];
        for text in [
            "type,value,title\ndomain,evil.example,\"Portal, copied\"\n",
            "# a feed\nvalue;comment;type\nevil.example;Portal, copied;domain\n",
            "domain,evil.example,\"Portal, copied\",high,us\n",
            "\u{feff}Indicator\tIOC-Type\tDescription\nevil.example\tdomain\tPortal, copied\n",
        ] {
            assert!(is_csv(text), "{text}");
            assert_eq!(rows(text), expected, "{text}");
        }
    }

    #[test]
    fn combined_cells_are_taken_apart() {
        let found = rows(
            "type,value\ndomain|ip,evil.example|198.51.100.7\nfilename|md5,a.exe|00ff\nip-dst|port,198.51.100.8|443\n",
        );
        assert_eq!(
            found,
            [
                row("domain", "evil.example", ""),
                row("ip", "198.51.100.7", ""),
                row("md5", "00ff", ""),
                row("ip-dst", "198.51.100.8", "")
            ]
        );
    }

    #[test]
    fn a_list_is_not_a_table() {
        let list = "# bad\nevil.example\n198.51.100.7 # seen in May\n\nhttp://a.example/x#y\n";
        assert!(!is_csv(list));
        let mut found = Vec::new();
        read_list(list, &mut |raw, line| found.push((line, raw.value, raw.title)));
        assert_eq!(
            found,
            [
                (2, "evil.example".to_owned(), String::new()),
                (3, "198.51.100.7".to_owned(), "seen in May".to_owned()),
                (5, "http://a.example/x#y".to_owned(), String::new())
            ]
        );
    }
}
