//! What assessments promise, whatever the evidence.

use std::sync::LazyLock;

use blackrod_judge::actors::Actors;
use blackrod_judge::{Assessor, Context, assess, campaigns};
use blackrod_model::assessment::{AnalystItem, Assessment, EvidenceClass, Grade, Question, Scale};
use blackrod_model::estate::{Group, Person, Register, System};
use blackrod_model::{
    Campaign, CampaignId, Entity, EntityKind, Estate, Finding, FindingId, Severity, Target, Timestamp,
};
use proptest::prelude::*;

use crate::make;

static ACTORS: LazyLock<Actors> = LazyLock::new(|| Actors::built_in().unwrap());

const TECHNIQUES: [&str; 12] = [
    "T1598.003",
    "T1583.001",
    "T1090.003",
    "T1584.008",
    "T1665",
    "T1566.002",
    "T1003.003",
    "T1114.002",
    "T1567.002",
    "T1505.003",
    "T1059.001",
    "T1218.007",
];

const SOFTWARE: [&str; 4] = [
    "HackTool - Mimikatz Execution",
    "Cobalt Strike Beacon",
    "PlugX DLL side-loading",
    "X-Agent found",
];

fn finding(number: u64, attack: &[&str], title: &str) -> Finding {
    Finding {
        attack: attack.iter().map(|id| (*id).to_owned()).collect(),
        title: title.to_owned(),
        ..make::finding(
            number,
            i64::try_from(number).unwrap(),
            Severity::High,
            &format!("rule-{number}"),
            &["host ws-014"],
        )
    }
}

fn campaign_of(findings: &[Finding]) -> Campaign {
    Campaign {
        id: CampaignId::from_first(FindingId([7; 16])),
        title: "Campaign".to_owned(),
        score: 1.0,
        first_seen: Timestamp::from_seconds(0),
        last_seen: Timestamp::from_seconds(1),
        findings: findings.iter().map(|finding| finding.id).collect(),
        targets: Vec::new(),
        ties: Vec::new(),
        attack: Vec::new(),
    }
}

fn analyst(campaign: &Campaign, class: EvidenceClass, source: &str, forgeable: bool) -> AnalystItem {
    AnalystItem {
        campaign: campaign.id.clone(),
        class,
        source: source.to_owned(),
        claim: format!("claim-of-{source}"),
        supports: "apt31".to_owned(),
        ratio: 900.0,
        grade: Grade::parse("A1").unwrap(),
        forgeable,
    }
}

fn probability(assessment: &Assessment, question: Question) -> f64 {
    assessment
        .on(question)
        .map(|judgement| judgement.probability)
        .next()
        .unwrap_or(0.0)
}

fn group_named(assessment: &Assessment) -> f64 {
    let about_a_group = assessment
        .on(Question::Group)
        .filter(|judgement| judgement.about == "group");
    about_a_group
        .map(|judgement| judgement.probability)
        .fold(0.0, f64::max)
}

fn judged(findings: &[Finding], context: &Context) -> Assessment {
    assess(
        &campaign_of(findings),
        findings,
        &Estate::default(),
        &ACTORS,
        context,
    )
}

fn some_findings() -> impl Strategy<Value = Vec<Finding>> {
    let one = (
        prop::collection::vec(0..TECHNIQUES.len(), 0..4),
        0..SOFTWARE.len() * 2,
    );
    prop::collection::vec(one, 1..12).prop_map(|drawn| {
        let make = |(number, (techniques, software)): (usize, (Vec<usize>, usize))| {
            let attack: Vec<&str> = techniques.into_iter().map(|at| TECHNIQUES[at]).collect();
            finding(number as u64, &attack, SOFTWARE.get(software).unwrap_or(&"Claim"))
        };
        drawn.into_iter().enumerate().map(make).collect()
    })
}

fn some_analyst_items() -> impl Strategy<Value = Vec<(usize, u8, bool)>> {
    prop::collection::vec((0..EvidenceClass::ALL.len(), 0..4_u8, any::<bool>()), 0..8)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn techniques_alone_never_name_a_group_or_make_a_state_more_than_likely(mut findings in some_findings()) {
        for finding in &mut findings {
            finding.title = "Claim".to_owned();
        }
        let assessment = judged(&findings, &Context::default());
        prop_assert!(probability(&assessment, Question::State) <= 0.75);
        prop_assert!(group_named(&assessment) < 0.50);
    }

    #[test]
    fn what_can_be_forged_is_never_almost_certain(findings in some_findings(), drawn in some_analyst_items()) {
        let campaign = campaign_of(&findings);
        let items = drawn.iter().map(|(class, source, _)| analyst(&campaign, EvidenceClass::ALL[*class], &format!("s{source}"), true));
        let context = Context {
            analyst: items.collect(),
            signed_off: vec![campaign.id.clone()],
            ..Context::default()
        };
        let assessment = assess(&campaign, &findings, &Estate::default(), &ACTORS, &context);
        for judgement in assessment.judgements.iter().filter(|judgement| matches!(judgement.question, Question::State | Question::Group) && judgement.about != "unknown") {
            prop_assert!(judgement.probability < 0.95, "{judgement:?}");
            prop_assert!(!judgement.sentence(Scale::Phia).contains("almost certain"));
        }
    }

    #[test]
    fn saying_it_twice_and_in_another_order_changes_nothing(
        findings in some_findings(),
        drawn in some_analyst_items(),
        turn in any::<prop::sample::Index>(),
    ) {
        let campaign = campaign_of(&findings);
        let items: Vec<AnalystItem> = drawn
            .iter()
            .map(|(class, source, forgeable)| analyst(&campaign, EvidenceClass::ALL[*class], &format!("s{source}"), *forgeable))
            .collect();
        let once = Context { analyst: items.clone(), ..Context::default() };
        let first = assess(&campaign, &findings, &Estate::default(), &ACTORS, &once);

        let mut turned = findings.clone();
        turned.rotate_left(turn.index(findings.len()));
        let mut doubled: Vec<AnalystItem> = items.iter().rev().cloned().collect();
        doubled.extend(items);
        let again = Context { analyst: doubled, ..Context::default() };
        let second = assess(&campaign_of(&turned), &turned, &Estate::default(), &ACTORS, &again);
        // A source that is heard twice with one claim hard to forge and one not is one source: which of the two counts is fixed too.
        prop_assert_eq!(first, second);
    }

    #[test]
    fn a_record_that_is_seen_by_a_second_rule_of_the_same_technique_counts_once(findings in some_findings()) {
        let first = judged(&findings, &Context::default());
        let mut doubled = findings.clone();
        for (number, finding) in findings.iter().enumerate() {
            let mut twin = finding.clone();
            twin.id = FindingId([u8::try_from(number).unwrap(); 16]);
            doubled.push(twin);
        }
        let second = judged(&doubled, &Context::default());
        prop_assert_eq!(probability(&first, Question::State), probability(&second, Question::State));
        prop_assert_eq!(group_named(&first), group_named(&second));
    }

    #[test]
    fn what_is_taken_away_is_cited_nowhere(findings in some_findings(), gone in any::<prop::sample::Index>(), drawn in some_analyst_items()) {
        let gone = gone.index(findings.len());
        let mut left = findings.clone();
        let removed = left.remove(gone);
        let campaign = campaign_of(&findings);
        let items: Vec<AnalystItem> =
            drawn.iter().map(|(class, source, forgeable)| analyst(&campaign, EvidenceClass::ALL[*class], &format!("s{source}"), *forgeable)).collect();
        // The campaign still lists it: the record itself is gone.
        let context = Context { analyst: items.iter().skip(1).cloned().collect(), ..Context::default() };
        let assessment = assess(&campaign, &left, &Estate::default(), &ACTORS, &context);
        for judgement in &assessment.judgements {
            prop_assert!(!judgement.findings.contains(&removed.id), "{judgement:?}");
            for id in &judgement.items {
                prop_assert!(assessment.items.iter().any(|item| item.id == *id));
            }
        }
        prop_assert!(assessment.items.iter().all(|item| !item.findings.contains(&removed.id)));
        let is_told_by_another = |item: &AnalystItem| items.iter().skip(1).any(|other| other.claim == item.claim);
        if let Some(first) = items.first().filter(|item| !is_told_by_another(item)) {
            let everything = format!("{:?}", assessment);
            prop_assert!(!everything.contains(&first.claim));
        }
    }

    #[test]
    fn no_probability_is_nothing_or_everything(findings in some_findings()) {
        let assessment = judged(&findings, &Context::default());
        for judgement in &assessment.judgements {
            prop_assert!((0.01..=0.99).contains(&judgement.probability));
        }
        let sum: f64 = assessment.hypotheses.iter().map(|hypothesis| hypothesis.posterior).sum();
        prop_assert!((sum - 1.0).abs() < 1e-9);
        let unknown: f64 = assessment.hypotheses.iter().filter(|one| one.id == "unknown" || one.id.starts_with("aligned/")).map(|one| one.prior).sum();
        prop_assert!(unknown >= 0.5);
    }
}

#[test]
fn every_built_in_profile_is_read_dated_and_sourced() {
    assert!(ACTORS.actors.len() >= 172);
    let by_hand: Vec<_> = ACTORS
        .actors
        .iter()
        .filter(|actor| !actor.sources.is_empty())
        .collect();
    assert!(by_hand.len() >= 22, "{}", by_hand.len());
    for actor in by_hand {
        assert!(
            !actor.dated.is_empty() && actor.sources.iter().all(|source| !source.date.is_empty()),
            "{}",
            actor.id
        );
    }
    for name in [
        "APT31",
        "APT40",
        "APT41",
        "Volt Typhoon",
        "Salt Typhoon",
        "HAFNIUM",
        "APT28",
        "APT29",
        "Star Blizzard",
        "Kimsuky",
        "APT42",
        "Ghostwriter",
        "UNC1151",
    ] {
        assert!(ACTORS.find(name).is_some(), "{name}");
    }
}

#[test]
fn every_state_that_an_actor_works_for_has_a_name() {
    for state in ACTORS.actors.iter().filter_map(|actor| actor.state()) {
        let profile = ACTORS.states.get(state);
        assert!(
            profile.is_some_and(|one| !one.name.is_empty() && !one.adjective.is_empty()),
            "{state}"
        );
    }
}

#[test]
fn almost_certain_takes_three_kinds_one_hard_to_forge_and_a_signature() {
    let findings = vec![finding(1, &["T1598.003", "T1584.008", "T1665"], "Claim")];
    let campaign = campaign_of(&findings);
    let mut context = Context {
        analyst: vec![
            analyst(&campaign, EvidenceClass::Infrastructure, "partner", true),
            analyst(&campaign, EvidenceClass::NonPublic, "service", false),
        ],
        ..Context::default()
    };
    let unsigned = assess(&campaign, &findings, &Estate::default(), &ACTORS, &context);
    assert!(group_named(&unsigned) <= 0.90);
    let held_down = unsigned
        .on(Question::Group)
        .find_map(|judgement| judgement.held_down.clone())
        .unwrap();
    assert!(held_down.contains("signed"), "{held_down}");
    context.signed_off.push(campaign.id.clone());
    let signed = assess(&campaign, &findings, &Estate::default(), &ACTORS, &context);
    assert!(group_named(&signed) >= 0.95, "{}", group_named(&signed));
    let sentence = signed.on(Question::Group).next().unwrap().sentence(Scale::Phia);
    assert!(sentence.starts_with("It is almost certain (9"), "{sentence}");
    assert!(
        sentence.ends_with("%) that the group known as APT31 was behind this campaign."),
        "{sentence}"
    );
}

#[test]
fn state_and_group_mail_and_register_are_judged_apart() {
    let mut findings = vec![
        finding(1, &["T1598.003"], "Tracking image"),
        finding(2, &["T1114.002"], "Mailbox read"),
        finding(3, &["T1003.003", "T1005"], "Register exported"),
    ];
    findings[2].entities = vec![make::entity("host db-1.parliament.example")];
    let estate = Estate {
        systems: vec![System {
            name: "Electoral register".to_owned(),
            kind: "database".to_owned(),
            hosts: vec!["db-1.parliament.example".to_owned()],
            addresses: Vec::new(),
        }],
        registers: vec![Register {
            name: "Roll".to_owned(),
            records: 40_000_000,
            system: Some("Electoral register".to_owned()),
            ..Register::default()
        }],
        ..make::estate()
    };
    let assessment = assess(
        &campaign_of(&findings),
        &findings,
        &estate,
        &ACTORS,
        &Context::default(),
    );
    let about: Vec<&str> = assessment
        .judgements
        .iter()
        .map(|judgement| judgement.about.as_str())
        .collect();
    for wanted in ["e-mail/accessed", "register/accessed", "state", "group"] {
        assert!(about.contains(&wanted), "{about:?}");
    }
    assert!(!about.contains(&"e-mail/copied"));
    assert!(
        assessment
            .open
            .iter()
            .any(|line| line.contains("e-mail was copied is not known"))
    );
    // Use is said apart, as a judgement or as what is not known.
    let is_use_open = assessment
        .open
        .iter()
        .any(|line| line.starts_with("What would be done with"));
    assert_ne!(about.contains(&"use"), is_use_open);
    for judgement in &assessment.judgements {
        let sentence = judgement.sentence(Scale::Phia);
        assert!(sentence.contains(" %) that "), "{sentence}");
        assert!(!sentence.to_lowercase().contains("confidence"), "{sentence}");
    }
}

/// 1,500 people of whom 20 are on a committee, 60 other groups, 12 offices, and roles.
fn big_estate() -> Estate {
    let person = |index: usize| Person {
        id: format!("p{index}"),
        name: format!("Person {index}"),
        addresses: vec![format!("p{index}@parliament.example")],
        groups: [
            (index < 20).then(|| "china-committee".to_owned()),
            Some(format!("g{}", index % 60)),
            Some(format!("h{}", index % 25)),
        ]
        .into_iter()
        .flatten()
        .collect(),
        roles: vec![
            if index.is_multiple_of(3) {
                "member"
            } else {
                "staff"
            }
            .to_owned(),
        ],
        office: Some(format!("p{}", (index % 12) * 100)),
        high_risk: index.is_multiple_of(40),
        ..Person::default()
    };
    Estate {
        people: (0..1_500).map(person).collect(),
        groups: vec![Group {
            id: "china-committee".to_owned(),
            name: "Committee on China".to_owned(),
        }],
        ..make::estate()
    }
}

/// A small generator of numbers (xorshift), the same on every machine.
struct Dice(u64);

impl Dice {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    /// `count` different numbers below `limit`.
    fn draw(&mut self, count: usize, limit: usize) -> Vec<usize> {
        let mut drawn = std::collections::BTreeSet::new();
        while drawn.len() < count {
            drawn.insert(self.below(limit));
        }
        drawn.into_iter().collect()
    }
}

fn aimed_at(people: &[usize]) -> Campaign {
    let target = |index: &usize| Target {
        entity: Entity::new(EntityKind::Address, &format!("p{index}@parliament.example")).unwrap(),
        person: None,
        findings: 1,
    };
    Campaign {
        targets: people.iter().map(target).collect(),
        ..campaign_of(&[])
    }
}

#[test]
fn a_targeted_group_is_found_and_chance_is_not_taken_for_one() {
    let estate = big_estate();
    let context = Context::default();
    let assessor = Assessor::new(&[], &estate, &ACTORS, &context);
    let mut dice = Dice(88_172_645_463_325_252);
    let (mut found, mut mistaken) = (0, 0);
    const RUNS: usize = 2_000;
    for run in 0..RUNS {
        let hit: Vec<usize> = dice
            .draw(8, 20)
            .into_iter()
            .chain(dice.draw(4, 1_480).into_iter().map(|index| index + 20))
            .collect();
        let targeting = assessor.targeting(&aimed_at(&hit));
        found += usize::from(
            targeting
                .first()
                .is_some_and(|first| first.id == "china-committee"),
        );
        let anybody = dice.draw(3 + run % 40, 1_500);
        mistaken += usize::from(!assessor.targeting(&aimed_at(&anybody)).is_empty());
    }
    println!("found in {found} of {RUNS}, mistaken in {mistaken} of {RUNS}");
    assert!(found * 100 > 99 * RUNS, "{found}");
    assert!(mistaken * 100 < RUNS, "{mistaken}");
}

#[test]
fn whom_a_campaign_goes_after_speaks_for_a_state() {
    let estate = big_estate();
    let findings = vec![finding(
        1,
        &["T1598.003", "T1583.001", "T1090.003", "T1584.008"],
        "Tracking image",
    )];
    let chance = Campaign {
        findings: vec![findings[0].id],
        ..aimed_at(&[100, 400, 777, 1_002])
    };
    let aimed = Campaign {
        findings: vec![findings[0].id],
        ..aimed_at(&[0, 1, 2, 3, 4, 5, 900, 1_000])
    };
    let before = assess(&chance, &findings, &estate, &ACTORS, &Context::default());
    let after = assess(&aimed, &findings, &estate, &ACTORS, &Context::default());
    let china = |assessment: &Assessment| -> f64 {
        assessment
            .hypotheses
            .iter()
            .filter(|one| one.state.as_deref() == Some("CN"))
            .map(|one| one.posterior)
            .sum()
    };
    assert!(
        china(&after) > china(&before) + 0.1,
        "{} {}",
        china(&before),
        china(&after)
    );
    assert!(after.items.iter().any(|item| item.id == "victimology/CN"));
    // Those of the committee who were not hit are told of too.
    let others: Vec<_> = after.at_risk.iter().filter(|person| !person.was_hit).collect();
    assert_eq!(others.len(), 14);
    let sentence = after.targeting[0].sentence("recipients");
    assert!(
        sentence.starts_with("6 of the 8 recipients are in Committee on China; 20 of 1500 people are"),
        "{sentence}"
    );
}

#[test]
fn campaigns_of_the_case_are_assessed_as_they_are() {
    let findings: Vec<Finding> = (0..6)
        .map(|number| finding(number, &["T1003.003", "T1114.002"], "Claim"))
        .collect();
    let estate = make::estate();
    let found = campaigns(&findings, &estate);
    let assessment = assess(&found[0], &findings, &estate, &ACTORS, &Context::default());
    assert_eq!(assessment.campaign, found[0].id);
    assert!(!assessment.phases.is_empty());
}
