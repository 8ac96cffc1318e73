//! What the theft of a register means for the people in it: how many can be singled out, what joining it with other data
//! adds, who is hit harder than others. Figures are ranges with the method that gives each end; nobody is named.

mod columns;
mod draft;
mod sample;
pub mod uniqueness;

pub use columns::{Kind, kind_of};
pub use draft::{for_people, for_regulator};
pub use sample::{Taken, from_cells, harm, members};

/// A range of shares, as parts of 1, and how its ends came about.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize)]
pub struct Range {
    /// The lower end.
    pub lower: f64,
    /// The upper end.
    pub upper: f64,
    /// The method that gives each end.
    pub method: &'static str,
}

/// How far some columns single people out.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Singling {
    /// The columns, by what they hold.
    pub columns: String,
    /// The share of people whom nobody else shares these values with.
    pub unique: Range,
    /// How many people share them, for a person in the middle.
    pub k: f64,
    /// Bits that they tell about who somebody is, of as many as there are to tell.
    pub bits: (f64, f64),
}

/// What another kind of data adds when the register is joined with it.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Joining {
    /// The other data.
    pub with: &'static str,
    /// The columns that both have.
    pub by: String,
    /// The share of people for whom that gives one match.
    pub matched: Range,
    /// What is learned.
    pub adds: &'static str,
}

/// People who are hit harder than others, or otherwise.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Group {
    /// Who they are.
    pub name: &'static str,
    /// How many were taken, at least and at most.
    pub people: (u64, u64),
    /// The share of them who are unique by the strongest columns, without names.
    pub unique: Option<Range>,
    /// What is different for them.
    pub why: &'static str,
}

/// What a theft means.
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
pub struct Harm {
    /// The register.
    pub register: String,
    /// How many people are in what was taken, at least and at most.
    pub people: (u64, u64),
    /// What was taken, column by column.
    pub columns: Vec<(String, Kind)>,
    /// Whether names were taken, so that nobody has to be singled out first.
    pub is_named: bool,
    /// How far sets of columns single people out, the weakest first.
    pub singling: Vec<Singling>,
    /// What other data add.
    pub joining: Vec<Joining>,
    /// Who is hit harder.
    pub groups: Vec<Group>,
    /// What these figures leave out.
    pub limits: Vec<String>,
}

/// `18 to 24 %`, `24 %`.
pub fn percent(range: &Range) -> String {
    let (lower, upper) = (range.lower * 100.0, range.upper * 100.0);
    match (upper - lower) < 0.95 {
        true => format!("{upper:.1} %"),
        false => format!("{lower:.0} to {upper:.0} %"),
    }
}
