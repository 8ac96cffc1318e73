//! STIX patterns (STIX 2.1, part 9) that come to a list of values, any one of which is a match.

use rstix::pattern::{Pattern, PatternAst};

use super::value::is_type_name;

/// Values with their indicator types; `None` lets the value speak for itself.
pub(crate) type Values = Vec<(Option<String>, String)>;

/// The values any one of which satisfies `pattern`.
///
/// # Errors
///
/// Why the pattern is more than that, or what is wrong with it, in words for its user.
pub(crate) fn values(pattern: &str) -> Result<Values, String> {
    let parsed = Pattern::parse(pattern).map_err(|error| format!("its pattern is wrong: {error}"))?;
    shows_in_one_record(parsed.ast())?;
    Comparison::read_all(&parsed.canonical())?.into_values()
}

/// Whether one observation is enough for the pattern.
fn shows_in_one_record(ast: &PatternAst) -> Result<(), String> {
    match ast {
        PatternAst::Observation(_) => Ok(()),
        PatternAst::Or { left, right, .. } => {
            shows_in_one_record(left)?;
            shows_in_one_record(right)
        }
        PatternAst::And { .. } | PatternAst::FollowedBy { .. } => {
            Err("its pattern asks for several observations together; one record cannot show that".to_owned())
        }
        PatternAst::Within { .. } | PatternAst::Repeats { .. } | PatternAst::StartStop { .. } => {
            Err("its pattern asks for repetition or a time window; one record cannot show that".to_owned())
        }
    }
}

/// A pattern of alternative observations in rstix's canonical spelling, taken apart. (rstix keeps the
/// inside of its own tree to itself.)
enum Comparison {
    Any(Vec<Comparison>),
    All(Vec<Comparison>),
    One { path: String, values: Vec<String> },
}

impl Comparison {
    fn read_all(text: &str) -> Result<Self, String> {
        let mut words = Words { rest: text };
        let whole = Self::read_any(&mut words, 0)?;
        match words.next() {
            None => Ok(whole),
            Some(word) => Err(format!(
                "its pattern uses {word:?}, which blackrod does not compare"
            )),
        }
    }

    fn read_any(words: &mut Words<'_>, depth: usize) -> Result<Self, String> {
        let mut parts = vec![Self::read_every(words, depth)?];
        while words.take("OR") {
            parts.push(Self::read_every(words, depth)?);
        }
        Ok(Self::Any(parts))
    }

    fn read_every(words: &mut Words<'_>, depth: usize) -> Result<Self, String> {
        let mut parts = vec![Self::read_one(words, depth)?];
        while words.take("AND") {
            parts.push(Self::read_one(words, depth)?);
        }
        Ok(if parts.len() == 1 {
            parts.remove(0)
        } else {
            Self::All(parts)
        })
    }

    fn read_one(words: &mut Words<'_>, depth: usize) -> Result<Self, String> {
        const MAX_DEPTH: usize = 64;
        const CUT_SHORT: &str = "its pattern could not be taken apart";
        if depth > MAX_DEPTH {
            return Err("its pattern is nested too deeply".to_owned());
        }
        // Observations stand in square brackets, and their alternatives mean what those inside mean.
        let closing = [("(", ")"), ("[", "]")]
            .into_iter()
            .find(|(open, _)| words.take(open));
        if let Some((_, close)) = closing {
            let inner = Self::read_any(words, depth + 1)?;
            return if words.take(close) {
                Ok(inner)
            } else {
                Err(CUT_SHORT.to_owned())
            };
        }
        let path = words.next().ok_or(CUT_SHORT)?.to_owned();
        let operator = words.next().ok_or(CUT_SHORT)?;
        let is_list = match operator {
            "=" | "==" | "ISSUBSET" => false,
            "IN" => true,
            other => {
                return Err(format!(
                    "its pattern compares with {other}; only =, IN and ISSUBSET are compared"
                ));
            }
        };
        let mut values = Vec::new();
        if is_list {
            while let Some(word) = words.next().filter(|word| *word != ")") {
                if !matches!(word, "(" | ",") {
                    values.push(unquote(word));
                }
            }
        } else {
            values.push(unquote(words.next().ok_or(CUT_SHORT)?));
        }
        Ok(Self::One { path, values })
    }

    /// The values any one of which satisfies this.
    fn into_values(self) -> Result<Values, String> {
        match self {
            Self::Any(parts) => {
                let mut values = Vec::new();
                for part in parts {
                    values.extend(part.into_values()?);
                }
                Ok(values)
            }
            Self::All(parts) => Self::values_of_all(parts),
            Self::One { path, values } => {
                let type_name = type_of(&path)?;
                Ok(values
                    .into_iter()
                    .map(|value| (type_name.clone(), value))
                    .collect())
            }
        }
    }

    /// Conditions that must hold together can be compared only where one of them says it all: a
    /// digest identifies its file whatever its name and size are, and the type of a reference
    /// follows from its value.
    fn values_of_all(parts: Vec<Self>) -> Result<Values, String> {
        let is_digest = |part: &Self| matches!(part, Self::One { path, .. } if path.contains(":hashes"));
        if parts.iter().any(is_digest) {
            let mut values = Vec::new();
            for digest in parts.into_iter().filter(is_digest) {
                // One digest of an algorithm that is not compared does no harm beside another.
                values.extend(digest.into_values().unwrap_or_default());
            }
            return if values.is_empty() {
                Err("its digests are of algorithms that blackrod does not compare".to_owned())
            } else {
                Ok(values)
            };
        }
        let restates_type =
            |part: &Self| matches!(part, Self::One { path, .. } if path.ends_with("_ref.type"));
        let mut telling: Vec<Self> = parts.into_iter().filter(|part| !restates_type(part)).collect();
        match telling.pop() {
            Some(only) if telling.is_empty() => only.into_values(),
            _ => Err(
                "its pattern asks for several properties together; only one at a time is compared".to_owned(),
            ),
        }
    }
}

/// The indicator type that an object path stands for.
fn type_of(path: &str) -> Result<Option<String>, String> {
    let plain: String = path.chars().filter(|c| !matches!(c, '\'' | '"')).collect();
    let known = match plain.to_ascii_lowercase().as_str() {
        "ipv4-addr:value" | "ipv6-addr:value" => "ip",
        "domain-name:value" => "domain",
        "url:value" => "url",
        "email-addr:value"
        | "email-message:from_ref.value"
        | "email-message:sender_ref.value"
        | "email-message:to_refs[*].value" => "email",
        "file:name" => "filename",
        "network-traffic:dst_ref.value" | "network-traffic:src_ref.value" => return Ok(None),
        digest if digest.starts_with("file:hashes") || digest.starts_with("artifact:hashes") => {
            let algorithm = digest
                .split_once("hashes")
                .map(|(_, name)| name.trim_matches(['.', '[', ']']).to_owned())
                .unwrap_or_default();
            let is_compared = matches!(
                algorithm.as_str(),
                "md5" | "sha-1" | "sha1" | "sha-256" | "sha256"
            );
            return if is_compared && is_type_name(&algorithm) {
                Ok(Some(algorithm))
            } else {
                Err(format!("blackrod compares no digests of type {algorithm:?}"))
            };
        }
        _ => return Err(format!("blackrod does not compare {path}")),
    };
    Ok(Some(known.to_owned()))
}

/// Cuts a comparison expression into words: strings with their quotes, brackets, commas, operators
/// and paths (which may hold quoted parts: `file:hashes.'SHA-256'`).
struct Words<'a> {
    rest: &'a str,
}

impl<'a> Words<'a> {
    fn next(&mut self) -> Option<&'a str> {
        self.rest = self.rest.trim_start();
        let first = self.rest.chars().next()?;
        let length = match first {
            '(' | ')' | '[' | ']' | ',' => 1,
            '\'' => string_length(self.rest),
            '=' | '!' | '<' | '>' => self.rest.find(|c| !matches!(c, '=' | '!' | '<' | '>'))?,
            _ => word_length(self.rest),
        };
        let (word, rest) = self
            .rest
            .split_at(length.max(first.len_utf8()).min(self.rest.len()));
        self.rest = rest;
        Some(word)
    }

    /// Takes the next word if it is `expected`.
    fn take(&mut self, expected: &str) -> bool {
        let before = self.rest;
        if self.next() == Some(expected) {
            return true;
        }
        self.rest = before;
        false
    }
}

fn string_length(text: &str) -> usize {
    let mut escaped = false;
    for (index, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\'' => return index + 1,
            _ => {}
        }
    }
    text.len()
}

fn word_length(text: &str) -> usize {
    let mut index = 0;
    while let Some(character) = text.get(index..).and_then(|rest| rest.chars().next()) {
        index += match character {
            '\'' => string_length(&text[index..]),
            // An index, `to_refs[*]`, belongs to the path.
            '[' => text[index..].find(']').map_or(1, |end| end + 1),
            ' ' | '\t' | '\n' | '\r' | '(' | ')' | ']' | ',' | '=' | '!' | '<' | '>' => break,
            other => other.len_utf8(),
        };
    }
    index
}

fn unquote(word: &str) -> String {
    let inner = word
        .strip_prefix('\'')
        .and_then(|rest| rest.strip_suffix('\''))
        .unwrap_or(word);
    let mut plain = String::with_capacity(inner.len());
    let mut escaped = false;
    for character in inner.chars() {
        if character == '\\' && !escaped {
            escaped = true;
            continue;
        }
        plain.push(character);
        escaped = false;
    }
    plain
}
