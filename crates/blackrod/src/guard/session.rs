//! One connection of a mail server: messages are collected, judged, answered.

use std::io;
use std::sync::Arc;
use std::time::{Duration, Instant};

use blackrod_milter::{Command, MAX_FRAME, Offer, ProtocolError, Reply, VERSION, action, next_command, step};
use blackrod_model::{EvidenceId, Timestamp};
use bytes::BytesMut;
use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::sync::oneshot;
use tokio::time::timeout;

use super::Guard;
use super::config::OnFailure;
use super::deliver::{Delivery, describe};
use super::examine::Examiner;
use super::judge::{Claim, Matter, Ruling};
use super::message::{Message, Peer, address_of};
use super::policy::Verdict;
use super::quarantine::Held;
use super::registry::Entry;
use super::unjudged::Waiting;

/// Commands are answered only where they are a question: the mail server sends header and body without waiting.
const SILENT: u32 = step::NO_REPLY_CONNECT
    | step::NO_REPLY_HELO
    | step::NO_REPLY_MAIL
    | step::NO_REPLY_RECIPIENT
    | step::NO_REPLY_HEADER
    | step::NO_REPLY_END_OF_HEADER
    | step::NO_REPLY_BODY;
const WANTED_STEPS: u32 = SILENT | step::NO_UNKNOWN | step::NO_DATA | step::LEADING_SPACE;
const WANTED_ACTIONS: u32 = action::ADD_HEADERS | action::CHANGE_BODY | action::CHANGE_HEADERS;
/// The least that is read at once, in bytes: little, as thousands of connections may wait.
const READ: usize = 2 * 1024;
/// How long a verdict that was already spoken may take to be written down.
const GRACE: Duration = Duration::from_secs(1);

/// Why a session ended before its time.
#[derive(Debug, thiserror::Error)]
pub(super) enum SessionError {
    #[error(transparent)]
    Io(#[from] io::Error),
    #[error(transparent)]
    Protocol(#[from] ProtocolError),
    #[error("silent for too long")]
    Idle,
}

/// Serves one connection to its end.
pub(super) async fn serve<S>(socket: S, guard: Arc<Guard>, entry: &Entry) -> Result<(), SessionError>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut session = Session {
        socket,
        guard,
        received: BytesMut::new(),
        out: Vec::new(),
        peer: Peer::default(),
        message: Message::default(),
        agreed: 0,
        buffered: 0,
    };
    let outcome = session.run(entry).await;
    session.forget_message();
    outcome
}

struct Session<S> {
    socket: S,
    guard: Arc<Guard>,
    received: BytesMut,
    out: Vec<u8>,
    peer: Peer,
    message: Message,
    /// The steps that both sides agreed on.
    agreed: u32,
    /// What this message adds to the bytes of all messages in the making.
    buffered: usize,
}

/// Whether the connection goes on.
enum Next {
    Go,
    End,
}

impl<S: AsyncRead + AsyncWrite + Unpin> Session<S> {
    async fn run(&mut self, entry: &Entry) -> Result<(), SessionError> {
        let guard = Arc::clone(&self.guard);
        let mut patience = guard.config.limits.handshake_seconds.0;
        loop {
            while let Some(command) = next_command(&mut self.received)? {
                patience = guard.config.limits.idle_seconds.0;
                let is_end = matches!(self.obey(command).await?, Next::End);
                entry.touch(self.buffered > 0);
                if is_end {
                    return Ok(());
                }
            }
            if self.received.is_empty() {
                // What a long message took is given back.
                self.received = BytesMut::new();
            }
            self.received.reserve(READ);
            let read = timeout(patience, self.socket.read_buf(&mut self.received)).await;
            match read {
                Err(_) => return Err(SessionError::Idle),
                Ok(read) => {
                    if read? == 0 {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn obey(&mut self, command: Command) -> Result<Next, SessionError> {
        match command {
            Command::Negotiate(offer) => {
                self.agreed = offer.steps & WANTED_STEPS;
                let ours = Offer {
                    version: offer.version.min(VERSION),
                    actions: offer.actions & WANTED_ACTIONS,
                    steps: self.agreed,
                };
                self.say(&Reply::Negotiate(ours)).await?;
            }
            Command::Macros { values, .. } => {
                for (name, value) in values {
                    let value = || String::from_utf8_lossy(&value).into_owned();
                    match name.as_slice() {
                        b"i" | b"{i}" => self.message.queue_id = value(),
                        b"j" | b"{j}" => self.peer.server = value(),
                        _ => {}
                    }
                }
            }
            Command::Connect { host, address, .. } => {
                self.peer = Peer {
                    host: String::from_utf8_lossy(&host).into_owned(),
                    address: String::from_utf8_lossy(&address).into_owned(),
                    helo: String::new(),
                    server: std::mem::take(&mut self.peer.server),
                };
                self.go_on(step::NO_REPLY_CONNECT).await?;
            }
            Command::Helo(name) => {
                self.peer.helo = String::from_utf8_lossy(&name).into_owned();
                self.go_on(step::NO_REPLY_HELO).await?;
            }
            Command::Mail(sender) => {
                let queue_id = std::mem::take(&mut self.message.queue_id);
                self.forget_message();
                self.message.queue_id = queue_id;
                self.message.sender = address_of(&sender);
                self.go_on(step::NO_REPLY_MAIL).await?;
            }
            Command::Recipient(recipient) => {
                self.message.recipients.push(address_of(&recipient));
                self.go_on(step::NO_REPLY_RECIPIENT).await?;
            }
            Command::Data | Command::Unknown(_) => self.say(&Reply::Continue).await?,
            Command::Header { name, mut value } => {
                if self.agreed & step::LEADING_SPACE == 0 {
                    value.insert(0, b' ');
                }
                self.message.add_header(name, value);
                self.weigh();
                self.go_on(step::NO_REPLY_HEADER).await?;
            }
            Command::EndOfHeader => self.go_on(step::NO_REPLY_END_OF_HEADER).await?,
            Command::Body(chunk) => {
                self.add_body(&chunk);
                self.go_on(step::NO_REPLY_BODY).await?;
            }
            Command::EndOfBody(chunk) => {
                self.add_body(&chunk);
                self.answer().await?;
            }
            Command::Abort => self.forget_message(),
            Command::QuitNewConnection => {
                self.forget_message();
                self.peer.helo.clear();
            }
            Command::Quit => return Ok(Next::End),
        }
        Ok(Next::Go)
    }

    async fn go_on(&mut self, silent_if: u32) -> Result<(), SessionError> {
        match self.agreed & silent_if {
            0 => self.say(&Reply::Continue).await,
            _ => Ok(()),
        }
    }

    async fn say(&mut self, reply: &Reply) -> Result<(), SessionError> {
        reply.write(&mut self.out);
        self.flush().await
    }

    async fn flush(&mut self) -> Result<(), SessionError> {
        let patience = self.guard.config.limits.idle_seconds.0;
        let written = timeout(patience, self.socket.write_all(&self.out)).await;
        self.out.clear();
        self.out.shrink_to(MAX_FRAME);
        written.map_err(|_| SessionError::Idle)??;
        Ok(())
    }

    fn add_body(&mut self, chunk: &[u8]) {
        if !self.message.is_too_large {
            self.message.add_body(chunk);
            self.weigh();
        }
    }

    /// Counts what the message takes up, and gives it up where that is too much.
    fn weigh(&mut self) {
        let (limits, metrics) = (&self.guard.config.limits, &self.guard.metrics);
        let kept = self.message.kept();
        metrics.buffered.add((kept - self.buffered.min(kept)) as u64);
        self.buffered = kept;
        let is_too_much =
            kept > limits.message_bytes || metrics.buffered.get() > limits.buffered_bytes as u64;
        if is_too_much {
            self.message.give_up();
            metrics.buffered.less(self.buffered as u64);
            self.buffered = 0;
        }
    }

    fn forget_message(&mut self) {
        self.guard.metrics.buffered.less(self.buffered as u64);
        self.buffered = 0;
        self.message = Message::default();
    }

    /// At the end of a message: judged, and the mail server told what to do.
    async fn answer(&mut self) -> Result<(), SessionError> {
        let began = Instant::now();
        let guard = Arc::clone(&self.guard);
        guard.metrics.messages.add(1);
        let message = std::mem::take(&mut self.message);
        let delivery = match message.is_too_large {
            true => guard.unjudged_delivery(&message, EvidenceId::default(), "too large"),
            false => guard.decide(&message, &self.peer).await,
        };
        for change in &delivery.changes {
            change.write(&mut self.out);
        }
        guard.metrics.answered_after(began.elapsed());
        self.say(&delivery.reply).await?;
        self.forget_message();
        Ok(())
    }
}

impl Guard {
    /// What becomes of a message.
    async fn decide(&self, message: &Message, peer: &Peer) -> Delivery {
        let raw = Arc::new(message.raw());
        let evidence = message.evidence(&raw);
        let now = Timestamp::now();
        let trace = message.trace(peer, &super::rfc5322(now));
        let full: Arc<[u8]> = [trace.as_slice(), raw.as_slice()].concat().into();
        let claim = Claim::default();
        let (answer, ruling) = oneshot::channel();
        let given = {
            let waiting = waiting(message, evidence);
            let (full, claim, door) = (Arc::clone(&full), claim.clone(), self.door.clone());
            self.pool.try_give(Box::new(move |examiner| {
                let matter = examined(examiner, waiting, &full, claim, false, Some(answer));
                // The judge is gone only when the guard stops; the session then sees that nobody answers.
                let _ = door.send(matter);
            }))
        };
        if !given {
            return self
                .failed(message, evidence, &full, "too many messages at once")
                .await;
        }
        let mut ruling = ruling;
        let limit = self.config.limits.message_seconds.0;
        let spoken = match timeout(limit, &mut ruling).await {
            Err(_) if claim.give_up() => {
                return self.failed(message, evidence, &full, "no verdict in time").await;
            }
            Err(_) => timeout(GRACE, ruling)
                .await
                .unwrap_or_else(|_| Ok(Err("the journal is slow".to_owned()))),
            Ok(spoken) => spoken,
        };
        match spoken {
            Ok(Ok(ruling)) => self.carry_out(message, evidence, &raw, ruling).await,
            Ok(Err(_)) => {
                self.failed(message, evidence, &full, "the journal cannot be written")
                    .await
            }
            Err(_) => {
                self.failed(message, evidence, &full, "it could not be examined")
                    .await
            }
        }
    }

    async fn carry_out(
        &self,
        message: &Message,
        evidence: EvidenceId,
        raw: &Arc<Vec<u8>>,
        ruling: Ruling,
    ) -> Delivery {
        match ruling.verdict {
            Verdict::Pass => Delivery::named(message, evidence, None),
            Verdict::Tag => Delivery::tagged(message, evidence, &ruling, &self.config.tag),
            Verdict::Defuse => self.rewrite(message, evidence, raw, ruling).await,
            Verdict::Hold => {
                let held = held(message, evidence, &ruling);
                let quarantine = Arc::clone(&self.quarantine);
                let raw = Arc::clone(raw);
                let kept = tokio::task::spawn_blocking(move || quarantine.hold(&held, &raw)).await;
                match kept {
                    Ok(Ok(())) => Delivery::only(Reply::Discard),
                    // What cannot be held must not be lost either.
                    _ => Delivery::only(Reply::TryAgain),
                }
            }
            Verdict::Reject => Delivery::only(Reply::Code(
                "550 5.7.1 Refused: part of a hostile campaign, or carries what is not taken here".to_owned(),
            )),
        }
    }

    /// Rewritten by a thread of the pool; tagged where that cannot be done in time.
    async fn rewrite(
        &self,
        message: &Message,
        evidence: EvidenceId,
        raw: &Arc<Vec<u8>>,
        ruling: Ruling,
    ) -> Delivery {
        let (done, fresh) = oneshot::channel();
        let (raw, how) = (Arc::clone(raw), Arc::clone(&self.rewriter));
        let verdict = ruling.verdict;
        let given = self.pool.try_give(Box::new(move |_| {
            let _ = done.send(how.rewrite(&raw, verdict));
        }));
        let fresh = match given {
            true => timeout(self.config.limits.message_seconds.0, fresh).await,
            false => Ok(Ok(None)),
        };
        match fresh {
            Ok(Ok(Some(fresh))) => Delivery::rewritten(message, evidence, &ruling, &fresh),
            _ => {
                self.metrics.failed_open.add(1);
                Delivery::tagged(message, evidence, &ruling, &self.config.tag)
            }
        }
    }

    /// What becomes of a message that could not be judged: by the configuration.
    async fn failed(&self, message: &Message, evidence: EvidenceId, full: &Arc<[u8]>, why: &str) -> Delivery {
        if self.config.limits.on_failure == OnFailure::Tempfail {
            self.metrics.tempfailed.add(1);
            return Delivery::only(Reply::TryAgain);
        }
        let waiting = waiting(message, evidence);
        let (unjudged, full) = (Arc::clone(&self.unjudged), Arc::clone(full));
        let kept = tokio::task::spawn_blocking(move || unjudged.keep(&waiting, &full)).await;
        if !matches!(kept, Ok(Ok(()))) {
            eprintln!("blackrod guard: {evidence}: delivered unjudged, and cannot be kept for later");
        }
        self.unjudged_delivery(message, evidence, why)
    }

    fn unjudged_delivery(&self, message: &Message, evidence: EvidenceId, why: &str) -> Delivery {
        self.metrics.failed_open.add(1);
        eprintln!(
            "blackrod guard: {}: delivered unjudged: {why}",
            message.queue_id.escape_debug()
        );
        Delivery::named(message, evidence, Some(&format!("unjudged; why={why}")))
    }
}

/// Takes a message apart; `waiting` names it.
pub(super) fn examined(
    examiner: &mut Examiner<'_>,
    waiting: Waiting,
    full: &[u8],
    claim: Claim,
    is_late: bool,
    answer: Option<oneshot::Sender<Result<Ruling, String>>>,
) -> Matter {
    let examined = examiner.examine(waiting.evidence, full);
    Matter {
        evidence: waiting.evidence,
        queue_id: waiting.queue_id,
        sender: waiting.sender,
        recipients: waiting.recipients,
        facts: examined.facts,
        findings: examined.found.findings,
        claim,
        is_late,
        answer,
    }
}

fn waiting(message: &Message, evidence: EvidenceId) -> Waiting {
    Waiting {
        evidence,
        queue_id: message.queue_id.clone(),
        sender: message.sender.clone(),
        recipients: message.recipients.clone(),
    }
}

fn held(message: &Message, evidence: EvidenceId, ruling: &Ruling) -> Held {
    let field = |wanted: &[u8]| {
        let named = message
            .headers
            .iter()
            .find(|(name, _)| name.eq_ignore_ascii_case(wanted));
        named.map_or_else(String::new, |(_, value)| {
            String::from_utf8_lossy(value).trim().chars().take(300).collect()
        })
    };
    Held {
        id: evidence,
        since: Timestamp::now().to_string(),
        sender: message.sender.clone(),
        recipients: message.recipients.clone(),
        from: field(b"from"),
        subject: field(b"subject"),
        because: describe(ruling),
        released: None,
    }
}
