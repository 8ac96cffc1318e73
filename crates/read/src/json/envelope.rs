//! Answers of web services: one object whose only content is an array of records.
//!
//! | who | how it looks |
//! |---|---|
//! | Microsoft Graph | `{"@odata.context":"…","@odata.nextLink":"…","value":[…]}` |
//! | Azure Event Hub, diagnostic settings | `{"records":[…]}` |
//! | AWS CloudTrail | `{"Records":[…]}` |
//! | Google Reports API | `{"kind":"admin#reports#activities","etag":"…","items":[…]}` |
//!
//! What stands beside the array says nothing about the records, but for one thing: whether there is a
//! further page that is not in the evidence.

use memchr::memmem;

use super::lexer::Lexer;

/// Names of the array, and whether it may be the first member.
const ARRAYS: [(&str, bool); 4] = [
    ("value", true),
    ("records", true),
    ("Records", true),
    ("items", false),
];

/// Members that may stand beside the array.
fn is_beside(name: &str) -> bool {
    name.starts_with("@odata.") || matches!(name, "kind" | "etag" | "nextPageToken" | "nextLink" | "count")
}

/// Where the first record of the envelope begins that `text` begins with: behind the array's bracket.
pub(super) fn head(text: &str) -> Option<usize> {
    // Most records are no envelopes, which their first bytes tell.
    let after_brace = text.trim_ascii_start().strip_prefix('{')?.trim_ascii_start();
    let name = after_brace.strip_prefix('"')?;
    if !matches!(
        name.as_bytes().first()?,
        b'@' | b'v' | b'r' | b'R' | b'k' | b'e' | b'n' | b'c'
    ) {
        return None;
    }
    let mut lexer = Lexer::new(text);
    let mut is_first = true;
    if !lexer.take_if(b'{') {
        return None;
    }
    loop {
        let name = member_name(&mut lexer)?;
        let is_array = ARRAYS
            .iter()
            .any(|(array, may_be_first)| *array == name && (*may_be_first || !is_first));
        if is_array {
            let holds_objects = lexer.take_if(b'[') && matches!(lexer.peek(), Some(b'{' | b']'));
            return holds_objects.then_some(lexer.at());
        }
        if !is_beside(&name) {
            return None;
        }
        plain_value(&mut lexer)?;
        if !lexer.take_if(b',') {
            return None;
        }
        is_first = false;
    }
}

/// Whether `text` is what follows the array of an envelope: other members and the closing brace.
pub(super) fn is_tail(text: &str) -> bool {
    let mut lexer = Lexer::new(text);
    loop {
        match lexer.peek() {
            Some(b'}') => {
                lexer.take();
                return lexer.peek().is_none();
            }
            Some(b',' | b']') => lexer.take(),
            Some(b'"') => {
                let is_known = member_name(&mut lexer).is_some_and(|name| is_beside(&name));
                if !is_known || plain_value(&mut lexer).is_none() {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// Whether what stands beside the array names a further page.
pub(super) fn names_next_page(beside: &[u8]) -> bool {
    let named = |name: &[u8]| memmem::find(beside, name).is_some();
    named(b"nextLink\"") || named(b"nextPageToken\"")
}

fn member_name<'a>(lexer: &mut Lexer<'a>) -> Option<std::borrow::Cow<'a, str>> {
    lexer.require(b'"', "a field name").ok()?;
    let name = lexer.string().ok()?;
    lexer.require(b':', "a colon").ok()?;
    Some(name)
}

fn plain_value(lexer: &mut Lexer<'_>) -> Option<()> {
    match lexer.peek()? {
        b'"' => {
            lexer.take();
            lexer.string().ok().map(drop)
        }
        _ => lexer.scalar().ok().map(drop),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn envelopes_are_told_from_records() {
        for text in [
            r#"{"records":[{"a":1}]}"#,
            r#" { "@odata.context" : "x", "@odata.count": 7, "value": [ {"a":1} ]}"#,
            r#"{"kind":"admin#reports#activities","etag":"\"x\"","nextPageToken":"t","items":[{"a":1}"#,
            r#"{"value":[]}"#,
        ] {
            let start = head(text);
            assert!(start.is_some(), "{text}");
            let rest = start.and_then(|start| text.get(start..)).unwrap_or("?");
            assert!(rest.trim_ascii_start().starts_with(['{', ']']), "{text}: {rest}");
        }
        for text in [
            r#"{"items":[{"a":1}],"user":"x"}"#,
            r#"{"id":1,"value":[{"a":1}]}"#,
            r#"{"value":[1]}"#,
            r#"{"value":"x"}"#,
            r#"{"records"#,
            "[{}]",
            "",
        ] {
            assert_eq!(head(text), None, "{text}");
        }
    }

    #[test]
    fn tails_hold_nothing_but_what_may_stand_there() {
        for text in [
            "]}",
            "}",
            r#"], "@odata.nextLink":"https://x" }"#,
            r#","etag":"x"}"#,
        ] {
            assert!(is_tail(text), "{text}");
        }
        for text in ["", "]", r#"],"user":"x"}"#, "]}x", r#"],"etag":{}}"#] {
            assert!(!is_tail(text), "{text}");
        }
        assert!(names_next_page(br#"],"@odata.nextLink":"https://x"}"#));
        assert!(!names_next_page(b"]}"));
    }
}
