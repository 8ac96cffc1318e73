use super::*;

fn week(number: i64) -> Timestamp {
    Timestamp::from_micros(number * WEEK_MICROS + 5)
}

#[test]
fn counts_fade_and_are_forgotten() {
    let mut baseline = Baseline::default();
    for _ in 0..8 {
        baseline.add(7, week(100));
    }
    assert_eq!(baseline.count(7, week(100)), 8.0);
    assert_eq!(baseline.count(7, week(104)), 4.0);
    assert_eq!(baseline.count(7, week(108)), 0.0);
    baseline.add(7, week(120));
    assert_eq!(baseline.count(7, week(120)), 1.0);
}

#[test]
fn merged_equals_one_that_saw_both() {
    let events: Vec<(u64, u64, i64)> = (0..4_000_u64)
        .map(|number| {
            let spread = mix(number, 3);
            (
                mix(spread % 320, 1),
                mix(spread % 40, 2),
                100 + (spread >> 20) as i64 % 12,
            )
        })
        .collect();
    let learn = |events: &mut dyn Iterator<Item = &(u64, u64, i64)>| {
        let mut baseline = Baseline::default();
        for (shape, program, at) in events {
            baseline.meet(*shape, mix(*program, 9), week(*at));
            baseline.add(*program, week(*at));
            baseline.note_day(week(*at));
        }
        baseline
    };
    let mut in_time = events.clone();
    in_time.sort_by_key(|(_, _, at)| *at);
    let whole = learn(&mut in_time.iter());
    for parts in [2_usize, 3, 7] {
        let mut merged = Baseline::default();
        for part in (0..parts).rev() {
            merged.merge(&learn(&mut in_time.iter().skip(part).step_by(parts)));
        }
        assert!(merged == whole, "{parts} parts");
    }
}

#[test]
fn beyond_its_capacity_it_keeps_the_frequent_and_does_not_undercount() {
    let mut baseline = Baseline::with_capacity(1_000);
    for key in 0..5_000_u64 {
        for _ in 0..=(key % 10) {
            baseline.add(mix(key, 5), week(50));
        }
    }
    assert!(baseline.keys() <= 1_000);
    let undercounted =
        (0..5_000_u64).filter(|key| baseline.count(mix(*key, 5), week(50)) < (key % 10 + 1) as f32);
    assert_eq!(undercounted.count(), 0);
    let exact = (0..5_000_u64).filter(|key| baseline.count(mix(*key, 5), week(50)) == (key % 10 + 1) as f32);
    assert!(exact.count() > 4_900);
}
