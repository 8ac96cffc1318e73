//! When a Windows event happened, from what a record says.

use blackrod_model::{Field, Timestamp, Value};

use super::names::{Part, WindowsNames};
use crate::times::read_time;

/// The event's time, by the first of these that the record has:
///
/// 1. `UtcTime`, which Sysmon itself puts into its events. Where it disagrees with `TimeCreated`, the
///    exporter wrote the latter in local time;
/// 2. `TimeCreated`, which the event log service puts there (`SystemTime`, `TimeGenerated`);
/// 3. NXLog's `EventTime`, a local time without a zone. The zone is found by comparing two times of
///    one moment: `EventReceivedTime`, when NXLog passed the record on by the same clock, and the
///    collector's `@timestamp` in UTC. They differ by the zone's whole quarters of an hour;
/// 4. `@timestamp`. For winlogbeat, which has none of the above, this is when it happened.
pub(super) fn time_of(fields: &[Field<'_>], names: &WindowsNames) -> Timestamp {
    let value = |part| {
        names
            .index(part)
            .and_then(|index| fields.get(index))
            .map(|field| &field.value)
    };
    let time = |part| value(part).and_then(read_time);
    let happened = time(Part::UtcTime).or_else(|| time(Part::TimeCreated));
    if let Some(happened) = happened {
        return happened;
    }
    let collected = time(Part::Collected);
    let Some(local) = time(Part::LocalTime) else {
        return collected.unwrap_or(Timestamp::UNKNOWN);
    };
    if value(Part::LocalTime).is_some_and(names_its_zone) {
        return local;
    }
    let received = time(Part::LocalReceived).unwrap_or(local);
    match (
        local.micros(),
        received.micros(),
        collected.and_then(Timestamp::micros),
    ) {
        (Some(local), Some(received), Some(collected)) => {
            Timestamp::from_micros(local.saturating_add(zone_offset(received, collected)))
        }
        _ => local,
    }
}

/// What has to be added to a local time to make it UTC, or 0 where the difference is too large for a
/// zone: then the record was collected late, and nothing is known.
fn zone_offset(local: i64, utc: i64) -> i64 {
    const QUARTER_HOUR: i64 = 15 * 60 * 1_000_000;
    const WIDEST: i64 = 14 * 4 * QUARTER_HOUR;
    let difference = utc.saturating_sub(local);
    let offset = difference
        .saturating_add(QUARTER_HOUR / 2)
        .div_euclid(QUARTER_HOUR)
        * QUARTER_HOUR;
    if offset.saturating_abs() <= WIDEST {
        offset
    } else {
        0
    }
}

fn names_its_zone(value: &Value<'_>) -> bool {
    let Some(clock) = value.as_str().and_then(|text| text.get(10..)) else {
        return true;
    };
    clock.contains(['Z', 'z', '+', '-'])
}
