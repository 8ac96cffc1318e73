//! How usual new senders are in the estate's mail of these days.

use super::history::DAY;

/// How usual it is that senders are new: what a new sender says depends on it.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Arrivals {
    day: u32,
    new: f64,
    active: f64,
    new_before: f64,
    active_before: f64,
}

impl Arrivals {
    pub(super) fn note(&mut self, is_new: bool, is_first_of_day: bool, now: u32) {
        if now / DAY != self.day {
            self.day = now / DAY;
            self.new_before = 0.5 * self.new_before + self.new;
            self.active_before = 0.5 * self.active_before + self.active;
            (self.new, self.active) = (0.0, 0.0);
        }
        self.new += f64::from(u8::from(is_new));
        self.active += f64::from(u8::from(is_first_of_day));
    }

    /// −ln of the share of new senders among the senders of these days.
    pub(super) fn novelty(&self) -> f64 {
        let share = (self.new + self.new_before + 2.0) / (self.active + self.active_before + 2.0);
        -share.min(1.0).ln()
    }
}
