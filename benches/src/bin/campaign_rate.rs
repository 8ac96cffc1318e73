//! How long judging takes and how much memory: `cargo run --release -p blackrod-benches --bin
//! campaign_rate -- [FINDINGS]` (100,000 unless told) over findings that share 10,000 entities.

use std::time::Instant;

use blackrod_judge::actors::Actors;
use blackrod_judge::{Assessor, Context};
use blackrod_model::assessment::Assessment;
use blackrod_model::{
    Class, Entity, EntityKind, Estate, EvidenceId, Finding, FindingId, Position, Severity, Sha256, Timestamp,
};

fn main() {
    let count = std::env::args()
        .nth(1)
        .and_then(|text| text.parse().ok())
        .unwrap_or(100_000);
    let findings = make(count);
    let memory_before = peak_memory_kib();

    let started = Instant::now();
    let campaigns = blackrod_judge::campaigns(&findings, &Estate::default());
    let seconds = started.elapsed().as_secs_f64();

    let largest = campaigns
        .iter()
        .map(|campaign| campaign.findings.len())
        .max()
        .unwrap_or(0);
    println!(
        "{count} findings, {} campaigns, the largest of {largest}",
        campaigns.len()
    );
    println!("{seconds:.2} s");
    match Actors::built_in() {
        Ok(actors) => {
            let (estate, context) = (Estate::default(), Context::default());
            let began = Instant::now();
            let assessor = Assessor::new(&findings, &estate, &actors, &context);
            let judged: Vec<Assessment> = campaigns
                .iter()
                .map(|campaign| assessor.assess(campaign))
                .collect();
            println!(
                "{} assessments in {:.2} s, on one thread",
                judged.len(),
                began.elapsed().as_secs_f64()
            );
        }
        Err(error) => println!("not assessed: {error}"),
    }
    match (memory_before, peak_memory_kib()) {
        (Some(before), Some(after)) => println!(
            "peak memory {} MiB, of which {} MiB for the findings themselves",
            after / 1_024,
            before / 1_024
        ),
        _ => println!("peak memory not measured (no /proc)"),
    }
}

/// Three months of findings on 3,000 hosts, with 5,000 accounts and 2,000 outside addresses, digests
/// and domains: a tenth of them on one noisy host.
fn make(count: u64) -> Vec<Finding> {
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    (0..count)
        .map(|number| {
            let evidence = EvidenceId::new(&Sha256::of(b"rate"), &format!("{}.evtx", number % 1_000));
            let host = if random.below(10) == 0 {
                0
            } else {
                random.below(3_000)
            };
            let foreign = random.below(20_000);
            let named = [
                (EntityKind::Host, format!("ws-{host}.parliament.example")),
                (
                    EntityKind::Account,
                    format!("user{}", (host + random.below(3)) % 5_000),
                ),
                (EntityKind::Account, "system".to_owned()),
                (EntityKind::Process, "c:\\windows\\system32\\cmd.exe".to_owned()),
                (EntityKind::Ip, format!("203.0.{}.{}", foreign % 8, foreign % 256)),
                (EntityKind::Domain, format!("d{}.example.net", foreign % 700)),
            ];
            let rule = format!("rule-{}", random.below(400));
            Finding {
                id: FindingId::new(
                    "SIG",
                    &rule,
                    evidence,
                    Position {
                        offset: 0,
                        record: number,
                    },
                    "",
                ),
                code: "SIG".to_owned(),
                title: format!("Claim of {rule}"),
                severity: Severity::ALL[random.below(5) as usize],
                time: Timestamp::from_seconds(1_611_306_000 + random.below(90 * 86_400) as i64),
                evidence,
                at: Position {
                    offset: number * 512,
                    record: number,
                },
                class: Class::PROCESS_ACTIVITY.0,
                attack: vec![format!("T{}", 1_003 + random.below(50))],
                reasons: Vec::new(),
                // Only a quarter of the findings names anything from outside.
                entities: named
                    .iter()
                    .take(if foreign < 5_000 { 6 } else { 4 })
                    .filter_map(|(kind, value)| Entity::new(*kind, value))
                    .collect(),
                rule_id: rule,
            }
        })
        .collect()
}

/// xorshift64 (Marsaglia, 2003): the same numbers at every run.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % bound
    }
}

/// The most memory this process has held so far; `None` where the system does not tell.
fn peak_memory_kib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM:"))?;
    line.split_whitespace().nth(1)?.parse().ok()
}
