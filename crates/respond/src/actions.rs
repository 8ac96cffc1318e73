//! The plan: what is to be done about the campaigns of a case, why, and how far it has come.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use blackrod_model::assessment::{Assessment, Noted, Remark};
use blackrod_model::estate::Index;
use blackrod_model::mail::MailCampaign;
use blackrod_model::{
    Action, ActionId, ActionKind, ActionState, ActionStep, Campaign, EntityKind, Estate, Finding, FindingId,
    Former, Plan, Severity,
};

use crate::block::Infrastructure;
use crate::calls::{Call, cut, is_routed, mail_campaigns_of, on_estate, on_mail, on_targets};
use crate::measures::{MEASURES, Measure, On, is_shared};

/// Of so many campaigns, the strongest, something is planned.
const MAX_CAMPAIGNS: usize = 200;
/// How many actions of one measure a campaign calls for at most.
const MAX_SUBJECTS: usize = 60;
/// How many findings an action points at.
const MAX_FINDINGS: usize = 5;

/// What a plan is drawn from.
#[derive(Clone, Copy, Debug)]
pub struct Situation<'a> {
    /// Strongest first.
    pub campaigns: &'a [Campaign],
    /// What is judged of them.
    pub assessments: &'a [Assessment],
    /// The findings of the case.
    pub findings: &'a [Finding],
    /// Its mail campaigns.
    pub mail_campaigns: &'a [MailCampaign],
    /// What is protected: nothing of it is ever blocked. Without institutions nothing is.
    pub estate: &'a Estate,
    /// What people added to the case, first to last.
    pub remarks: &'a [Noted],
}

/// Draws the plan. The same situation gives the same plan.
pub fn plan(situation: &Situation<'_>) -> Plan {
    let mut drawing = Drawing::new(situation);
    for campaign in situation.campaigns.iter().take(MAX_CAMPAIGNS) {
        drawing.campaign(campaign);
    }
    if situation.campaigns.len() > MAX_CAMPAIGNS {
        drawing.left_out.insert(format!(
            "Nothing is planned for campaigns weaker than the {MAX_CAMPAIGNS} strongest."
        ));
    }
    drawing.finish()
}

struct Drawing<'a> {
    situation: &'a Situation<'a>,
    estate: Index<'a>,
    findings: HashMap<FindingId, &'a Finding>,
    actions: Vec<Action>,
    places: BTreeMap<ActionId, usize>,
    left_out: BTreeSet<String>,
}

impl<'a> Drawing<'a> {
    fn new(situation: &'a Situation<'a>) -> Self {
        Self {
            situation,
            estate: Index::new(situation.estate),
            findings: situation.findings.iter().map(|one| (one.id, one)).collect(),
            actions: Vec::new(),
            places: BTreeMap::new(),
            left_out: BTreeSet::new(),
        }
    }

    fn campaign(&mut self, campaign: &Campaign) {
        let mut findings: Vec<&Finding> = campaign
            .findings
            .iter()
            .filter_map(|id| self.findings.get(id).copied())
            .filter(|finding| finding.severity >= Severity::High)
            .collect();
        if findings.is_empty() {
            return;
        }
        findings.sort_by_key(|finding| (std::cmp::Reverse(finding.severity), finding.time, finding.id));
        let mail: Vec<&MailCampaign> = mail_campaigns_of(&findings, self.situation.mail_campaigns).collect();
        for measure in MEASURES.iter() {
            let mut calls = match measure.on {
                On::Account => on_targets(measure, campaign, &findings, EntityKind::Account),
                On::Host => on_targets(measure, campaign, &findings, EntityKind::Host),
                On::Estate => on_estate(measure, &findings).into_iter().collect(),
                On::Person => self.on_people(campaign),
                On::Mail => mail.iter().map(|mail| on_mail(mail)).collect(),
                On::Ip | On::Domain | On::Address => self.on_foreign(measure.on, campaign, &mail),
            };
            if calls.len() > MAX_SUBJECTS {
                self.left_out.insert(format!(
                    "{MAX_SUBJECTS} of {} actions of the measure {} are listed for campaign {}.",
                    calls.len(),
                    measure.id,
                    campaign.id
                ));
                calls.truncate(MAX_SUBJECTS);
            }
            for call in calls {
                self.add(measure, campaign, call);
            }
        }
    }

    fn add(&mut self, measure: &Measure, campaign: &Campaign, call: Call<'_>) {
        let id = ActionId::new(&measure.id, &call.subject);
        let place = *self.places.entry(id.clone()).or_insert_with(|| {
            self.actions.push(Action {
                id,
                kind: measure.kind,
                measure: measure.id.clone(),
                what: measure.what.replace("{subject}", &call.shown),
                subject: call.subject,
                campaigns: Vec::new(),
                why: call.why,
                care: measure.care.clone(),
                attack: Vec::new(),
                findings: Vec::new(),
                steps: Vec::new(),
            });
            self.actions.len() - 1
        });
        let action = &mut self.actions[place];
        action.campaigns.push(campaign.id.clone());
        let answered = call.findings.iter().flat_map(|finding| &finding.attack);
        action
            .attack
            .extend(answered.filter(|technique| measure.answers(technique)).cloned());
        action.attack.sort();
        action.attack.dedup();
        let rest = MAX_FINDINGS.saturating_sub(action.findings.len());
        action
            .findings
            .extend(call.findings.iter().take(rest).map(|finding| finding.id));
    }

    fn on_people(&self, campaign: &Campaign) -> Vec<Call<'a>> {
        let assessment = self
            .situation
            .assessments
            .iter()
            .find(|one| one.campaign == campaign.id);
        let people = assessment.into_iter().flat_map(|one| &one.at_risk);
        people
            .map(|person| Call {
                subject: person.person.clone(),
                shown: cut(&person.name),
                why: format!("{} {}", person.name, person.why),
                findings: Vec::new(),
            })
            .collect()
    }

    /// What ties a campaign together and is not the estate's, its partners' or everybody's.
    fn on_foreign(&mut self, on: On, campaign: &Campaign, mail: &[&MailCampaign]) -> Vec<Call<'a>> {
        if self.situation.estate.organisations.is_empty() {
            self.left_out.insert(
                "Nothing is proposed for blocking, because no estate says what is your own: give --estate."
                    .to_owned(),
            );
            return Vec::new();
        }
        let kind = match on {
            On::Ip => EntityKind::Ip,
            On::Address => EntityKind::Address,
            _ => EntityKind::Domain,
        };
        let mut calls: BTreeMap<String, String> = BTreeMap::new();
        for tie in campaign.ties.iter().filter(|tie| tie.entity.kind == kind) {
            let why = format!("{} findings of the campaign share it", tie.findings);
            calls.insert(tie.entity.value.clone(), why);
        }
        for campaign in mail {
            let found = Infrastructure::of(campaign, &[], &is_shared);
            let names = match on {
                On::Address => found.senders,
                On::Domain => found.hosts,
                _ => BTreeSet::new(),
            };
            for name in names {
                let why = || format!("mail campaign {} was sent from it or reports to it", campaign.key);
                calls.entry(name).or_insert_with(why);
            }
        }
        calls.retain(|name, _| self.may_block(on, name));
        let call = |(subject, why): (String, String)| Call {
            shown: cut(&subject),
            subject,
            why,
            findings: Vec::new(),
        };
        calls.into_iter().map(call).collect()
    }

    fn may_block(&self, on: On, name: &str) -> bool {
        match on {
            On::Ip => name
                .parse()
                .is_ok_and(|ip| is_routed(ip) && !self.estate.contains_ip(ip)),
            On::Address => name
                .rsplit_once('@')
                .is_some_and(|(_, domain)| !self.estate.is_own_domain(domain)),
            _ => !self.estate.is_own_domain(name) && !is_shared(name) && !self.is_partner(name),
        }
    }

    fn is_partner(&self, name: &str) -> bool {
        let mut domains = self.situation.estate.partners.iter().flat_map(|one| &one.domains);
        domains.any(|domain| {
            name.strip_suffix(domain.as_str())
                .is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
        })
    }

    fn finish(mut self) -> Plan {
        let mut former: BTreeMap<ActionId, Former> = BTreeMap::new();
        for noted in self.situation.remarks {
            let (id, what, state, note) = match &noted.remark {
                Remark::Action {
                    action,
                    what,
                    state,
                    note,
                } => (action.clone(), what.as_str(), *state, note),
                Remark::Told { person, told } => (
                    ActionId::new("notify/person", person),
                    "",
                    ActionState::Done,
                    &told.advice,
                ),
                _ => continue,
            };
            let step = ActionStep {
                state,
                by: noted.by.clone(),
                at: noted.at,
                note: note.clone(),
                remark: noted.id,
            };
            match self.places.get(&id) {
                Some(place) => self.actions[*place].steps.push(step),
                // That somebody was told is with the people at risk.
                None if what.is_empty() => {}
                None => {
                    let entry = former.entry(id.clone()).or_insert_with(|| Former {
                        id,
                        what: what.to_owned(),
                        steps: Vec::new(),
                    });
                    entry.steps.push(step);
                }
            }
        }
        self.actions.sort_by_key(|action| action.kind);
        Plan {
            actions: self.actions,
            former: former.into_values().collect(),
            left_out: self.left_out.into_iter().collect(),
        }
    }
}

/// The infrastructure that is to be blocked: what of the plan `is_wanted`.
pub fn blocked(plan: &Plan, is_wanted: &dyn Fn(&Action) -> bool) -> Infrastructure {
    let mut found = Infrastructure::default();
    let blocks = plan.actions.iter().filter(|one| one.kind == ActionKind::Block);
    for action in blocks.filter(|action| is_wanted(action)) {
        match action.measure.as_str() {
            "block/sender" => found.sender(&action.subject),
            "block/domain" => found.host(&action.subject, &is_shared),
            _ => match action.subject.parse() {
                Ok(address) => {
                    found.addresses.insert(address);
                }
                Err(_) => {
                    found.left_out.insert(action.subject.clone());
                }
            },
        }
    }
    found
}

#[cfg(test)]
mod tests;
