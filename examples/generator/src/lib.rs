//! Makes the evidence of the example case: an invented parliament in the winter of 2021.
//!
//! Nobody and nothing in it exists. Domains end in `.example` (RFC 2606), addresses are from the
//! ranges for documentation (RFC 5737, RFC 3849), the web shell is a comment that cannot run. The
//! same bytes come out every time: the random numbers have a fixed seed, and the packers are those
//! whose output does not depend on what the processor can do.

mod events;
pub mod evtx;
mod exchange;
mod indicators;
mod json;
mod mail;
mod mailboxes;
mod pack;
mod people;
mod random;
mod register;
mod story;
mod vpn;
mod web;
mod website;
mod workstation;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::{fs, io};

use people::Assembly;

/// Files by their path below `examples`.
pub type Files = BTreeMap<String, Vec<u8>>;

/// All files that the generator makes.
pub fn files() -> Files {
    let assembly = Assembly::new();
    let mut files = Files::new();
    files.insert("people.csv".to_owned(), assembly.to_csv().into_bytes());
    mailboxes::add(&assembly, &mut files);
    vpn::add(&assembly, &mut files);
    workstation::add(&assembly, &mut files);
    exchange::add(&assembly, &mut files);
    register::add(&mut files);
    web::add(&assembly, &mut files);
    website::add(&mut files);
    indicators::add(&mut files);
    files
}

/// Where the files are checked in: in the checkout that cargo runs this for, which need not be the one it was built in.
pub fn checked_in_folder() -> PathBuf {
    std::env::var_os("CARGO_MANIFEST_DIR")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")), PathBuf::from)
        .join("..")
}

/// Writes all files below `folder` and removes evidence and indicators that were there before.
/// Returns how many bytes were written.
///
/// # Errors
///
/// What the system says when a file cannot be written.
pub fn write_to(folder: &Path) -> io::Result<usize> {
    for generated in ["evidence", "indicators"] {
        match fs::remove_dir_all(folder.join(generated)) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
    }
    let mut written = 0;
    for (name, content) in files() {
        let path = folder.join(name);
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(path, &content)?;
        written += content.len();
    }
    Ok(written)
}
