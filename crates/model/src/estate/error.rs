//! What is wrong with an estate file.

use std::fmt;

/// Something wrong with an estate file, where it is and how to mend it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstateError {
    /// Where it stands.
    pub place: Place,
    /// What is wrong.
    pub problem: String,
    /// What to do about it.
    pub mend: String,
}

/// A place in the estate file or in a CSV file of people.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The CSV file's name; `None` for the estate file itself.
    pub file: Option<String>,
    /// Counted from 1.
    pub line: usize,
    /// Characters before it on its line.
    pub column: usize,
    /// Characters that it takes up on its line; 0 where it is the whole line.
    pub width: usize,
    /// The whole line.
    pub text: String,
    /// The field: `person "anna", addresses`.
    pub field: String,
}

/// Everything wrong with an estate file, in the order of its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct EstateErrors(pub Vec<EstateError>);

impl std::error::Error for EstateErrors {}

impl fmt::Display for EstateErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, error) in self.0.iter().enumerate() {
            if index > 0 {
                f.write_str("\n")?;
            }
            writeln!(f, "{error}")?;
        }
        write!(f, "\n{} to mend", self.0.len())
    }
}

/// Like a compiler's message:
///
/// ```text
/// error: unknown key `adresses`
///   in person "anna", line 12
///    |
/// 12 | adresses = ["anna@assembly.example"]
///    | ^^^^^^^^ did you mean `addresses`?
/// ```
impl fmt::Display for EstateError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Place {
            file,
            line,
            column,
            width,
            text,
            field,
        } = &self.place;
        writeln!(f, "error: {}", self.problem)?;
        f.write_str("  in ")?;
        if !field.is_empty() {
            write!(f, "{field}, ")?;
        }
        if let Some(file) = file {
            write!(f, "{file} ")?;
        }
        writeln!(f, "line {line}")?;
        let number = line.to_string();
        let margin = " ".repeat(number.len());
        writeln!(f, "{margin} |")?;
        writeln!(f, "{number} | {text}")?;
        let (before, marks) = match width {
            0 => (0, 1),
            width => (*column, *width),
        };
        write!(
            f,
            "{margin} | {}{} {}",
            " ".repeat(before),
            "^".repeat(marks),
            self.mend
        )
    }
}
