//! A URL, as a template with the parts that may vary between messages.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;
use url::{Host, Url};

/// How long a template may be.
const TEMPLATE_LIMIT: usize = 300;
/// How many parts of one URL are followed.
const PART_LIMIT: usize = 30;
const VALUE_LIMIT: usize = 1_024;

/// A URL with a host, taken apart.
#[derive(Clone, Debug, PartialEq)]
pub struct Target {
    /// As the URL standard reads it: what a browser would ask for.
    pub url: Url,
    /// The host in lower case, without a final dot; Unicode names in Punycode.
    pub host: String,
    /// The registrable domain of the host; the host itself for addresses and bare suffixes.
    pub domain: String,
}

/// A part of a URL that may vary.
#[derive(Clone, Debug, PartialEq)]
pub struct Part {
    /// Where it stands: `host 0`, `path 2`, `query u`, `fragment`.
    pub place: String,
    /// Percent-decoded.
    pub value: String,
}

/// The shape of a URL.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape {
    /// Scheme, host, path and parameters with what may vary replaced by its class.
    pub template: String,
    /// What was replaced, in its order.
    pub parts: Vec<Part>,
}

impl Target {
    /// Reads a URL that leads to a host, as browsers do: `//host`, back-slashes, tabs, numbers for addresses and
    /// `\\host\share` included. `None` for everything else.
    pub fn parse(text: &str) -> Option<Self> {
        let text = text.trim();
        let url = match (text.get(..2), text.get(..4)) {
            (Some("\\\\"), _) => Url::parse(&format!("file:{}", text.replace('\\', "/"))),
            (Some("//"), _) => Url::parse(&format!("https:{text}")),
            (_, Some(start)) if start.eq_ignore_ascii_case("www.") => Url::parse(&format!("http://{text}")),
            _ => Url::parse(text),
        }
        .ok()?;
        let host = url.host_str()?.trim_end_matches('.').to_ascii_lowercase();
        if host.is_empty() || !matches!(url.scheme(), "http" | "https" | "ftp" | "file" | "ws" | "wss") {
            return None;
        }
        let domain = match url.host() {
            Some(Host::Domain(_)) => registrable(&host).to_owned(),
            _ => host.clone(),
        };
        Some(Self { url, host, domain })
    }

    /// Its host is an address, not a name.
    pub fn is_address(&self) -> bool {
        !matches!(self.url.host(), Some(Host::Domain(_)))
    }

    /// Its shape. `is_known` tells of a part that would not be taken for one that varies that it does, such as the
    /// recipient's name.
    pub fn shape(&self, is_known: &dyn Fn(&str) -> bool) -> Shape {
        let mut shape = Shaper {
            shape: Shape::default(),
            is_known,
        };
        shape.shape.template.push_str(self.url.scheme());
        shape.shape.template.push_str("://");
        self.host_shape(&mut shape);
        if let Some(port) = self.url.port() {
            let _ = write!(shape.shape.template, ":{port}");
        }
        for (index, segment) in self.url.path().split('/').skip(1).enumerate() {
            shape.shape.template.push('/');
            shape.segment(segment, &format!("path {index}"));
        }
        if let Some(query) = self.url.query() {
            shape.parameters(query, '?', "query");
        }
        if let Some(fragment) = self.url.fragment() {
            shape.parameters(fragment, '#', "fragment");
        }
        let mut shape = shape.shape;
        let kept = shape.template.floor_char_boundary(TEMPLATE_LIMIT);
        shape.template.truncate(kept);
        shape
    }

    fn host_shape(&self, shape: &mut Shaper<'_>) {
        let own = self.host.strip_suffix(&self.domain).unwrap_or_default();
        for (index, label) in own.split_terminator('.').enumerate() {
            shape.segment(label, &format!("host {index}"));
            shape.shape.template.push('.');
        }
        shape.shape.template.push_str(&self.domain);
    }
}

/// The registrable domain of a host name (public suffix list); the host itself where it has none.
pub fn registrable(host: &str) -> &str {
    psl::domain_str(host).unwrap_or(host)
}

struct Shaper<'k> {
    shape: Shape,
    is_known: &'k dyn Fn(&str) -> bool,
}

impl Shaper<'_> {
    fn parameters(&mut self, text: &str, mark: char, place: &str) {
        self.shape.template.push(mark);
        for (index, parameter) in text.split(['&', ';']).take(PART_LIMIT).enumerate() {
            if index > 0 {
                self.shape.template.push('&');
            }
            match parameter.split_once('=') {
                Some((name, value)) if !value.trim_matches('=').is_empty() && class(name).is_none() => {
                    let _ = write!(self.shape.template, "{name}=");
                    self.segment(value, &format!("{place} {name}"));
                }
                _ => self.segment(parameter, place),
            }
        }
    }

    /// One segment of a path, one label, one value.
    fn segment(&mut self, raw: &str, place: &str) {
        if raw.is_empty() {
            return;
        }
        let decoded = percent_decode_str(raw).decode_utf8_lossy();
        let (stem, extension) = match decoded.rsplit_once('.') {
            Some((stem, extension)) if is_extension(extension) && !decoded.contains(['@', '/']) => {
                (stem, Some(extension))
            }
            _ => (decoded.as_ref(), None),
        };
        if !self.whole(stem, place) {
            if self.whole(&decoded, place) {
                return;
            }
            self.pieces(stem, place);
        }
        if let Some(extension) = extension {
            self.shape.template.push('.');
            self.shape.template.push_str(extension);
        }
    }

    fn whole(&mut self, value: &str, place: &str) -> bool {
        let class = match class(value) {
            Some(class) => class,
            None if (self.is_known)(value) => "{who}".into(),
            None => return false,
        };
        self.shape.template.push_str(&class);
        self.part(value, place);
        true
    }

    fn part(&mut self, value: &str, place: &str) {
        if self.shape.parts.len() < PART_LIMIT {
            let kept = value.floor_char_boundary(VALUE_LIMIT);
            self.shape.parts.push(Part {
                place: place.to_owned(),
                value: value.get(..kept).unwrap_or_default().to_owned(),
            });
        }
    }

    /// What a segment is joined from: `open-3f9a0c1d2e-user12`.
    fn pieces(&mut self, text: &str, place: &str) {
        let joint = |c: char| {
            matches!(
                c,
                '-' | '_' | '.' | '~' | ',' | ':' | '|' | '!' | '+' | ' ' | '=' | '@'
            )
        };
        let mut rest = text;
        while !rest.is_empty() && self.shape.template.len() < TEMPLATE_LIMIT {
            let end = rest.find(joint).unwrap_or(rest.len());
            let (piece, after) = rest.split_at(end);
            if !piece.is_empty() && !self.whole(piece, place) {
                self.word_and_number(piece, place);
            }
            let mut characters = after.chars();
            if let Some(joint) = characters.next() {
                self.shape.template.push(joint);
            }
            rest = characters.as_str();
        }
    }

    fn word_and_number(&mut self, piece: &str, place: &str) {
        let number = piece.trim_start_matches(|c: char| !c.is_ascii_digit());
        let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
        if is_number && let Some(word) = piece.strip_suffix(number) {
            self.shape.template.push_str(word);
            self.shape.template.push_str("{digits}");
            return self.part(number, place);
        }
        self.shape.template.push_str(piece);
    }
}

/// The class of a value that may vary; none for words. It only says of what kind the characters are: whether a
/// value does vary is seen across messages.
fn class(value: &str) -> Option<String> {
    let count = |test: fn(&u8) -> bool| value.bytes().filter(&test).count();
    let length = value.len();
    let digits = count(u8::is_ascii_digit);
    if digits == length && length > 0 {
        return Some("{digits}".into());
    }
    if is_uuid(value) {
        return Some("{uuid}".into());
    }
    let hex = count(u8::is_ascii_hexdigit);
    if hex == length && length >= 8 && (digits > 0 || length >= 16) {
        return Some(format!("{{hex:{length}}}"));
    }
    if value.contains("://") {
        return Some("{url}".into());
    }
    if value
        .split_once('@')
        .is_some_and(|(local, domain)| !local.is_empty() && domain.contains('.'))
    {
        return Some("{mail}".into());
    }
    let letters = count(u8::is_ascii_alphabetic);
    let upper = count(u8::is_ascii_uppercase);
    let marks = count(|byte| matches!(byte, b'-' | b'_' | b'+' | b'/' | b'=' | b'.'));
    if letters + digits + marks < length {
        return None;
    }
    let mixed_case = upper > 1 && upper + 1 < letters;
    let is_mixed = mixed_case && digits > 0 && length >= 12 || mixed_case && length >= 20;
    if marks * 8 <= length + 8 && is_mixed {
        return Some("{b64}".into());
    }
    let is_jumbled = marks == 0 && length >= 6 && changes(value) >= 2;
    let is_long_word = marks == 0 && length >= 24;
    (is_jumbled || is_long_word).then(|| "{id}".into())
}

/// How often letters and digits change.
fn changes(value: &str) -> usize {
    let bytes = value.as_bytes();
    bytes
        .windows(2)
        .filter(|pair| pair[0].is_ascii_digit() != pair[1].is_ascii_digit())
        .count()
}

fn is_uuid(value: &str) -> bool {
    let bytes = value.as_bytes();
    bytes.len() == 36
        && bytes.iter().enumerate().all(|(at, byte)| match at {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        })
}

fn is_extension(text: &str) -> bool {
    (2..=5).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric())
        && text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    fn shape(url: &str) -> Shape {
        Target::parse(url).unwrap().shape(&|part| part == "anna.berg")
    }

    #[test]
    fn what_may_vary_is_replaced_by_its_class() {
        for (url, template) in [
            (
                "https://img.example.org/o/9f86d081884c7d659a2feaa0c55ad015.png?u=YW5uYUBleGFtcGxlLm9yZw==",
                "https://img.example.org/o/{hex:32}.png?u={b64}",
            ),
            (
                "https://www.example.org/news/2021/03/image12.jpg",
                "https://www.example.org/news/{digits}/{digits}/image{digits}.jpg",
            ),
            (
                "http://t.example/open?id=8d7f1c1e-0b7e-4b0c-9c0d-3d5a1f1c2b3a",
                "http://t.example/open?id={uuid}",
            ),
            (
                "https://a1b2c3d4e5f60718.trk.example.co.uk/",
                "https://{hex:16}.trk.example.co.uk/",
            ),
            (
                "https://e.example/?to=anna%40example.org&utm_source=newsletter",
                "https://e.example/?to={mail}&utm_source=newsletter",
            ),
            ("https://e.example/l/anna.berg/x", "https://e.example/l/{who}/x"),
            (
                "https://e.example/x?9f86d081884c7d65",
                "https://e.example/x?{hex:16}",
            ),
            ("https://e.example/c/k3j9x2m4#a", "https://e.example/c/{id}#a"),
            (
                "https://e.example:8443/the-vote-in-parliament",
                "https://e.example:8443/the-vote-in-parliament",
            ),
            (
                "https://e.example/r?u=https%3A%2F%2Fx.example%2Fa",
                "https://e.example/r?u={url}",
            ),
        ] {
            assert_eq!(shape(url).template, template, "{url}");
        }
    }

    #[test]
    fn parts_say_where_they_stand() {
        let shape = shape("https://u7781.t.example.org/o/anna.berg/9f86d081.gif?k=12#z=AbC1dEfG2hIj3");
        let parts: Vec<_> = shape
            .parts
            .iter()
            .map(|part| (part.place.as_str(), part.value.as_str()))
            .collect();
        assert_eq!(
            parts,
            [
                ("host 0", "7781"),
                ("path 1", "anna.berg"),
                ("path 2", "9f86d081"),
                ("query k", "12"),
                ("fragment z", "AbC1dEfG2hIj3")
            ]
        );
    }

    #[test]
    fn urls_are_read_as_browsers_read_them() {
        let host = |url: &str| Target::parse(url).map(|target| target.host);
        assert_eq!(host("//T.example/x").as_deref(), Some("t.example"));
        assert_eq!(host("http:\\\\t.example\\x").as_deref(), Some("t.example"));
        assert_eq!(host("ht\ntp://t.exa\tmple/x").as_deref(), Some("t.example"));
        assert_eq!(host("http://0x7f.1/").as_deref(), Some("127.0.0.1"));
        assert_eq!(
            host("https://bank.example@t.example/").as_deref(),
            Some("t.example")
        );
        assert_eq!(host("\\\\t.example\\share\\a.png").as_deref(), Some("t.example"));
        for none in [
            "mailto:a@b.example",
            "cid:1@x",
            "javascript:alert(1)",
            "x.gif",
            "",
            "http://",
        ] {
            assert_eq!(host(none), None, "{none}");
        }
        assert_eq!(
            Target::parse("https://a.b.example.co.uk/").unwrap().domain,
            "example.co.uk"
        );
        assert!(Target::parse("http://[2001:db8::1]/").unwrap().is_address());
    }

    #[test]
    fn templates_are_bounded() {
        let long = format!(
            "https://t.example/{}?{}",
            "ä/".repeat(5_000),
            "a=12345678&".repeat(5_000)
        );
        let shape = shape(&long);
        assert!(shape.template.len() <= TEMPLATE_LIMIT && shape.parts.len() <= PART_LIMIT);
    }
}
