#![allow(clippy::unwrap_used)]

use std::net::{IpAddr, Ipv4Addr};

use blackrod_model::{Estate, EvidenceId, Finding, Flow, Inrush, Position, Timestamp};

use super::{Outcome, Stream};
use crate::Watch;

const START: i64 = 1_611_307_800_000_000;

fn flow(second: i64, src: u32, dst: [u8; 4], ports: (u16, u16)) -> Flow {
    let time = Timestamp::from_micros(START + second * 1_000_000);
    Flow {
        start: time,
        end: time,
        src: Ipv4Addr::from_bits(src).into(),
        dst: IpAddr::from(dst),
        src_port: ports.0,
        dst_port: ports.1,
        protocol: Flow::UDP,
        tcp_flags: 0,
        packets: 1,
        bytes: 1_400,
    }
}

fn tcp(flags: u8, flow: Flow) -> Flow {
    Flow {
        protocol: Flow::TCP,
        tcp_flags: flags,
        bytes: 44,
        ..flow
    }
}

fn findings(flows: &[Flow]) -> Vec<Finding> {
    outcome(flows).findings
}

fn outcome(flows: &[Flow]) -> Outcome {
    let mut watch = Watch::new(&Estate::default());
    for part in flows.chunks(1_000) {
        watch.push(EvidenceId::default(), Position::START, part);
    }
    let mut inrushes: Vec<Inrush> = watch.take().iter().filter_map(|fact| fact.kept()).collect();
    inrushes.sort_by_key(|inrush| inrush.time);
    let mut stream = Stream::default();
    inrushes.iter().for_each(|inrush| stream.push(inrush));
    stream.finish()
}

fn rules(found: &[Finding]) -> Vec<&str> {
    found.iter().map(|finding| finding.rule_id.as_str()).collect()
}

fn reason<'f>(finding: &'f Finding, field: &str) -> &'f str {
    let reason = finding.reasons.iter().find(|reason| reason.field == field);
    reason.map_or("", |reason| &reason.value)
}

const VICTIM: [u8; 4] = [192, 0, 2, 7];

/// Scattered numbers.
fn scatter(number: u32) -> u32 {
    let mixed = number.wrapping_mul(0x9e37_79b1);
    (mixed ^ mixed >> 15).wrapping_mul(0x85eb_ca77)
}

#[test]
fn reflection_is_named_by_its_service() {
    let flows: Vec<Flow> = (0..3_000)
        .map(|n| flow(i64::from(n) / 100, 0x0808_0000 + n % 40, VICTIM, (161, 3_300)))
        .collect();
    let found = findings(&flows);
    assert_eq!(rules(&found), ["flood/volume/reflection/161"]);
    assert!(
        found[0].title.starts_with("SNMP reflection against 192.0.2.7"),
        "{}",
        found[0].title
    );
    assert!(reason(&found[0], "senders").starts_with("40; real machines"));
    assert!(reason(&found[0], "filter nftables").contains("ip daddr 192.0.2.7/32 udp sport 161 drop"));
}

#[test]
fn answers_that_were_asked_for_are_none() {
    let mut flows = Vec::new();
    for n in 0..3_000 {
        let answer = flow(i64::from(n) / 100, 0x0808_0000 + n % 400, VICTIM, (53, 40_000));
        flows.push(Flow {
            src: answer.dst,
            dst: answer.src,
            src_port: 40_000,
            dst_port: 53,
            ..answer
        });
        flows.push(answer);
    }
    assert_eq!(rules(&findings(&flows)), Vec::<&str>::new());
}

#[test]
fn forged_senders_are_known_by_their_spread() {
    let forged: Vec<Flow> = (0..8_000)
        .map(|n| {
            tcp(
                0x02,
                flow(i64::from(n) / 400, scatter(n) % 0xdf00_0000, VICTIM, (40_000, 80)),
            )
        })
        .collect();
    let found = findings(&forged);
    assert_eq!(rules(&found), ["flood/volume/syn"]);
    assert!(
        reason(&found[0], "senders").contains("forged"),
        "{}",
        reason(&found[0], "senders")
    );
    assert_eq!(reason(&found[0], "port"), "80");
    let real: Vec<Flow> = (0..8_000)
        .map(|n| {
            tcp(
                0x02,
                flow(
                    i64::from(n) / 400,
                    0x5000_0000 + scatter(n) % 0x0400_0000,
                    VICTIM,
                    (40_000, 80),
                ),
            )
        })
        .collect();
    assert!(reason(&findings(&real)[0], "senders").contains("no sign"));
}

#[test]
fn connections_in_use_and_scans_are_no_flood() {
    let mut used = Vec::new();
    for n in 0..4_000 {
        let first = flow(
            i64::from(n) / 200,
            0x5000_0000 + scatter(n) % 0x0400_0000,
            VICTIM,
            (40_000, 443),
        );
        used.extend([
            tcp(0x02, first),
            tcp(0x10, first),
            tcp(0x18, first),
            tcp(0x11, first),
        ]);
    }
    assert_eq!(rules(&findings(&used)), Vec::<&str>::new());
    let scan: Vec<Flow> = (0..10_000)
        .map(|n| {
            tcp(
                0x02,
                flow(i64::from(n) / 400, 0x5000_0001, VICTIM, (40_000, n as u16)),
            )
        })
        .collect();
    assert_eq!(rules(&findings(&scan)), Vec::<&str>::new());
}

#[test]
fn carpet_bombing_is_one_finding_for_the_network() {
    let flows: Vec<Flow> = (0..30_000)
        .map(|n| {
            flow(
                i64::from(n) / 1_000,
                0x0808_0000 + scatter(n) % 2_000,
                [192, 0, 2, (n % 200) as u8],
                (123, 5_000),
            )
        })
        .collect();
    let found = findings(&flows);
    assert_eq!(rules(&found), ["flood/volume/reflection/123"]);
    assert!(
        found[0]
            .title
            .contains("carpet bombing: NTP reflection against 192.0.2.0/24 (200 addresses)"),
        "{}",
        found[0].title
    );
}

#[test]
fn syn_acks_that_nobody_asked_for() {
    let flows: Vec<Flow> = (0..6_000)
        .map(|n| tcp(0x12, flow(0, scatter(n), VICTIM, (443, 20_000))))
        .collect();
    assert_eq!(rules(&findings(&flows)), ["flood/volume/reflection/syn-ack"]);
}

#[test]
fn a_flood_is_drawn_with_what_was_usual_and_what_its_filter_leaves() {
    let mut flows = Vec::new();
    for minute in 0..120 {
        // A resolver's answers, asked for, and other traffic; then answers that nobody asked for.
        for n in 0..500_u32 {
            let answer = flow(
                minute * 60 + i64::from(n) / 10,
                0x0808_0000 + n % 40,
                VICTIM,
                (53, 40_000),
            );
            flows.push(Flow {
                src: answer.dst,
                dst: answer.src,
                src_port: 40_000,
                dst_port: 53,
                ..answer
            });
            flows.push(answer);
            flows.push(tcp(
                0x18,
                flow(minute * 60, 0x0808_0000 + n % 40, VICTIM, (50_000, 443)),
            ));
        }
        if (100..105).contains(&minute) {
            let more = (0..9_000_u32).map(|n| {
                flow(
                    minute * 60 + i64::from(n) / 160,
                    0x0909_0000 + n % 400,
                    VICTIM,
                    (53, 40_000),
                )
            });
            flows.extend(more);
        }
    }
    let told = outcome(&flows);
    let [flood] = told.floods.as_slice() else {
        panic!("{:#?}", told.floods);
    };
    assert_eq!(flood.title, told.findings[0].title);
    assert_eq!(flood.loudest.len(), 8);
    let (start, end) = (flood.start.micros().unwrap(), flood.end.micros().unwrap());
    assert_eq!((start - START) / 60_000_000, 100);
    assert_eq!((end - START) / 60_000_000, 104);
    let filter = &flood.filters[0];
    assert_eq!(filter.by, "source port 53");
    // Half of what is ordinary there are answers to its questions.
    assert!((0.45..0.55).contains(&filter.harm()), "{filter:?}");
    let plot = &flood.plot;
    assert_eq!((plot.step_seconds, plot.rate.len()), (60, 15));
    assert_eq!(plot.rate[..2], [1_000, 1_000]);
    assert_eq!((plot.rate[10], plot.left[10]), (10_000, 500));
    assert!(
        plot.usual.iter().all(|usual| (500..800).contains(usual)),
        "{plot:?}"
    );
}
