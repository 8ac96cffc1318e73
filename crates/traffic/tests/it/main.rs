//! Captures of real floods: each is named for what it is.

#![allow(clippy::unwrap_used)]

use std::io::Read as _;
use std::ops::ControlFlow;
use std::path::PathBuf;

use blackrod_model::{Estate, Event, EvidenceId, Fact, Finding, Flow, Inrush, Position, Refusal};
use blackrod_read::{Formats, Sink};
use blackrod_traffic::{Watch, volume};

struct Kept {
    watch: Watch,
    facts: Vec<Fact>,
}

impl Sink for Kept {
    fn event(&mut self, event: Event<'_>) {
        self.watch.event(EvidenceId::default(), &event);
    }

    fn flows(&mut self, at: Position, flows: &[Flow]) {
        self.watch.push(EvidenceId::default(), at, flows);
    }

    fn refuse(&mut self, _: Refusal) {}
}

fn floods(bytes: &[u8]) -> Vec<Finding> {
    let formats = Formats::standard();
    let format = formats.recognise(bytes).unwrap();
    let mut sink = Kept {
        watch: Watch::new(&Estate::default()),
        facts: Vec::new(),
    };
    format
        .split(&mut &bytes[..], &mut |block| {
            format.parse(&block, &mut sink);
            sink.facts.extend(sink.watch.take());
            ControlFlow::Continue(())
        })
        .unwrap();
    sink.facts.sort_by_key(|fact| fact.time);
    let mut stream = volume::Stream::default();
    for inrush in sink.facts.iter().filter_map(|fact| fact.kept::<Inrush>()) {
        stream.push(&inrush);
    }
    stream.finish().findings
}

#[test]
fn captures_of_floods_are_named_rightly() {
    let beside_checkout = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("BLACKROD_SHARED").map_or(beside_checkout, PathBuf::from);
    let Ok(packed) = std::fs::File::open(shared.join("data/flow.tar.zst")) else {
        println!("SKIPPED: no shared flow.tar.zst; set BLACKROD_SHARED to look for floods in real captures");
        return;
    };
    let expected = [
        (
            "pkt.TCP.synflood.spoofed.pcap",
            "flood/volume/syn",
            "tcp",
            "forged",
        ),
        (
            "amp.TCP.reflection.SYNACK.pcap",
            "flood/volume/reflection/syn-ack",
            "tcp",
            "real machines",
        ),
        (
            "amp.UDP.snmp.src161.pcapng",
            "flood/volume/reflection/161",
            "udp",
            "real machines",
        ),
    ];
    let mut seen = 0;
    let mut archive = tar::Archive::new(zstd::Decoder::new(packed).unwrap());
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let Some((_, rule, protocol, senders)) = expected.iter().find(|(file, ..)| name.ends_with(file))
        else {
            continue;
        };
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        let found = floods(&bytes);
        let rules: Vec<&str> = found.iter().map(|finding| finding.rule_id.as_str()).collect();
        println!("{name}: {found:#?}");
        assert_eq!(rules, [*rule], "{name}");
        let reason = |field: &str| {
            &found[0]
                .reasons
                .iter()
                .find(|reason| reason.field == field)
                .unwrap()
                .value
        };
        assert_eq!(reason("protocol"), protocol, "{name}");
        assert_eq!(reason("victim"), "10.10.10.10", "{name}");
        assert!(
            reason("senders").contains(senders),
            "{name}: {}",
            reason("senders")
        );
        seen += 1;
    }
    assert_eq!(seen, expected.len());
}
