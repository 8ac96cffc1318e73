//! Tar archives: V7, ustar (POSIX.1-1988), GNU and pax (POSIX.1-2001).

use std::cell::Cell;
use std::io::{self, Read};
use std::rc::Rc;

use tar::{Archive, Header};

use super::{Container, Findings, Input, Member, Members, Opening};
use crate::evidence::Packed;

/// Tar archives.
pub(crate) struct Tar;

const BLOCK_LEN: usize = 512;

/// Names, pax records and sparse maps before one member may take up this much; all of them are
/// held in memory.
const MAX_HEADER_BYTES: u64 = 1 << 20;

impl Container for Tar {
    fn name(&self) -> &'static str {
        "tar"
    }

    /// Old archives have no magic number; the header's checksum is the only sign of all variants.
    /// (A block of zeros does not carry its own.)
    fn recognise(&self, head: &[u8]) -> bool {
        let Some(block) = head.get(..BLOCK_LEN) else {
            return false;
        };
        let checksum_field = 148..156;
        let sum: u32 = (0..)
            .zip(block)
            .map(|(index, byte)| match checksum_field.contains(&index) {
                true => u32::from(b' '),
                false => u32::from(*byte),
            })
            .sum();
        let written = Header::from_byte_slice(block).cksum();
        written.is_ok_and(|written| written == sum)
    }

    fn open(&self, input: Input<'_, '_>, members: &mut dyn Members) -> Opening {
        let mut findings = Findings::default();
        let stream = input.stream;
        let allowance = Rc::new(Cell::new(MAX_HEADER_BYTES));
        let saw_end = Rc::new(Cell::new(false));
        let packed_from = stream.as_packed();
        let mut archive = Archive::new(HeaderGuard {
            input: stream,
            allowance: Rc::clone(&allowance),
            saw_end: Rc::clone(&saw_end),
        });
        let entries = match archive.entries() {
            Ok(entries) => entries,
            Err(error) => return Opening::Failed(error.to_string()),
        };
        let mut next_offset = 0;
        for entry in entries {
            let mut entry = match entry {
                Ok(entry) => entry,
                Err(error) => {
                    findings.damage(next_offset, format!("the archive is damaged here: {error}"));
                    return Opening::Opened(findings);
                }
            };
            let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
            let kind = entry.header().entry_type();
            let start = entry.raw_header_position();
            let has_content = kind.is_file() || kind.is_contiguous() || kind.is_gnu_sparse();
            // An unknown type is to be read as a file (POSIX.1, ustar interchange format).
            let is_unknown = matches!(kind, tar::EntryType::__Nonexhaustive(_));
            allowance.set(u64::MAX);
            // V7 archives mark folders by a slash at the end of the name alone.
            let is_folder = kind.is_dir() || kind.is_pax_global_extensions() || name.ends_with('/');
            if (has_content || is_unknown) && !is_folder {
                let member = Member {
                    name: &name,
                    expected: Some(entry.size()),
                    packed: since_now(&packed_from),
                };
                if members.member(&member, &mut entry).is_break() {
                    return Opening::Opened(findings);
                }
            } else if !is_folder {
                findings.leave_out(start, describe_special(&name, &entry));
            }
            // What is left of it has to pass before the next header.
            if let Err(error) = io::copy(&mut entry, &mut io::sink()) {
                findings.damage(start, format!("cannot be read on: {error}"));
                return Opening::Opened(findings);
            }
            next_offset = entry.raw_file_position().saturating_add(entry.size());
            allowance.set(MAX_HEADER_BYTES);
        }
        if saw_end.get() {
            let reason = "the archive ends without its end mark; members may be missing".to_owned();
            findings.damage(next_offset, reason);
        }
        Opening::Opened(findings)
    }
}

/// A counter's state as of now, for content that is sparse and so larger than what it is made from.
fn since_now(packed: &Packed) -> Packed {
    match packed {
        Packed::Since { taken, .. } => Packed::Since {
            since: taken.get(),
            taken: Rc::clone(taken),
        },
        other => other.clone(),
    }
}

fn describe_special(name: &str, entry: &tar::Entry<'_, impl Read>) -> String {
    let kind = entry.header().entry_type();
    let target = entry.link_name_bytes();
    let target = String::from_utf8_lossy(target.as_deref().unwrap_or_default());
    if kind.is_symlink() {
        format!("{name:?} is a symbolic link to {target:?}; links are not followed")
    } else if kind.is_hard_link() {
        format!("{name:?} is a hard link to {target:?}; links are not followed")
    } else {
        format!("{name:?} is a device or pipe and has no content")
    }
}

/// Fails where the headers between two members grow beyond all measure, before they fill memory.
struct HeaderGuard<R> {
    input: R,
    allowance: Rc<Cell<u64>>,
    saw_end: Rc<Cell<bool>>,
}

impl<R: Read> Read for HeaderGuard<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        let allowed = self.allowance.get();
        if allowed == 0 {
            return Err(io::Error::other(format!(
                "names and attributes of one member take more than {MAX_HEADER_BYTES} bytes"
            )));
        }
        let most = out.len().min(usize::try_from(allowed).unwrap_or(usize::MAX));
        let count = self.input.read(&mut out[..most])?;
        self.allowance.set(allowed - count as u64);
        self.saw_end.set(count == 0 && !out.is_empty());
        Ok(count)
    }
}
