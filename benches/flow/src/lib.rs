//! Measuring what is read and found in flows.

use std::fs;

/// Seconds of CPU that this process has used, and its largest resident memory in MiB; zeros where the system does not
/// tell (it is read from `/proc`).
pub fn used() -> (f64, f64) {
    let stat = fs::read_to_string("/proc/self/stat").unwrap_or_default();
    let after_name = stat.rsplit(") ").next().unwrap_or_default();
    let ticks = |index: usize| {
        let field = after_name.split(' ').nth(index);
        field
            .and_then(|field| field.parse::<f64>().ok())
            .unwrap_or_default()
    };
    // utime and stime, in hundredths.
    let cpu = (ticks(11) + ticks(12)) / 100.0;
    let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    let kibibytes = peak.and_then(|text| text.trim().trim_end_matches(" kB").parse::<f64>().ok());
    (cpu, kibibytes.unwrap_or_default() / 1_024.0)
}
