//! Living off the land, measured: `blackrod-bench-lotl corpus|estate|recordings|speed …`. See `benches/README.md`.

mod corpus;

use std::path::Path;

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let words: Vec<&str> = args.iter().map(String::as_str).collect();
    match words.as_slice() {
        ["corpus", folder, rules @ ..] => corpus::run(Path::new(folder), rules),
        _ => anyhow::bail!("usage: blackrod-bench-lotl corpus FOLDER [SIGMA-RULES...]"),
    }
}
