//! Flows a CPU second, read and looked at by all detectors, on one thread.
//!
//! `flow-rate FILE [FLOWS] [SOURCES]` makes FILE (NetFlow v5, 30 records a datagram) where it is not there: ordinary
//! flows over an hour from so many sources, and for the middle fifth of it DNS reflection to one address. It is read
//! as the pipeline reads it, without storing the events that stand for conversations.

use std::collections::HashSet;
use std::fs::File;
use std::io::{BufReader, BufWriter, Write};
use std::ops::ControlFlow;
use std::path::Path;

use blackrod_bench_flow::used;
use blackrod_model::{Estate, Event, EvidenceId, Fact, Flow, Inrush, Outflow, Position, Refusal};
use blackrod_read::{Formats, Sink};
use blackrod_traffic::{Watch, egress, volume};

/// As in the binary.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let mut arguments = std::env::args().skip(1);
    let path = arguments.next().ok_or("flow-rate FILE [FLOWS] [SOURCES]")?;
    let flows: u64 = arguments.next().map_or(Ok(10_000_000), |text| text.parse())?;
    let sources: u32 = arguments.next().map_or(Ok(2_500_000), |text| text.parse())?;
    let path = Path::new(&path);
    if !path.exists() {
        make(path, flows, sources)?;
    }
    let (before, _) = used();
    let mut sink = Kept {
        watch: Watch::new(&Estate::default()),
        facts: Vec::new(),
        flows: 0,
        refused: 0,
        summaries: 0,
    };
    let formats = Formats::standard();
    let format = formats.iter().find(|format| format.name() == "flow-export");
    let format = format.ok_or("no such format")?;
    let mut input = BufReader::new(File::open(path)?);
    format.split(&mut input, &mut |block| {
        format.parse(&block, &mut sink);
        sink.facts.extend(sink.watch.take());
        ControlFlow::Continue(())
    })?;
    let (read, _) = used();
    let facts = sink.facts.len();
    let bytes: usize = sink.facts.iter().map(|fact| fact.body.len()).sum();
    sink.facts.sort_by_key(|fact| fact.time);
    let (mut floods, mut leaks) = (volume::Stream::default(), egress::Stream::default());
    for fact in sink.facts {
        if let Some(inrush) = fact.kept::<Inrush>() {
            floods.push(&inrush);
        }
        if let Some(outflow) = fact.kept::<Outflow>() {
            leaks.push(&outflow);
        }
    }
    let findings: Vec<_> = floods
        .finish()
        .findings
        .into_iter()
        .chain(leaks.finish())
        .collect();
    let (after, peak) = used();
    println!(
        "flows {}  refused {}  conversations told {}",
        sink.flows, sink.refused, sink.summaries
    );
    println!("facts {facts}, {:.1} MB", bytes as f64 / 1e6);
    println!(
        "CPU s: reading {:.2}, judging {:.2}; {:.2} M flows per CPU second; largest memory {peak:.0} MiB",
        read - before,
        after - read,
        sink.flows as f64 / (after - before) / 1e6
    );
    let titles: HashSet<&str> = findings.iter().map(|finding| finding.title.as_str()).collect();
    println!("findings {}: {titles:?}", findings.len());
    Ok(())
}

struct Kept {
    watch: Watch,
    facts: Vec<Fact>,
    flows: u64,
    refused: u64,
    summaries: u64,
}

impl Sink for Kept {
    fn event(&mut self, event: Event<'_>) {
        self.watch.event(EvidenceId::default(), &event);
    }

    fn flows(&mut self, at: Position, flows: &[Flow]) {
        self.flows += flows.len() as u64;
        self.watch.push(EvidenceId::default(), at, flows);
    }

    fn summary(&mut self, event: Event<'_>) {
        self.summaries += 1;
        self.event(event);
    }

    fn refuse(&mut self, refusal: Refusal) {
        self.refused += refusal.records;
    }
}

fn make(path: &Path, flows: u64, sources: u32) -> std::io::Result<()> {
    const START: u64 = 1_611_307_800;
    let mut random = fastrand::Rng::with_seed(1);
    let mut out = BufWriter::new(File::create(path)?);
    for datagram in 0..flows.div_ceil(30) {
        let part = datagram as f64 * 30.0 / flows as f64;
        let second = START + (part * 3_600.0) as u64;
        let mut bytes = Vec::with_capacity(24 + 30 * 48);
        bytes.extend(5_u16.to_be_bytes());
        bytes.extend(30_u16.to_be_bytes());
        bytes.extend(10_000_000_u32.to_be_bytes());
        bytes.extend(u32::try_from(second).unwrap_or(u32::MAX).to_be_bytes());
        bytes.extend([0; 12]);
        for _ in 0..30 {
            let is_flood = (0.4..0.6).contains(&part) && random.bool();
            let outer = (random.u32(0..sources).wrapping_mul(0x9e37_79b1) % 0x5f00_0000) + 0x2000_0000;
            let inner = 0x0a01_0000 + random.u32(0..2_000);
            let high = random.u16(32_768..);
            let service = [443, 443, 443, 80, 53, 25, 22, 993][random.usize(0..8)];
            let packets = 1 + random.u32(0..20);
            let is_in = random.bool();
            let (src, dst, from, to, protocol, flags, packets, size) = match (is_flood, is_in) {
                (true, _) => (outer, 0x0a01_0007, 53, high, 17, 0, packets, 1_300),
                (false, true) => (outer, inner, service, high, 6, 0x1b, packets, 900),
                (false, false) => (inner, outer, high, service, 6, 0x1b, packets, 120),
            };
            bytes.extend(src.to_be_bytes());
            bytes.extend(dst.to_be_bytes());
            bytes.extend([0; 8]);
            bytes.extend(packets.to_be_bytes());
            bytes.extend((packets * size).to_be_bytes());
            bytes.extend((9_990_000_u32 + random.u32(0..5_000)).to_be_bytes());
            bytes.extend((9_995_000_u32 + random.u32(0..5_000)).to_be_bytes());
            bytes.extend(from.to_be_bytes());
            bytes.extend(to.to_be_bytes());
            bytes.extend([0, flags, protocol, 0]);
            bytes.extend([0; 8]);
        }
        out.write_all(&bytes)?;
    }
    out.flush()
}
