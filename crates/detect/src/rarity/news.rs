//! What is new here: shapes of commands that were first seen in the last week of the evidence.

use blackrod_model::process::ProcessFacts;
use blackrod_model::{CommandShape, NewShape, Timestamp};
use rustc_hash::FxHashMap;

use super::HOUR;
use super::lately::since;
use super::score::Score;

/// The most that are listed.
const MOST_LISTED: usize = 1_000;

/// The most that are remembered; beyond it the older go, then the weaker.
const MOST: usize = 4 * MOST_LISTED;

/// The most hosts and accounts of a shape that are named.
const MOST_NAMED: usize = 8;

/// What is new for a week.
const NEW_FOR: i64 = 7 * 24 * HOUR;

/// What nobody can do harm with is no news.
const LEAST: f32 = -1.0;

/// Shapes by their key.
#[derive(Debug, Default)]
pub(super) struct News(FxHashMap<u64, NewShape>);

impl News {
    /// A shape was seen for the first time.
    pub(super) fn first(&mut self, key: u64, facts: &ProcessFacts, actor: &str, score: &Score, value: f32) {
        if score.total <= LEAST {
            return;
        }
        if self.0.len() >= MOST {
            self.forget(facts.time);
        }
        self.0.insert(
            key,
            NewShape {
                shape: CommandShape {
                    image: facts.image.clone(),
                    skeleton: facts.skeleton.clone(),
                },
                command: facts.command.clone(),
                first: facts.time,
                times: 1,
                hosts: vec![facts.host.clone()],
                accounts: vec![actor.to_owned()],
                score: value,
                can: score.can.names().map(str::to_owned).collect(),
            },
        );
    }

    /// A shape was seen again.
    pub(super) fn again(&mut self, key: u64, host: &str, actor: &str) {
        let Some(shape) = self.0.get_mut(&key) else {
            return;
        };
        shape.times += 1;
        for (names, name) in [(&mut shape.hosts, host), (&mut shape.accounts, actor)] {
            if names.len() < MOST_NAMED && !names.iter().any(|known| known == name) {
                names.push(name.to_owned());
            }
        }
    }

    /// Those that are new as of `latest`, strongest first.
    pub(super) fn listed(self, latest: Timestamp) -> Vec<NewShape> {
        let shapes = self.0.into_values();
        let mut listed: Vec<NewShape> = shapes
            .filter(|shape| since(shape.first, latest) < NEW_FOR)
            .collect();
        listed.sort_by(|left, right| {
            let by_name = || left.shape.cmp(&right.shape);
            right.score.total_cmp(&left.score).then_with(by_name)
        });
        listed.truncate(MOST_LISTED);
        listed
    }

    /// Forgets what is new no more, and of the rest the weaker half where that is not enough.
    fn forget(&mut self, now: Timestamp) {
        self.0.retain(|_, shape| since(shape.first, now) < NEW_FOR);
        if self.0.len() < MOST / 2 {
            return;
        }
        let mut order: Vec<(f32, u64)> = self.0.iter().map(|(key, shape)| (shape.score, *key)).collect();
        order.sort_by(|left, right| left.0.total_cmp(&right.0).then(left.1.cmp(&right.1)));
        order.truncate(self.0.len() - MOST / 2);
        for (_, key) in order {
            self.0.remove(&key);
        }
    }
}
