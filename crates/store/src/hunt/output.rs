//! Results of hunts, written out as they come.

use std::io::{self, Write};

use datafusion::arrow::array::RecordBatch;
use datafusion::arrow::csv::WriterBuilder as CsvBuilder;
use datafusion::arrow::error::ArrowError;
use datafusion::arrow::json::LineDelimitedWriter;
use datafusion::arrow::util::display::{ArrayFormatter, FormatOptions};
use serde_json::{Map, Value};
use unicode_width::{UnicodeWidthChar as _, UnicodeWidthStr as _};

use super::Answer;
use crate::StoreError;

/// Rows that the widths of a table's columns are taken from.
const SAMPLE_ROWS: usize = 200;

/// No column of a table is cut below this width while others are wider.
const LEAST_WIDTH: usize = 6;

impl Answer {
    /// Writes the result as a table, as wide as [`Answer::width`] allows. Characters that move the cursor, change its
    /// colours or the direction of writing are shown by their numbers (`\u{202e}`): text from evidence cannot play tricks
    /// on the terminal.
    ///
    /// # Errors
    ///
    /// When the query or writing fails.
    pub async fn write_table(mut self, out: &mut dyn Write) -> Result<(), StoreError> {
        let schema = self.schema();
        let names: Vec<String> = schema
            .fields()
            .iter()
            .map(|field| visible(field.name()))
            .collect();
        let to_the_right = schema
            .fields()
            .iter()
            .map(|field| field.data_type().is_numeric())
            .collect();
        let mut sample = Vec::new();
        let mut is_more = true;
        while is_more && sample.len() < SAMPLE_ROWS {
            match self.next().await {
                Some(batch) => sample.extend(cells(&batch?)?),
                None => is_more = false,
            }
        }
        let is_cut = self.width.is_some();
        let layout = Layout {
            is_cut,
            widths: widths(&names, &sample, self.width),
            to_the_right,
        };
        layout.write_row(&names, out)?;
        layout.write_rule(out)?;
        let mut count = sample.len();
        for row in sample {
            layout.write_row(&row, out)?;
        }
        while is_more && let Some(batch) = self.next().await {
            let rows = cells(&batch?)?;
            count += rows.len();
            for row in rows {
                layout.write_row(&row, out)?;
            }
        }
        let unit = if count == 1 { "row" } else { "rows" };
        writeln!(out, "({count} {unit})")
            .and_then(|()| out.flush())
            .map_err(write_error)
    }

    /// The first `limit` rows, as JSON objects, and whether there are more. Columns without a value are left out.
    ///
    /// # Errors
    ///
    /// When the query fails.
    pub async fn rows(mut self, limit: usize) -> Result<(Vec<Map<String, Value>>, bool), StoreError> {
        let mut rows = Vec::new();
        while let Some(batch) = self.next().await {
            for line in json_lines(&batch?)?.lines() {
                if rows.len() == limit {
                    return Ok((rows, true));
                }
                let row = serde_json::from_str(line).map_err(|error| StoreError::Query(error.to_string()))?;
                rows.push(row);
            }
        }
        Ok((rows, false))
    }

    /// Writes the result as one JSON object per line. Columns without a value are left out. Control and formatting
    /// characters are written as JSON escapes.
    ///
    /// # Errors
    ///
    /// When the query or writing fails.
    pub async fn write_json(mut self, out: &mut dyn Write) -> Result<(), StoreError> {
        while let Some(batch) = self.next().await {
            out.write_all(json_lines(&batch?)?.as_bytes())
                .map_err(write_error)?;
        }
        out.flush().map_err(write_error)
    }

    /// Writes the result as one JSON array; otherwise as [`Answer::write_json`].
    ///
    /// # Errors
    ///
    /// When the query or writing fails.
    pub async fn write_json_array(mut self, out: &mut dyn Write) -> Result<(), StoreError> {
        let mut before = "[\n";
        while let Some(batch) = self.next().await {
            for line in json_lines(&batch?)?.lines() {
                write!(out, "{before}{line}").map_err(write_error)?;
                before = ",\n";
            }
        }
        let end = if before == "[\n" { "[]\n" } else { "\n]\n" };
        out.write_all(end.as_bytes())
            .and_then(|()| out.flush())
            .map_err(write_error)
    }

    /// Writes the result as CSV (RFC 4180) with a line of names. Values are exactly those of the case, control characters
    /// included: CSV is for programs.
    ///
    /// # Errors
    ///
    /// When the query or writing fails.
    pub async fn write_csv(mut self, out: &mut dyn Write) -> Result<(), StoreError> {
        let mut writer = CsvBuilder::new().with_header(true).build(&mut *out);
        // The names stand there even where nothing was found.
        writer
            .write(&RecordBatch::new_empty(self.schema()))
            .map_err(encode_error)?;
        while let Some(batch) = self.next().await {
            writer.write(&batch?).map_err(encode_error)?;
        }
        drop(writer);
        out.flush().map_err(write_error)
    }
}

struct Layout {
    is_cut: bool,
    widths: Vec<usize>,
    to_the_right: Vec<bool>,
}

impl Layout {
    fn write_row(&self, row: &[String], out: &mut dyn Write) -> Result<(), StoreError> {
        let mut line = String::new();
        let last = row.len().saturating_sub(1);
        for (index, cell) in row.iter().enumerate() {
            let width = self.widths[index];
            let shown = if self.is_cut {
                cut(cell, width)
            } else {
                cell.clone()
            };
            let padding = " ".repeat(width.saturating_sub(shown.width()));
            match (self.to_the_right[index], index == last) {
                (true, _) => line.extend([padding.as_str(), shown.as_str()]),
                (false, true) => line.push_str(&shown),
                (false, false) => line.extend([shown.as_str(), padding.as_str()]),
            }
            line.push_str(if index == last { "\n" } else { "  " });
        }
        out.write_all(line.as_bytes()).map_err(write_error)
    }

    fn write_rule(&self, out: &mut dyn Write) -> Result<(), StoreError> {
        let rule: Vec<String> = self.widths.iter().map(|&width| "─".repeat(width)).collect();
        writeln!(out, "{}", rule.join("  ")).map_err(write_error)
    }
}

/// The widths of the columns: what the sample needs, with the widest cut first where the line would be too long.
fn widths(names: &[String], sample: &[Vec<String>], line: Option<usize>) -> Vec<usize> {
    let mut widths: Vec<usize> = names.iter().map(|name| name.width()).collect();
    for row in sample {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = (*width).max(cell.width());
        }
    }
    let Some(line) = line else { return widths };
    let room = line.saturating_sub(2 * names.len().saturating_sub(1));
    while widths.iter().sum::<usize>() > room {
        let widest = widths.iter().copied().max().unwrap_or_default();
        if widest <= LEAST_WIDTH {
            break;
        }
        // All that are as wide as the widest shrink together, to the next width below or until it fits.
        let count = widths.iter().filter(|&&width| width == widest).count();
        let below = widths
            .iter()
            .copied()
            .filter(|&width| width < widest)
            .max()
            .unwrap_or_default()
            .max(LEAST_WIDTH);
        let excess = (widths.iter().sum::<usize>() - room).div_ceil(count);
        let target = widest.saturating_sub(excess).max(below);
        widths
            .iter_mut()
            .filter(|width| **width == widest)
            .for_each(|width| *width = target);
    }
    widths
}

/// `text` in at most `width` columns, with `…` where something is missing.
fn cut(text: &str, width: usize) -> String {
    if text.width() <= width {
        return text.to_owned();
    }
    let mut shown = String::new();
    let mut used = 0;
    for character in text.chars() {
        used += character.width().unwrap_or_default();
        if used + 1 > width {
            break;
        }
        shown.push(character);
    }
    shown.push('…');
    shown
}

fn cells(batch: &RecordBatch) -> Result<Vec<Vec<String>>, StoreError> {
    let options = FormatOptions::default().with_display_error(true);
    let columns = batch
        .columns()
        .iter()
        .map(|column| ArrayFormatter::try_new(column.as_ref(), &options));
    let columns = columns.collect::<Result<Vec<_>, _>>().map_err(encode_error)?;
    let row = |index: usize| {
        columns
            .iter()
            .map(|column| visible(&column.value(index).to_string()))
            .collect()
    };
    Ok((0..batch.num_rows()).map(row).collect())
}

fn json_lines(batch: &RecordBatch) -> Result<String, StoreError> {
    let mut writer = LineDelimitedWriter::new(Vec::new());
    writer.write(batch).map_err(encode_error)?;
    writer.finish().map_err(encode_error)?;
    let text = String::from_utf8_lossy(&writer.into_inner()).into_owned();
    if !text
        .chars()
        .any(|character| character != '\n' && is_tricky(character))
    {
        return Ok(text);
    }
    // Outside of strings JSON has no such characters but the line feed between objects.
    let mut escaped = String::with_capacity(text.len());
    let mut units = [0; 2];
    for character in text.chars() {
        match character {
            '\n' => escaped.push('\n'),
            tricky if is_tricky(tricky) => {
                for unit in tricky.encode_utf16(&mut units) {
                    escaped.push_str(&format!("\\u{unit:04x}"));
                }
            }
            plain => escaped.push(plain),
        }
    }
    Ok(escaped)
}

/// `text` with everything that a terminal would act on shown by its number.
pub(crate) fn visible(text: &str) -> String {
    if !text.chars().any(is_tricky) {
        return text.to_owned();
    }
    let mut shown = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '\n' => shown.push_str("\\n"),
            '\r' => shown.push_str("\\r"),
            '\t' => shown.push_str("\\t"),
            tricky if is_tricky(tricky) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(tricky))),
            plain => shown.push(plain),
        }
    }
    shown
}

/// Control characters (C0, C1), line and paragraph separators, and what changes the direction of writing or is not to be
/// seen: Unicode's `Bidi_Control`, zero-width characters, tags.
fn is_tricky(character: char) -> bool {
    character.is_control()
        || matches!(
            character,
            '\u{ad}'
                | '\u{61c}'
                | '\u{115f}'..='\u{1160}'
                | '\u{180e}'
                | '\u{200b}'..='\u{200f}'
                | '\u{2028}'..='\u{202e}'
                | '\u{2060}'..='\u{206f}'
                | '\u{3164}'
                | '\u{feff}'
                | '\u{fff9}'..='\u{fffb}'
                | '\u{e0000}'..='\u{e007f}'
        )
}

fn write_error(source: io::Error) -> StoreError {
    StoreError::Io {
        action: "write",
        path: "the result".into(),
        source,
    }
}

fn encode_error(error: ArrowError) -> StoreError {
    match error {
        ArrowError::IoError(_, source) => write_error(source),
        other => StoreError::Query(other.to_string()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_terminal_would_act_on_is_shown() {
        assert_eq!(visible("a\u{1b}[31mb\u{202e}c\n"), "a\\u{1b}[31mb\\u{202e}c\\n");
        assert_eq!(visible("Łódź 日本"), "Łódź 日本");
    }

    #[test]
    fn the_widest_columns_give_way() {
        let names = ["a".to_owned(), "b".to_owned(), "c".to_owned()];
        let sample = [vec!["x".repeat(50), "y".repeat(10), "z".repeat(30)]];
        assert_eq!(widths(&names, &sample, None), [50, 10, 30]);
        assert_eq!(widths(&names, &sample, Some(54)), [20, 10, 20]);
        assert_eq!(widths(&names, &sample, Some(3)), [6, 6, 6]);
        assert_eq!(cut("日本語", 4), "日…");
        assert_eq!(cut("abc", 3), "abc");
    }
}
