#![allow(clippy::unwrap_used)]

use blackrod_model::assessment::Told;
use blackrod_model::estate::Organisation;
use blackrod_model::mail::CampaignMessage;
use blackrod_model::{CampaignId, Entity, EvidenceId, Position, Target, Tie, Timestamp};

use super::*;

fn entity(kind: EntityKind, value: &str) -> Entity {
    Entity::new(kind, value).unwrap()
}

fn finding(number: u8, severity: Severity, attack: &str, entities: Vec<Entity>) -> Finding {
    Finding {
        id: FindingId([number; 16]),
        code: "SIGMA".to_owned(),
        rule_id: "rule".to_owned(),
        title: format!("finding {number}"),
        severity,
        time: Timestamp::from_seconds(i64::from(number)),
        evidence: EvidenceId([1; 16]),
        at: Position::default(),
        class: 0,
        attack: vec![attack.to_owned()],
        reasons: Vec::new(),
        entities,
    }
}

fn estate() -> Estate {
    Estate {
        organisations: vec![Organisation {
            id: "p".to_owned(),
            name: "Parliament".to_owned(),
            domains: vec!["parliament.example".to_owned()],
        }],
        ..Estate::default()
    }
}

/// An account used by somebody else, another only sprayed, and a letter.
fn situation_of(look: impl FnOnce(&mut Vec<Finding>, &mut Campaign, &Estate, &[MailCampaign])) {
    let account = |name| entity(EntityKind::Account, name);
    let mut findings = vec![
        finding(1, Severity::High, "T1078.004", vec![account("anna")]),
        finding(
            2,
            Severity::High,
            "T1110.003",
            vec![account("anna"), account("bert")],
        ),
        finding(3, Severity::Low, "T1078", vec![account("carl")]),
        finding(
            4,
            Severity::High,
            "T1598.003",
            vec![entity(EntityKind::MailCampaign, "M-1")],
        ),
    ];
    let target = |name| Target {
        entity: account(name),
        person: None,
        findings: 1,
    };
    let tie = |kind, value| Tie {
        entity: entity(kind, value),
        findings: 2,
        weight: 9.0,
    };
    let mut campaign = Campaign {
        id: CampaignId::from_first(FindingId([1; 16])),
        title: "Campaign".to_owned(),
        score: 9.0,
        first_seen: Timestamp::from_seconds(1),
        last_seen: Timestamp::from_seconds(4),
        findings: findings.iter().map(|finding| finding.id).collect(),
        targets: vec![target("anna"), target("bert"), target("carl")],
        ties: vec![
            tie(EntityKind::Ip, "203.0.113.7"),
            tie(EntityKind::Ip, "10.0.0.7"),
            tie(EntityKind::Domain, "mail.parliament.example"),
            tie(EntityKind::Domain, "gmail.com"),
            tie(EntityKind::Domain, "desk.example"),
            tie(EntityKind::Address, "clerk@parliament.example"),
        ],
        attack: Vec::new(),
    };
    let mail = MailCampaign {
        key: "M-1".to_owned(),
        messages: vec![CampaignMessage {
            from: "news@desk.example".to_owned(),
            ..CampaignMessage::default()
        }],
        ..MailCampaign::default()
    };
    look(&mut findings, &mut campaign, &estate(), &[mail]);
}

fn subjects(plan: &Plan, measure: &str) -> Vec<String> {
    let of = plan.actions.iter().filter(|action| action.measure == measure);
    of.map(|action| action.subject.clone()).collect()
}

#[test]
fn what_was_used_is_secured_and_nothing_of_ones_own_is_blocked() {
    situation_of(|findings, campaign, estate, mail| {
        let mut situation = Situation {
            campaigns: std::slice::from_ref(campaign),
            assessments: &[],
            findings,
            mail_campaigns: mail,
            estate,
            remarks: &[],
        };
        let drawn = plan(&situation);
        assert_eq!(
            subjects(&drawn, "account/contain"),
            ["anna"],
            "bert was only sprayed, carl's finding is low"
        );
        assert_eq!(subjects(&drawn, "block/address"), ["203.0.113.7"]);
        assert_eq!(subjects(&drawn, "block/domain"), ["desk.example"]);
        assert_eq!(subjects(&drawn, "block/sender"), ["news@desk.example"]);
        assert_eq!(subjects(&drawn, "mail/purge"), ["M-1"]);
        assert_eq!(drawn.actions[0].attack, ["T1078.004"]);
        assert_eq!(drawn, plan(&situation));
        let all = blocked(&drawn, &|_| true);
        assert_eq!(
            (all.senders.len(), all.hosts.len(), all.addresses.len()),
            (1, 1, 1)
        );

        let unknown = Estate::default();
        situation.estate = &unknown;
        let drawn = plan(&situation);
        assert!(subjects(&drawn, "block/domain").is_empty() && drawn.left_out.len() == 1);
    });
}

#[test]
fn steps_hold_while_campaigns_change() {
    situation_of(|findings, campaign, estate, mail| {
        let noted = |id, remark| Noted {
            id,
            at: Timestamp::from_seconds(id),
            by: "Anna Berg".to_owned(),
            remark,
        };
        let block = ActionId::new("block/domain", "desk.example");
        let step = |state| Remark::Action {
            action: block.clone(),
            what: "Resolve desk.example to nothing".to_owned(),
            state,
            note: String::new(),
        };
        let told = Remark::Told {
            person: "nobody".to_owned(),
            told: Told {
                at: Timestamp::from_seconds(3),
                by: "Anna Berg".to_owned(),
                advice: "advice".to_owned(),
            },
        };
        let remarks = [
            noted(1, step(ActionState::Approved)),
            noted(2, step(ActionState::Done)),
            noted(3, told),
        ];
        campaign.id = CampaignId::from_first(FindingId([9; 16]));
        let mut situation = Situation {
            campaigns: std::slice::from_ref(campaign),
            assessments: &[],
            findings,
            mail_campaigns: mail,
            estate,
            remarks: &remarks,
        };
        let drawn = plan(&situation);
        let action = drawn.actions.iter().find(|action| action.id == block).unwrap();
        assert_eq!((action.state(), action.steps.len()), (ActionState::Done, 2));
        assert_eq!(blocked(&drawn, &|one| one.state().is_approved()).hosts.len(), 1);
        situation.campaigns = &[];
        let drawn = plan(&situation);
        assert!(drawn.actions.is_empty());
        assert_eq!(drawn.former[0].what, "Resolve desk.example to nothing");
    });
}
