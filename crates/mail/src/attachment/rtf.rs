//! Rich Text Format: objects, templates fetched from elsewhere.

use blackrod_model::mail::LinkRole;
use memchr::memmem;

use super::{File, Notes, ole};

/// Hexadecimal digits of one object that are decoded.
const MAX_OBJECT: usize = 256 << 10;
/// Objects looked at.
const MAX_OBJECTS: usize = 20;
/// Characters of a template's address.
const MAX_TARGET: usize = 500;

/// Looks at an RTF document.
pub(super) fn look(file: File<'_>, notes: &mut Notes<'_>) {
    let has = |word: &[u8]| memmem::find(file.bytes, word).is_some();
    if let Some(target) = template(file.bytes) {
        let said = format!("{}: {target}", file.name);
        notes.signal("content/office-remote-template", &said);
        notes.link(&target, LinkRole::Beacon, "rtf template");
    }
    if has(b"DDEAUTO") {
        notes.signal("content/office-dde", file.name);
    }
    let mut objects = memmem::find_iter(file.bytes, b"objdata")
        .take(MAX_OBJECTS)
        .peekable();
    if objects.peek().is_none() {
        return;
    }
    notes.signal("content/rtf-object", file.name);
    if has(b"objupdate") {
        notes.signal("content/rtf-object-update", file.name);
    }
    for at in objects {
        let object = hex(file.bytes.get(at + b"objdata".len()..).unwrap_or_default());
        match ole::object_marks(&object) {
            Some("Equation.3") => notes.signal("content/equation-editor", file.name),
            Some(class) => notes.signal("content/office-embedded-file", &format!("{}: {class}", file.name)),
            None => {}
        }
    }
}

/// The target of `\*\template` where it is elsewhere, its escapes (`\u104`, `\'68`) resolved.
fn template(bytes: &[u8]) -> Option<String> {
    let at = memmem::find(bytes, b"\\*\\template")?;
    let rest = bytes.get(at + b"\\*\\template".len()..)?;
    let end = memchr::memchr(b'}', rest)?.min(MAX_TARGET);
    let target = unescaped(&String::from_utf8_lossy(rest.get(..end)?));
    let target = target.trim();
    let is_remote = ["http:", "https:", "ftp:"]
        .iter()
        .any(|scheme| target.to_ascii_lowercase().starts_with(scheme));
    is_remote.then(|| target.to_owned())
}

fn unescaped(text: &str) -> String {
    let mut out = String::new();
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let after = rest.get(first.len_utf8()..).unwrap_or_default();
        if first != '\\' {
            if first != '{' && first != '\r' && first != '\n' {
                out.push(first);
            }
            rest = after;
            continue;
        }
        if let Some(digits) = after.strip_prefix('u') {
            let end = digits
                .find(|character: char| !character.is_ascii_digit() && character != '-')
                .unwrap_or(digits.len());
            let number: Option<i32> = digits.get(..end).and_then(|number| number.parse().ok());
            let unit = number.map(|number| if number < 0 { number + 65_536 } else { number });
            out.extend(unit.and_then(|unit| char::from_u32(unit.cast_unsigned())));
            // One character stands in for readers that know no Unicode.
            rest = digits.get(end..).unwrap_or_default();
            rest = rest.strip_prefix(['?', ' ']).unwrap_or(rest);
        } else if let Some(code) = after.strip_prefix('\'') {
            let value = code.get(..2).and_then(|code| u8::from_str_radix(code, 16).ok());
            out.extend(value.map(char::from));
            rest = code.get(2..).unwrap_or_default();
        } else {
            let end = after
                .find(|character: char| !character.is_ascii_alphanumeric())
                .unwrap_or(after.len());
            rest = after.get(end..).unwrap_or_default();
            rest = rest.strip_prefix(' ').unwrap_or(rest);
        }
    }
    out
}

/// The bytes that hexadecimal digits spell; what stands between them is passed over, as Word does.
fn hex(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    let mut high = None;
    let mut depth = 0_i32;
    for byte in text.iter().take(MAX_OBJECT) {
        match byte {
            b'{' => depth += 1,
            b'}' if depth == 0 => break,
            b'}' => depth -= 1,
            _ => {}
        }
        let Some(digit) = char::from(*byte).to_digit(16) else {
            continue;
        };
        match high.take() {
            None => high = Some(digit),
            Some(first) => out.push(u8::try_from(first << 4 | digit).unwrap_or_default()),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escaped_templates_are_read() {
        let plain = br"{\rtf1{\*\template http://t.example/a.dot}}";
        assert_eq!(template(plain).as_deref(), Some("http://t.example/a.dot"));
        let escaped = br"{\rtf1{\*\template \u-65432?\u116?\u116?\u112?://t.example}}";
        assert_eq!(template(escaped).as_deref(), Some("http://t.example"));
        let escaped = br"{\rtf1{\*\template \u104?\u116?\u116?\'70://t.example}}";
        assert_eq!(template(escaped).as_deref(), Some("http://t.example"));
        assert_eq!(template(br"{\rtf1{\*\template C:\\Normal.dot}}"), None);
    }

    #[test]
    fn digits_are_read_between_noise() {
        assert_eq!(hex(b" 0 1\r\n0{\\x}5}ff"), [0x01, 0x05]);
    }
}
