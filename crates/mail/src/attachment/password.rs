//! A locked file whose key stands in the message: it keeps filters out and lets the reader in.

use std::sync::LazyLock;

use aho_corasick::AhoCorasick;

use super::Notes;

/// The word for a password, in lower case, in the languages of those who are written to.
const WORDS: &[&str] = &[
    "password",
    "passcode",
    "pass code",
    "passwort",
    "kennwort",
    "mot de passe",
    "contraseña",
    "contrasena",
    "senha",
    "palavra-passe",
    "parola d'ordine",
    "parola",
    "wachtwoord",
    "hasło",
    "heslo",
    "пароль",
    "lösenord",
    "adgangskode",
    "passord",
    "salasana",
    "jelszó",
    "lozinka",
    "geslo",
    "şifre",
    "parool",
    "slaptažodis",
    "κωδικός",
    "密码",
    "密碼",
    "パスワード",
    "비밀번호",
    "كلمة المرور",
    "סיסמה",
    "гасло",
];
/// How far behind the word the password may stand, in bytes.
const NEAR: usize = 60;

static MATCHER: LazyLock<Option<AhoCorasick>> = LazyLock::new(|| AhoCorasick::new(WORDS).ok());

/// Looks for a password for the locked file `name` in the message's text.
pub(super) fn look(name: &str, notes: &mut Notes<'_>) {
    if let Some(seen) = in_text(notes.text) {
        notes.signal("content/password-in-text", &format!("{name}: {seen}"));
    }
}

/// The place where `text` (in lower case) says a password.
fn in_text(text: &str) -> Option<&str> {
    let matcher = MATCHER.as_ref()?;
    matcher.find_iter(text).find_map(|found| {
        let end = text.floor_char_boundary(found.end() + NEAR);
        let after = text.get(found.end()..end)?;
        says(after).then(|| text.get(found.start()..end).unwrap_or_default().trim())
    })
}

/// Whether what follows the word is a password: after a colon, an equals sign or a verb, a word of 3 to 32 characters.
fn says(after: &str) -> bool {
    const JOINTS: &[&str] = &[
        ":", "：", "=", "-", "–", "is ", "ist ", "est ", "es ", "é ", "è ", "jest ", "je ", "är ", "er ",
        "на ", "to open", "是", "は",
    ];
    let joint = JOINTS
        .iter()
        .filter_map(|joint| after.find(joint).map(|at| (at, joint.len())))
        .min();
    let Some((at, length)) = joint.filter(|(at, _)| *at <= 30) else {
        return false;
    };
    let rest = after.get(at + length..).unwrap_or_default();
    let word = rest.trim_start_matches([' ', '"', '\'', ':', '*', '“', '«', '\u{a0}', '\n', '\r']);
    let word = word.split_whitespace().next().unwrap_or_default();
    let length = word.chars().count();
    (3..=32).contains(&length) && !word.starts_with("http")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_are_found_in_many_languages() {
        for text in [
            "the file is protected. password: 7784",
            "archive password is agenda-24",
            "das kennwort lautet: sommer",
            "le mot de passe est \"session\"",
            "пароль: 5521",
            "密码：8812",
        ] {
            assert!(in_text(text).is_some(), "{text}");
        }
    }

    #[test]
    fn talk_about_passwords_gives_none() {
        for text in [
            "please change your password before friday",
            "we never ask for a password",
            "",
        ] {
            assert_eq!(in_text(text), None, "{text}");
        }
    }
}
