//! A case whose every text can be chosen.

use std::io::Read as _;

use base64::Engine as _;
use blackrod_model::assessment::{Noted, Remark};
use blackrod_model::estate::Enrichment;
use blackrod_model::estate::Organisation;
use blackrod_model::flood::{Filter, Flood, Plot, Rule, Trait};
use blackrod_model::mail::{
    CampaignMessage, Fired, LinkRole, MailCampaign, TemplateUse, Term, TokenUse, Variation,
};
use blackrod_model::{
    Action, ActionId, ActionKind, ActionState, ActionStep, Campaign, CampaignId, Class, CommandShape, Entity,
    EntityKind, Evidence, EvidenceId, EvidenceState, Finding, FindingId, FindingTotal, Former, NewShape,
    Plan, Position, Reason, RefusalGroup, RuleProblem, RuleSet, Run, Severity, Sha256, Target, Tie,
    Timestamp, UsualShape,
};
use blackrod_report::{CaseView, Explanation};

pub(crate) struct Case {
    pub(crate) title: String,
    pub(crate) organisations: Vec<Organisation>,
    pub(crate) runs: Vec<Run>,
    pub(crate) evidence: Vec<Evidence>,
    pub(crate) refusals: Vec<RefusalGroup>,
    pub(crate) findings: Vec<Finding>,
    pub(crate) remarks: Vec<Noted>,
    pub(crate) campaigns: Vec<Campaign>,
    pub(crate) mail_campaigns: Vec<MailCampaign>,
    pub(crate) floods: Vec<Flood>,
    pub(crate) new_shapes: Vec<NewShape>,
    pub(crate) rule_sets: Vec<RuleSet>,
    pub(crate) coverage: blackrod_model::Coverage,
    pub(crate) explanation: String,
}

impl Case {
    /// One item of evidence, one campaign of `count` findings; every text that evidence, rules or
    /// operators choose is `text`.
    pub(crate) fn saying(text: &str, count: u64) -> Self {
        let owned = || text.to_owned();
        let sha256 = Sha256::of(b"content");
        let evidence = EvidenceId::new(&sha256, text);
        let entity = |kind| Entity { kind, value: owned() };
        let finding = |number: u64| Finding {
            id: FindingId::new(
                "SIG",
                "rule",
                evidence,
                Position {
                    offset: 0,
                    record: number,
                },
                "",
            ),
            code: owned(),
            rule_id: owned(),
            title: owned(),
            severity: Severity::ALL[(number % 5) as usize],
            time: Timestamp::from_seconds(1_611_306_000 + number as i64 * 60),
            evidence,
            at: Position {
                offset: number * 512,
                record: number,
            },
            class: Class::PROCESS_ACTIVITY.0,
            attack: vec!["T1003.001".to_owned(), owned()],
            reasons: vec![Reason {
                field: owned(),
                value: owned(),
            }],
            entities: EntityKind::ALL.iter().map(|&kind| entity(kind)).collect(),
        };
        let findings: Vec<Finding> = (1..=count).map(finding).collect();
        let campaigns = findings.first().map(|first| Campaign {
            id: CampaignId::from_first(first.id),
            title: owned(),
            score: 42.0,
            first_seen: first.time,
            last_seen: findings[findings.len() - 1].time,
            findings: findings.iter().map(|finding| finding.id).collect(),
            targets: vec![Target {
                entity: entity(EntityKind::Host),
                person: Some(owned()),
                findings: findings.len(),
            }],
            ties: vec![Tie {
                entity: entity(EntityKind::Url),
                findings: findings.len(),
                weight: 20.0,
            }],
            attack: vec![owned()],
        });
        let remarks = campaigns.iter().flat_map(|campaign| remarks(campaign, text));
        Self {
            remarks: remarks.collect(),
            title: owned(),
            organisations: vec![Organisation {
                name: owned(),
                ..Default::default()
            }],
            runs: vec![Run {
                version: owned(),
                arguments: vec!["blackrod".to_owned(), owned()],
                started: Timestamp::from_seconds(1_611_306_000),
                ended: Timestamp::UNKNOWN,
                rules: sha256,
                estate: sha256,
            }],
            evidence: vec![Evidence {
                id: evidence,
                path: owned(),
                sha256,
                size: 4_096,
                format: owned(),
                records_read: 1_204_511,
                records_refused: 3,
                state: EvidenceState::Partial,
            }],
            refusals: vec![RefusalGroup {
                evidence,
                reason: owned(),
                places: 4,
                records: 3,
                examples: vec![Position {
                    offset: 65_536,
                    record: 7,
                }],
            }],
            findings,
            campaigns: campaigns.into_iter().collect(),
            mail_campaigns: vec![mail_campaign()],
            floods: vec![flood(text)],
            new_shapes: vec![new_shape(text)],
            coverage: blackrod_model::Coverage::default(),
            rule_sets: vec![RuleSet {
                method: owned(),
                loaded: 2,
                digest: sha256,
                refused: vec![problem(text)],
                idle: vec![problem(text)],
            }],
            explanation: format!("# {text}\n\n{text}\n\n- {text}\n- {text}"),
        }
    }

    pub(crate) fn html(&self) -> String {
        let mut out = Vec::new();
        self.with_view(|view| blackrod_report::html(view, &mut out))
            .unwrap();
        String::from_utf8(out).unwrap()
    }

    /// Lends a view of the case.
    pub(crate) fn with_view<T>(&self, look: impl FnOnce(&CaseView<'_>) -> T) -> T {
        let code = self.findings.first().map_or("", |finding| finding.code.as_str());
        look(&CaseView {
            title: &self.title,
            case: &self.title,
            report: "case/report.html",
            estate: &self.title,
            organisations: &self.organisations,
            generated: Timestamp::from_seconds(1_611_306_000),
            runs: &self.runs,
            evidence: &self.evidence,
            refusals: &self.refusals,
            findings: &self.findings,
            totals: &FindingTotal::of(&self.findings),
            campaigns: &self.campaigns,
            assessments: &[],
            plan: &plan(&self.campaigns, &self.findings, &self.title),
            remarks: &self.remarks,
            mail_campaigns: &self.mail_campaigns,
            floods: &self.floods,
            new_shapes: &self.new_shapes,
            rule_sets: &self.rule_sets,
            coverage: &self.coverage,
            explanations: &[Explanation {
                code,
                text: &self.explanation,
            }],
            log_head: Some(Sha256::of(b"log")),
        })
    }
}

/// A plan all of whose texts are `text`.
fn plan(campaigns: &[Campaign], findings: &[Finding], text: &str) -> Plan {
    let step = ActionStep {
        state: ActionState::Approved,
        by: text.to_owned(),
        at: Timestamp::from_seconds(1_611_306_000),
        note: text.to_owned(),
        remark: 1,
    };
    let action = |kind| Action {
        id: ActionId::new("measure", text),
        kind,
        measure: text.to_owned(),
        subject: text.to_owned(),
        campaigns: campaigns.iter().map(|campaign| campaign.id.clone()).collect(),
        what: text.to_owned(),
        why: text.to_owned(),
        care: text.to_owned(),
        attack: vec!["T1078".to_owned(), text.to_owned()],
        findings: findings.iter().take(3).map(|finding| finding.id).collect(),
        steps: vec![step.clone()],
    };
    Plan {
        actions: ActionKind::ALL.map(action).to_vec(),
        former: vec![Former {
            id: ActionId::new("gone", text),
            what: text.to_owned(),
            steps: vec![step.clone()],
        }],
        left_out: vec![text.to_owned()],
    }
}

/// Everything that people may say of a campaign.
fn remarks(campaign: &Campaign, text: &str) -> Vec<Noted> {
    let owned = || text.to_owned();
    let id = || campaign.id.clone();
    let said = [
        Remark::Event {
            campaign: id(),
            time: campaign.first_seen,
            text: owned(),
        },
        Remark::Dissent {
            campaign: id(),
            text: owned(),
        },
        Remark::Joined {
            campaigns: vec![id(), id()],
            reason: owned(),
        },
        Remark::Renamed {
            campaign: id(),
            title: owned(),
        },
        Remark::Dismissed {
            campaign: id(),
            title: owned(),
            reason: owned(),
        },
        Remark::Usual {
            usual: UsualShape {
                shape: CommandShape {
                    image: owned(),
                    skeleton: owned(),
                },
                accounts: vec![owned()],
            },
            command: owned(),
            reason: owned(),
        },
    ];
    let noted = said.into_iter().zip(1..).map(|(remark, number)| Noted {
        id: number,
        at: campaign.last_seen,
        by: owned(),
        remark,
    });
    noted.collect()
}

fn new_shape(text: &str) -> NewShape {
    let owned = || text.to_owned();
    NewShape {
        shape: CommandShape {
            image: owned(),
            skeleton: owned(),
        },
        command: owned(),
        first: Timestamp::from_seconds(1_611_306_000),
        times: 3,
        hosts: vec![owned()],
        accounts: vec![owned(), owned()],
        score: 4.2,
        can: vec![owned()],
    }
}

fn flood(text: &str) -> Flood {
    let owned = || text.to_owned();
    Flood {
        key: owned(),
        title: owned(),
        unit: blackrod_model::flood::Unit::Requests,
        service: owned(),
        start: Timestamp::from_seconds(1_611_306_000),
        end: Timestamp::from_seconds(1_611_306_600),
        seen: Timestamp::from_seconds(1_611_306_030),
        requests: 60_000,
        peak: 104.5,
        usual: 3.2,
        learned_from: owned(),
        fingerprint: vec![Trait {
            dimension: owned(),
            value: owned(),
            usual: Some(0.0004),
        }],
        sources: 6_000,
        networks: 5_100,
        loudest: vec![(owned(), 12)],
        signs: vec![owned()],
        filters: vec![Filter {
            by: owned(),
            rules: vec![Rule {
                product: owned(),
                text: owned(),
            }],
            stops: 0.99,
            replayed_requests: 1_000_000,
            blocked_requests: 20,
            ..Filter::default()
        }],
        plot: Plot {
            start: Timestamp::from_seconds(1_611_305_400),
            step_seconds: 10,
            rate: vec![30, 1_000, 900, 31],
            usual: vec![32; 4],
            left: vec![30, 33, 31, 31],
        },
    }
}

/// The unpacked data block `id` of a report.
pub(crate) fn data_block(html: &str, id: &str) -> serde_json::Value {
    let opening = format!("<script type=\"application/json\" id=\"{id}\">");
    let (_, rest) = html.split_once(&opening).unwrap();
    let (base64, _) = rest.split_once("</script>").unwrap();
    let packed = base64::engine::general_purpose::STANDARD.decode(base64).unwrap();
    let mut json = String::new();
    flate2::read::GzDecoder::new(&packed[..])
        .read_to_string(&mut json)
        .unwrap();
    serde_json::from_str(&json).unwrap()
}

fn problem(text: &str) -> RuleProblem {
    RuleProblem {
        rule: text.to_owned(),
        title: text.to_owned(),
        reason: text.to_owned(),
    }
}

/// A mail campaign whose every text is hostile.
fn mail_campaign() -> MailCampaign {
    let hostile = "<script>alert(1)</script><b onclick=alert(2)>";
    let term = |weight| Term {
        code: "campaign/x".to_owned(),
        weight,
        words: hostile.to_owned(),
        innocent: hostile.to_owned(),
    };
    let message = |number: u64| CampaignMessage {
        at: Position {
            offset: number * 10,
            record: number,
        },
        time: Timestamp::from_seconds(1_611_000_000 + number as i64 * 600),
        message_id: hostile.to_owned(),
        from_name: format!("{hostile} {}", number % 3),
        from: format!("{}@{hostile}.test", number % 3),
        recipients: vec![format!("member-{number}@example.org")],
        subject: hostile.to_owned(),
        templates: vec![0],
        ..CampaignMessage::default()
    };
    MailCampaign {
        key: "M-000000000000".to_owned(),
        title: hostile.to_owned(),
        score: 21.5,
        terms: vec![term(9.0), term(-0.5)],
        messages: (0..30).map(message).collect(),
        targeting: vec![Enrichment {
            kind: "group".to_owned(),
            id: "china".to_owned(),
            name: "the China committee".to_owned(),
            hit: 9,
            drawn: 12,
            members: 20,
            population: 1_450,
            p: 4e-14,
            p_corrected: 4e-13,
            odds_ratio: 400.0,
        }],
        templates: vec![TemplateUse {
            template: format!("https://img.test/{hostile}/{{hex:32}}.png"),
            role: LinkRole::Beacon,
            messages: 30,
            tokens: vec![TokenUse {
                place: "path 2".to_owned(),
                variation: Variation::PerRecipient,
                derived: Some("md5".to_owned()),
                values: 30,
            }],
        }],
        ties: vec![term(4.0)],
        fired: Fired {
            messages: 3,
            recipients: 3,
            time: Timestamp::from_seconds(1_611_001_800),
        },
    }
}
