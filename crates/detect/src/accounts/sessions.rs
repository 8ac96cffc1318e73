//! One session in two places: a stolen token.

use std::net::IpAddr;

use blackrod_model::{AccountAct, Finding, Reason, Severity};
use rustc_hash::FxHashMap;

use super::joined::{Joined, Mark};
use super::places::program;
use super::{Claim, network, seconds};

/// Sessions remembered; beyond, those that were quiet longest are forgotten.
const MAX_SESSIONS: usize = 500_000;
/// Two places within this time cannot be one person who moved with the device.
const AT_ONCE: i64 = 2 * 3_600;

#[derive(Default)]
pub(super) struct Sessions {
    /// By account and session.
    seen: FxHashMap<String, Session>,
    key: String,
}

struct Session {
    network: IpAddr,
    agent: Option<String>,
    last: i64,
    told: bool,
}

impl Sessions {
    /// Judges an act; says whether its session moved.
    pub(super) fn push(
        &mut self,
        act: &AccountAct,
        joined: &mut Joined,
        findings: &mut Vec<Finding>,
    ) -> bool {
        let (Some(id), Some(address)) = (&act.session, act.address) else {
            return false;
        };
        let now = seconds(act);
        let from = network(address);
        if self.seen.len() > MAX_SESSIONS {
            self.seen.retain(|_, session| now - session.last <= 24 * 3_600);
        }
        self.key.clear();
        // Either may hold any character: the length says where the account ends.
        self.key
            .extend([act.user.len().to_string().as_str(), " ", &act.user, id]);
        let Some(known) = self.seen.get_mut(&self.key) else {
            let session = Session {
                network: from,
                agent: act.agent.clone(),
                last: now,
                told: false,
            };
            self.seen.insert(self.key.clone(), session);
            return false;
        };
        let other_place = known.network != from;
        let other_program = matches!(
            (&known.agent, &act.agent),
            (Some(a), Some(b)) if a != b && program(a) != program(b)
        );
        let at_once = now - known.last <= AT_ONCE;
        // A phone moves between networks all day, but it does not become another program.
        let has_moved = other_place && other_program && at_once && !known.told;
        if has_moved {
            known.told = true;
            joined.mark(act, Mark::SessionInTwoPlaces);
            let claim = Claim {
                code: "account/session-moved",
                title: format!(
                    "A session of {} goes on from another network with another program",
                    act.user
                ),
                severity: Severity::Medium,
                attack: &["T1550.004", "T1539"],
                reasons: vec![
                    Reason::new("first network", &known.network.to_string()),
                    Reason::new("first program", known.agent.as_deref().unwrap_or_default()),
                    Reason::new("then network", &from.to_string()),
                    Reason::new("then program", act.agent.as_deref().unwrap_or_default()),
                ],
                act,
                detail: String::new(),
            };
            findings.push(claim.into_finding());
        }
        known.last = now;
        if !other_program {
            known.network = from;
        }
        has_moved
    }
}
