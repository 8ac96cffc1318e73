//! Mail that was delivered, taken back through IMAP (RFC 9051, RFC 3501 with UIDPLUS).

use std::fmt::Debug;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, bail};
use async_imap::{Client, Session};
use blackrod_model::Timestamp;
use futures_util::TryStreamExt as _;
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::actions::Action;
use super::config::{Recall, RecallKind, Secret, secret};
use super::deliver::{ID_FIELD, split};
use super::policy::Verdict;
use super::quarantine::{Held, Quarantine};
use super::rewrite::Rewriter;

/// The header field of messages that replaced others in a mailbox.
const RECALLED_FIELD: &str = "X-Blackrod-Recalled";
/// The most that one mailbox's work may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// A way to all mailboxes.
#[derive(Clone)]
pub(crate) struct Mailboxes {
    options: Recall,
    password: Secret,
    tls: Option<tokio_rustls::TlsConnector>,
    quarantine: Arc<Quarantine>,
    rewriter: Arc<Rewriter>,
}

/// What was found of a message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Found {
    /// It is not there.
    Missing,
    /// It is there, and nothing was done: a rehearsal.
    Present {
        /// Its reader has seen it.
        opened: bool,
    },
    /// Done, and looked for again.
    TakenBack {
        /// Its reader had seen it.
        opened: bool,
        /// It is as it should be.
        is_verified: bool,
    },
}

/// Whether anything is changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mode {
    Rehearse,
    Act,
}

trait Wire: AsyncRead + AsyncWrite + Unpin + Send + Debug {}
impl<T: AsyncRead + AsyncWrite + Unpin + Send + Debug> Wire for T {}
type Imap = Session<Box<dyn Wire>>;

impl Mailboxes {
    pub(crate) fn new(
        options: &Recall,
        quarantine: Arc<Quarantine>,
        rewriter: Arc<Rewriter>,
    ) -> anyhow::Result<Self> {
        Ok(Self {
            password: secret(&options.password_file)?,
            tls: options.tls.then(|| connector(options)).transpose()?,
            options: options.clone(),
            quarantine,
            rewriter,
        })
    }

    /// Carries out actions of one mailbox, in their order. What comes back is shorter where the server failed.
    pub(crate) async fn carry_out(
        &self,
        mailbox: &str,
        actions: &[Action],
        mode: Mode,
        outcomes: &mut Vec<Found>,
    ) -> anyhow::Result<()> {
        let work = async {
            let mut session = self.log_in(mailbox).await?;
            for action in actions {
                outcomes.push(self.one(&mut session, action, mode).await?);
            }
            // The work is done whether or not the server says goodbye.
            let _ = session.logout().await;
            Ok(())
        };
        timeout(PATIENCE, work)
            .await
            .with_context(|| format!("{mailbox}: the IMAP server is too slow"))?
    }

    async fn log_in(&self, mailbox: &str) -> anyhow::Result<Imap> {
        let place = &self.options.imap;
        let socket = TcpStream::connect(place)
            .await
            .with_context(|| format!("cannot connect to {place}"))?;
        let wire: Box<dyn Wire> = match &self.tls {
            None => Box::new(socket),
            Some(tls) => {
                let host = place.rsplit_once(':').map_or(place.as_str(), |(host, _)| host);
                let name = ServerName::try_from(host.to_owned())?;
                Box::new(tls.connect(name, socket).await?)
            }
        };
        let mut client = Client::new(wire);
        if client.read_response().await?.is_none() {
            bail!("{place} closed the connection");
        }
        let local = mailbox.rsplit_once('@').map_or(mailbox, |(local, _)| local);
        let user = self
            .options
            .user
            .replace("{address}", mailbox)
            .replace("{local}", local);
        client
            .login(user, self.password.reveal())
            .await
            .map_err(|(error, _)| anyhow::anyhow!("{mailbox}: no login: {error}"))
    }

    async fn one(&self, session: &mut Imap, action: &Action, mode: Mode) -> anyhow::Result<Found> {
        for folder in &self.options.folders {
            match mode {
                Mode::Act => session.select(folder).await?,
                Mode::Rehearse => session.examine(folder).await?,
            };
            let found = session.uid_search(query(action)).await?;
            let mut opened = false;
            for uid in &found {
                opened |= self.one_message(session, folder, *uid, action, mode).await?;
            }
            if found.is_empty() {
                continue;
            }
            if mode == Mode::Rehearse {
                return Ok(Found::Present { opened });
            }
            let left = session.uid_search(query(action)).await?;
            return Ok(Found::TakenBack {
                opened,
                is_verified: left.is_empty(),
            });
        }
        Ok(Found::Missing)
    }

    /// Whether its reader had seen it.
    async fn one_message(
        &self,
        session: &mut Imap,
        folder: &str,
        uid: u32,
        action: &Action,
        mode: Mode,
    ) -> anyhow::Result<bool> {
        let fetched: Vec<_> = session
            .uid_fetch(uid.to_string(), "(UID FLAGS INTERNALDATE BODY.PEEK[])")
            .await?
            .try_collect()
            .await?;
        let message = fetched
            .into_iter()
            .find(|message| message.uid == Some(uid))
            .context("the server did not give the message")?;
        let flags: Vec<String> = message.flags().filter_map(|flag| flag_name(&flag)).collect();
        let opened = flags.iter().any(|flag| flag == "\\Seen");
        if mode == Mode::Rehearse {
            return Ok(opened);
        }
        let raw = message.body().context("the server gave no body")?;
        // Kept before anything is taken away: it can be released.
        self.quarantine.hold(&held(action, raw), raw)?;
        if let Some(fresh) = self.replacement(raw, action)? {
            let already = session
                .uid_search(format!(
                    "HEADER {ID_FIELD} {} HEADER {RECALLED_FIELD} \"\"",
                    action.evidence
                ))
                .await?;
            if already.is_empty() {
                let date = message
                    .internal_date()
                    .map(|date| date.format("\"%d-%b-%Y %H:%M:%S %z\"").to_string());
                let flags = format!("({})", flags.join(" "));
                session
                    .append(folder, Some(&flags), date.as_deref(), fresh)
                    .await?;
            }
        }
        let _: Vec<_> = session
            .uid_store(uid.to_string(), "+FLAGS.SILENT (\\Deleted)")
            .await?
            .try_collect()
            .await?;
        let _: Vec<_> = session.uid_expunge(uid.to_string()).await?.try_collect().await?;
        Ok(opened)
    }

    /// What takes the message's place; none where nothing does.
    fn replacement(&self, raw: &[u8], action: &Action) -> anyhow::Result<Option<Vec<u8>>> {
        let verdict = match action.kind {
            RecallKind::Purge => return Ok(None),
            RecallKind::Defuse => Verdict::Defuse,
            RecallKind::Tag => Verdict::Tag,
        };
        let fresh = self
            .rewriter
            .rewrite(raw, verdict)
            .context("the message cannot be rewritten; purge it")?;
        let head = format!(
            "{RECALLED_FIELD}: {}; campaign={}\r\n",
            verdict.name(),
            action.campaign
        );
        Ok(Some([head.into_bytes(), fresh].concat()))
    }
}

/// The message as it was delivered, not what replaced it.
fn query(action: &Action) -> String {
    format!(
        "HEADER {ID_FIELD} {} NOT HEADER {RECALLED_FIELD} \"\" NOT DELETED",
        action.evidence
    )
}

fn held(action: &Action, raw: &[u8]) -> Held {
    let (fields, _) = split(raw);
    let field = |wanted: &[u8]| {
        let named = fields.iter().find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.map_or_else(String::new, |(_, value)| {
            String::from_utf8_lossy(value).trim().chars().take(300).collect()
        })
    };
    Held {
        id: action.evidence,
        since: Timestamp::now().to_string(),
        sender: field(b"return-path").trim_matches(['<', '>']).to_owned(),
        recipients: vec![action.mailbox.clone()],
        from: field(b"from"),
        subject: field(b"subject"),
        because: format!("taken back from a mailbox; campaign={}", action.campaign),
        released: None,
    }
}

fn flag_name(flag: &async_imap::types::Flag<'_>) -> Option<String> {
    use async_imap::types::Flag;
    Some(match flag {
        Flag::Seen => "\\Seen".to_owned(),
        Flag::Answered => "\\Answered".to_owned(),
        Flag::Flagged => "\\Flagged".to_owned(),
        Flag::Draft => "\\Draft".to_owned(),
        Flag::Custom(name) => name.to_string(),
        _ => return None,
    })
}

fn connector(options: &Recall) -> anyhow::Result<tokio_rustls::TlsConnector> {
    let mut roots = rustls::RootCertStore::empty();
    match &options.ca_file {
        None => roots.extend(webpki_roots::TLS_SERVER_ROOTS.iter().cloned()),
        Some(file) => {
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
        }
    }
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots)
        .with_no_client_auth();
    Ok(Arc::new(config).into())
}
