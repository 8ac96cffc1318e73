//! Defuses all mail below a folder: `defuse IN OUT [KEY.pem DOMAIN SELECTOR]` writes `OUT/n.before.eml` and `OUT/n.after.eml`, sealed where a key is
//! given, and prints what it took. Used by `benches/defuse`.

use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use blackrod_respond::{Chain, DefusePolicy, Sealer, defuse};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (Some(from), Some(into)) = (arguments.first(), arguments.get(1)) else {
        return Err("usage: defuse IN OUT [KEY.pem DOMAIN SELECTOR]".into());
    };
    let sealer = match arguments.get(2..5) {
        Some([key, domain, selector]) => Some(Sealer::new(&std::fs::read(key)?, domain, selector)?),
        _ => None,
    };
    std::fs::create_dir_all(into)?;
    let mut paths = Vec::new();
    collect(Path::new(from), &mut paths)?;
    paths.sort();
    let (mut spent, mut bytes, mut changed, mut refused, mut worst) =
        (Duration::ZERO, 0, 0, 0, Duration::ZERO);
    for (number, path) in paths.iter().enumerate() {
        let raw = std::fs::read(path)?;
        let begun = Instant::now();
        let defused = defuse(&raw, &DefusePolicy::default());
        let took = begun.elapsed();
        spent += took;
        worst = worst.max(took);
        bytes += raw.len();
        let defused = match defused {
            Ok(defused) => defused,
            Err(error) => {
                refused += 1;
                println!("{}: {error}", path.display());
                continue;
            }
        };
        changed += usize::from(defused.changed);
        let mut after = Vec::new();
        if let Some(sealer) = &sealer {
            match sealer.seal(
                &defused.bytes,
                "mx.example.org; spf=pass smtp.mailfrom=example.org",
                Chain::None,
            ) {
                Ok(fields) => {
                    for (name, value) in fields {
                        after.extend_from_slice(format!("{name}: {value}\r\n").as_bytes());
                    }
                }
                Err(error) => println!("{}: {error}", path.display()),
            }
        }
        after.extend_from_slice(&defused.bytes);
        std::fs::write(PathBuf::from(into).join(format!("{number}.before.eml")), &raw)?;
        std::fs::write(PathBuf::from(into).join(format!("{number}.after.eml")), &after)?;
    }
    println!(
        "{} messages, {bytes} bytes, {changed} changed, {refused} refused, {:.3} ms each, {:.1} ms at most",
        paths.len(),
        spent.as_secs_f64() * 1e3 / paths.len().max(1) as f64,
        worst.as_secs_f64() * 1e3
    );
    Ok(())
}

fn collect(folder: &Path, found: &mut Vec<PathBuf>) -> std::io::Result<()> {
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            collect(&path, found)?;
        } else {
            found.push(path);
        }
    }
    Ok(())
}
