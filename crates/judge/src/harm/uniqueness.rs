//! How many people some columns single out, from how many live in each area.
//!
//! Two methods bracket the truth. **Golle** (2006) takes the dates of birth in an area as drawn by chance and gives the expected
//! share of people whose date nobody else there has. **Sweeney** (2000) counts everybody as likely unique in an age group
//! of an area in which there are no more people than dates; that is more. **Koot** (2010) counts in the register itself,
//! which is exact where all of it is at hand.

/// The average length of a year in days.
const DAYS: f64 = 365.25;

/// An age group.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Band {
    /// How many years it spans.
    pub years: f64,
    /// Its share of all people.
    pub share: f64,
}

/// The age groups of adults where nothing is known of them: even to 60, then fewer.
pub const ADULTS: [Band; 4] = [
    Band {
        years: 42.0,
        share: 0.68,
    },
    Band {
        years: 10.0,
        share: 0.15,
    },
    Band {
        years: 10.0,
        share: 0.11,
    },
    Band {
        years: 15.0,
        share: 0.06,
    },
];

/// The expected share of people whose date of birth nobody else of their cell has (Golle 2006). `cells` are numbers of people
/// who agree in everything else.
pub fn by_chance(cells: impl Iterator<Item = f64>, bands: &[Band]) -> f64 {
    let (mut unique, mut people) = (0.0, 0.0);
    for cell in cells {
        people += cell;
        unique += cell * alone(cell, bands);
    }
    share(unique, people)
}

/// The chance that one of `cell` people shares the date of birth with none of the others.
pub fn alone(cell: f64, bands: &[Band]) -> f64 {
    bands
        .iter()
        .map(|band| {
            let dates = band.years * DAYS;
            band.share * (1.0 - 1.0 / dates).powf((cell * band.share - 1.0).max(0.0))
        })
        .sum()
}

/// The share of people in age groups of cells that hold no more people than there are dates of birth (Sweeney 2000).
pub fn by_pigeonholes(cells: impl Iterator<Item = f64>, bands: &[Band]) -> f64 {
    let (mut unique, mut people) = (0.0, 0.0);
    for cell in cells {
        people += cell;
        let within = bands.iter().filter(|band| cell * band.share <= band.years * DAYS);
        unique += within.map(|band| cell * band.share).sum::<f64>();
    }
    share(unique, people)
}

/// How many people share place and date of birth with somebody, them included, for a person in a cell of this size.
pub fn expected_k(cell: f64, bands: &[Band]) -> f64 {
    let others: f64 = bands
        .iter()
        .map(|band| band.share * (cell * band.share - 1.0).max(0.0) / (band.years * DAYS))
        .sum();
    1.0 + others
}

fn share(part: f64, whole: f64) -> f64 {
    match whole > 0.0 {
        true => (part / whole).clamp(0.0, 1.0),
        false => 0.0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The United States' age groups in the census of 1990, as Sweeney took them.
    const AMERICA: [Band; 8] = [
        Band {
            years: 12.0,
            share: 0.175,
        },
        Band {
            years: 7.0,
            share: 0.096,
        },
        Band {
            years: 6.0,
            share: 0.092,
        },
        Band {
            years: 10.0,
            share: 0.174,
        },
        Band {
            years: 10.0,
            share: 0.151,
        },
        Band {
            years: 10.0,
            share: 0.101,
        },
        Band {
            years: 10.0,
            share: 0.085,
        },
        Band {
            years: 25.0,
            share: 0.126,
        },
    ];
    /// All ages, much as in the Netherlands of 2010.
    const DUTCH: [Band; 3] = [
        Band {
            years: 60.0,
            share: 0.78,
        },
        Band {
            years: 15.0,
            share: 0.15,
        },
        Band {
            years: 17.0,
            share: 0.07,
        },
    ];

    /// Sizes of areas that differ as a gamma distribution of this shape does: its quantiles.
    fn areas(count: u32, mean: f64, shape: f64) -> Vec<f64> {
        let scale = mean / shape;
        // The distribution function by steps; finer near zero, where shapes below 1 have their weight.
        let steps = 20_000;
        let place = |step: u32| (f64::from(step) / f64::from(steps)).powi(3) * mean * 40.0;
        let density = |x: f64| (x / scale).powf(shape - 1.0) * (-x / scale).exp();
        let mut sums = Vec::with_capacity(steps as usize);
        let mut sum = 0.0;
        for step in 0..steps {
            let (from, to) = (place(step), place(step + 1));
            let middle = f64::midpoint(from, to);
            sum += density(middle) * (to - from);
            sums.push((sum, middle));
        }
        let mut at = 0;
        (0..count)
            .map(|area| {
                let wanted = (f64::from(area) + 0.5) / f64::from(count) * sum;
                while sums.get(at).is_some_and(|(reached, _)| *reached < wanted) {
                    at += 1;
                }
                sums.get(at).map_or(mean, |(_, middle)| *middle)
            })
            .collect()
    }

    fn near(told: f64, published: f64) {
        assert!(
            (told - published).abs() < 0.05,
            "{told:.3} where {published} was published"
        );
    }

    /// Published: 29,343 ZIP codes, 248.4 million people; {ZIP, sex, date of birth} 87 % by Sweeney, a little over 60 % by Golle
    /// (63.3 % for the census of 2000). How much ZIP codes differ in size is not in the papers: the shape of their distribution was
    /// chosen for Golle's figure, so that one is a check of the arithmetic, and Sweeney's of the method.
    #[test]
    fn america_by_zip_code_sex_and_date_of_birth() {
        let zips = areas(29_343, 248_418_140.0 / 29_343.0, 0.45);
        let total: f64 = zips.iter().sum();
        assert!((total / 248_418_140.0 - 1.0).abs() < 0.02, "{total}");
        let cells = || zips.iter().map(|people| people / 2.0);
        near(by_chance(cells(), &AMERICA), 0.633);
        let of_both: Vec<Band> = AMERICA.to_vec();
        near(by_pigeonholes(cells(), &of_both), 0.87);
    }

    /// Published: {date of birth, 4-digit postcode} 67.0 %, {date of birth, postcode, sex} 99.4 % of 2.7 million people
    /// (Koot 2010), many of them in large towns. The sizes of their 4-digit postcodes are chosen for the first figure; the
    /// second, with postcodes of some 40 people, must come out.
    #[test]
    fn netherlands_by_postcode_and_date_of_birth() {
        let four_digits = areas(360, 2_700_000.0 / 360.0, 2.0);
        near(by_chance(four_digits.into_iter(), &DUTCH), 0.67);
        let full = areas(67_500, 40.0, 2.0);
        near(
            by_chance(full.into_iter().map(|people| people / 2.0), &DUTCH),
            0.994,
        );
    }

    #[test]
    fn one_alone_is_unique_and_a_crowd_is_not() {
        assert!(alone(1.0, &ADULTS) > 0.999);
        assert!(alone(3e6, &ADULTS) < 1e-6);
        assert_eq!(by_pigeonholes([1.0, 10.0].into_iter(), &ADULTS), 1.0);
        assert_eq!(by_chance(std::iter::empty(), &ADULTS), 0.0);
        assert!((expected_k(1.0, &ADULTS) - 1.0).abs() < 1e-9);
        let one_year = [Band {
            years: 1.0,
            share: 1.0,
        }];
        assert!((expected_k(1.0 + DAYS, &one_year) - 2.0).abs() < 1e-9);
    }
}
