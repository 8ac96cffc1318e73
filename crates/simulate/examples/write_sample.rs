//! Writes a part of a run as single files, for looking at: `… --example write_sample -- SEED SCALE EVERY DIR`

use blackrod_simulate::{Assumptions, Simulation};

fn main() -> std::io::Result<()> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let [seed, scale, every, folder] = arguments.as_slice() else {
        return Err(std::io::Error::other("SEED SCALE EVERY DIR"));
    };
    let seed = seed.parse().map_err(std::io::Error::other)?;
    let scale = scale.parse().map_err(std::io::Error::other)?;
    let every: usize = every.parse().map_err(std::io::Error::other)?;
    let mut bytes = Vec::new();
    for (n, mail) in Simulation::new(seed, Assumptions::default().scaled(scale))
        .messages()
        .enumerate()
    {
        if !n.is_multiple_of(every) && mail.campaign().is_none() {
            continue;
        }
        bytes.clear();
        mail.write(&mut bytes);
        std::fs::write(
            format!("{folder}/{:07}-{}.eml", mail.number(), mail.kind()),
            &bytes,
        )?;
    }
    Ok(())
}
