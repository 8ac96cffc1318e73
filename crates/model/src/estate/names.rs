//! The forms of names: domains, mail addresses, accounts; and what somebody may have meant.

/// A domain in lower case, or what is wrong with it and how to mend it.
pub(super) fn domain(text: &str) -> Result<String, (String, String)> {
    let wrong = |mend: String| Err((format!("{text:?} is not a domain"), mend));
    let lower = text.trim().to_lowercase();
    let bare = lower
        .split_once("://")
        .map_or(lower.as_str(), |(_, rest)| rest)
        .trim_start_matches("*.")
        .trim_start_matches(['@', '.'])
        .split(['/', ':'])
        .next()
        .unwrap_or_default()
        .trim_end_matches('.');
    if !bare.is_ascii() {
        return wrong("write internationalised names in their xn-- form".to_owned());
    }
    if !is_domain(bare) {
        return wrong("write it like assembly.example".to_owned());
    }
    if bare != lower {
        return wrong(format!("write `{bare}` alone; everything below it is included"));
    }
    Ok(lower)
}

/// A mail address in lower case, or what is wrong with it and how to mend it.
pub(super) fn address(text: &str) -> Result<String, (String, String)> {
    let lower = text.trim().to_lowercase();
    let wrong = |mend: String| Err((format!("{text:?} is not a mail address"), mend));
    if let Some((_, inner)) = lower.split_once('<') {
        let bare = inner.trim_end_matches('>');
        return wrong(format!("write `{bare}` alone, without a name and angle brackets"));
    }
    if lower.contains([';', ',']) {
        return wrong("write one address each".to_owned());
    }
    match lower.rsplit_once('@') {
        Some((local, host)) if !local.is_empty() && !local.contains(['@', ' ']) => match domain(host) {
            Ok(_) => Ok(lower),
            Err((_, mend)) => wrong(mend),
        },
        _ => wrong("write it like anna@assembly.example".to_owned()),
    }
}

/// An account name in lower case and without its domain, or what is wrong with it.
pub(super) fn account(text: &str) -> Result<String, (String, String)> {
    let lower = text.trim().to_lowercase();
    let wrong = |mend: String| Err((format!("{text:?} is not an account name"), mend));
    if let Some((_, bare)) = lower.rsplit_once('\\') {
        return wrong(format!("write `{bare}` without its domain"));
    }
    if let Some((bare, _)) = lower.split_once('@') {
        return wrong(format!("write `{bare}` without its domain"));
    }
    if lower.is_empty() {
        return wrong("write it as logs do, without its domain".to_owned());
    }
    Ok(lower)
}

/// The one of `known` that `written` was probably meant to be.
pub(super) fn closest<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let allowed = (written.chars().count() / 3).max(1);
    known
        .into_iter()
        .map(|name| (edits(written, name), name))
        .filter(|(distance, _)| *distance <= allowed)
        .min()
        .map(|(_, name)| name)
}

/// RFC 1035 2.3.1 as used: letters, digits, hyphens, at least two labels; underscores occur.
fn is_domain(text: &str) -> bool {
    let is_label = |label: &str| {
        let characters_ok = label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_');
        (1..=63).contains(&label.len()) && characters_ok && !label.starts_with('-') && !label.ends_with('-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(is_label)
}

/// Levenshtein distance, with case folded.
fn edits(a: &str, b: &str) -> usize {
    let (a, b) = (a.to_lowercase(), b.to_lowercase());
    let columns: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=columns.len()).collect();
    for (line, letter) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = line + 1;
        for (column, other) in columns.iter().enumerate() {
            let replaced = diagonal + usize::from(letter != *other);
            diagonal = row[column + 1];
            row[column + 1] = replaced.min(row[column] + 1).min(diagonal + 1);
        }
    }
    row[columns.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_folded_or_mended() {
        assert_eq!(domain("Assembly.Example").as_deref(), Ok("assembly.example"));
        for (written, mended) in [
            ("https://www.assembly.example/x", "`www.assembly.example`"),
            ("*.assembly.example", "`assembly.example`"),
            ("@assembly.example", "`assembly.example`"),
        ] {
            let mend = domain(written).err().unwrap_or_default().1;
            assert!(mend.contains(mended), "{written}: {mend}");
        }
        for bad in ["", "localhost", "a..b", "-a.example", "ü.example", "a b.example"] {
            assert!(domain(bad).is_err(), "{bad}");
        }
        assert_eq!(
            address("Anna.B@Assembly.Example").as_deref(),
            Ok("anna.b@assembly.example")
        );
        for bad in [
            "anna",
            "@a.example",
            "a@b@c.example",
            "Anna <a@b.example>",
            "a@b.example;c@d.example",
        ] {
            assert!(address(bad).is_err(), "{bad}");
        }
        assert_eq!(account("Anna").as_deref(), Ok("anna"));
        assert!(account("ASSEMBLY\\anna").is_err());
    }

    #[test]
    fn the_closest_name_is_close() {
        let known = ["addresses", "accounts", "groups"];
        assert_eq!(closest("adresses", known), Some("addresses"));
        assert_eq!(closest("Group", known), Some("groups"));
        assert_eq!(closest("telephone", known), None);
    }
}
