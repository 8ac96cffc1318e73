//! How many machines of the estate use an outer network.

use std::hash::{BuildHasher as _, BuildHasherDefault};
use std::net::IpAddr;

use rustc_hash::{FxHashMap, FxHasher};

/// A network that more machines use is a service.
const FEW: usize = 2;

/// Networks that are remembered.
const MOST: usize = 131_072;

/// The first few machines that used each network.
#[derive(Default)]
pub(super) struct Users {
    networks: FxHashMap<IpAddr, Known>,
}

struct Known {
    /// Digests of machines.
    machines: [u64; FEW + 1],
    count: usize,
    last_day: i64,
}

impl Users {
    /// Notes that a machine used a network.
    pub(super) fn note(&mut self, network: IpAddr, machine: IpAddr, day: i64) {
        if self.networks.len() >= MOST && !self.networks.contains_key(&network) {
            // What one machine once used says least.
            self.networks
                .retain(|_, known| known.count > 1 || known.last_day >= day);
            if self.networks.len() >= MOST {
                return;
            }
        }
        let known = self.networks.entry(network).or_insert(Known {
            machines: [0; FEW + 1],
            count: 0,
            last_day: day,
        });
        known.last_day = day;
        let digest = BuildHasherDefault::<FxHasher>::default().hash_one(machine);
        let is_known = known
            .machines
            .iter()
            .take(known.count)
            .any(|seen| *seen == digest);
        if !is_known && let Some(slot) = known.machines.get_mut(known.count) {
            *slot = digest;
            known.count += 1;
        }
    }

    /// Whether so few use it that it is no service of the estate.
    pub(super) fn are_few(&self, network: IpAddr) -> bool {
        self.networks.get(&network).is_none_or(|known| known.count <= FEW)
    }
}
