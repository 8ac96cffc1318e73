//! Directed anomaly scoring (Ho et al., 2017): how many other messages a message is at least as suspicious as, in
//! every respect at once. It needs no labels and no distributions, only which direction is the suspicious one.

use super::sketch::mix;

/// How many past events are kept to compare with.
const SAMPLE: usize = 1_024;
/// The days that they stand for.
const DAYS: f64 = 30.0;

/// Respects in which an event may be suspicious; more is more suspicious.
pub(super) type Respects = [f32; 4];

/// The past month's events, a fair sample of them, for one kind of attack.
#[derive(Clone, Debug, Default)]
pub(super) struct Das {
    sample: Vec<Respects>,
    next: usize,
    events: u64,
    began: Option<u32>,
}

impl Das {
    /// What is improbable about an event, in nats: half of −ln of the share of past events than which it is not at
    /// least as suspicious in every respect. With few past events nothing is improbable.
    pub(super) fn surprise(&self, event: &Respects) -> f64 {
        let less = self.sample.iter().filter(|past| dominates(event, past)).count();
        let all = self.sample.len();
        let share = (all - less + 1) as f64 / (all + 1) as f64;
        -0.5 * share.ln()
    }

    /// Remembers an event at `now`.
    pub(super) fn note(&mut self, event: Respects, now: u32) {
        let began = *self.began.get_or_insert(now);
        self.events += 1;
        let days = (f64::from(now.saturating_sub(began)) / 86_400.0).max(1.0);
        let in_month = self.events as f64 / days * DAYS.min(days);
        let each = (in_month / SAMPLE as f64).ceil().max(1.0) as u64;
        if self.sample.len() < SAMPLE {
            self.sample.push(event);
            return;
        }
        if mix(self.events).is_multiple_of(each)
            && let Some(slot) = self.sample.get_mut(self.next)
        {
            *slot = event;
            self.next = (self.next + 1) % SAMPLE;
        }
    }
}

/// At least as suspicious in every respect, and more in one: else a month of nothing new would make each ordinary message
/// as suspicious as all others.
fn dominates(event: &Respects, past: &Respects) -> bool {
    let pairs = || event.iter().zip(past);
    pairs().all(|(a, b)| a >= b) && pairs().any(|(a, b)| a > b)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_exceeds_all_in_every_respect_is_surprising() {
        let mut das = Das::default();
        let worst = [9.0, 9.0, 9.0, 9.0];
        assert_eq!(das.surprise(&worst), 0.0);
        for number in 0..5_000_u32 {
            let value = (number % 7) as f32;
            das.note([value, 1.0, 6.0 - value, 0.0], number * 100);
        }
        assert!(das.surprise(&worst) > 3.0);
        assert!(das.surprise(&[6.0, 1.0, 0.0, 0.0]) < 0.3);
        assert_eq!(das.sample.len(), SAMPLE);
    }
}
