//! The estate as it is often written down: wrong, or without groups.

use blackrod_model::Estate;

/// The same people in groups of which a `share` of memberships is wrong: those left out, as many others let in.
pub(crate) fn with_wrong_groups(estate: &Estate, share: f64, seed: u64) -> Estate {
    let mut wrong = estate.clone();
    let mut random = fastrand::Rng::with_seed(seed ^ 0x77_0000);
    let count = wrong.people.len();
    for group in &estate.groups {
        let mut moved = 0;
        for person in &mut wrong.people {
            if person.groups.contains(&group.id) && random.f64() < share {
                person.groups.retain(|id| *id != group.id);
                moved += 1;
            }
        }
        for _ in 0..moved {
            let other = &mut wrong.people[random.usize(..count)];
            if !other.groups.contains(&group.id) {
                other.groups.push(group.id.clone());
            }
        }
    }
    wrong
}

/// The same people in no groups.
pub(crate) fn without_groups(estate: &Estate) -> Estate {
    let mut none = estate.clone();
    none.groups.clear();
    none.people.iter_mut().for_each(|person| person.groups.clear());
    none
}
