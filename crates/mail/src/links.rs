//! Links as templates, each once.

use blackrod_model::mail::{Facts, Link, LinkRole, Token, hash};

use super::token::Derivations;
use super::url::Target;

/// How many templates of a message are kept.
const LIMIT: usize = 200;

/// Adds `target` to the links of the message. Of those with one template and role, the first is kept; it is hidden if any
/// of them is, and its tokens say what any of them follows from. Returns how the URL names a recipient, where it does.
pub(super) fn add(
    facts: &mut Facts,
    derivations: &Derivations<'_>,
    role: LinkRole,
    target: &Target,
    found_in: &str,
    hidden: bool,
) -> Option<String> {
    let shape = target.shape(&|part| derivations.is_name(part));
    let tokens: Vec<Token> = shape
        .parts
        .iter()
        .map(|part| Token {
            place: part.place.clone(),
            value: hash(&part.value),
            length: part.value.chars().count().min(usize::from(u16::MAX)) as u16,
            derived: derivations.find(&part.value),
        })
        .collect();
    let derived = tokens.iter().find_map(|token| token.derived.clone());
    let same = |link: &&mut Link| link.role == role && link.template == shape.template;
    if let Some(known) = facts.links.iter_mut().find(same) {
        known.hidden |= hidden;
        for (known, token) in known.tokens.iter_mut().zip(tokens) {
            known.derived = known.derived.take().or(token.derived);
        }
        return derived;
    }
    if facts.links.len() >= LIMIT {
        super::signal_once(
            facts,
            "link/too-many",
            &format!("more than {LIMIT} different links"),
        );
        return derived;
    }
    facts.links.push(Link {
        role,
        host: target.host.clone(),
        domain: target.domain.clone(),
        template: shape.template,
        tokens,
        hidden,
        found_in: found_in.to_owned(),
    });
    derived
}

/// The URLs in plain text, with `scheme://` or `www.`, at most `limit` of them.
pub(super) fn in_text(text: &str, limit: usize) -> Vec<&str> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut from = 0;
    while found.len() < limit {
        let rest = bytes.get(from..).unwrap_or_default();
        let scheme = memchr::memmem::find(rest, b"://").map(|at| from + at);
        let bare = memchr::memmem::find(rest, b"www.").map(|at| from + at);
        let (start, read) = match (scheme, bare) {
            (Some(colon), Some(www)) if www < colon => (www, www + 4),
            (Some(colon), _) => {
                from = colon + 3;
                let Some(start) = scheme_before(bytes, colon) else {
                    continue;
                };
                (start, colon + 3)
            }
            (None, Some(www)) => (www, www + 4),
            (None, None) => break,
        };
        let tail = text.get(start..).unwrap_or_default();
        let end = tail.find(|c: char| c.is_whitespace() || c.is_control() || "<>\"'`|{}".contains(c));
        let url = tail.get(..end.unwrap_or(tail.len())).unwrap_or_default();
        let url = url.trim_end_matches(['.', ',', ';', ':', '!', '?', ')', ']', '*']);
        let url = url.get(..url.floor_char_boundary(4_096)).unwrap_or_default();
        from = read.max(start + url.len());
        found.push(url);
    }
    found
}

fn scheme_before(bytes: &[u8], colon: usize) -> Option<usize> {
    let before = bytes.get(..colon)?;
    let letters = before
        .iter()
        .rev()
        .take(10)
        .take_while(|byte| byte.is_ascii_alphabetic())
        .count();
    (letters > 1).then(|| colon - letters)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urls_in_text_end_where_a_reader_ends_them() {
        let text = "See (https://a.example/x?y=1), www.b.example. ftp://c.example/www.d <HTTP://e.example> ://f www.";
        assert_eq!(
            in_text(text, 10),
            [
                "https://a.example/x?y=1",
                "www.b.example",
                "ftp://c.example/www.d",
                "HTTP://e.example",
                "www"
            ]
        );
        assert_eq!(in_text(text, 2).len(), 2);
        assert_eq!(in_text("häh://ö://", 9), [""; 0]);
    }
}
