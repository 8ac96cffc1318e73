//! `blackrod canary` and `harm` on the command line.

use std::path::PathBuf;

use clap::{Args, Subcommand};

#[derive(Debug, Subcommand)]
pub(crate) enum Canary {
    /// Invent electors for one copy of a register, and write what they are recognised by
    Make(CanaryMake),
}

#[derive(Debug, Args)]
pub(crate) struct CanaryMake {
    /// What the register looks like: a CSV with its header and some hundred of its rows
    #[arg(long, value_name = "CSV")]
    pub(crate) register: PathBuf,

    /// Who gets the copy: a name of your own for it
    #[arg(long, value_name = "NAME")]
    pub(crate) copy: String,

    /// How many
    #[arg(long, value_name = "N", default_value_t = 30, value_parser = clap::value_parser!(u32).range(1..=100_000))]
    pub(crate) count: u32,

    /// Numbers of the register that nobody has, to give to them, such as 1300001-1390000
    #[arg(long, value_name = "FROM-TO")]
    pub(crate) numbers: Option<String>,

    /// The folder for the key, the marks and the records; a key that is there is used
    #[arg(long, value_name = "DIR")]
    pub(crate) out: PathBuf,
}

#[derive(Debug, Args)]
pub(crate) struct Harm {
    /// The columns that were taken; all of the sample's without it
    #[arg(long, value_name = "COLUMN", value_delimiter = ',')]
    pub(crate) taken: Vec<String>,

    /// Rows of the register as CSV with a header, drawn by chance, or all of them
    #[arg(long, value_name = "CSV", required_unless_present = "statistics")]
    pub(crate) sample: Option<PathBuf>,

    /// How many people live in each smallest area that was taken, one number a line, instead of a sample
    #[arg(long, value_name = "FILE", conflicts_with = "sample")]
    pub(crate) statistics: Option<PathBuf>,

    /// How many people are in the register
    #[arg(long, value_name = "N")]
    pub(crate) records: u64,

    /// How much of it was taken, in percent, from at least to at most, as the finding says
    #[arg(long, value_name = "FROM-TO", default_value = "100-100")]
    pub(crate) share: String,

    /// The day on which it was taken, to tell who was a child
    #[arg(long, value_name = "YYYY-MM-DD")]
    pub(crate) day: Option<String>,

    /// What the register is called
    #[arg(long, value_name = "NAME", default_value = "the register")]
    pub(crate) name: String,

    /// Write the list of the people in groups at high risk too: names, from the sample
    #[arg(long, value_name = "FILE")]
    pub(crate) list: Option<PathBuf>,

    /// Print as JSON
    #[arg(long)]
    pub(crate) json: bool,
}
