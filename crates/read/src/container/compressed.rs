//! Single compressed streams: gzip (RFC 1952), Zstandard (RFC 8878), bzip2, xz.

use std::io::{self, BufRead as _, Read};

use super::{Container, Findings, Input, Member, Members, Opening};
use crate::evidence::{Fault, Stream};

/// A format that compresses one stream.
pub(crate) struct Compressed {
    name: &'static str,
    /// What a compressed name ends with, and what the name of its content ends with instead.
    suffixes: &'static [(&'static str, &'static str)],
    starts_frame: fn(&[u8]) -> bool,
    decoder: for<'a, 'r> fn(&'a mut Stream<'r>) -> io::Result<Decoder<'a, 'r>>,
}

pub(crate) const GZIP: Compressed = Compressed {
    name: "gzip",
    suffixes: &[(".gz", ""), (".tgz", ".tar"), (".svgz", ".svg")],
    starts_frame: |head| head.starts_with(b"\x1f\x8b\x08"),
    decoder: |stream| Ok(Decoder::Gzip(Box::new(flate2::bufread::GzDecoder::new(stream)))),
};

pub(crate) const ZSTD: Compressed = Compressed {
    name: "zstd",
    suffixes: &[(".zst", ""), (".zstd", ""), (".tzst", ".tar")],
    starts_frame: |head| {
        let is_skippable = matches!(head, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]);
        head.starts_with(b"\x28\xb5\x2f\xfd") || is_skippable
    },
    decoder: |stream| {
        let decoder = zstd::stream::read::Decoder::with_buffer(stream)?;
        Ok(Decoder::Zstd(decoder.single_frame()))
    },
};

pub(crate) const BZIP2: Compressed = Compressed {
    name: "bzip2",
    suffixes: &[(".bz2", ""), (".tbz2", ".tar"), (".tbz", ".tar")],
    starts_frame: |head| {
        let is_block = head.get(4..10) == Some(b"\x31\x41\x59\x26\x53\x59");
        let is_end = head.get(4..10) == Some(b"\x17\x72\x45\x38\x50\x90");
        matches!(head, [b'B', b'Z', b'h', b'1'..=b'9', ..]) && (is_block || is_end)
    },
    decoder: |stream| Ok(Decoder::Bzip2(bzip2::bufread::BzDecoder::new(stream))),
};

pub(crate) const XZ: Compressed = Compressed {
    name: "xz",
    suffixes: &[(".xz", ""), (".txz", ".tar")],
    starts_frame: |head| head.starts_with(b"\xfd7zXZ\0"),
    decoder: |stream| {
        let window = stream.budget().limits.window_bytes;
        let decoder = liblzma::stream::Stream::new_stream_decoder(window, 0).map_err(io::Error::from)?;
        Ok(Decoder::Xz(liblzma::bufread::XzDecoder::new_stream(
            stream, decoder,
        )))
    },
};

impl Container for Compressed {
    fn name(&self) -> &'static str {
        self.name
    }

    fn recognise(&self, head: &[u8]) -> bool {
        (self.starts_frame)(head)
    }

    fn open(&self, input: Input<'_, '_>, members: &mut dyn Members) -> Opening {
        let fallback_name = self.inner_name(input.name);
        let packed = input.stream.as_packed();
        let mut frames = Frames {
            format: self,
            state: State::Between(input.stream),
        };
        let name = match frames.start() {
            Ok(()) => frames.original_name().unwrap_or(fallback_name),
            Err(_) => fallback_name,
        };
        let member = Member {
            name: &name,
            expected: None,
            packed,
        };
        // With one member there is nothing that a break could stop.
        let _ = members.member(&member, &mut frames);

        let mut findings = Findings::default();
        if let State::Trailing { offset, bytes } = frames.state {
            findings.damage(
                offset,
                format!(
                    "{bytes} bytes after the end of the {} data were not read",
                    self.name
                ),
            );
        }
        Opening::Opened(findings)
    }
}

impl Compressed {
    /// Says what failed; a fault of the stream below has said so already.
    fn explain(&self, error: io::Error) -> io::Error {
        if error.get_ref().is_some_and(|inner| inner.is::<Fault>()) {
            return error;
        }
        io::Error::new(
            error.kind(),
            format!("the {} data is damaged or cut off: {error}", self.name),
        )
    }

    /// What the content is called where the format does not say.
    fn inner_name(&self, name: &str) -> String {
        for (suffix, replacement) in self.suffixes {
            let split = name.len().saturating_sub(suffix.len());
            if let (Some(stem), Some(end)) = (name.get(..split), name.get(split..))
                && !stem.is_empty()
                && end.eq_ignore_ascii_case(suffix)
            {
                return format!("{stem}{replacement}");
            }
        }
        "content".to_owned()
    }
}

/// A decoder of one frame, stream or member, as the formats call it. Each stops exactly at its
/// end, so that the next one can begin there.
enum Decoder<'a, 'r> {
    Gzip(Box<flate2::bufread::GzDecoder<&'a mut Stream<'r>>>),
    Zstd(zstd::stream::read::Decoder<'static, &'a mut Stream<'r>>),
    Bzip2(bzip2::bufread::BzDecoder<&'a mut Stream<'r>>),
    Xz(liblzma::bufread::XzDecoder<&'a mut Stream<'r>>),
}

impl<'a, 'r> Decoder<'a, 'r> {
    fn into_inner(self) -> &'a mut Stream<'r> {
        match self {
            Self::Gzip(decoder) => decoder.into_inner(),
            Self::Zstd(decoder) => decoder.finish(),
            Self::Bzip2(decoder) => decoder.into_inner(),
            Self::Xz(decoder) => decoder.into_inner(),
        }
    }
}

impl Read for Decoder<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Gzip(decoder) => decoder.read(out),
            Self::Zstd(decoder) => decoder.read(out),
            Self::Bzip2(decoder) => decoder.read(out),
            Self::Xz(decoder) => decoder.read(out),
        }
    }
}

/// The content of all frames of a compressed stream, one after the other.
struct Frames<'a, 'r> {
    format: &'a Compressed,
    state: State<'a, 'r>,
}

enum State<'a, 'r> {
    /// Before a frame, or what is taken for one.
    Between(&'a mut Stream<'r>),
    /// In a frame.
    Within(Decoder<'a, 'r>),
    /// The stream ended with a frame, or with zeros after one as on tapes and block devices.
    Ended,
    /// Something else follows the last frame.
    Trailing { offset: u64, bytes: u64 },
}

impl Frames<'_, '_> {
    /// Begins the first frame.
    fn start(&mut self) -> io::Result<()> {
        self.state = match std::mem::replace(&mut self.state, State::Ended) {
            State::Between(stream) => State::Within((self.format.decoder)(stream)?),
            other => other,
        };
        Ok(())
    }

    /// The name of the content, where the format keeps one.
    fn original_name(&self) -> Option<String> {
        let State::Within(Decoder::Gzip(decoder)) = &self.state else {
            return None;
        };
        let written = String::from_utf8_lossy(decoder.header()?.filename()?).into_owned();
        let last = written.rsplit(['/', '\\']).next()?;
        (!last.is_empty()).then(|| last.to_owned())
    }
}

impl Read for Frames<'_, '_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            if let State::Within(decoder) = &mut self.state {
                let count = decoder.read(out).map_err(|error| self.format.explain(error))?;
                if count > 0 || out.is_empty() {
                    return Ok(count);
                }
            }
            self.state = match std::mem::replace(&mut self.state, State::Ended) {
                State::Within(decoder) => State::Between(decoder.into_inner()),
                State::Between(stream) => after_frame(self.format, stream)?,
                finished @ (State::Ended | State::Trailing { .. }) => {
                    self.state = finished;
                    return Ok(0);
                }
            };
        }
    }
}

/// Begins the next frame or finds out that there is none.
fn after_frame<'a, 'r>(format: &Compressed, stream: &'a mut Stream<'r>) -> io::Result<State<'a, 'r>> {
    if (format.starts_frame)(stream.peek(10)) {
        return Ok(State::Within((format.decoder)(stream)?));
    }
    let offset = stream.offset();
    let mut is_padding = true;
    loop {
        let rest = stream.fill_buf()?;
        if rest.is_empty() {
            break;
        }
        is_padding &= rest.iter().all(|byte| *byte == 0);
        let count = rest.len();
        stream.consume(count);
    }
    if is_padding {
        return Ok(State::Ended);
    }
    let bytes = stream.offset() - offset;
    Ok(State::Trailing { offset, bytes })
}
