#![allow(clippy::unwrap_used)]

use std::io::Read as _;
use std::net::IpAddr;
use std::path::PathBuf;

use blackrod_model::{Class, Column, Flow};

use super::capture::Capture;
use super::datagrams::Datagrams;
use crate::harness::{Reading, damage, read, read_in_pieces};
use crate::{Format, Formats};

/// A v5 datagram of so many records, the first from 192.0.2.1.
fn v5(count: u16) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(5_u16.to_be_bytes());
    bytes.extend(count.to_be_bytes());
    // Up for 100 s, sent at 2021-01-22T09:30:00.5.
    bytes.extend(100_000_u32.to_be_bytes());
    bytes.extend(1_611_307_800_u32.to_be_bytes());
    bytes.extend(500_000_000_u32.to_be_bytes());
    bytes.extend([0; 6]);
    // One of four packets is sampled.
    bytes.extend(0x4004_u16.to_be_bytes());
    for number in 0..count {
        bytes.extend([192, 0, 2, u8::try_from(number + 1).unwrap()]);
        bytes.extend([198, 51, 100, 7]);
        bytes.extend([0; 8]);
        bytes.extend(10_u32.to_be_bytes());
        bytes.extend(1_500_u32.to_be_bytes());
        bytes.extend(90_000_u32.to_be_bytes());
        bytes.extend(95_000_u32.to_be_bytes());
        bytes.extend(50_000_u16.to_be_bytes());
        bytes.extend(443_u16.to_be_bytes());
        bytes.extend([0, 0x12, 6, 0]);
        bytes.extend([0; 8]);
    }
    bytes
}

/// An IPFIX datagram with these sets.
fn ipfix(sets: &[(u16, Vec<u8>)]) -> Vec<u8> {
    let mut content = Vec::new();
    for (id, set) in sets {
        content.extend(id.to_be_bytes());
        content.extend(u16::try_from(set.len() + 4).unwrap().to_be_bytes());
        content.extend(set);
    }
    let mut bytes = Vec::new();
    bytes.extend(10_u16.to_be_bytes());
    bytes.extend(u16::try_from(content.len() + 16).unwrap().to_be_bytes());
    bytes.extend(1_611_307_800_u32.to_be_bytes());
    bytes.extend([0; 8]);
    bytes.extend(content);
    bytes
}

/// Template 256: both addresses (v6), bytes, bytes back, a name of any length, a vendor's field.
fn ipfix_template() -> Vec<u8> {
    let mut set = Vec::new();
    for word in [
        256_u16, 6, 27, 16, 28, 16, 1, 4, 0x8001, 4, 0, 29_305, 96, 0xffff, 0x8005, 2, 0, 9_999,
    ] {
        set.extend(word.to_be_bytes());
    }
    set
}

fn ipfix_record() -> Vec<u8> {
    let mut record = Vec::new();
    record.extend("2001:db8::1".parse::<std::net::Ipv6Addr>().unwrap().octets());
    record.extend("2001:db8::2".parse::<std::net::Ipv6Addr>().unwrap().octets());
    record.extend(700_u32.to_be_bytes());
    record.extend(70_u32.to_be_bytes());
    record.extend(b"\x03ssh\x00\x01");
    record
}

fn export(bytes: &[u8]) -> Reading {
    assert!(Datagrams.recognise(bytes));
    damage(&Datagrams, bytes);
    let reading = read(&Datagrams, bytes).unwrap();
    assert_eq!(read_in_pieces(&Datagrams, bytes, 3).unwrap(), reading);
    reading
}

/// A pcap of Ethernet frames, one a second.
fn pcap(frames: &[Vec<u8>]) -> Vec<u8> {
    let mut bytes = b"\xd4\xc3\xb2\xa1\x02\x00\x04\x00\0\0\0\0\0\0\0\0\xff\xff\0\0\x01\0\0\0".to_vec();
    for (second, frame) in frames.iter().enumerate() {
        bytes.extend(u32::try_from(1_611_307_800 + second).unwrap().to_le_bytes());
        bytes.extend(250_000_u32.to_le_bytes());
        let length = u32::try_from(frame.len()).unwrap().to_le_bytes();
        bytes.extend(length);
        bytes.extend(length);
        bytes.extend(frame);
    }
    bytes
}

fn pcapng(frames: &[Vec<u8>]) -> Vec<u8> {
    let block = |kind: u32, content: &[u8]| {
        let mut content = content.to_vec();
        content.resize(content.len().div_ceil(4) * 4, 0);
        let length = u32::try_from(content.len() + 12).unwrap().to_be_bytes();
        [&kind.to_be_bytes()[..], &length, &content, &length].concat()
    };
    let mut bytes = block(
        0x0a0d_0d0a,
        b"\x1a\x2b\x3c\x4d\0\x01\0\0\xff\xff\xff\xff\xff\xff\xff\xff",
    );
    bytes.extend(block(1, b"\0\x01\0\0\0\0\xff\xff"));
    for (second, frame) in frames.iter().enumerate() {
        let micros = (1_611_307_800 + u64::try_from(second).unwrap()) * 1_000_000 + 250_000;
        let length = u32::try_from(frame.len()).unwrap().to_be_bytes();
        let head = [&[0_u8; 4][..], &micros.to_be_bytes(), &length, &length].concat();
        bytes.extend(block(6, &[head, frame.clone()].concat()));
    }
    bytes
}

/// A UDP packet from 192.0.2.9 in a frame.
fn frame(payload: &[u8]) -> Vec<u8> {
    let mut frame = vec![0; 12];
    frame.extend([8, 0, 0x45, 0]);
    frame.extend(u16::try_from(payload.len() + 28).unwrap().to_be_bytes());
    frame.extend([0, 0, 0, 0, 64, 17, 0, 0, 192, 0, 2, 9, 198, 51, 100, 7]);
    frame.extend(50_000_u16.to_be_bytes());
    frame.extend(2_055_u16.to_be_bytes());
    frame.extend(u16::try_from(payload.len() + 8).unwrap().to_be_bytes());
    frame.extend([0, 0]);
    frame.extend(payload);
    frame
}

#[test]
fn a_v5_header_that_counts_more_than_fit_is_damaged() {
    let mut bytes = v5(30);
    assert_eq!(super::export::version(&bytes), Some(super::export::Version::V5));
    bytes[3] = 163;
    assert_eq!(super::export::version(&bytes), None);
    let after_a_whole_one = [v5(2), bytes].concat();
    let reading = export(&after_a_whole_one);
    assert_eq!(reading.flows.len(), 2);
    assert_eq!(reading.refusals.len(), 1);
}

#[test]
fn netflow_v5() {
    let reading = export(&[v5(3), v5(1)].concat());
    assert_eq!((reading.flows.len(), reading.refusals.len()), (4, 0));
    let flow = reading.flows[1];
    assert_eq!(flow.src, "192.0.2.2".parse::<IpAddr>().unwrap());
    assert_eq!(
        (flow.src_port, flow.dst_port, flow.protocol, flow.tcp_flags),
        (50_000, 443, 6, 0x12)
    );
    assert_eq!((flow.packets, flow.bytes), (40, 6_000));
    assert_eq!(flow.start.to_string(), "2021-01-22T09:29:50.5Z");
    assert_eq!(flow.end.to_string(), "2021-01-22T09:29:55.5Z");
    // Both datagrams have a flow from 192.0.2.1: one conversation.
    let [first, ..] = &reading.events[..] else {
        panic!()
    };
    assert_eq!(reading.events.len(), 3);
    for (name, value) in [
        ("flows", "2"),
        ("bytes", "12000"),
        ("protocol", "tcp"),
        ("tcp_flags", "SA"),
    ] {
        assert_eq!(first.get(name), Some(value), "{name}");
    }
    assert_eq!(first.column(Column::DstPort), Some("443"));
    assert_eq!(first.column(Column::SrcIp), Some("192.0.2.1"));
}

#[test]
fn ipfix_in_both_directions_with_lengths_that_vary() {
    let record = ipfix_record();
    let reading = export(&ipfix(&[
        (2, ipfix_template()),
        (256, [record.clone(), record].concat()),
    ]));
    assert_eq!(
        (reading.flows.len(), reading.refusals.len()),
        (4, 0),
        "{:?}",
        reading.refusals
    );
    let (there, back) = (reading.flows[0], reading.flows[1]);
    assert_eq!((there.bytes, back.bytes), (700, 70));
    assert_eq!((there.src, there.dst), (back.dst, back.src));
    assert_eq!(there.start.to_string(), "2021-01-22T09:30:00Z");
}

#[test]
fn data_without_its_template_is_refused() {
    let reading = export(&ipfix(&[(256, ipfix_record()), (2, ipfix_template())]));
    assert!(reading.flows.is_empty());
    assert!(
        reading.refusals[0]
            .reason
            .contains("template 256 did not come before"),
        "{:?}",
        reading.refusals
    );
    let reading = export(&ipfix(&[(2, ipfix_template())]));
    assert!(reading.refusals[0].reason.contains("nothing but templates"));
}

#[test]
fn templates_hold_for_later_blocks() {
    let data = ipfix(&[(256, ipfix_record().repeat(1_000))]);
    let count = (3 << 20) / data.len();
    let bytes = [ipfix(&[(2, ipfix_template())]), data.repeat(count)].concat();
    let reading = read(&Datagrams, &bytes).unwrap();
    assert!(reading.blocks >= 3);
    assert_eq!(reading.flows.len(), count * 2_000);
    assert!(reading.refusals.is_empty());
    let told: u64 = reading
        .events
        .iter()
        .map(|event| event.get("bytes").unwrap().parse::<u64>().unwrap())
        .sum();
    assert_eq!(told, count as u64 * 1_000 * 770, "no byte is lost in sums");
}

#[test]
fn captures_and_what_exporters_send_in_them() {
    let frames = [
        frame(b"hello"),
        frame(&ipfix(&[(2, ipfix_template())])),
        frame(&ipfix(&[(256, ipfix_record())])),
        frame(&v5(2)),
        [&[0; 12][..], &[8, 6], &[0; 28]].concat(),
    ];
    for bytes in [pcap(&frames), pcapng(&frames)] {
        assert_eq!(Formats::standard().recognise(&bytes).unwrap().name(), "pcap");
        damage(&Capture, &bytes);
        let reading = read(&Capture, &bytes).unwrap();
        assert_eq!(read_in_pieces(&Capture, &bytes, 3).unwrap(), reading);
        // Four packets, two directions of one record, two records.
        assert_eq!(reading.flows.len(), 8, "{:?}", reading.refusals);
        assert_eq!(reading.flows[0].bytes, 33);
        assert_eq!(reading.flows[0].dst_port, 2_055);
        assert_eq!(reading.flows[0].start.to_string(), "2021-01-22T09:30:00.25Z");
        assert_eq!(reading.refusals.len(), 1);
        assert!(
            reading.refusals[0].reason.contains("ARP"),
            "{:?}",
            reading.refusals
        );
    }
}

#[test]
fn a_flood_from_everywhere_is_few_events_and_loses_no_packet() {
    let mut frames = Vec::new();
    for number in 0..3_000_u16 {
        let mut frame = frame(b"x");
        frame[26..28].copy_from_slice(&number.to_be_bytes());
        frames.push(frame);
    }
    let reading = read(&Capture, &pcap(&frames)).unwrap();
    assert_eq!(reading.flows.len(), 3_000);
    assert!(reading.events.len() < 700, "{}", reading.events.len());
    let packets = |event: &crate::harness::Kept| event.get("packets").unwrap().parse::<usize>().unwrap();
    assert_eq!(reading.events.iter().map(packets).sum::<usize>(), 3_000);
    assert!(reading.events.iter().any(|event| event.get("sources").is_some()));
}

#[test]
fn sflow_samples_stand_for_many_packets() {
    let header = frame(b"hello");
    let mut record = Vec::new();
    for word in [1_u32, 47, 4, u32::try_from(header.len()).unwrap()] {
        record.extend(word.to_be_bytes());
    }
    record.extend(&header);
    record.resize(record.len().div_ceil(4) * 4, 0);
    let mut sample = Vec::new();
    for word in [
        1_u32,
        7,
        512,
        9_999,
        0,
        1,
        2,
        1,
        1,
        u32::try_from(record.len()).unwrap(),
    ] {
        sample.extend(word.to_be_bytes());
    }
    sample.extend(record);
    let mut bytes = Vec::new();
    for word in [
        5_u32,
        1,
        0xc000_0209,
        0,
        1,
        1_000,
        1,
        1,
        u32::try_from(sample.len()).unwrap(),
    ] {
        bytes.extend(word.to_be_bytes());
    }
    bytes.extend(sample);
    let reading = export(&bytes.repeat(2));
    assert_eq!(reading.flows.len(), 2, "{:?}", reading.refusals);
    assert_eq!(
        (reading.flows[0].packets, reading.flows[0].bytes),
        (512, 512 * 33)
    );
    assert_eq!(reading.flows[0].protocol, Flow::UDP);
}

/// The files of `flow.tar.zst` of the shared data, by name; empty, aloud, where it is not there.
fn shared_files() -> Vec<(String, Vec<u8>)> {
    let beside_checkout = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../../shared");
    let shared = std::env::var_os("BLACKROD_SHARED").map_or(beside_checkout, PathBuf::from);
    let Ok(packed) = std::fs::File::open(shared.join("data/flow.tar.zst")) else {
        println!("SKIPPED: no shared flow.tar.zst; set BLACKROD_SHARED to read real captures and packets");
        return Vec::new();
    };
    let mut archive = tar::Archive::new(zstd::Decoder::new(packed).unwrap());
    let mut files = Vec::new();
    for entry in archive.entries().unwrap() {
        let mut entry = entry.unwrap();
        let name = entry.path().unwrap().display().to_string();
        let mut bytes = Vec::new();
        entry.read_to_end(&mut bytes).unwrap();
        files.push((name, bytes));
    }
    files
}

#[test]
fn every_vendors_packet_is_decoded_or_refused_with_a_reason() {
    for (name, bytes) in shared_files() {
        if !name.ends_with(".dat") {
            continue;
        }
        let format = Formats::standard();
        let format = format.recognise(&bytes).map(|format| format.name().to_owned());
        // A count of records that no version 5 has makes it no export at all: the whole file is listed as of unknown format.
        if format.is_none() && name.contains("invalid") {
            continue;
        }
        assert_eq!(format.as_deref(), Some("flow-export"), "{name}");
        damage(&Datagrams, &bytes);
        let reading = read(&Datagrams, &bytes).unwrap();
        println!(
            "{name}: {} flows, {:?}",
            reading.flows.len(),
            reading.refusals.iter().map(|r| &r.reason).collect::<Vec<_>>()
        );
        assert!(
            !reading.flows.is_empty() || !reading.refusals.is_empty(),
            "{name}"
        );
        // Templates of a vendor and the records that are in a file of their own.
        let plausible = reading
            .flows
            .iter()
            .all(|flow| flow.packets < 1 << 40 && flow.bytes < 1 << 50);
        assert!(plausible, "{name}: {:?}", reading.flows);
    }
}

#[test]
fn a_vendors_records_after_its_templates() {
    let files = shared_files();
    let find = |name: &str| {
        files
            .iter()
            .find(|(path, _)| path.ends_with(name))
            .map(|(_, bytes)| bytes.clone())
    };
    for (templates, records, flows) in [
        (
            "netflow9_test_cisco_asr9k_tpl266.dat",
            "netflow9_test_cisco_asr9k_data256.dat",
            None,
        ),
        (
            "netflow9_test_nprobe_tpl.dat",
            "netflow9_test_nprobe_dpi.dat",
            None,
        ),
        (
            "ipfix_test_mikrotik_tpl.dat",
            "ipfix_test_mikrotik_data259.dat",
            Some(()),
        ),
        (
            "netflow9_test_h3c_netstream_varstring_tpl3281.dat",
            "netflow9_test_h3c_data3281.dat",
            // Its template is announced for another source of the same exporter.
            None,
        ),
    ] {
        let (Some(templates), Some(records)) = (find(templates), find(records)) else {
            continue;
        };
        let reading = read(&Datagrams, &[templates, records].concat()).unwrap();
        println!(
            "{} flows, {:?} {:?}",
            reading.flows.len(),
            reading.refusals,
            reading.flows.first()
        );
        assert_eq!(flows.is_some(), !reading.flows.is_empty());
    }
}

#[test]
fn zeek_in_both_forms() {
    let tsv = "#separator \\x09\n#set_separator\t,\n#empty_field\t(empty)\n#unset_field\t-\n#path\tconn\n#open\t2021-01-22-09-30-00\n#fields\tts\tuid\tid.orig_h\tid.orig_p\tid.resp_h\tid.resp_p\tproto\tservice\tduration\torig_bytes\tresp_bytes\tconn_state\torig_pkts\torig_ip_bytes\tresp_pkts\tresp_ip_bytes\n#types\ttime\tstring\taddr\tport\taddr\tport\tenum\tstring\tinterval\tcount\tcount\tstring\tcount\tcount\tcount\tcount\n1611307800.500000\tC1\t10.0.0.7\t50000\t203.0.113.5\t443\ttcp\tssl\t2.5\t700\t9000\tSF\t12\t1300\t14\t9700\n1611307801.000000\tC2\t10.0.0.7\t50001\t203.0.113.5\t23\ttcp\t-\t-\t-\t-\tS0\t1\t60\t0\t0\nshort\n#close\t2021-01-22-10-00-00\n";
    let formats = Formats::standard();
    let format = formats.recognise(tsv.as_bytes()).unwrap();
    assert_eq!(format.name(), "zeek");
    damage(format, tsv.as_bytes());
    let reading = read(format, tsv.as_bytes()).unwrap();
    assert_eq!((reading.events.len(), reading.refusals.len()), (2, 1));
    let json = r#"{"_path":"conn","ts":1611307800.5,"uid":"C1","id.orig_h":"10.0.0.7","id.orig_p":50000,"id.resp_h":"203.0.113.5","id.resp_p":443,"proto":"tcp","duration":2.5,"orig_bytes":700,"resp_bytes":9000,"conn_state":"SF","orig_pkts":12,"orig_ip_bytes":1300,"resp_pkts":14,"resp_ip_bytes":9700}
{"_path":"dns","ts":1611307800.5,"uid":"C3","id.orig_h":"10.0.0.7","id.orig_p":50000,"id.resp_h":"10.0.0.1","id.resp_p":53,"query":"www.house.example"}
"#;
    let format = formats.recognise(json.as_bytes()).unwrap();
    assert_eq!(format.name(), "zeek-json");
    damage(format, json.as_bytes());
    let both = read(format, json.as_bytes()).unwrap();
    for event in [&reading.events[0], &both.events[0]] {
        assert_eq!(event.class, Class::NETWORK_ACTIVITY);
        assert_eq!(event.time.to_string(), "2021-01-22T09:30:00.5Z");
        for (name, value) in [
            ("traffic.bytes_out", "1300"),
            ("traffic.bytes_in", "9700"),
            ("traffic.packets_in", "14"),
            ("duration", "2500"),
            ("connection_info.protocol_num", "6"),
        ] {
            assert_eq!(event.get(name), Some(value), "{name}");
        }
        assert_eq!(event.column(Column::DstIp), Some("203.0.113.5"));
        assert_eq!(event.column(Column::SrcPort), Some("50000"));
    }
    assert_eq!(reading.events[1].get("connection_info.tcp_flags"), Some("2"));
    assert_eq!(both.events[1].class, Class::DNS_ACTIVITY);
    assert_eq!(both.events[1].column(Column::Domain), Some("www.house.example"));
}

#[test]
fn suricata_flows_and_alerts() {
    let text = r#"{"timestamp":"2021-01-22T09:31:00.000000+0000","flow_id":1,"event_type":"flow","src_ip":"10.0.0.7","src_port":50000,"dest_ip":"203.0.113.5","dest_port":443,"proto":"TCP","flow":{"pkts_toserver":12,"pkts_toclient":14,"bytes_toserver":1300,"bytes_toclient":9700,"start":"2021-01-22T09:30:00.500000+0000","end":"2021-01-22T09:30:03.000000+0000"},"tcp":{"tcp_flags":"1b"}}
{"timestamp":"2021-01-22T09:31:00.000000+0000","flow_id":2,"event_type":"alert","src_ip":"192.0.2.7","src_port":1,"dest_ip":"10.0.0.7","dest_port":80,"proto":"TCP","alert":{"action":"allowed","signature":"ET SCAN","severity":2}}
"#;
    let formats = Formats::standard();
    let format = formats.recognise(text.as_bytes()).unwrap();
    assert_eq!(format.name(), "suricata");
    damage(format, text.as_bytes());
    let reading = read(format, text.as_bytes()).unwrap();
    let [flow, alert] = &reading.events[..] else {
        panic!("{:?}", reading.refusals)
    };
    assert_eq!(flow.time.to_string(), "2021-01-22T09:30:00.5Z");
    for (name, value) in [
        ("traffic.bytes_out", "1300"),
        ("traffic.bytes_in", "9700"),
        ("duration", "2500"),
        ("connection_info.tcp_flags", "27"),
    ] {
        assert_eq!(flow.get(name), Some(value), "{name}");
    }
    assert_eq!(alert.class, Class::DETECTION_FINDING);
    assert_eq!(alert.column(Column::Action), Some("allowed"));
}

#[test]
fn firewalls_in_syslog() {
    let text = "2021-01-22T09:30:00Z gate kernel: [  12.5] DROP-IN IN=eth0 OUT= MAC=00:11 SRC=192.0.2.7 DST=198.51.100.1 LEN=60 TOS=0x00 TTL=52 ID=1 DF PROTO=TCP SPT=4711 DPT=22 WINDOW=29200 RES=0x00 SYN URGP=0
2021-01-22T09:30:01Z gate filterlog[9]: 5,,,1000000103,em0,match,block,in,4,0x0,,64,12345,0,DF,6,tcp,60,192.0.2.7,198.51.100.1,4711,22,0,S,1,,29200,,mss
2021-01-22T09:30:02Z gate filterlog[9]: 5,,,1000000103,em0,match,pass,out,6,0x00,0x0,64,UDP,17,72,2001:db8::1,2001:db8::2,5353,53,32
Jan 22 2021 09:30:03 gate : %ASA-4-106023: Deny tcp src outside:192.0.2.7/4711 dst inside:10.0.0.1/22 by access-group \"outside_in\" [0x0, 0x0]
Jan 22 09:30:04 gate %ASA-6-302013: Built outbound TCP connection 9 for outside:203.0.113.5/443 (203.0.113.5/443) to inside:10.0.0.5/51234 (198.51.100.9/51234)
Jan 22 09:30:05 gate : %ASA-4-106100: access-list x denied tcp outside/192.0.2.7(4711) -> inside/10.0.0.1(22) hit-cnt 1
";
    let formats = Formats::standard();
    let format = formats.recognise(text.as_bytes()).unwrap();
    assert_eq!(format.name(), "syslog");
    damage(format, text.as_bytes());
    let reading = read(format, text.as_bytes()).unwrap();
    let ends: Vec<_> = reading
        .events
        .iter()
        .map(|event| {
            [Column::SrcIp, Column::SrcPort, Column::DstIp, Column::DstPort]
                .map(|column| event.column(column).unwrap_or("?"))
        })
        .collect();
    let expected = [
        ["192.0.2.7", "4711", "198.51.100.1", "22"],
        ["192.0.2.7", "4711", "198.51.100.1", "22"],
        ["2001:db8::1", "5353", "2001:db8::2", "53"],
        ["192.0.2.7", "4711", "10.0.0.1", "22"],
        ["10.0.0.5", "51234", "203.0.113.5", "443"],
        ["192.0.2.7", "4711", "10.0.0.1", "22"],
    ];
    assert_eq!(ends, expected, "{:?}", reading.refusals);
    assert!(
        reading
            .events
            .iter()
            .all(|event| event.class == Class::NETWORK_ACTIVITY)
    );
    for event in &reading.events[..2] {
        assert_eq!(event.get("connection_info.tcp_flags"), Some("2"));
        assert_eq!(event.get("traffic.bytes_out"), Some("60"));
    }
    assert_eq!(reading.events[0].column(Column::Action), Some("DROP-IN"));
}
