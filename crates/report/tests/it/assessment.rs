//! What is judged, as a page and for partners.

use blackrod_model::assessment::{
    Assessment, Ceilings, Confidence, EvidenceClass, EvidenceItem, Grade, Hypothesis, Judgement,
    PersonAtRisk, Question,
};
use blackrod_model::estate::Enrichment;
use blackrod_model::{Campaign, Entity, EntityKind, Tie};
use blackrod_report::{Tlp, markdown, navigator, stix};
use serde_json::Value;

use crate::make::Case;

/// An assessment all of whose free texts are `text`.
fn assessment(campaign: &Campaign, text: &str) -> Assessment {
    let judgement = |question, about: &str, probability| Judgement {
        question,
        about: about.to_owned(),
        statement: text.to_owned(),
        probability,
        confidence: Confidence::Moderate,
        why: text.to_owned(),
        items: vec!["technique/T1598.003".to_owned()],
        findings: campaign.findings.clone(),
        held_down: Some(text.to_owned()),
    };
    let hypothesis = |id: &str, state: Option<&str>| Hypothesis {
        id: id.to_owned(),
        name: text.to_owned(),
        state: state.map(str::to_owned),
        prior: 0.1,
        posterior: 0.4,
    };
    Assessment {
        campaign: campaign.id.clone(),
        judgements: vec![
            judgement(Question::Done, "reconnaissance", 0.9),
            judgement(Question::Obtained, "e-mail/accessed", 0.7),
            judgement(Question::State, "state", 0.75),
            judgement(Question::Group, "group", 0.45),
        ],
        hypotheses: vec![hypothesis("group/apt31", Some("CN")), hypothesis("unknown", None)],
        items: vec![EvidenceItem {
            id: "technique/T1598.003".to_owned(),
            class: EvidenceClass::Technique,
            claim: format!("claimed: {text}"),
            findings: campaign.findings.clone(),
            grade: Grade::parse("A2").unwrap(),
            forgeable: true,
            ln_ratios: vec![1.0, 0.0],
            diagnosticity: 1.0,
            state_without: 0.4,
            group_without: 0.2,
        }],
        ceilings: Ceilings {
            state: 0.75,
            group: 0.49,
            reason: text.to_owned(),
        },
        targeting: vec![Enrichment {
            name: text.to_owned(),
            hit: 9,
            drawn: 12,
            members: 20,
            population: 1_450,
            p_corrected: 4e-14,
            odds_ratio: 120.0,
            ..Enrichment::default()
        }],
        phases: Vec::new(),
        at_risk: vec![PersonAtRisk {
            person: "secret-person".to_owned(),
            name: format!("Secret Person {text}"),
            was_hit: true,
            probability: 0.8,
            why: text.to_owned(),
            told: None,
        }],
        open: vec![format!("Whether e-mail was copied is not known. {text}")],
        missing: vec![text.to_owned()],
        would_change: vec![text.to_owned()],
        profiles: text.to_owned(),
    }
}

/// A case with an assessed campaign that foreign infrastructure ties together.
fn with_assessment<T>(text: &str, look: impl FnOnce(&blackrod_report::CaseView<'_>) -> T) -> T {
    let mut made = Case::saying(text, 3);
    if let Some(campaign) = made.campaigns.first_mut() {
        campaign.attack = vec!["T1003.003".to_owned(), "T1598.003".to_owned()];
        let tie = |kind, value: &str| Tie {
            entity: Entity::new(kind, value).unwrap(),
            findings: 3,
            weight: 12.0,
        };
        campaign.ties = vec![
            tie(EntityKind::Ip, "203.0.113.7"),
            tie(EntityKind::Domain, "parliament-login.example.net"),
            tie(EntityKind::Address, "clerk@sender.example"),
            tie(EntityKind::Hash, &"ab".repeat(32)),
            tie(EntityKind::Host, "secret-host"),
            tie(EntityKind::Account, "secret-account"),
        ];
    }
    let assessments: Vec<Assessment> = made
        .campaigns
        .iter()
        .map(|campaign| assessment(campaign, text))
        .collect();
    made.with_view(|view| {
        let mut view = *view;
        view.assessments = &assessments;
        look(&view)
    })
}

fn objects<'b>(bundle: &'b Value, kind: &str) -> Vec<&'b Value> {
    let all = bundle["objects"].as_array().unwrap();
    all.iter().filter(|object| object["type"] == kind).collect()
}

#[test]
fn sentences_stand_with_their_number_and_confidence_apart() {
    let mut page = Vec::new();
    with_assessment("a thing happened", |view| blackrod_report::html(view, &mut page)).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(page.contains("It is highly likely (90 %) that a thing happened."));
    assert!(page.contains("There is a realistic possibility (45 %) that"));
    assert!(page.contains("<p class=\"confidence\">Moderate confidence: a thing happened</p>"));
    assert!(page.contains("9 of the 12 people who were hit are in"));
    assert!(page.contains("not yet"));
    let statement = page
        .split("id=\"statement\"")
        .nth(1)
        .unwrap()
        .split("id=\"assessment\"")
        .next()
        .unwrap();
    assert!(!statement.contains("Secret Person"));
    assert!(
        !statement.contains("45 %"),
        "a group is not named to the public on a possibility"
    );
}

#[test]
fn hostile_text_stays_text() {
    let text = "<script>alert(1)</script> \u{202e}[x](javascript:y)";
    let mut page = Vec::new();
    with_assessment(text, |view| blackrod_report::html(view, &mut page)).unwrap();
    let page = String::from_utf8(page).unwrap();
    assert!(!page.contains("<script>alert"));
    assert!(!page.contains('\u{202e}'));
    let written = with_assessment(text, markdown);
    assert!(!written.contains("<script>") && !written.contains("](javascript"));
}

#[test]
fn a_bundle_has_what_partners_need_and_no_person() {
    for tlp in [Tlp::Clear, Tlp::Green, Tlp::Amber, Tlp::AmberStrict, Tlp::Red] {
        let bundle = with_assessment("a thing happened", |view| stix(view, tlp));
        for kind in [
            "report",
            "campaign",
            "incident",
            "indicator",
            "sighting",
            "infrastructure",
            "intrusion-set",
            "threat-actor",
            "opinion",
            "note",
            "grouping",
            "extension-definition",
            "attack-pattern",
            "relationship",
            "identity",
            "marking-definition",
        ] {
            assert!(!objects(&bundle, kind).is_empty(), "{kind}");
        }
        let text = bundle.to_string();
        for secret in ["Secret Person", "secret-person", "secret-host", "secret-account"] {
            assert!(!text.contains(secret), "{secret}");
        }
        // STIX has neither (2.9, 2.11).
        assert!(!text.contains(":[]") && !text.contains(":null"));
        assert_eq!(text.contains("claimed: "), tlp.is_close());
        assert_eq!(objects(&bundle, "indicator").len(), 4);
        if let Ok(folder) = std::env::var("BLACKROD_STIX_OUT") {
            let path = std::path::Path::new(&folder).join(format!("{}.json", tlp.name()));
            std::fs::write(path, format!("{bundle:#}")).unwrap();
        }
    }
}

#[test]
fn every_reference_is_to_something_in_the_bundle_and_ids_follow_from_content() {
    let bundle = with_assessment("a thing happened", |view| stix(view, Tlp::Amber));
    let again = with_assessment("a thing happened", |view| stix(view, Tlp::Amber));
    assert_eq!(bundle, again);
    let ids: std::collections::BTreeSet<&str> = bundle["objects"]
        .as_array()
        .unwrap()
        .iter()
        .filter_map(|object| object["id"].as_str())
        .collect();
    for object in bundle["objects"].as_array().unwrap() {
        for (key, value) in object.as_object().unwrap() {
            let one = value.as_str().filter(|_| key.ends_with("_ref"));
            let many = value
                .as_array()
                .filter(|_| key.ends_with("_refs"))
                .into_iter()
                .flatten()
                .filter_map(Value::as_str);
            for reference in one.into_iter().chain(many) {
                assert!(ids.contains(reference), "{key} {reference}");
            }
        }
    }
}

#[test]
fn a_layer_counts_techniques() {
    let layer = with_assessment("a thing happened", navigator);
    assert_eq!(layer["domain"], "enterprise-attack");
    assert!(layer["techniques"].as_array().is_some());
}
