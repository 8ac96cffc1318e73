//! Archives of every kind, whole and broken, through [`feed`].

#![allow(clippy::unwrap_used)]

use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::ops::ControlFlow;
use std::time::{Duration, Instant};

use blackrod_model::{EvidenceId, EvidenceState, Sha256};
use zip::write::SimpleFileOptions;

use super::*;
use crate::format::{Block, Format, Formats};

/// What came out of one file: by path, in the order of beginning.
#[derive(Debug, Default)]
struct Seen {
    order: Vec<String>,
    content: BTreeMap<String, Vec<u8>>,
    blocks: BTreeMap<String, u64>,
    finished: BTreeMap<String, Finished>,
}

impl<'f> Feed<'f> for Seen {
    fn begin(&mut self, id: EvidenceId, path: &str) -> ItemKey {
        assert!(
            !self.order.iter().any(|known| known == path),
            "{path} began twice"
        );
        assert_eq!(id.to_string().len(), 32);
        self.order.push(path.to_owned());
        ItemKey::try_from(self.order.len() - 1).unwrap()
    }

    fn block(&mut self, item: ItemKey, _: &'f dyn Format, block: Block) -> ControlFlow<()> {
        let path = self.order[item as usize].clone();
        *self.blocks.entry(path).or_default() += block.bytes.len() as u64;
        ControlFlow::Continue(())
    }

    fn content(&mut self, item: ItemKey, bytes: Vec<u8>) {
        let path = self.order[item as usize].clone();
        assert!(self.content.insert(path, bytes).is_none());
    }

    fn end(&mut self, item: ItemKey, finished: Finished) {
        let path = self.order[item as usize].clone();
        assert!(self.finished.insert(path, finished).is_none());
    }
}

impl Seen {
    fn state(&self, path: &str) -> EvidenceState {
        self.finished
            .get(path)
            .unwrap_or_else(|| panic!("no {path} in {:?}", self.order))
            .state
    }

    fn reasons(&self, path: &str) -> String {
        let refusals = &self.finished[path].refusals;
        let reasons: Vec<&str> = refusals.iter().map(|refusal| refusal.reason.as_str()).collect();
        reasons.join("; ")
    }

    /// Whatever was not read to its end has a refusal, and everything that began ended.
    fn check(&self) {
        assert_eq!(self.order.len(), self.finished.len());
        for (path, finished) in &self.finished {
            if matches!(finished.state, EvidenceState::Partial | EvidenceState::Failed) {
                assert!(!finished.refusals.is_empty(), "{path}: {finished:?}");
            }
        }
    }
}

fn run_limited(name: &str, bytes: &[u8], limits: &Limits) -> Seen {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(name);
    std::fs::write(&path, bytes).unwrap();
    let (sha256, size) = hash_file(&path).unwrap();
    assert_eq!((sha256, size), (Sha256::of(bytes), bytes.len() as u64));
    let file = TopLevel {
        path,
        name: name.to_owned(),
        size,
    };
    let mut seen = Seen::default();
    feed(&file, &sha256, &Formats::standard(), limits, &mut seen);
    seen.check();
    let whole = &seen.finished[name];
    assert_eq!((whole.sha256, whole.size), (sha256, size));
    seen
}

fn run(name: &str, bytes: &[u8]) -> Seen {
    run_limited(name, bytes, &Limits::default())
}

/// Binary content of no known format that does not compress to nothing.
fn blob(seed: u64, length: usize) -> Vec<u8> {
    let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut bytes = vec![0xff, 0x00, 0xfe, 0x01];
    while bytes.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        // Two of eight bytes are zero: packs a little, like most things.
        bytes.extend_from_slice(&(state & 0x00ff_ffff_ff00_ffff).to_le_bytes());
    }
    bytes.truncate(length);
    bytes
}

fn gz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn gz_named(bytes: &[u8], name: &str) -> Vec<u8> {
    let mut encoder = flate2::GzBuilder::new()
        .filename(name)
        .write(Vec::new(), flate2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zst(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::stream::write::Encoder::new(Vec::new(), 1).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn bz2(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn xz(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = liblzma::write::XzEncoder::new(Vec::new(), 1);
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn tar(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (name, bytes) in members {
        let mut header = ::tar::Header::new_gnu();
        header.set_size(bytes.len() as u64);
        header.set_mode(0o644);
        builder.append_data(&mut header, name, *bytes).unwrap();
    }
    builder.into_inner().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    zip_with(members, ::zip::CompressionMethod::Deflated)
}

fn zip_with(members: &[(&str, &[u8])], method: ::zip::CompressionMethod) -> Vec<u8> {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(method);
    for (name, bytes) in members {
        writer.start_file(*name, options).unwrap();
        writer.write_all(bytes).unwrap();
    }
    writer.finish().unwrap().into_inner()
}

type Pack = fn(&[u8]) -> Vec<u8>;
const PACKERS: [(&str, Pack); 4] = [("gz", gz), ("zst", zst), ("bz2", bz2), ("xz", xz)];

#[test]
fn an_empty_file_is_read_and_an_unknown_one_is_kept_for_yara() {
    let seen = run("nothing", b"");
    assert_eq!(seen.finished["nothing"].format, "empty");
    assert_eq!(seen.state("nothing"), EvidenceState::Read);

    let bytes = blob(1, 100_000);
    let seen = run("thing.bin", &bytes);
    assert_eq!(seen.state("thing.bin"), EvidenceState::Unknown);
    assert_eq!(seen.content["thing.bin"], bytes);

    let limits = Limits {
        content_bytes: 1_000,
        ..Limits::default()
    };
    let seen = run_limited("thing.bin", &bytes, &limits);
    assert_eq!(seen.content["thing.bin"], bytes[..1_000]);
    assert!(seen.reasons("thing.bin").contains("first 1000 bytes"));
}

#[test]
fn every_compressed_stream_yields_its_one_member() {
    let bytes = blob(2, 300_000);
    for (suffix, pack) in PACKERS {
        let name = format!("a.log.{suffix}");
        let seen = run(&name, &pack(&bytes));
        let member = format!("{name}!a.log");
        assert_eq!(seen.state(&name), EvidenceState::Opened, "{suffix}");
        assert_eq!(seen.content[&member], bytes, "{suffix}");
        assert_eq!(seen.finished[&member].sha256, Sha256::of(&bytes));
        assert_eq!(seen.finished[&member].size, bytes.len() as u64);
    }
    let seen = run("x.GZ", &gz_named(&bytes, "../../etc/mail.mbox"));
    assert_eq!(seen.order, ["x.GZ", "x.GZ!mail.mbox"]);
    let seen = run("noname", &gz(&bytes));
    assert_eq!(seen.order, ["noname", "noname!content"]);
    let seen = run("b.tgz", &gz(&tar(&[("c", &bytes)])));
    assert_eq!(seen.order, ["b.tgz", "b.tgz!b.tar", "b.tgz!b.tar!c"]);
}

#[test]
fn concatenated_streams_are_one_and_what_follows_them_is_told() {
    let (first, second) = (blob(3, 200_000), blob(4, 100));
    let both = [first.clone(), second.clone()].concat();
    for (suffix, pack) in PACKERS {
        let name = format!("a.{suffix}");
        let member = format!("{name}!a");
        let mut packed = [pack(&first), pack(&second), pack(b"")].concat();
        assert_eq!(run(&name, &packed).content[&member], both, "{suffix}");

        packed.extend_from_slice(&[0; 512]);
        let padded = run(&name, &packed);
        assert_eq!(padded.state(&name), EvidenceState::Opened, "{suffix}");

        packed.extend_from_slice(b"and more");
        let trailing = run(&name, &packed);
        assert_eq!(trailing.content[&member], both, "{suffix}");
        assert_eq!(trailing.state(&name), EvidenceState::Partial, "{suffix}");
        assert!(
            trailing.reasons(&name).contains("520 bytes after the end"),
            "{suffix}"
        );
    }
    let skippable = [b"\x51\x2a\x4d\x18\x04\0\0\0abcd".to_vec(), zst(&first)].concat();
    assert_eq!(run("a.zst", &skippable).content["a.zst!a"], first);
}

#[test]
fn containers_nest_in_any_way() {
    let bytes = blob(5, 50_000);
    let inner = zip(&[("deep/x.bin", &bytes), ("y.bin", b"\xff\0y")]);
    let outer = zst(&tar(&[("in.zip", &inner), ("p.xz", &xz(&bytes))]));
    let seen = run("all.tar.zst", &zip(&[("all.tar.zst", &outer)]));
    let packed = "all.tar.zst!all.tar.zst!all.tar";
    assert_eq!(seen.content[&format!("{packed}!in.zip!deep/x.bin")], bytes);
    assert_eq!(seen.content[&format!("{packed}!in.zip!y.bin")], b"\xff\0y");
    assert_eq!(seen.content[&format!("{packed}!p.xz!p")], bytes);
    for (path, finished) in &seen.finished {
        assert!(finished.refusals.is_empty(), "{path}: {finished:?}");
    }
    let inner_zip = &seen.finished[&format!("{packed}!in.zip")];
    assert_eq!(inner_zip.sha256, Sha256::of(&inner));
}

#[test]
fn nesting_stops_at_its_limit() {
    let mut packed = blob(6, 1_000);
    for _ in 0..12 {
        packed = gz_named(&packed, "x");
    }
    let seen = run("x.gz", &packed);
    assert_eq!(seen.order.len(), 9);
    let deepest = seen.order.last().unwrap();
    assert_eq!(seen.state(deepest), EvidenceState::Partial);
    assert!(seen.reasons(deepest).contains("lies in 8 other containers"));
}

#[test]
fn all_zip_methods_are_read() {
    use ::zip::CompressionMethod as Method;
    let bytes = blob(7, 70_000);
    for method in [
        Method::Stored,
        Method::Deflated,
        Method::Bzip2,
        Method::Zstd,
        Method::Xz,
    ] {
        let seen = run("a.zip", &zip_with(&[("m", &bytes)], method));
        assert_eq!(seen.content["a.zip!m"], bytes, "{method}");
    }
}

#[test]
fn old_and_new_tar_headers_are_read() {
    let bytes = blob(8, 1_500);
    let long_name = format!("{}/x.bin", "folder/".repeat(40));
    for mut header in [
        ::tar::Header::new_old(),
        ::tar::Header::new_ustar(),
        ::tar::Header::new_gnu(),
    ] {
        header.set_path("dir/x.bin").unwrap();
        header.set_size(bytes.len() as u64);
        header.set_cksum();
        let mut builder = ::tar::Builder::new(Vec::new());
        builder.append(&header, bytes.as_slice()).unwrap();
        let seen = run("a.tar", &builder.into_inner().unwrap());
        assert_eq!(seen.content["a.tar!dir/x.bin"], bytes);
        assert_eq!(seen.state("a.tar"), EvidenceState::Opened);
    }
    let seen = run("a.tar", &tar(&[(&long_name, &bytes)]));
    assert_eq!(seen.content[&format!("a.tar!{long_name}")], bytes);

    let mut pax = ::tar::Builder::new(Vec::new());
    pax.append_pax_extensions([("path", "päx/名.bin".as_bytes())])
        .unwrap();
    let mut header = ::tar::Header::new_ustar();
    header.set_path("short").unwrap();
    header.set_size(bytes.len() as u64);
    header.set_cksum();
    pax.append(&header, bytes.as_slice()).unwrap();
    let seen = run("a.tar", &pax.into_inner().unwrap());
    assert_eq!(seen.content["a.tar!päx/名.bin"], bytes);
}

#[test]
fn links_and_devices_are_listed() {
    let mut builder = ::tar::Builder::new(Vec::new());
    for (kind, name) in [
        (::tar::EntryType::Symlink, "s"),
        (::tar::EntryType::Link, "h"),
        (::tar::EntryType::Fifo, "f"),
        (::tar::EntryType::Directory, "d/"),
    ] {
        let mut header = ::tar::Header::new_gnu();
        header.set_entry_type(kind);
        header.set_size(0);
        header.set_path(name).unwrap();
        if !matches!(kind, ::tar::EntryType::Fifo | ::tar::EntryType::Directory) {
            header.set_link_name("../../etc/shadow").unwrap();
        }
        header.set_cksum();
        builder.append(&header, std::io::empty()).unwrap();
    }
    let seen = run("a.tar", &builder.into_inner().unwrap());
    assert_eq!(seen.order, ["a.tar"]);
    let reasons = seen.reasons("a.tar");
    assert!(
        reasons.contains("symbolic link to \"../../etc/shadow\""),
        "{reasons}"
    );
    assert_eq!(seen.finished["a.tar"].refusals.len(), 3, "{reasons}");

    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default();
    writer.add_symlink("s", "/etc/passwd", options).unwrap();
    let seen = run("a.zip", &writer.finish().unwrap().into_inner());
    assert!(seen.reasons("a.zip").contains("symbolic link"));
}

#[test]
fn hostile_and_equal_names_stay_labels() {
    let members: &[(&str, &[u8])] = &[
        ("../../../../tmp/evil", b"\xff\x01"),
        ("/etc/passwd", b"\xff\x02"),
        ("C:\\Windows\\x", b"\xff\x03"),
        ("a\u{202e}b\n\0c", b"\xff\x04"),
    ];
    let seen = run("n.zip", &zip(members));
    assert_eq!(seen.content["n.zip!../../../../tmp/evil"], b"\xff\x01");
    assert_eq!(seen.content["n.zip!/etc/passwd"], b"\xff\x02");
    assert_eq!(seen.order.len(), 5);

    let twice = tar(&[
        ("same", b"\xff\x01"),
        ("same", b"\xff\x02"),
        ("same", b"\xff\x03"),
    ]);
    let seen = run("t.tar", &twice);
    assert_eq!(seen.content["t.tar!same"], b"\xff\x01");
    assert_eq!(seen.content["t.tar!same (2)"], b"\xff\x02");
    assert_eq!(seen.content["t.tar!same (3)"], b"\xff\x03");
}

#[test]
fn documents_and_java_archives_are_not_opened() {
    let office = zip(&[
        ("[Content_Types].xml", b"<Types/>"),
        ("word/document.xml", b"<w/>"),
    ]);
    let late = zip(&[
        ("word/document.xml", b"<w/>"),
        ("[Content_Types].xml", b"<Types/>"),
    ]);
    let open = zip(&[("mimetype", b"application/x"), ("META-INF/manifest.xml", b"<m/>")]);
    let java = zip(&[("META-INF/MANIFEST.MF", b"Manifest-Version: 1.0")]);
    for bytes in [office, late, open, java] {
        let seen = run("letter", &bytes);
        assert_eq!(seen.state("letter"), EvidenceState::Unknown);
        assert_eq!(seen.content["letter"], bytes);

        let nested = run("n.zip", &zip(&[("letter.docx", &bytes)]));
        assert_eq!(nested.content["n.zip!letter.docx"], bytes);
        assert_eq!(nested.finished["n.zip!letter.docx"].sha256, Sha256::of(&bytes));
    }
    let ordinary = run("a.zip", &zip(&[("word/x", b"\xff"), ("mimetype", b"x")]));
    assert_eq!(ordinary.state("a.zip"), EvidenceState::Opened);
}

#[test]
fn encrypted_members_are_refused_one_by_one() {
    let mut bytes = zip(&[("secret", b"\xff\0secret"), ("open", b"\xff\0open")]);
    // Set the encryption bit of the first member, in its own header and in the directory.
    bytes[6] |= 1;
    let directory = bytes
        .windows(4)
        .position(|window| window == b"PK\x01\x02")
        .unwrap();
    bytes[directory + 8] |= 1;
    let seen = run("e.zip", &bytes);
    assert_eq!(seen.state("e.zip!secret"), EvidenceState::Failed);
    assert!(seen.reasons("e.zip!secret").contains("password"));
    assert_eq!(seen.content["e.zip!open"], b"\xff\0open");
}

#[test]
fn a_wrong_checksum_makes_a_member_partial() {
    let bytes = blob(9, 40_000);
    for (suffix, pack, from_end) in [("gz", gz as Pack, 6), ("zst", zst, 2), ("xz", xz, 40)] {
        let mut packed = pack(&bytes);
        let place = packed.len() - from_end;
        packed[place] ^= 0x55;
        let name = format!("c.{suffix}");
        let seen = run(&name, &packed);
        let member = format!("{name}!c");
        assert_eq!(seen.state(&member), EvidenceState::Partial, "{suffix}");
        assert!(seen.reasons(&member).contains("damaged"), "{suffix}");
    }
    let mut packed = zip_with(
        &[("a", &bytes), ("b", b"\xff\0b")],
        ::zip::CompressionMethod::Stored,
    );
    packed[5_000] ^= 1;
    let seen = run("c.zip", &packed);
    assert_eq!(seen.state("c.zip!a"), EvidenceState::Partial);
    assert_eq!(seen.content["c.zip!b"], b"\xff\0b");
}

#[test]
fn whatever_lies_before_a_cut_is_kept() {
    let members: Vec<(String, Vec<u8>)> = (0..20u64)
        .map(|n| (format!("m{n:02}"), blob(n + 20, 9_000)))
        .collect();
    let listed: Vec<(&str, &[u8])> = members.iter().map(|(n, b)| (n.as_str(), b.as_slice())).collect();
    let plain = tar(&listed);
    let archives = [
        ("t.tar", plain.clone(), "t.tar"),
        ("t.zip", zip(&listed), "t.zip"),
        ("t.tar.gz", gz(&plain), "t.tar.gz!t.tar"),
        ("t.tar.zst", zst(&plain), "t.tar.zst!t.tar"),
        ("t.tar.xz", xz(&plain), "t.tar.xz!t.tar"),
        ("t.tar.bz2", bz2(&plain), "t.tar.bz2!t.tar"),
    ];
    for (name, bytes, archive) in archives {
        for twentieth in 1..20 {
            let cut = &bytes[..bytes.len() * twentieth / 20];
            let seen = run(name, cut);
            let damaged = seen
                .finished
                .values()
                .any(|finished| finished.state == EvidenceState::Partial);
            assert!(damaged, "{name} cut at {twentieth}/20: {:?}", seen.finished);
            let whole = members
                .iter()
                .filter(|(member, bytes)| seen.content.get(&format!("{archive}!{member}")) == Some(bytes))
                .count();
            // Compressors work in blocks, of up to 900 kB for bzip2.
            let at_least = match name {
                "t.tar" | "t.zip" => twentieth - 1,
                "t.tar.gz" => twentieth.saturating_sub(3),
                _ => 0,
            };
            assert!(
                whole >= at_least,
                "{name} at {twentieth}/20: {whole} whole members"
            );
        }
    }
}

#[test]
fn bombs_are_stopped_early() {
    let zeros = vec![0; 1 << 20];
    let ten_gib = 10 << 10;
    let mut gzip_frame = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::best());
    gzip_frame.write_all(&zeros).unwrap();
    let gzip_bomb = gzip_frame.finish().unwrap().repeat(ten_gib);
    let zstd_bomb = zst(&zeros).repeat(ten_gib);
    let mut zip_bomb = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default()
        .compression_method(::zip::CompressionMethod::Zstd)
        .large_file(true);
    zip_bomb.start_file("b", options).unwrap();
    (0..256).for_each(|_| zip_bomb.write_all(&zeros).unwrap());
    zip_bomb.start_file("after", options).unwrap();
    zip_bomb.write_all(b"\xff\0after").unwrap();

    let limits = Limits {
        // zlib reaches 1,000 only in theory.
        ratio: 200,
        content_bytes: 1 << 20,
        ..Limits::default()
    };
    let bombs = [
        ("b.zst", zstd_bomb),
        ("b.gz", gzip_bomb),
        ("b.zip", zip_bomb.finish().unwrap().into_inner()),
    ];
    for (name, bytes) in bombs {
        let began = Instant::now();
        let seen = run_limited(name, &bytes, &limits);
        // Without optimisation inflating alone takes longer than that on a busy machine.
        let is_quick = cfg!(debug_assertions) || began.elapsed() < Duration::from_secs(5);
        assert!(is_quick, "{name}: {:?}", began.elapsed());
        let member = format!("{name}!b");
        assert_eq!(seen.state(&member), EvidenceState::Partial, "{name}");
        assert!(seen.reasons(&member).contains("limit"), "{name}");
        assert!(seen.finished[&member].size < 130 << 20, "{name}");
    }
}

#[test]
fn each_limit_is_named() {
    let bytes = blob(10, 10_000);
    let many: Vec<(String, &[u8])> = (0..50).map(|n| (format!("m{n}"), bytes.as_slice())).collect();
    let listed: Vec<(&str, &[u8])> = many.iter().map(|(n, b)| (n.as_str(), *b)).collect();
    let cases = [
        (
            Limits {
                members: 7,
                ..Limits::default()
            },
            "7 members in one file",
        ),
        (
            Limits {
                total_bytes: 55_000,
                ..Limits::default()
            },
            "55000 bytes unpacked",
        ),
        (
            Limits {
                time: Duration::ZERO,
                ..Limits::default()
            },
            "0 seconds",
        ),
    ];
    for (limits, expected) in cases {
        for (name, packed) in [("a.zip", zip(&listed)), ("a.tar", tar(&listed))] {
            let seen = run_limited(name, &packed, &limits);
            assert_eq!(seen.state(name), EvidenceState::Partial, "{name} {expected}");
            let reasons = seen.reasons(name);
            assert!(reasons.contains(expected), "{name}: {reasons}");
            assert!(seen.order.len() < 10, "{name} {expected}");
        }
    }
    let small_members = Limits {
        member_bytes: 4_000,
        ..Limits::default()
    };
    let seen = run_limited("a.tar.gz", &gz(&tar(&listed[..2])), &small_members);
    assert!(
        seen.reasons("a.tar.gz!a.tar")
            .contains("4000 bytes in one member")
    );

    let small_spool = Limits {
        spool_bytes: 4_000,
        ..Limits::default()
    };
    let nested = zip(&[("in.zip", &zip(&listed))]);
    let seen = run_limited("a.zip", &nested, &small_spool);
    assert!(seen.reasons("a.zip!in.zip").contains("up to 4000 bytes"));
}

#[test]
fn a_tar_name_cannot_fill_memory() {
    let mut header = ::tar::Header::new_gnu();
    header.set_entry_type(::tar::EntryType::GNULongName);
    header.set_path("././@LongLink").unwrap();
    header.set_size(64 << 20);
    header.set_cksum();
    let mut bytes = header.as_bytes().to_vec();
    bytes.resize(bytes.len() + (64 << 20), b'x');
    let seen = run("n.tar", &bytes);
    assert_eq!(seen.state("n.tar"), EvidenceState::Partial);
    assert!(seen.reasons("n.tar").contains("take more than"));
}

#[test]
fn a_hundred_thousand_members_are_no_trouble() {
    let mut writer = ::zip::ZipWriter::new(Cursor::new(Vec::new()));
    let options = SimpleFileOptions::default().compression_method(::zip::CompressionMethod::Stored);
    for number in 0..100_000 {
        writer.start_file(format!("f/{number}"), options).unwrap();
        // Most are empty: what is measured here is the archive, not the formats asked about each.
        if number % 100 == 0 {
            writer.write_all(b"\xff\0").unwrap();
        }
    }
    let bytes = writer.finish().unwrap().into_inner();
    let mut count = CountOnly::default();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("many.zip");
    std::fs::write(&path, &bytes).unwrap();
    let file = TopLevel {
        path,
        name: "many.zip".to_owned(),
        size: bytes.len() as u64,
    };
    feed(
        &file,
        &Sha256::of(&bytes),
        &Formats::standard(),
        &Limits::default(),
        &mut count,
    );
    assert_eq!((count.begun, count.ended), (100_001, 100_001));
}

#[derive(Default)]
struct CountOnly {
    begun: u32,
    ended: u32,
}

impl<'f> Feed<'f> for CountOnly {
    fn begin(&mut self, _: EvidenceId, _: &str) -> ItemKey {
        self.begun += 1;
        self.begun
    }
    fn block(&mut self, _: ItemKey, _: &'f dyn Format, _: Block) -> ControlFlow<()> {
        ControlFlow::Continue(())
    }
    fn content(&mut self, _: ItemKey, _: Vec<u8>) {}
    fn end(&mut self, _: ItemKey, _: Finished) {
        self.ended += 1;
    }
}

#[test]
fn flipped_bytes_never_panic() {
    let bytes = blob(11, 3_000);
    let plain = tar(&[("a", &bytes), ("b", b"\xff\0"), ("c", &bytes)]);
    let archives = [
        ("f.tar", plain.clone()),
        ("f.zip", zip(&[("a", &bytes), ("in.zip", &zip(&[("b", &bytes)]))])),
        ("f.gz", gz(&plain)),
        ("f.zst", zst(&plain)),
        ("f.bz2", bz2(&plain)),
        ("f.xz", xz(&plain)),
    ];
    let limits = Limits {
        ratio_free: 1 << 20,
        ..Limits::default()
    };
    let mut noise = Cursor::new(blob(12, 1 << 20));
    let mut random = move || {
        let mut number = [0; 4];
        noise.read_exact(&mut number).unwrap();
        u32::from_le_bytes(number) as usize
    };
    for (name, original) in archives {
        for _ in 0..300 {
            let mut damaged = original.clone();
            for _ in 0..1 + random() % 4 {
                let place = random() % damaged.len();
                damaged[place] = u8::try_from(random() % 256).unwrap();
            }
            if random() % 4 == 0 {
                damaged.truncate(random() % damaged.len());
            }
            run_limited(name, &damaged, &limits);
        }
    }
}

#[cfg(unix)]
#[test]
fn walking_names_files_below_their_argument_and_lists_the_rest() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path().join("evidence");
    std::fs::create_dir_all(root.join("b/c")).unwrap();
    std::fs::create_dir_all(root.join("case")).unwrap();
    std::fs::write(root.join("b/c/two"), b"22").unwrap();
    std::fs::write(root.join("one"), b"1").unwrap();
    std::fs::write(root.join("case/report.html"), b"x").unwrap();
    std::os::unix::fs::symlink("/etc", root.join("outside")).unwrap();
    std::os::unix::fs::symlink("..", root.join("b/loop")).unwrap();

    let arguments = [root.clone(), root.join("one"), root.join("b/../one")];
    let walked = walk(&arguments, &[root.join("case")]).unwrap();
    let names: Vec<(&str, u64)> = walked.files.iter().map(|f| (f.name.as_str(), f.size)).collect();
    assert_eq!(names, [("evidence/b/c/two", 2), ("evidence/one", 1), ("one", 1)]);
    let problems: Vec<&str> = walked.problems.iter().map(|p| p.name.as_str()).collect();
    assert_eq!(problems, ["evidence/b/loop", "evidence/outside"]);

    std::fs::write(folder.path().join("one"), b"other").unwrap();
    let clash = [root.join("one"), folder.path().join("one")];
    assert!(matches!(walk(&clash, &[]), Err(WalkError::SameName { .. })));
    assert!(matches!(
        walk(&[root.join("none")], &[]),
        Err(WalkError::Argument { .. })
    ));
}
