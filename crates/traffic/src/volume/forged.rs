//! Senders that cannot be whom they say they are.

use std::net::IpAddr;

use blackrod_model::Inrush;

/// Why the senders cannot be whom they say they are.
pub(super) fn forged(inrush: &Inrush, senders: u64) -> Option<String> {
    let v4: Vec<[u8; 4]> = inrush
        .sample
        .iter()
        .filter_map(|(_, sender)| match sender {
            IpAddr::V4(v4) => Some(v4.octets()),
            IpAddr::V6(_) => None,
        })
        .collect();
    // A forged sender is used once or a few times.
    if v4.len() < 64 || inrush.packets / senders.max(1) > 20 {
        return None;
    }
    let silent = v4.iter().filter(|octets| is_silent(octets[0])).count();
    if silent * 33 >= v4.len() && silent >= 3 {
        return Some(format!(
            "{silent} of {} sampled lie in networks that send nothing to the Internet",
            v4.len()
        ));
    }
    let mut octets: Vec<u8> = v4.iter().map(|octets| octets[0]).collect();
    octets.sort_unstable();
    octets.dedup();
    // Drawn evenly from the 220 first octets of addresses that machines have, so many different ones are expected.
    let expected = 220.0 * (1.0 - (1.0 - 1.0 / 220.0_f64).powi(i32::try_from(v4.len()).unwrap_or(i32::MAX)));
    (octets.len() as f64 >= 0.85 * expected).then(|| {
        format!(
            "{} sampled begin with {} different octets, where even chance gives {expected:.0} and real clients far fewer",
            v4.len(),
            octets.len()
        )
    })
}

/// Whether no packets come from networks with this first octet: reserved, or never announced.
fn is_silent(octet: u8) -> bool {
    matches!(octet, 0 | 127 | 224..|22| 26 | 28..=30 | 33 | 55 | 214 | 215)
}
