//! Alerts: signed, repeated until they are taken, no more than the budget of a day.

use std::collections::HashSet;
use std::fs::OpenOptions;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::time::Duration;

use blackrod_model::mail::MailCampaign;
use blackrod_model::{EvidenceId, Timestamp};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde::{Deserialize, Serialize};

use super::config::{Alerts, Secret, Webhook, secret};
use super::metrics::Metrics;

/// How long is waited before each try.
const PAUSES: [u64; 6] = [0, 1, 4, 16, 64, 256];

/// What is told of a campaign.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Alert {
    pub(super) kind: &'static str,
    pub(super) campaign: String,
    pub(super) title: String,
    pub(super) score: f64,
    pub(super) messages: usize,
    pub(super) people: usize,
    pub(super) delivered_live: usize,
    pub(super) first: String,
    pub(super) recognised: String,
    pub(super) because: Vec<String>,
    /// Campaigns of that day that no alert was sent for, because the budget was used up.
    pub(super) untold_today: usize,
}

impl Alert {
    pub(super) fn of(key: &str, campaign: &MailCampaign, delivered_live: usize) -> Self {
        let people: HashSet<&String> = campaign.messages.iter().flat_map(|one| &one.recipients).collect();
        let told = campaign.terms.iter().filter(|term| term.weight > 0.0).take(6);
        Self {
            kind: "mail-campaign",
            campaign: key.to_owned(),
            title: campaign.title.clone(),
            score: campaign.score,
            messages: campaign.messages.len(),
            people: people.len(),
            delivered_live,
            first: campaign
                .messages
                .first()
                .map_or_else(String::new, |message| message.time.to_string()),
            recognised: campaign.fired.time.to_string(),
            because: told.map(|term| term.words.clone()).collect(),
            untold_today: 0,
        }
    }
}

/// Which campaigns were told, and how many today.
pub(super) struct Ledger {
    path: PathBuf,
    per_day: u32,
    told: HashSet<EvidenceId>,
    today: String,
    told_today: u32,
    untold_today: usize,
}

#[derive(Serialize, Deserialize)]
struct Line {
    day: String,
    campaign: String,
    messages: Vec<EvidenceId>,
}

impl Ledger {
    pub(super) fn open(state: &Path, alerts: &Alerts) -> io::Result<Self> {
        let mut ledger = Self {
            path: state.join("alerts.jsonl"),
            per_day: alerts.per_day,
            told: HashSet::new(),
            today: Timestamp::now().day(),
            told_today: 0,
            untold_today: 0,
        };
        let text = match std::fs::read(&ledger.path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(ledger),
            other => other?,
        };
        for line in text.split(|byte| *byte == b'\n') {
            if let Ok(line) = serde_json::from_slice::<Line>(line) {
                ledger.told_today += u32::from(line.day == ledger.today);
                ledger.told.extend(line.messages);
            }
        }
        Ok(ledger)
    }

    /// Whether to send an alert: once for a campaign, however it grows or is joined with others.
    pub(super) fn is_due(&mut self, key: &str, campaign: &MailCampaign) -> Due {
        let messages: Vec<EvidenceId> = campaign.messages.iter().map(|one| one.evidence).collect();
        if messages.iter().any(|one| self.told.contains(one)) {
            self.told.extend(messages);
            return Due::Told;
        }
        let today = Timestamp::now().day();
        if today != self.today {
            (self.today, self.told_today, self.untold_today) = (today, 0, 0);
        }
        self.told.extend(messages.iter().copied());
        if self.told_today >= self.per_day {
            self.untold_today += 1;
            return Due::OverBudget;
        }
        self.told_today += 1;
        let line = Line {
            day: self.today.clone(),
            campaign: key.to_owned(),
            messages,
        };
        if let Err(error) = self.note(&line) {
            eprintln!("blackrod guard: {}: {error}", self.path.display());
        }
        Due::Now {
            untold_today: self.untold_today,
        }
    }

    fn note(&self, line: &Line) -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(&self.path)?;
        file.write_all(&[b"\n", serde_json::to_vec(line)?.as_slice(), b"\n"].concat())
    }
}

/// Whether an alert is sent.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Due {
    Now { untold_today: usize },
    Told,
    OverBudget,
}

/// A webhook with its key.
#[derive(Clone)]
pub(super) struct Hook {
    url: String,
    key: Secret,
}

impl Hook {
    pub(super) fn new(webhook: &Webhook) -> anyhow::Result<Self> {
        Ok(Self {
            url: webhook.url.clone(),
            key: secret(&webhook.secret_file)?,
        })
    }

    /// Posts an alert until it is taken or has been tried for some minutes.
    pub(super) async fn send(self, alert: Alert, metrics: &Metrics) {
        let Ok(body) = serde_json::to_vec(&alert) else {
            return;
        };
        for pause in PAUSES {
            tokio::time::sleep(Duration::from_secs(pause)).await;
            let (hook, body) = (self.clone(), body.clone());
            let sent = tokio::task::spawn_blocking(move || hook.post(&body)).await;
            match sent {
                Ok(Ok(())) => return metrics.alerts.add(1),
                Ok(Err(error)) => eprintln!("blackrod guard: {}: {error}", self.url),
                Err(_) => break,
            }
        }
        metrics.alerts_failed.add(1);
    }

    fn post(&self, body: &[u8]) -> Result<(), Box<ureq::Error>> {
        let time = Timestamp::now().seconds().unwrap_or_default().to_string();
        let agent: ureq::Agent = ureq::Agent::config_builder()
            .timeout_global(Some(Duration::from_secs(20)))
            .max_redirects(0)
            .build()
            .into();
        agent
            .post(&self.url)
            .header("Content-Type", "application/json")
            .header("X-Blackrod-Timestamp", &time)
            .header("X-Blackrod-Signature", &signature(self.key.reveal(), &time, body))
            .send(body)
            .map(|_| ())
            .map_err(Box::new)
    }
}

/// `sha256=` and HMAC-SHA256 (RFC 2104) in hexadecimal over the time, a dot, and the body.
fn signature(key: &str, time: &str, body: &[u8]) -> String {
    let Ok(mut mac) = Hmac::<sha2::Sha256>::new_from_slice(key.as_bytes()) else {
        return String::new();
    };
    mac.update(time.as_bytes());
    mac.update(b".");
    mac.update(body);
    let digits = mac.finalize().into_bytes();
    let mut text = "sha256=".to_owned();
    for byte in digits {
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use blackrod_model::mail::CampaignMessage;

    use super::*;

    #[test]
    fn alerts_are_signed_as_openssl_would() {
        // printf '1700000000.{}' | openssl dgst -sha256 -hmac key
        assert_eq!(
            signature("key", "1700000000", b"{}"),
            "sha256=9d713ed406bb7076d4123f0dc2c39d2df5c654ed4b0cd56b52c8b4c940bd63ae"
        );
    }

    fn campaign(numbers: &[u8]) -> MailCampaign {
        let message = |number: &u8| CampaignMessage {
            evidence: EvidenceId([*number; 16]),
            ..CampaignMessage::default()
        };
        MailCampaign {
            messages: numbers.iter().map(message).collect(),
            ..MailCampaign::default()
        }
    }

    #[test]
    fn a_campaign_is_told_once_and_the_day_has_its_budget() {
        let folder = tempfile::tempdir().unwrap();
        let alerts = Alerts {
            per_day: 2,
            webhook: Vec::new(),
        };
        let mut ledger = Ledger::open(folder.path(), &alerts).unwrap();
        assert_eq!(
            ledger.is_due("a", &campaign(&[1, 2])),
            Due::Now { untold_today: 0 }
        );
        assert_eq!(ledger.is_due("a", &campaign(&[2, 3])), Due::Told, "it grew");
        assert_eq!(ledger.is_due("b", &campaign(&[3, 9])), Due::Told, "it was joined");
        assert_eq!(ledger.is_due("c", &campaign(&[5])), Due::Now { untold_today: 0 });
        assert_eq!(ledger.is_due("d", &campaign(&[6])), Due::OverBudget);
        let mut again = Ledger::open(folder.path(), &alerts).unwrap();
        assert_eq!(again.is_due("a", &campaign(&[1])), Due::Told, "after a restart");
        assert_eq!(
            again.is_due("e", &campaign(&[7])),
            Due::OverBudget,
            "the same day"
        );
    }
}
