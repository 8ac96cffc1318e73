//! Encodings undone: what a shell would make of the line before it runs it.

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::DecodePaddingMode;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use blackrod_model::process::Traits;

/// The most bytes of a line that are looked at; Windows itself ends at 32,767 characters.
const MAX_LINE: usize = 16 * 1024;

/// How many encoded commands within encoded commands are opened.
const MAX_LAYERS: usize = 3;

/// Padding is often dropped; PowerShell itself wants it, other decoders do not.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Values that these variables have on nearly every Windows machine.
const VARIABLES: [(&str, &str); 8] = [
    ("comspec", r"c:\windows\system32\cmd.exe"),
    ("windir", r"c:\windows"),
    ("systemroot", r"c:\windows"),
    ("programfiles", r"c:\program files"),
    ("public", r"c:\users\public"),
    ("os", "windows_nt"),
    ("pshome", r"c:\windows\system32\windowspowershell\v1.0"),
    ("pathext", ".com;.exe;.bat;.cmd;.vbs;.vbe;.js;.jse;.wsf;.wsh;.msc"),
];

/// A line, readable.
pub(super) struct Undone {
    /// Lower case; decoded commands follow on lines of their own.
    pub(super) text: String,
    /// What had to be undone.
    pub(super) traits: Traits,
}

/// Undoes the encodings of `command`.
pub(super) fn undo(command: &str) -> Undone {
    let mut traits = Traits::default();
    let kept = &command[..command.floor_char_boundary(MAX_LINE)];
    if kept.len() < command.len() {
        traits.add(Traits::CUT);
    }
    let mut text = layer(kept, &mut traits);
    let mut inner = decoded(kept);
    for _ in 0..MAX_LAYERS {
        let Some(plain) = inner.take() else {
            break;
        };
        traits.add(Traits::ENCODED);
        let bounded = &plain[..plain.floor_char_boundary(MAX_LINE)];
        text.push('\n');
        text.push_str(&layer(bounded, &mut traits));
        inner = decoded(bounded);
    }
    Undone { text, traits }
}

/// One layer: escapes, quotes within words, variables, joined texts.
fn layer(line: &str, traits: &mut Traits) -> String {
    let (mut text, tricks) = unescape(line);
    let mut count = tricks;
    if text.contains(":~")
        || text.contains(")[")
        || text.contains("[char]")
        || text.contains("$env:")
        || text.contains("$pshome[")
    {
        text = variables(&text, &mut count);
    }
    if text.contains("'+") || text.contains("\"+") || text.contains("' +") || text.contains("\" +") {
        text = joined(&text, &mut count);
    }
    if count >= 2 {
        traits.add(Traits::OBFUSCATED);
    }
    text
}

/// Removes carets outside of quotes, quotes and backticks within words; folds case and dashes. Also says how
/// many characters were there only to be in the way.
fn unescape(line: &str) -> (String, usize) {
    let mut text = String::with_capacity(line.len());
    let mut tricks = 0;
    let mut quoted = false;
    let mut before = ' ';
    let mut chars = line.chars().peekable();
    while let Some(current) = chars.next() {
        let next = chars.peek().copied().unwrap_or(' ');
        let inside_word = before.is_ascii_alphanumeric() && next.is_ascii_alphanumeric();
        match current {
            '^' if !quoted => {
                // Before a character that means something to the shell a caret is honest.
                if !matches!(
                    next,
                    '&' | '|' | '<' | '>' | '(' | ')' | '^' | ' ' | '\r' | '\n' | '%'
                ) {
                    tricks += 1;
                }
                continue;
            }
            '"' => {
                if inside_word
                    || (next == '"' && before.is_ascii_alphanumeric() && after_pair_is_word(&chars))
                {
                    tricks += 1;
                    quoted = !quoted;
                    continue;
                }
                quoted = !quoted;
            }
            '`' if inside_word => {
                tricks += 1;
                continue;
            }
            _ => {}
        }
        match current {
            '\u{2013}' | '\u{2014}' | '\u{2015}' | '\u{2212}' => {
                tricks += 2;
                text.push('-');
            }
            ascii if ascii.is_ascii() => text.push(ascii.to_ascii_lowercase()),
            other => text.extend(other.to_lowercase()),
        }
        before = current;
    }
    (text, tricks)
}

/// `""` between the letters of a word: the iterator stands before the second quote.
fn after_pair_is_word(rest: &std::iter::Peekable<std::str::Chars<'_>>) -> bool {
    rest.clone()
        .nth(1)
        .is_some_and(|after| after.is_ascii_alphanumeric())
}

/// `%comspec:~-7,3%`, `$env:comspec[4,24,25]`, `$pshome[4]`, `[char]105`.
fn variables(text: &str, tricks: &mut usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(start) = rest.find(['%', '$', '[']) {
        out.push_str(&rest[..start]);
        let tail = &rest[start..];
        // A letter out of a path is never honest; a line feed by its number, or the year out of the date, is.
        let replaced = picked(tail)
            .map(|found| (found, 2))
            .or_else(|| substring(tail).map(|found| (found, 1)))
            .or_else(|| character(tail).map(|found| (found, 1)));
        match replaced {
            Some(((value, length), weight)) => {
                *tricks += weight;
                out.push_str(&value);
                rest = &tail[length..];
            }
            None => {
                out.push_str(&tail[..1]);
                rest = &tail[1..];
            }
        }
    }
    out.push_str(rest);
    out
}

fn value_of(name: &str) -> Option<&'static str> {
    VARIABLES
        .iter()
        .find(|(known, _)| *known == name)
        .map(|(_, value)| *value)
}

/// `%name:~start,length%` (cmd's substrings). An unknown variable leaves nothing.
fn substring(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix('%')?;
    let (expression, _) = inner.split_once('%')?;
    let (name, range) = expression.split_once(":~")?;
    let (start, length) = range.split_once(',').unwrap_or((range, ""));
    let start: isize = start.trim().parse().ok()?;
    let chars: Vec<char> = value_of(name).unwrap_or_default().chars().collect();
    let size = isize::try_from(chars.len()).ok()?;
    let from = if start < 0 {
        (size + start).max(0)
    } else {
        start.min(size)
    };
    let to = match length.trim() {
        "" => size,
        given => {
            let length: isize = given.parse().ok()?;
            let end = if length < 0 {
                size.saturating_add(length)
            } else {
                from.saturating_add(length)
            };
            end.clamp(from, size)
        }
    };
    let value = chars.get(usize::try_from(from).ok()?..usize::try_from(to).ok()?)?;
    Some((value.iter().collect(), expression.len() + 2))
}

/// `$env:name[4,24]`, `$pshome[21]`: characters picked out of a variable, as a quoted text.
fn picked(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix("$env:").or_else(|| text.strip_prefix('$'))?;
    let prefix = text.len() - inner.len();
    let open = inner.find('[')?;
    let close = open + inner[open..].find(']')?;
    let value: Vec<char> = value_of(&inner[..open])?.chars().collect();
    let mut picks = String::from("'");
    for index in inner[open + 1..close].split(',') {
        picks.push(*value.get(index.trim().parse::<usize>().ok()?)?);
    }
    picks.push('\'');
    Some((picks, prefix + close + 1))
}

/// `[char]105`, `[char]0x69`: a quoted character.
fn character(text: &str) -> Option<(String, usize)> {
    let inner = text.strip_prefix("[char]")?;
    let digits = inner.bytes().take_while(u8::is_ascii_alphanumeric).count().min(8);
    let number = match inner[..digits].strip_prefix("0x") {
        Some(hexadecimal) => u32::from_str_radix(hexadecimal, 16).ok()?,
        None => inner[..digits].parse().ok()?,
    };
    let character = char::from_u32(number)?.to_ascii_lowercase();
    Some((format!("'{character}'"), "[char]".len() + digits))
}

/// `'down'+'load'` becomes `'download'`.
fn joined(text: &str, tricks: &mut usize) -> String {
    let mut out = String::with_capacity(text.len());
    let mut chars = text.chars().peekable();
    while let Some(current) = chars.next() {
        if matches!(current, '\'' | '"') {
            let mut look = chars.clone();
            let skip_blanks = |look: &mut std::iter::Peekable<std::str::Chars<'_>>| {
                while look.next_if_eq(&' ').is_some() {}
            };
            skip_blanks(&mut look);
            if look.next() == Some('+') {
                skip_blanks(&mut look);
                if look.next() == Some(current) {
                    *tricks += 1;
                    chars = look;
                    continue;
                }
            }
        }
        out.push(current);
    }
    out
}

/// The command behind `-EncodedCommand` (any prefix of it that PowerShell takes) or in `FromBase64String('…')`.
fn decoded(line: &str) -> Option<String> {
    let after_flag = || {
        let mut words = line.split_ascii_whitespace();
        while let Some(word) = words.next() {
            if is_encoded_flag(word) {
                let value = words.next()?.trim_matches(['"', '\'']);
                if value.len() >= 8 {
                    return decode(value);
                }
            }
        }
        None
    };
    let in_call = || {
        let start = find_ignoring_case(line, "frombase64string(")?;
        let argument = &line[start..];
        let open = argument.find(['"', '\''])?;
        let value = argument[open + 1..].split(['"', '\'']).next()?;
        (value.len() >= 8).then(|| decode(value)).flatten()
    };
    after_flag().or_else(in_call)
}

fn find_ignoring_case(text: &str, wanted: &str) -> Option<usize> {
    text.as_bytes()
        .windows(wanted.len())
        .position(|window| window.eq_ignore_ascii_case(wanted.as_bytes()))
}

fn is_encoded_flag(word: &str) -> bool {
    let Some(name) = word.strip_prefix(['-', '/', '\u{2013}', '\u{2014}', '\u{2015}']) else {
        return false;
    };
    let lower = name.replace(['^', '`', '"'], "").to_ascii_lowercase();
    lower == "ec" || (!lower.is_empty() && "encodedcommand".starts_with(lower.as_str()))
}

/// Base64 of UTF-16LE (PowerShell) or UTF-8 text; `None` where it decodes to something that is no text.
fn decode(value: &str) -> Option<String> {
    let bytes = BASE64.decode(value.trim_end_matches('=')).ok()?;
    let zeros = bytes.iter().skip(1).step_by(2).filter(|byte| **byte == 0).count();
    let text = if zeros * 4 >= bytes.len() {
        let units = bytes
            .chunks_exact(2)
            .filter_map(|pair| Some(u16::from_le_bytes([*pair.first()?, *pair.get(1)?])));
        char::decode_utf16(units)
            .map(|unit| unit.unwrap_or(char::REPLACEMENT_CHARACTER))
            .collect()
    } else {
        String::from_utf8(bytes).ok()?
    };
    let readable = text
        .chars()
        .filter(|character| !character.is_control() || character.is_whitespace())
        .count();
    (readable * 10 >= text.chars().count() * 9 && readable > 3).then_some(text)
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    #[test]
    fn tricks_of_the_shells_are_undone() {
        for (line, expected) in [
            ("c^e^r^tutil -URLcache", "certutil -urlcache"),
            (r#"c"er"tu""til -decode"#, "certutil -decode"),
            (
                "i`e`x (n`ew-object net.webclient)",
                "iex (new-object net.webclient)",
            ),
            ("%comspec:~-7,3% /c whoami", "cmd /c whoami"),
            ("%comspec:~0,1%:\\x", "c:\\x"),
            ("('i'+'e'+ 'x')", "('iex')"),
            ("&($env:comspec[4,24,25]-join'')", "&('iex'-join'')"),
            ("([char]105+[char]0x65+[char]120)", "('i'+'e'+'x')"),
            ("\u{2013}enc", "-enc"),
        ] {
            let undone = undo(line);
            let expected_joined = expected.replace("'i'+'e'+'x'", "iex");
            let plain = undone.text.replace("'", "");
            assert_eq!(plain, expected_joined.replace("'", ""), "{line}");
            assert!(
                undone.traits.has(Traits::OBFUSCATED) || line.starts_with("%"),
                "{line}"
            );
        }
    }

    #[test]
    fn honest_quoting_is_no_trick() {
        for line in [
            r#"robocopy "C:\Program Files\A" "D:\B" /mir"#,
            r#"echo a ^& b ^> c"#,
            r#"findstr /r "^Name: [a-z]" x.txt"#,
            "echo 100% done, 50% left",
        ] {
            let undone = undo(line);
            assert!(!undone.traits.has(Traits::OBFUSCATED), "{line}: {}", undone.text);
        }
    }

    #[test]
    fn encoded_commands_are_opened_layer_by_layer() {
        let utf16 = |text: &str| {
            let bytes: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
            BASE64.encode(bytes)
        };
        let inner = format!("powershell -e {}", utf16("whoami /all"));
        let line = format!("PowerShell.exe -NoP -enC {}", utf16(&inner));
        let undone = undo(&line);
        assert!(
            undone.text.lines().any(|line| line == "whoami /all"),
            "{}",
            undone.text
        );
        assert!(undone.traits.has(Traits::ENCODED));
        assert!(!undo("tool -e 12345678").traits.has(Traits::ENCODED));
    }
}
