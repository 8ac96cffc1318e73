//! The configuration file: parsed into what can be used, or refused with the line and what to do.

use std::fmt;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::{Context as _, bail};
use serde::Deserialize;

use super::policy::Policy;

/// Everything that the guard is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    /// What is protected.
    pub(crate) estate: PathBuf,
    /// The folder that the guard keeps its state in. It alone writes there.
    pub(crate) state: PathBuf,
    /// Folders of Sigma and YARA rules beside the built-in ones.
    #[serde(default)]
    pub(crate) rules: Vec<PathBuf>,
    /// Files of indicators.
    #[serde(default)]
    pub(crate) indicators: Vec<PathBuf>,
    /// Folders of canaries.
    #[serde(default)]
    pub(crate) canaries: Vec<PathBuf>,
    pub(crate) listen: Listen,
    #[serde(default)]
    pub(crate) limits: Limits,
    #[serde(default)]
    pub(crate) policy: Policy,
    #[serde(default)]
    pub(crate) judge: JudgeOptions,
    #[serde(default)]
    pub(crate) tag: Tag,
    #[serde(default)]
    pub(crate) arc: Option<Arc>,
    #[serde(default)]
    pub(crate) quarantine: Quarantine,
    #[serde(default)]
    pub(crate) recall: Option<Recall>,
    #[serde(default)]
    pub(crate) alerts: Alerts,
}

/// Where mail servers and watchers connect.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Listen {
    /// Where mail servers speak milter to it.
    pub(crate) milter: Vec<Endpoint>,
    /// Metrics and health over HTTP; nobody is asked who they are, so leave it on loopback.
    #[serde(default)]
    pub(crate) metrics: Option<SocketAddr>,
}

/// `127.0.0.1:8890` or `unix:/run/blackrod/milter.sock`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) enum Endpoint {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl TryFrom<String> for Endpoint {
    type Error = String;

    fn try_from(text: String) -> Result<Self, String> {
        if let Some(path) = text.strip_prefix("unix:") {
            return match path.starts_with('/') {
                true => Ok(Self::Unix(path.into())),
                false => Err(format!("{text:?}: write the whole path, `unix:/run/…`")),
            };
        }
        text.parse()
            .map(Self::Tcp)
            .map_err(|_| format!("{text:?} is no place to listen: write `127.0.0.1:8890` or `unix:/run/…`"))
    }
}

impl fmt::Display for Endpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

/// A length of time in seconds, more than none.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(try_from = "f64")]
pub(crate) struct Seconds(pub(crate) Duration);

impl TryFrom<f64> for Seconds {
    type Error = String;

    fn try_from(seconds: f64) -> Result<Self, String> {
        Duration::try_from_secs_f64(seconds)
            .ok()
            .filter(|length| !length.is_zero())
            .map(Self)
            .ok_or_else(|| format!("{seconds} is no length of time: write seconds, such as 2 or 0.5"))
    }
}

/// What a mail server is told when a message cannot be judged in time or at all.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum OnFailure {
    /// Deliver it; it is judged afterwards and can still be taken back.
    #[default]
    Accept,
    /// The sending server tries again later.
    Tempfail,
}

/// What keeps one message or one client from holding up the others.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Limits {
    /// From the end of a message to its verdict.
    pub(crate) message_seconds: Seconds,
    pub(crate) on_failure: OnFailure,
    /// From the connection to the first command.
    pub(crate) handshake_seconds: Seconds,
    /// Between two commands.
    pub(crate) idle_seconds: Seconds,
    /// Connections at once; beyond it the one that has been silent longest is closed.
    pub(crate) sessions: usize,
    /// Larger messages are delivered unjudged.
    pub(crate) message_bytes: usize,
    /// All messages in the making together.
    pub(crate) buffered_bytes: usize,
    /// Threads that take messages apart; 0: as many as there are processors.
    pub(crate) threads: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            message_seconds: Seconds(Duration::from_secs(2)),
            on_failure: OnFailure::Accept,
            handshake_seconds: Seconds(Duration::from_secs(10)),
            idle_seconds: Seconds(Duration::from_secs(600)),
            sessions: 20_000,
            message_bytes: 50 << 20,
            buffered_bytes: 1 << 30,
            threads: 0,
        }
    }
}

/// Which time a message is judged by.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Clock {
    /// When it came in.
    #[default]
    Arrival,
    /// What it says itself: to play recorded mail through a guard.
    Message,
}

/// How messages are judged among others, and what is kept of them.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct JudgeOptions {
    pub(crate) clock: Clock,
    /// Days of mail that are remembered over a restart.
    pub(crate) keep_days: u32,
    /// Whether a message is answered for only when its journal entry has reached the disk.
    pub(crate) fsync: bool,
}

impl Default for JudgeOptions {
    fn default() -> Self {
        Self {
            clock: Clock::Arrival,
            keep_days: 30,
            fsync: true,
        }
    }
}

/// How tagged messages are marked.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Tag {
    /// Put before the subject; nothing where empty.
    pub(crate) subject: String,
}

impl Default for Tag {
    fn default() -> Self {
        Self {
            subject: "[suspicious] ".to_owned(),
        }
    }
}

/// The seal (RFC 8617) put on messages whose body was changed.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Arc {
    pub(crate) domain: String,
    pub(crate) selector: String,
    /// RSA in PEM, PKCS #1 or #8.
    pub(crate) key_file: PathBuf,
    /// The name that `Authentication-Results` of the arrival are believed from.
    pub(crate) authserv_id: String,
}

/// Messages that are held.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Quarantine {
    pub(crate) keep_days: u32,
    /// The SMTP server that released messages are given to: one that does not ask the guard again.
    pub(crate) release: Option<String>,
}

impl Default for Quarantine {
    fn default() -> Self {
        Self {
            keep_days: 30,
            release: None,
        }
    }
}

/// What is done with messages of a campaign that were delivered before it was known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum RecallKind {
    /// Moved from the mailbox to the quarantine.
    #[default]
    Purge,
    /// Replaced by the defused message.
    Defuse,
    /// Replaced by the message with a tag.
    Tag,
}

/// Who approves what is done in mailboxes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Approval {
    /// A person, by `blackrod recall approve`.
    #[default]
    Person,
    /// The guard, by this line of its configuration.
    Policy,
}

/// How mail is taken back.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Recall {
    /// `imap.example.org:993`.
    pub(crate) imap: String,
    /// TLS from the first byte, checked against the Mozilla roots or `ca_file`; false only on loopback.
    #[serde(default = "yes")]
    pub(crate) tls: bool,
    /// Roots in PEM for a server with a certificate of the house.
    #[serde(default)]
    pub(crate) ca_file: Option<PathBuf>,
    /// The login, where `{address}` and `{local}` stand for the mailbox: `{address}*blackrod` for Dovecot's master users.
    pub(crate) user: String,
    pub(crate) password_file: PathBuf,
    /// Folders that are looked through.
    #[serde(default = "inbox")]
    pub(crate) folders: Vec<String>,
    #[serde(default)]
    pub(crate) action: RecallKind,
    #[serde(default)]
    pub(crate) approval: Approval,
}

/// Who is told of a campaign.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Alerts {
    /// The most alerts of a day; what is beyond it is counted in the last one.
    pub(crate) per_day: u32,
    pub(crate) webhook: Vec<Webhook>,
}

impl Default for Alerts {
    fn default() -> Self {
        Self {
            per_day: 10,
            webhook: Vec::new(),
        }
    }
}

/// A place that alerts are posted to.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Webhook {
    pub(crate) url: String,
    /// The key of the signature (HMAC-SHA256).
    pub(crate) secret_file: PathBuf,
}

fn yes() -> bool {
    true
}

fn inbox() -> Vec<String> {
    vec!["INBOX".to_owned()]
}

/// Reads and checks a configuration file.
pub(crate) fn load(path: &Path) -> anyhow::Result<Config> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the configuration {}", path.display()))?;
    let config = parse(&text).with_context(|| format!("{} cannot be used", path.display()))?;
    Ok(config)
}

fn parse(text: &str) -> anyhow::Result<Config> {
    let config: Config = toml::from_str(text)?;
    if config.listen.milter.is_empty() {
        bail!("listen.milter is empty: name at least one place, such as \"127.0.0.1:8890\"");
    }
    if let Some(recall) = config.recall.as_ref().filter(|recall| !recall.tls) {
        let host = recall.imap.rsplit_once(':').map_or("", |(host, _)| host);
        if !matches!(host, "127.0.0.1" | "localhost" | "[::1]") {
            bail!(
                "recall.tls = false would send the password readably to {host}: take it out, or connect to loopback"
            );
        }
    }
    let is_plain =
        |hook: &&Webhook| !hook.url.starts_with("https://") && !hook.url.starts_with("http://127.0.0.1");
    if let Some(hook) = config.alerts.webhook.iter().find(is_plain) {
        bail!(
            "alerts.webhook url {:?}: write https://, or http://127.0.0.1 for this machine",
            hook.url
        );
    }
    if config.policy.holds() && config.quarantine.release.is_none() {
        bail!(
            "the policy holds messages, but nothing of [quarantine] says how they can be released: \
             add release = \"127.0.0.1:10026\" with an SMTP server that does not ask the guard"
        );
    }
    Ok(config)
}

/// A secret from a file, without the line's end.
pub(crate) fn secret(path: &Path) -> anyhow::Result<Secret> {
    let text = std::fs::read_to_string(path)
        .with_context(|| format!("cannot read the secret in {}", path.display()))?;
    let text = text.trim_end_matches(['\r', '\n']);
    if text.is_empty() {
        bail!("{} is empty", path.display());
    }
    Ok(Secret(text.to_owned()))
}

/// Never shown.
#[derive(Clone)]
pub(crate) struct Secret(String);

impl Secret {
    pub(crate) fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}

/// Checks that need more than the text of the file: what it names has to be there.
pub(crate) fn check_files(config: &Config) -> anyhow::Result<()> {
    let folders = config.rules.iter().chain(&config.canaries);
    let folders = folders.filter(|folder| !folder.is_dir());
    let files = config.indicators.iter().filter(|file| !file.exists());
    if let Some(missing) = folders.chain(files).next() {
        bail!("{} is not there", missing.display());
    }
    if let Some(recall) = &config.recall {
        secret(&recall.password_file)?;
    }
    for hook in &config.alerts.webhook {
        secret(&hook.secret_file)?;
    }
    if let Some(arc) = &config.arc {
        secret(&arc.key_file)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    const LEAST: &str = "estate = \"e.toml\"\nstate = \"/tmp/s\"\n[listen]\nmilter = [\"127.0.0.1:0\"]\n";

    #[test]
    fn little_is_enough() {
        let config = parse(LEAST).unwrap();
        assert_eq!(config.limits.message_seconds.0, Duration::from_secs(2));
        assert_eq!(config.limits.on_failure, OnFailure::Accept);
        assert!(config.recall.is_none());
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_what_would_be_right() {
        let told = |text: &str| parse(&format!("{LEAST}{text}")).unwrap_err().to_string();
        let unknown = told("[limits]\nmesage_seconds = 3\n");
        assert!(unknown.contains("line 6"), "{unknown}");
        assert!(unknown.contains("message_seconds"), "{unknown}");
        let verdict = told("[policy]\ncampaign = \"burn\"\n");
        assert!(
            verdict.contains("line 6") && verdict.contains("defuse"),
            "{verdict}"
        );
        let seconds = told("[limits]\nmessage_seconds = -1.0\n");
        assert!(seconds.contains("write seconds"), "{seconds}");
        assert!(told("[policy]\ncampaign = \"hold\"\n").contains("release ="));
        let plain = "[recall]\nimap = \"mail.example:143\"\ntls = false\nuser = \"{address}\"\npassword_file = \"p\"\n";
        assert!(told(plain).contains("readably"));
    }
}
