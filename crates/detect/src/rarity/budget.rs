//! The alert budget: for each day the strongest operations, as many as somebody will look at.

use super::operation::{Day, Operation};

/// What an operation must come to before it is worth an alert at all: e^4, about fifty to one.
const ALERT_FLOOR: f32 = 4.0;

/// What an operation came to is forgotten by half in a week.
const FADE_A_DAY: f32 = 0.905_7;

/// How much more than its usual an operation must come to: accounts that do odd things every day are odd in
/// themselves.
const USUAL: f32 = 1.5;

/// An operation that is told on a day.
pub(super) struct Alert<'o> {
    pub(super) operation: &'o Operation,
    /// What that day added.
    pub(super) day: Day,
    pub(super) score: f32,
    /// The day on which it was told before.
    pub(super) told: Option<u32>,
}

/// What is told of `operations`, at most `a_day` a day, by day and strength. What was told is spent: an operation is told
/// again only for what came after.
pub(super) fn alerts<'o>(operations: impl Iterator<Item = &'o Operation>, a_day: u32) -> Vec<Alert<'o>> {
    let mut running: Vec<Running<'_>> = operations.map(Running::new).collect();
    running.sort_by(|left, right| left.operation.actors.cmp(&right.operation.actors));
    let mut days: Vec<u32> = running
        .iter()
        .flat_map(|running| running.operation.days.iter().map(|day| day.day))
        .collect();
    days.sort_unstable();
    days.dedup();
    let start = days.first().copied().unwrap_or(0);
    let mut alerts = Vec::new();
    for day in days {
        let advanced = running.iter_mut().filter_map(|running| {
            let (score, added) = running.advance(day, start)?;
            (score >= ALERT_FLOOR).then_some((score, added, running))
        });
        let mut candidates: Vec<(f32, Day, &mut Running<'_>)> = advanced.collect();
        // Stable, so that equals stay in the order of their names.
        candidates.sort_by(|(left, _, _), (right, _, _)| right.total_cmp(left));
        for (score, added, running) in candidates.into_iter().take(a_day as usize) {
            alerts.push(Alert {
                operation: running.operation,
                day: added,
                score,
                told: running.told,
            });
            running.tell(day);
        }
    }
    alerts
}

/// An operation while the days are gone through.
struct Running<'o> {
    operation: &'o Operation,
    next: usize,
    total: f32,
    last: u32,
    told: Option<u32>,
    /// What its untold days came to together.
    usual: f32,
}

impl<'o> Running<'o> {
    fn new(operation: &'o Operation) -> Self {
        Self {
            operation,
            next: 0,
            total: 0.0,
            last: 0,
            told: None,
            usual: 0.0,
        }
    }

    /// Takes in what `day` added, beyond what a day usually adds since `start`; `None` where it added nothing.
    fn advance(&mut self, day: u32, start: u32) -> Option<(f32, Day)> {
        let added = self
            .operation
            .days
            .get(self.next)
            .filter(|added| added.day == day)?;
        self.next += 1;
        let passed = day.saturating_sub(start) as f32;
        let usual = self.usual / passed.max(1.0);
        let silent = day.saturating_sub(self.last).min(365);
        let faded = FADE_A_DAY.powi(i32::try_from(silent).unwrap_or(365));
        self.total = (self.total * faded + added.gain - USUAL * usual).max(0.0);
        self.usual += added.gain.min(2.0 * ALERT_FLOOR);
        self.last = day;
        Some((self.total, *added))
    }

    fn tell(&mut self, day: u32) {
        self.told = Some(day);
        self.total = 0.0;
    }
}
