use std::collections::{BTreeMap, HashMap};

use blackrod_model::mail::LinkRole;
use blackrod_model::{Estate, EvidenceId};
use blackrod_simulate::{Assumptions, Hosts, Mail, Simulation};

fn small(seed: u64) -> Simulation {
    Simulation::new(seed, Assumptions::default().scaled(0.02))
}

#[test]
fn a_run_follows_from_its_seed() {
    let write = |seed: u64| {
        let mut bytes = Vec::new();
        small(seed)
            .messages()
            .skip(3_000)
            .take(2_000)
            .for_each(|mail| mail.write(&mut bytes));
        bytes
    };
    assert_eq!(write(5), write(5));
    assert_ne!(write(5), write(6));
}

#[test]
fn messages_come_in_the_order_of_time_and_as_many_as_asked() {
    let simulation = small(1);
    let mut last = i64::MIN;
    let mut counted = 0;
    for mail in simulation.messages() {
        assert!(mail.micros() >= last);
        last = mail.micros();
        counted += usize::from(!mail.is_history());
    }
    let asked = 1_100_000.0 * 0.02;
    assert!(
        (counted as f64 - asked).abs() < asked * 0.05,
        "{counted} messages"
    );
}

#[test]
fn the_estate_file_is_read_as_the_estate_it_was_written_from() {
    let simulation = small(2);
    let read = Estate::parse(&simulation.estate_toml(), &mut |_| Err("no file".to_owned())).unwrap();
    assert_eq!(&read, simulation.estate());
    assert_eq!(read.people.len(), 1_500);
    assert_eq!(read.groups.len(), 41);
}

#[test]
fn a_small_house_has_few_groups_and_campaigns_of_fronts() {
    let simulation = Simulation::new(2, Assumptions::small().scaled(0.02));
    let estate = simulation.estate();
    assert_eq!((estate.people.len(), estate.groups.len()), (70, 11));
    let fronts = |seed: u64| {
        let truth = Simulation::new(seed, Assumptions::small().scaled(0.02)).truth();
        let campaigns = truth.campaigns.into_iter();
        campaigns
            .filter(|campaign| campaign.hosts == Hosts::Fronts)
            .count()
    };
    assert!((1..4).map(fronts).sum::<usize>() > 0);
}

#[test]
fn the_truth_names_the_messages_of_campaigns_and_no_others() {
    let simulation = small(3);
    let truth = simulation.truth();
    assert_eq!(truth.campaigns.len(), 10);
    let mut by_campaign: BTreeMap<usize, Vec<Mail>> = BTreeMap::new();
    for mail in simulation.messages() {
        if let Some(campaign) = mail.campaign() {
            by_campaign.entry(campaign).or_default().push(mail);
        }
    }
    for campaign in &truth.campaigns {
        let mails = &by_campaign[&campaign.number];
        let mut seen: Vec<String> = mails.iter().map(Mail::message_id).collect();
        let mut told = campaign.messages.clone();
        seen.sort();
        told.sort();
        assert_eq!(seen, told);
        assert!(
            (3..=36).contains(&campaign.recipients.len()),
            "{}",
            campaign.recipients.len()
        );
        assert!(campaign.ends - campaign.begins <= 7 * 86_400);
    }
}

#[test]
fn message_ids_are_used_once() {
    let mut seen = HashMap::new();
    for mail in small(4).messages() {
        let before = seen.insert(mail.message_id(), mail.number());
        assert_eq!(
            before,
            None,
            "message {} has the id of an earlier one",
            mail.number()
        );
    }
}

#[test]
fn every_message_of_a_campaign_tells_recipients_apart() {
    for mail in small(3).messages().filter(|mail| mail.campaign().is_some()) {
        let facts = mail.facts(EvidenceId::default());
        let marked = |role| {
            facts
                .links
                .iter()
                .any(|link| link.role == role && !link.tokens.is_empty())
        };
        assert!(
            marked(LinkRole::Beacon) || marked(LinkRole::Click),
            "{:?}",
            facts.links
        );
    }
}
