//! Judging the messages of a case.

use blackrod_model::mail::{Facts, MailCampaign};
use blackrod_model::{Fact, Keep as _};
use rusqlite::params;
use serde_json::json;

use crate::casebook::{read, seal, write};
use crate::{Case, StoreError};

/// What judging says about one message.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct MessageJudgement {
    /// How remarkable it is, in nats: the log-likelihood ratio of hostile against ordinary mail.
    pub score: f64,
    /// What the score is made of, in one line.
    pub reasons: String,
}

impl Case {
    /// Hands the facts of all messages to `judge`, in the order of time, and puts what it says in the place of
    /// what earlier runs said.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn judge_messages(
        &mut self,
        judge: &mut dyn FnMut(&Facts) -> MessageJudgement,
    ) -> Result<(), StoreError> {
        self.change("messages", |book, _| {
            book.execute("DELETE FROM messages", [])?;
            let mut insert = book.prepare(
                "INSERT OR REPLACE INTO messages
                     (evidence, record, offset, time, message_id, sender, recipients, subject, score, reasons, campaign)
                 VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, NULL)",
            )?;
            let mut failure = None;
            read::each_fact(book, Facts::KIND, &mut |fact| {
                let Some(facts) = fact.kept::<Facts>() else {
                    return;
                };
                let judgement = judge(&facts);
                let written = insert.execute(params![
                    facts.evidence.0,
                    facts.at.record as i64,
                    facts.at.offset as i64,
                    write::time_value(facts.time),
                    facts.message_id,
                    facts.from,
                    facts.recipients.join(", "),
                    facts.subject,
                    judgement.score,
                    judgement.reasons,
                ]);
                if let Err(error) = written {
                    failure.get_or_insert(error);
                }
            })?;
            match failure {
                Some(error) => Err(error),
                None => Ok(json!({ "seals": seal::seals(book, &[&seal::MESSAGES], 0)? })),
            }
        })
    }

    /// Puts mail campaigns in the place of all that were there, and notes with each message which it belongs to.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn set_mail_campaigns(&mut self, campaigns: &[MailCampaign]) -> Result<(), StoreError> {
        self.change("mail campaigns", |book, _| {
            book.execute_batch(
                "DELETE FROM mail_campaigns; UPDATE messages SET campaign = NULL WHERE campaign IS NOT NULL;",
            )?;
            let mut insert =
                book.prepare("INSERT INTO mail_campaigns (key, title, score, body) VALUES (?, ?, ?, ?)")?;
            let mut mark = book.prepare(
                "UPDATE messages SET campaign = ? WHERE evidence = ? AND offset = ? AND record = ?",
            )?;
            for campaign in campaigns {
                insert.execute(params![
                    campaign.key,
                    campaign.title,
                    campaign.score,
                    write::json(campaign)?
                ])?;
                for message in &campaign.messages {
                    mark.execute(params![
                        campaign.key,
                        message.evidence.0,
                        message.at.offset as i64,
                        message.at.record as i64
                    ])?;
                }
            }
            Ok(json!({ "seals": seal::seals(book, &[&seal::MESSAGES, &seal::MAIL_CAMPAIGNS], 0)? }))
        })
    }

    /// All mail campaigns, strongest first.
    ///
    /// # Errors
    ///
    /// This and all below: when the casebook cannot be read.
    pub fn mail_campaigns(&self) -> Result<Vec<MailCampaign>, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare("SELECT body FROM mail_campaigns ORDER BY score DESC, key")?;
            let rows = statement.query_map([], |row| read::json(row, 0))?;
            rows.collect()
        })
    }

    /// Hands each fact of this kind to `visit`, in the order of time; ties by evidence and place.
    pub fn each_fact(&self, kind: &'static str, visit: &mut dyn FnMut(Fact)) -> Result<(), StoreError> {
        self.read(|book| read::each_fact(book, kind, visit))
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use blackrod_model::mail::CampaignMessage;
    use blackrod_model::{EvidenceId, Position, Sha256, Timestamp};

    use super::*;
    use crate::Batch;
    use crate::testing::item;

    fn facts(evidence: EvidenceId, record: u64, seconds: i64) -> Facts {
        Facts {
            evidence,
            at: Position {
                offset: record * 100,
                record,
            },
            time: Timestamp::from_seconds(seconds),
            subject: format!("subject {record}"),
            ..Facts::default()
        }
    }

    #[test]
    fn messages_are_judged_in_the_order_of_time_and_marked() {
        let folder = tempfile::tempdir().unwrap();
        let mut case = Case::create_or_open(folder.path().join("c.case")).unwrap();
        for (number, seconds) in [(1u64, 300), (2, 100)] {
            let item = item(number);
            let id = item.evidence.id;
            let kept: Vec<Fact> = [facts(id, 1, seconds), facts(id, 2, seconds + 100)]
                .iter()
                .filter_map(Fact::of)
                .collect();
            case.stage(&[], &[], &kept).unwrap();
            case.commit(Batch {
                evidence: vec![item.evidence],
                ..Batch::default()
            })
            .unwrap();
        }
        let mut seen = Vec::new();
        case.judge_messages(&mut |facts| {
            seen.push(facts.clone());
            MessageJudgement {
                score: 1.5,
                reasons: "new sender +1.5".to_owned(),
            }
        })
        .unwrap();
        let times: Vec<_> = seen.iter().filter_map(|facts| facts.time.seconds()).collect();
        assert_eq!(times, [100, 200, 300, 400]);

        let campaign = MailCampaign {
            key: "M-1".to_owned(),
            messages: vec![CampaignMessage {
                evidence: seen[0].evidence,
                at: seen[0].at,
                ..CampaignMessage::default()
            }],
            ..MailCampaign::default()
        };
        case.set_mail_campaigns(std::slice::from_ref(&campaign)).unwrap();
        assert_eq!(case.mail_campaigns().unwrap(), [campaign]);
        let marked: Vec<String> = case
            .read(|book| {
                let mut statement = book.prepare("SELECT subject FROM messages WHERE campaign = 'M-1'")?;
                let rows = statement.query_map([], |row| row.get(0))?;
                rows.collect()
            })
            .unwrap();
        assert_eq!(marked, ["subject 1"]);
        assert_ne!(seen[0].evidence, EvidenceId::new(&Sha256::of(b""), ""));
    }
}
