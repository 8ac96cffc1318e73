//! Assessments with their versions, and what people add to a case.

use blackrod_model::assessment::{Assessment, Noted, Remark};
use blackrod_model::{CampaignId, Timestamp};
use rusqlite::{OptionalExtension as _, params};
use serde_json::json;

use crate::casebook::{read, seal, write};
use crate::{Case, StoreError};

/// An assessment as it once was.
#[derive(Clone, Debug, PartialEq)]
pub struct Version {
    /// Counted from 1 for each campaign.
    pub number: u32,
    /// When it was made.
    pub made: Timestamp,
    /// What it said.
    pub assessment: Assessment,
}

impl Case {
    /// Stores each assessment as a new version, unless it says the same as the version before it.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn add_assessments(&mut self, assessments: &[Assessment]) -> Result<(), StoreError> {
        let made = Timestamp::now();
        self.change("assessments", |book, _| {
            let mut newest = book.prepare(
                "SELECT version, body FROM assessments WHERE campaign = ? ORDER BY version DESC LIMIT 1",
            )?;
            let mut insert =
                book.prepare("INSERT INTO assessments (campaign, version, made, body) VALUES (?, ?, ?, ?)")?;
            for assessment in assessments {
                let name = assessment.campaign.as_str();
                let body = write::json(assessment)?;
                let before: Option<(i64, String)> = newest
                    .query_row([name], |row| Ok((row.get(0)?, row.get(1)?)))
                    .optional()?;
                let version = match before {
                    Some((_, same)) if same == body => continue,
                    Some((version, _)) => version + 1,
                    None => 1,
                };
                insert.execute(params![name, version, write::time_value(made), body])?;
            }
            Ok(json!({ "seals": seal::seals(book, &[&seal::ASSESSMENTS], 0)? }))
        })
    }

    /// The newest assessment of each campaign that the case has, in the order of the campaigns.
    ///
    /// # Errors
    ///
    /// This and all below that only read: when the casebook cannot be read.
    pub fn assessments(&self) -> Result<Vec<Assessment>, StoreError> {
        self.read(|book| {
            let mut statement = book.prepare(
                "SELECT body FROM assessments JOIN campaigns ON campaigns.id = assessments.campaign
                 WHERE version = (SELECT max(version) FROM assessments AS others WHERE others.campaign = campaigns.id)
                 ORDER BY campaigns.score DESC, campaigns.id",
            )?;
            let rows = statement.query_map([], |row| read::json(row, 0))?;
            rows.collect()
        })
    }

    /// All versions of one campaign's assessment, first to last.
    pub fn assessment_versions(&self, campaign: &CampaignId) -> Result<Vec<Version>, StoreError> {
        self.read(|book| {
            let mut statement = book
                .prepare("SELECT version, made, body FROM assessments WHERE campaign = ? ORDER BY version")?;
            let rows = statement.query_map([campaign.as_str()], |row| {
                Ok(Version {
                    number: row.get(0)?,
                    made: read::time(row, 1)?,
                    assessment: read::json(row, 2)?,
                })
            })?;
            rows.collect()
        })
    }

    /// Notes what somebody adds; returns its number.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn add_remark(&mut self, by: &str, remark: &Remark) -> Result<i64, StoreError> {
        let at = Timestamp::now();
        self.change("remark", |book, _| {
            book.execute(
                "INSERT INTO remarks (made, author, body, undone) VALUES (?, ?, ?, 0)",
                params![write::time_value(at), by, write::json(remark)?],
            )?;
            Ok(json!({ "by": by, "remark": remark, "seals": seal::seals(book, &[&seal::REMARKS], 0)? }))
        })?;
        self.read(|book| book.query_row("SELECT max(id) FROM remarks", [], |row| row.get(0)))
    }

    /// Whether somebody ever made this remark, also where it was taken back.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be read.
    pub fn has_remark(&self, remark: &Remark) -> Result<bool, StoreError> {
        self.read(|book| {
            let body = write::json(remark)?;
            book.query_row(
                "SELECT EXISTS (SELECT 1 FROM remarks WHERE body = ?)",
                [body],
                |row| row.get(0),
            )
        })
    }

    /// Takes a remark back; it stays in the case, marked. False where there is none with this number that counts.
    ///
    /// # Errors
    ///
    /// When the casebook cannot be written to.
    pub fn undo_remark(&mut self, id: i64, by: &str) -> Result<bool, StoreError> {
        let mut found = false;
        self.change("remark undone", |book, _| {
            found = book.execute("UPDATE remarks SET undone = 1 WHERE id = ? AND undone = 0", [id])? == 1;
            Ok(json!({ "by": by, "id": id, "seals": seal::seals(book, &[&seal::REMARKS], 0)? }))
        })?;
        Ok(found)
    }

    /// All remarks that were not taken back, in the order of time: a case that was joined brought its own.
    pub fn remarks(&self) -> Result<Vec<Noted>, StoreError> {
        self.read(|book| {
            let mut statement = book
                .prepare("SELECT id, made, author, body FROM remarks WHERE undone = 0 ORDER BY made, id")?;
            let rows = statement.query_map([], |row| {
                Ok(Noted {
                    id: row.get(0)?,
                    at: read::time(row, 1)?,
                    by: row.get(2)?,
                    remark: read::json(row, 3)?,
                })
            })?;
            rows.collect()
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use blackrod_model::assessment::Ceilings;
    use blackrod_model::{Campaign, FindingId};

    use super::*;

    fn campaign() -> Campaign {
        Campaign {
            id: CampaignId::from_first(FindingId([1; 16])),
            title: "Campaign".to_owned(),
            score: 1.0,
            first_seen: Timestamp::from_seconds(0),
            last_seen: Timestamp::from_seconds(1),
            findings: Vec::new(),
            targets: Vec::new(),
            ties: Vec::new(),
            attack: Vec::new(),
        }
    }

    fn assessment(profiles: &str) -> Assessment {
        Assessment {
            campaign: campaign().id,
            judgements: Vec::new(),
            hypotheses: Vec::new(),
            items: Vec::new(),
            ceilings: Ceilings {
                state: 0.75,
                group: 0.49,
                reason: String::new(),
            },
            targeting: Vec::new(),
            phases: Vec::new(),
            at_risk: Vec::new(),
            open: Vec::new(),
            missing: Vec::new(),
            would_change: Vec::new(),
            profiles: profiles.to_owned(),
        }
    }

    #[test]
    fn a_version_is_kept_for_each_change_and_none_for_the_same_again() {
        let dir = tempfile::tempdir().unwrap();
        let mut case = Case::create_or_open(dir.path().join("case")).unwrap();
        case.set_campaigns(&[campaign()]).unwrap();
        for profiles in ["first", "first", "second"] {
            case.add_assessments(&[assessment(profiles)]).unwrap();
        }
        let versions = case.assessment_versions(&campaign().id).unwrap();
        assert_eq!(
            versions.iter().map(|version| version.number).collect::<Vec<_>>(),
            [1, 2]
        );
        assert_eq!(case.assessments().unwrap(), [assessment("second")]);
        case.set_campaigns(&[]).unwrap();
        assert!(case.assessments().unwrap().is_empty());
    }

    #[test]
    fn a_remark_that_is_taken_back_counts_no_more_and_stays_in_the_log() {
        let dir = tempfile::tempdir().unwrap();
        let mut case = Case::create_or_open(dir.path().join("case")).unwrap();
        let remark = Remark::SignOff {
            campaign: campaign().id,
        };
        let number = case.add_remark("Anna Berg", &remark).unwrap();
        assert_eq!(case.remarks().unwrap()[0].remark, remark);
        assert!(case.undo_remark(number, "Anna Berg").unwrap());
        assert!(!case.undo_remark(number, "Anna Berg").unwrap());
        assert!(case.remarks().unwrap().is_empty());
        assert!(case.has_remark(&remark).unwrap());
    }
}
