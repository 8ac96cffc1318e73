use std::net::IpAddr;

use blackrod_model::{Estate, EvidenceId, Finding, Flow, Outflow, Position, Timestamp};

use super::{BURST, SLOW, Stream};
use crate::{DAY, Watch};

const DAY_ZERO: i64 = 18_600;

fn flow(day: i64, src: [u8; 4], dst: [u8; 4], bytes: u64) -> Flow {
    let time = Timestamp::from_micros((DAY_ZERO + day) * DAY + 3_600_000_000);
    Flow {
        start: time,
        end: time,
        src: IpAddr::from(src),
        dst: IpAddr::from(dst),
        src_port: 50_000,
        dst_port: 443,
        protocol: Flow::TCP,
        tcp_flags: 0x1b,
        packets: bytes / 1_000 + 1,
        bytes,
    }
}

/// Twenty machines that browse and back up for 30 days, and what `more` adds.
fn findings(more: impl Fn(i64) -> Vec<Flow>) -> Vec<Finding> {
    let mut watch = Watch::new(&Estate::default());
    let mut stream = Stream::default();
    for day in 0..30 {
        let mut flows = more(day);
        for host in 1..=20 {
            let host = [10, 1, 0, host];
            flows.push(flow(day, host, [203, 0, 113, 9], 400_000_000));
            flows.push(flow(day, host, [198, 51, 100, 4], 3_000_000));
            flows.push(flow(day, [198, 51, 100, 4], host, 90_000_000));
            flows.push(flow(day, host, [192, 0, 2, host[3]], 200_000));
        }
        watch.push(EvidenceId::default(), Position::START, &flows);
        for fact in watch.take() {
            if let Some(outflow) = fact.kept::<Outflow>() {
                stream.push(&outflow);
            }
        }
    }
    stream.finish()
}

#[test]
fn each_day_of_a_window_begins_with_its_first_flow_in_whatever_order_they_come() {
    let later = |mut flow: Flow, seconds: i64| {
        let micros = flow.start.micros().unwrap_or_default() + seconds * 1_000_000;
        flow.start = Timestamp::from_micros(micros);
        flow
    };
    let one = |day, seconds| later(flow(day, [10, 1, 0, 7], [45, 1, 2, 3], 50_000), seconds);
    let mut watch = Watch::new(&Estate::default());
    let flows = [
        one(1, 60),
        one(0, 500),
        one(1, 30),
        one(1, 90),
        one(0, 400),
        one(0, 450),
    ];
    watch.push(EvidenceId::default(), Position::START, &flows);
    let facts = watch.take();
    let told: Vec<(Timestamp, u64)> = facts
        .iter()
        .filter_map(|fact| fact.kept::<Outflow>())
        .map(|outflow| (outflow.time, outflow.rows.iter().map(|(_, _, out, _)| out).sum()))
        .collect();
    assert_eq!(told, [(one(0, 400).start, 150_000), (one(1, 30).start, 150_000)]);
}

#[test]
fn nothing_is_said_of_habits() {
    assert_eq!(findings(|_| Vec::new()), []);
}

#[test]
fn a_copy_to_a_new_place_is_told_once_with_its_size() {
    let found = findings(|day| match day {
        20 => vec![flow(20, [10, 1, 0, 7], [45, 1, 2, 3], 900_000_000)],
        _ => Vec::new(),
    });
    assert_eq!(found.len(), 1);
    assert_eq!(found[0].code, BURST);
    assert!(
        found[0].title.contains("10.1.0.7 sent 900.0 MB to 45.1.2.0/24"),
        "{}",
        found[0].title
    );
}

#[test]
fn a_copy_to_where_backups_go_is_told_when_it_is_far_beyond_them() {
    let found = findings(|day| match day {
        20 => vec![flow(20, [10, 1, 0, 7], [203, 0, 113, 9], 9_000_000_000)],
        _ => Vec::new(),
    });
    assert_eq!(found.len(), 1, "{found:?}");
}

#[test]
fn a_slow_leak_is_added_up_over_weeks() {
    let found = findings(|day| match day {
        10.. => vec![flow(day, [10, 1, 0, 7], [45, 1, 2, 3], 9_000_000)],
        _ => Vec::new(),
    });
    let codes: Vec<&str> = found.iter().map(|finding| finding.code.as_str()).collect();
    assert_eq!(codes, [SLOW]);
}

#[test]
fn a_new_service_of_many_is_not() {
    let found = findings(|day| match day {
        15.. => (1..=20)
            .map(|host| flow(day, [10, 1, 0, host], [45, 1, 2, 3], 500_000_000))
            .collect(),
        _ => Vec::new(),
    });
    assert_eq!(found, []);
}
