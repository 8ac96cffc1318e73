//! What is usual.

use std::collections::BTreeMap;

/// So much of the past must be known, in minutes, before it is compared with.
const PAST: u64 = 60;

/// How many packets a minute there were: a histogram by halves of powers of two.
#[derive(Default)]
pub(super) struct Past {
    minutes: u64,
    packets: u64,
    counts: BTreeMap<u8, u64>,
}

impl Past {
    pub(super) fn add(&mut self, packets: u64) {
        self.minutes += 1;
        self.packets = self.packets.saturating_add(packets);
        *self.counts.entry(bucket(packets)).or_default() += 1;
    }

    /// Packets of all minutes.
    pub(super) fn packets(&self) -> u64 {
        self.packets
    }

    /// The 95th percentile, once enough is known.
    pub(super) fn high(&self) -> Option<u64> {
        if self.minutes < PAST {
            return None;
        }
        let mut left = self.minutes.div_ceil(20);
        for (bucket, count) in self.counts.iter().rev() {
            if *count >= left {
                return Some(upper(*bucket));
            }
            left -= count;
        }
        None
    }
}

fn bucket(packets: u64) -> u8 {
    ((packets.max(1) as f64).log2() * 2.0).ceil() as u8
}

fn upper(bucket: u8) -> u64 {
    2_f64.powf(f64::from(bucket) / 2.0) as u64
}
