//! Words → skeleton, programs, targets and traits.

use blackrod_model::process::Traits;

use super::classes::{ending_of, is_ipv4, is_loopback, is_unix_path, place_of, value_class};
use super::words::{Kind, Word, stem, words};
use super::{MAX_DEPTH, MAX_LIST, MAX_SKELETON, MAX_WORDS, Shape};
use crate::entities::url_host;
use crate::rarity::table::Table;

/// Flags whose value is another machine, whatever the program.
const REMOTE_FLAGS: [&str; 6] = ["node", "computername", "cn", "computer", "remote", "server"];

/// Programs whose `-s`, `-r` or `-h` names another machine.
const REMOTE_PROGRAMS: [&str; 12] = [
    "schtasks",
    "tasklist",
    "taskkill",
    "systeminfo",
    "eventcreate",
    "rpcping",
    "getmac",
    "driverquery",
    "winrm",
    "winrs",
    "nltest",
    "wevtutil",
];

/// Builds one [`Shape`].
pub(super) struct Masker<'t> {
    table: &'t Table,
    shape: Shape,
    left: usize,
    seen_words: usize,
}

/// What the words before the current one say about it.
#[derive(Default)]
struct Context {
    /// The next word is a command.
    expects_command: bool,
    /// The command of this stretch, without `.exe`.
    program: String,
    /// The flag right before.
    flag: String,
    /// Words that are no flags, after the command.
    positional: usize,
}

impl<'t> Masker<'t> {
    pub(super) fn new(table: &'t Table, traits: Traits) -> Self {
        let shape = Shape {
            traits,
            ..Shape::default()
        };
        Self {
            table,
            shape,
            left: MAX_WORDS,
            seen_words: 0,
        }
    }

    pub(super) fn finish(mut self) -> Shape {
        if self.seen_words <= 1 {
            self.shape.traits.add(Traits::BARE);
        }
        self.shape
    }

    /// Takes in one line, which is a command.
    pub(super) fn line(&mut self, line: &str, depth: usize) {
        let mut context = Context {
            expects_command: true,
            ..Context::default()
        };
        for word in words(line, self.left) {
            self.left = self.left.saturating_sub(1);
            self.seen_words += 1;
            match word.kind {
                Kind::Break => {
                    self.put("&");
                    context = Context {
                        expects_command: true,
                        ..Context::default()
                    };
                }
                Kind::Output => self.output(word.text),
                _ if context.expects_command => self.command(word, &mut context, depth),
                _ => self.argument(word, &mut context, depth),
            }
        }
    }

    /// A word where a command stands.
    fn command(&mut self, word: Word<'_>, context: &mut Context, depth: usize) {
        let text = word.text.trim_matches(['"', '(', ')', '@', '\'']).trim();
        if text.is_empty() {
            return;
        }
        let is_line = word.kind == Kind::Quoted && text.contains(' ') && !is_whole_path(text);
        if is_line && depth < MAX_DEPTH {
            self.line(text, depth + 1);
            return;
        }
        // `start "title" /b program`
        if context.program == "start"
            && (text.starts_with('/') || word.kind == Kind::Quoted && !is_whole_path(text))
        {
            return;
        }
        let text = if text == "%comspec%" { "cmd" } else { text };
        self.file_traits(text, false);
        let name = stem(text.trim_start_matches(['&', '.']).trim());
        let program = &name[..name.floor_char_boundary(64)];
        if program.is_empty() {
            return;
        }
        let starts_another = matches!(program, "start" | "call" | "else");
        if !starts_another {
            self.program(program);
        }
        self.put(&mask_digits(program));
        context.expects_command = starts_another;
        program.clone_into(&mut context.program);
        context.flag.clear();
        context.positional = 0;
    }

    /// A word after a command.
    fn argument(&mut self, word: Word<'_>, context: &mut Context, depth: usize) {
        let text = word.text.trim();
        if text.is_empty() {
            return;
        }
        if let Some(flag) = flag_of(text) {
            self.flag(flag, context);
            return;
        }
        let carries = is_carrier(context) || self.is_nested_command(word, text);
        if carries && depth < MAX_DEPTH {
            self.line(text, depth + 1);
            context.flag.clear();
            // What follows `cmd /c` without quotes are the arguments of that command.
            if word.kind == Kind::Plain {
                stem(text).clone_into(&mut context.program);
                context.positional = 0;
            }
            return;
        }
        if matches!(text, "do" | "(") && matches!(context.program.as_str(), "for" | "if") {
            context.expects_command = true;
            return;
        }
        if word.kind == Kind::Quoted && text.contains(' ') && !is_whole_path(text) {
            for inner in words(text, self.left) {
                self.left = self.left.saturating_sub(1);
                if inner.kind != Kind::Break {
                    self.value(inner.text, context);
                }
            }
        } else {
            self.value(text, context);
        }
        context.positional += 1;
        context.flag.clear();
    }

    /// A quoted text with blanks that begins with a known program, or with any `.exe`.
    fn is_nested_command(&self, word: Word<'_>, text: &str) -> bool {
        let Some((first, _)) = text.split_once(' ') else {
            return false;
        };
        word.kind == Kind::Quoted
            && !is_whole_path(text)
            && (first.ends_with(".exe") || (first.len() > 2 && self.table.knows(stem(first))))
    }

    /// `-name`, `/name:value`, `--name=value`.
    fn flag(&mut self, flag: &str, context: &mut Context) {
        let (name, value) = match flag.find([':', '=']) {
            Some(at) => (&flag[..at], Some(flag[at + 1..].trim_matches(['"', '\'']))),
            None => (flag, None),
        };
        self.flag_traits(name, value.is_some(), context);
        let shown = mask_digits(&name[..name.floor_char_boundary(24)]);
        self.put("-");
        self.join(&shown);
        context.flag.clear();
        match value {
            Some(value) if !value.is_empty() => {
                name.clone_into(&mut context.flag);
                self.join(":");
                let before = self.shape.skeleton.len();
                self.value(value, context);
                self.close_gap(before);
                context.flag.clear();
            }
            _ => name.clone_into(&mut context.flag),
        }
    }

    fn flag_traits(&mut self, name: &str, has_value: bool, context: &Context) {
        let is_script_host = matches!(
            context.program.as_str(),
            "powershell" | "pwsh" | "sqlps" | "sqltoolsps"
        );
        let is_prefix_of = |whole: &str, least: usize| name.len() >= least && whole.starts_with(name);
        if is_prefix_of("noprofile", 3) || name == "headless" {
            self.shape.traits.add(Traits::HIDDEN);
        }
        if is_script_host && (is_prefix_of("command", 1)) {
            self.shape.traits.add(Traits::SCRIPT_TEXT);
        }
        let is_password = matches!(
            name,
            "password" | "passwd" | "pw" | "pass" | "rp" | "savecred" | "pwd"
        );
        let is_second_half = matches!(name, "p") && self.shape.skeleton.contains(" -u ");
        if is_password || is_second_half || (name == "user" && has_value) {
            self.shape.traits.add(Traits::CREDENTIALS);
        }
    }

    /// A word that is neither command nor flag.
    fn value(&mut self, text: &str, context: &Context) {
        let text = text
            .trim_matches(['"', '\'', '(', ')', ',', ';', '{', '}', '@'])
            .trim();
        if text.is_empty() {
            return;
        }
        if self.meaning_of_flag(text, context) {
            return;
        }
        if let Some(at) = text.find("://") {
            self.url(text, at);
            return;
        }
        if let Some((key, value)) = key_and_value(text) {
            self.put(&mask_digits(key));
            self.join("=");
            if !value.is_empty() {
                let before = self.shape.skeleton.len();
                self.plain_value(value, context);
                self.close_gap(before);
            }
            return;
        }
        self.plain_value(text, context);
    }

    /// Values that mean something only behind their flag. True where the word is dealt with.
    fn meaning_of_flag(&mut self, text: &str, context: &Context) -> bool {
        let flag = context.flag.as_str();
        if flag.is_empty() {
            return false;
        }
        if flag.starts_with('w') && "windowstyle".starts_with(flag) && "hidden".starts_with(text) {
            self.shape.traits.add(Traits::HIDDEN);
            self.put("hidden");
            return true;
        }
        if (flag.starts_with("ex") || flag == "ep") && matches!(text, "bypass" | "unrestricted") {
            self.shape.traits.add(Traits::POLICY_BYPASS);
            self.put(text);
            return true;
        }
        let short = matches!(flag, "s" | "r" | "h") && REMOTE_PROGRAMS.contains(&context.program.as_str());
        if short || REMOTE_FLAGS.contains(&flag) {
            let host = text.trim_start_matches('\\');
            let host = host.split_once("://").map_or(host, |(_, rest)| rest);
            self.remote(host.split([':', '/']).next().unwrap_or(host));
            self.put("<host>");
            return true;
        }
        false
    }

    fn plain_value(&mut self, text: &str, context: &Context) {
        if text.starts_with("\\\\") && !text.starts_with("\\\\?\\") && !text.starts_with("\\\\.\\") {
            self.share(text);
            return;
        }
        if let Some(class) = value_class(text) {
            match class {
                "<ip>" => {
                    let host = text.split([':', '/']).next().unwrap_or(text);
                    if !is_loopback(host) {
                        self.shape.traits.add(Traits::ADDRESS);
                        self.target(host);
                    }
                }
                "<b64>" => self.shape.traits.add(Traits::BASE64),
                _ => {}
            }
            self.put(class);
            return;
        }
        if is_registry(text) {
            self.registry(text);
            return;
        }
        let (file, export) = match text.split_once(',') {
            Some((file, export)) if ending_of(file).is_some() => (file, Some(export)),
            _ => (text, None),
        };
        let is_path =
            file.contains('\\') || is_unix_path(file) || (file.starts_with('%') && file.contains("%\\"));
        if is_path || ending_of(file.rsplit(':').next().unwrap_or(file)).is_some() {
            self.file(file, export);
            return;
        }
        self.word(text, context);
    }

    /// A file: `<temp>.dll`, and for system folders its name.
    fn file(&mut self, path: &str, export: Option<&str>) {
        self.file_traits(path, true);
        let place = place_of(path);
        let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
        self.put("<");
        self.join(place);
        self.join(">");
        if matches!(place, "system" | "secrets") && name.len() <= 32
            || (place == "here" && self.table.knows(name))
        {
            self.join("\\");
            self.join(&mask_digits(name));
        } else if let Some((ending, _)) = ending_of(name) {
            self.join(".");
            self.join(ending);
        }
        if let Some(export) = export {
            let function = export.split(',').next().unwrap_or(export).trim();
            self.join(",");
            self.join(&mask_digits(&function[..function.floor_char_boundary(40)]));
        }
        // A library or script with an entry of its own: `rundll32 comsvcs.dll`, `cscript winrm.vbs`.
        let subject = stem(name);
        if self.table.knows(subject) && subject.contains('.') {
            self.program(subject);
        }
    }

    fn file_traits(&mut self, path: &str, is_argument: bool) {
        let traits = &mut self.shape.traits;
        match place_of(path) {
            "public" if is_argument => traits.add(Traits::PUBLIC_FOLDER),
            "temp" | "user" | "startup" if is_argument => traits.add(Traits::USER_FOLDER),
            "public" | "temp" | "user" | "share" => traits.add(Traits::ODD_PLACE),
            _ => {}
        }
        if is_argument && let Some((_, meaning)) = ending_of(path) {
            traits.add(meaning);
        }
        if has_stream(path) {
            traits.add(Traits::STREAM);
        }
        if path.starts_with("\\\\") {
            self.share_traits(path);
        }
    }

    fn share(&mut self, text: &str) {
        let rest = text.trim_start_matches('\\');
        if rest.starts_with("root\\") || rest == "root" {
            self.put("<namespace>");
            return;
        }
        if !rest.contains('\\') {
            self.remote(rest);
            self.put("<host>");
            return;
        }
        self.file_traits(text, true);
        let name = rest.rsplit('\\').next().unwrap_or(rest);
        self.put("<share>");
        if let Some((ending, _)) = ending_of(name) {
            self.join(".");
            self.join(ending);
        }
    }

    fn share_traits(&mut self, path: &str) {
        let mut parts = path
            .trim_start_matches('\\')
            .split('\\')
            .filter(|part| !part.is_empty());
        let (Some(host), Some(share)) = (parts.next(), parts.next()) else {
            return;
        };
        let host = host.split('@').next().unwrap_or(host);
        if host == "?" || host == "." && share.starts_with("pipe") {
            return;
        }
        if share.ends_with('$') {
            self.shape.traits.add(Traits::ADMIN_SHARE);
        }
        if is_loopback(host) {
            self.shape.traits.add(Traits::LOOPBACK_SHARE);
        } else {
            self.shape.traits.add(Traits::UNC);
            self.target(host);
        }
    }

    fn url(&mut self, text: &str, at: usize) {
        let scheme_start = text[..at]
            .rfind(|character: char| !character.is_ascii_alphanumeric() && character != '-')
            .map_or(0, |before| before + 1);
        let url = &text[scheme_start..];
        if url.starts_with("file:") && !url.starts_with("file://\\\\") {
            self.file(url.trim_start_matches("file:").trim_start_matches('/'), None);
            return;
        }
        let Some(host) = url_host(url) else {
            self.put("<url>");
            return;
        };
        if !is_loopback(&host) {
            self.shape.traits.add(Traits::URL);
            if is_ipv4(&host) {
                self.shape.traits.add(Traits::URL_ADDRESS);
            }
            self.target(&host);
        }
        self.put("<url>");
        let path = url.split(['?', '#']).next().unwrap_or(url);
        let name = path.rsplit('/').next().unwrap_or(path);
        if name != host
            && let Some((ending, meaning)) = ending_of(name.trim_end_matches(['"', '\'', ')']))
        {
            self.join(".");
            self.join(ending);
            self.shape.traits.add(meaning);
        }
    }

    /// A registry path: its first parts, what is deeper varies.
    fn registry(&mut self, text: &str) {
        self.put("<reg>");
        for part in text.split('\\').take(4) {
            if value_class(part).is_none() && part.len() <= 24 {
                self.join("\\");
                self.join(&mask_digits(part));
            }
        }
    }

    fn word(&mut self, text: &str, context: &Context) {
        if text.starts_with(['$', '%', '!']) {
            self.put("<v>");
            return;
        }
        let is_letters = text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || matches!(byte, b'-' | b'_'));
        let is_cmdlet = is_letters
            && text.len() <= 40
            && text
                .split_once('-')
                .is_some_and(|(verb, noun)| verb.len() > 2 && noun.len() > 2);
        // The first word after an unknown program is mostly what it is to do (`git push`); what a known
        // program can be told is in the table's list of verbs.
        let is_verb = context.positional == 0
            && context.flag.is_empty()
            && is_letters
            && text.len() <= 16
            && !self.table.knows(&context.program);
        if self.table.is_verb(text) || is_cmdlet || is_verb {
            self.put(text);
        } else {
            self.put("<w>");
        }
    }

    fn output(&mut self, text: &str) {
        let target = text.trim_matches('"');
        if target.starts_with("\\\\") {
            self.shape.traits.add(Traits::TO_SHARE);
        }
        if matches!(target, "nul" | "$null" | "/dev/null") || target.starts_with('%') && target.ends_with('%')
        {
            return;
        }
        self.put(">");
        if target.starts_with("\\\\") {
            self.share(target);
        } else {
            self.file(target, None);
        }
    }

    fn remote(&mut self, host: &str) {
        if !host.is_empty() && !is_loopback(host) && !host.starts_with(['%', '$', '!']) {
            self.shape.traits.add(Traits::REMOTE);
            self.target(host);
        }
    }

    fn program(&mut self, name: &str) {
        let programs = &mut self.shape.programs;
        if programs.len() < MAX_LIST && !programs.iter().any(|known| known == name) {
            programs.push(name.to_owned());
        }
    }

    fn target(&mut self, host: &str) {
        let targets = &mut self.shape.targets;
        if targets.len() < MAX_LIST && host.len() <= 255 && !targets.iter().any(|known| known == host) {
            targets.push(host.to_owned());
        }
    }

    /// Appends a word to the skeleton.
    fn put(&mut self, text: &str) {
        if !self.shape.skeleton.is_empty() && self.shape.skeleton.len() < MAX_SKELETON {
            self.shape.skeleton.push(' ');
        }
        self.join(text);
    }

    /// Appends to the last word of the skeleton.
    fn join(&mut self, text: &str) {
        let room = MAX_SKELETON.saturating_sub(self.shape.skeleton.len());
        self.shape
            .skeleton
            .push_str(&text[..text.floor_char_boundary(room.min(text.len()))]);
    }

    /// Removes the blank that `put` left at `at`, within one word.
    fn close_gap(&mut self, at: usize) {
        if self.shape.skeleton.as_bytes().get(at) == Some(&b' ') {
            self.shape.skeleton.remove(at);
        }
    }
}

/// Whether the word after the current flag is a command of its own.
fn is_carrier(context: &Context) -> bool {
    let by_program = match context.program.as_str() {
        "cmd" => matches!(context.flag.as_str(), "c" | "k" | "r"),
        "powershell" | "pwsh" => {
            context.flag.len() <= 7
                && !context.flag.is_empty()
                && "command".starts_with(context.flag.as_str())
        }
        "bash" | "sh" | "zsh" | "dash" | "wsl" | "forfiles" => context.flag.ends_with('c'),
        _ => false,
    };
    by_program || matches!(context.flag.as_str(), "tr" | "binpath")
}

/// The flag without its marks; `None` for other words and for Unix paths.
fn flag_of(text: &str) -> Option<&str> {
    if is_unix_path(text) {
        return None;
    }
    let name = text
        .strip_prefix("--")
        .or_else(|| text.strip_prefix('-'))
        .or_else(|| text.strip_prefix('/'))?;
    let first = name.chars().next()?;
    (first.is_ascii_alphabetic() || first == '?').then_some(name)
}

/// `binpath=c:\x.exe`, `name=value`: not a URL's query, not a PowerShell comparison.
fn key_and_value(text: &str) -> Option<(&str, &str)> {
    let (key, value) = text.split_once('=')?;
    let is_name = (2..=24).contains(&key.len())
        && key
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || b"_-.".contains(&byte));
    is_name.then(|| (key, value.trim_matches(['"', '\'', '\\'])))
}

/// A text with blanks that is one path: `c:\program files\a b\c.exe`.
fn is_whole_path(text: &str) -> bool {
    let bytes = text.as_bytes();
    let begins =
        text.starts_with("\\\\") || text.starts_with('%') || bytes.get(1) == Some(&b':') || is_registry(text);
    let one_file = text.matches('"').count() == 0
        && !text.contains(" -")
        && !text.contains(" /")
        && text.matches(":\\").count() <= 1;
    begins && one_file
}

/// Hives of the registry, short and long.
fn is_registry(text: &str) -> bool {
    let head = text.split(['\\', ':']).next().unwrap_or(text);
    matches!(head, "hklm" | "hkcu" | "hkcr" | "hku" | "hkcc")
        || head.starts_with("hkey_")
        || head == "registry"
}

/// An alternate data stream: a colon after the file's name.
fn has_stream(path: &str) -> bool {
    let name = path.rsplit(['\\', '/']).next().unwrap_or(path);
    let Some((file, stream)) = name.split_once(':') else {
        return false;
    };
    // `c:file` is a drive; `<b>:80` in a URL never comes here.
    (file.len() > 1 || name.len() < path.len())
        && !stream.is_empty()
        && !file.starts_with('%')
        && !file.starts_with("$env")
        && !stream.bytes().all(|byte| byte.is_ascii_digit())
}

/// Digits vary: `tool-1.2.3` is `tool-#.#.#`.
fn mask_digits(text: &str) -> String {
    let mut masked = String::with_capacity(text.len());
    for character in text.chars() {
        if !character.is_ascii_digit() {
            masked.push(character);
        } else if !masked.ends_with('#') {
            masked.push('#');
        }
    }
    masked
}
