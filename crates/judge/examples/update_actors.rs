//! Draws the generated part of `content/actors` anew: `cargo run -p blackrod-judge --example update_actors -- BUNDLE 18.1 content/actors`.

use std::collections::BTreeMap;

use blackrod_judge::actors::{Bundle, update};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [bundle, version, folder] = &arguments[..] else {
        return Err("usage: update_actors BUNDLE VERSION FOLDER".into());
    };
    let bundle = Bundle::parse(&std::fs::read(bundle)?)?;
    let mut files = BTreeMap::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let Some(name) = path.file_name().and_then(|name| name.to_str()) else {
            continue;
        };
        files.insert(name.to_owned(), std::fs::read_to_string(&path)?);
    }
    let made = update(&bundle, version, &files);
    for (name, text) in &made.files {
        std::fs::write(std::path::Path::new(folder).join(name), text)?;
    }
    println!(
        "{} files written, {} of them new; gone from ATT&CK: {:?}",
        made.files.len(),
        made.new,
        made.gone
    );
    Ok(())
}
