//! Writes the example's evidence, indicators and people into the folder `examples`.

use std::path::PathBuf;
use std::process::ExitCode;

fn main() -> ExitCode {
    let folder = std::env::args_os()
        .nth(1)
        .map_or_else(blackrod_example::checked_in_folder, PathBuf::from);
    match blackrod_example::write_to(&folder) {
        Ok(bytes) => {
            println!("{bytes} bytes written to {}", folder.display());
            ExitCode::SUCCESS
        }
        Err(error) => {
            eprintln!("cannot write to {}: {error}", folder.display());
            ExitCode::FAILURE
        }
    }
}
