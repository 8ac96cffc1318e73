//! Names of people, places, organisations and domains, all invented.

use crate::random::{Draw as _, Random};
use crate::words::{
    ENDINGS, FIRM_KINDS, FIRST_NAMES, LAST_NAMES, MIDDLES, ONSETS, ORGANISATION_KINDS, OUTLET_KINDS, Topic,
};

/// A name and a domain that goes with it.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub(crate) name: String,
    pub(crate) domain: String,
}

/// `Fenaberg`.
pub(crate) fn place(random: &mut Random, out: &mut String) {
    let start = out.len();
    out.push_str(random.word(ONSETS));
    if random.chance(0.5) {
        out.push_str(random.word(MIDDLES));
    }
    out.push_str(random.word(ENDINGS));
    capitalise(out, start);
}

/// First and last name.
pub(crate) fn person(random: &mut Random) -> String {
    let last = match random.chance(0.6) {
        true => (*random.pick(LAST_NAMES)).to_owned(),
        false => coined_surname(random),
    };
    format!("{} {last}", random.pick(FIRST_NAMES))
}

/// An association, institute or the like; now and then named after what it works on.
pub(crate) fn organisation(random: &mut Random, topic: &Topic) -> House {
    let mut name = String::new();
    place(random, &mut name);
    let kind = random.pick(ORGANISATION_KINDS);
    let place_only = name.clone();
    name.push(' ');
    name.push_str(kind);
    if random.chance(0.4) {
        name.push_str(" for ");
        name.push_str(topic.name);
    }
    let label = match random.usize(..3) {
        0 => format!("{place_only}-{kind}"),
        1 => format!("{place_only}{kind}"),
        _ => format!("{}{}", initials(&name), place_only),
    };
    House {
        domain: domain(random, &label),
        name,
    }
}

/// A firm.
pub(crate) fn firm(random: &mut Random) -> House {
    let mut name = String::new();
    place(random, &mut name);
    let kind = random.pick(FIRM_KINDS);
    let label = match random.usize(..3) {
        0 => name.clone(),
        1 => format!("{name}-{kind}"),
        _ => format!("{name}{kind}"),
    };
    House {
        domain: domain(random, &label),
        name: format!("{name} {kind}"),
    }
}

/// A newspaper or broadcaster.
pub(crate) fn outlet(random: &mut Random) -> House {
    let mut name = match random.chance(0.5) {
        true => "The ".to_owned(),
        false => String::new(),
    };
    place(random, &mut name);
    name.push(' ');
    name.push_str(random.word(OUTLET_KINDS));
    let label = name.trim_start_matches("The ").replace(' ', "");
    House {
        domain: domain(random, &label),
        name,
    }
}

/// A domain that looks like that of `house` and is not: what a sender who claims to be it might register.
pub(crate) fn lookalike(random: &mut Random, house: &House) -> String {
    let label = house.domain.split('.').next().unwrap_or_default();
    let changed = match random.usize(..5) {
        0 => format!("{label}-news"),
        1 => format!("{label}online"),
        2 => format!("the-{label}"),
        3 => label.replacen('e', "", 1),
        _ => format!("{label}-media"),
    };
    let changed = if changed == label {
        format!("{label}s")
    } else {
        changed
    };
    domain(random, &changed)
}

/// A domain without any claim.
pub(crate) fn plain_domain(random: &mut Random) -> String {
    let mut label = String::new();
    place(random, &mut label);
    if random.chance(0.5) {
        label.push_str(random.word(&["-info", "web", "-mail", "hub", "-daily", "net", "press", "-data"]));
    }
    domain(random, &label)
}

/// `label` below a reserved top-level domain (RFC 2606).
pub(crate) fn domain(random: &mut Random, label: &str) -> String {
    let ending = if random.chance(0.75) { "example" } else { "test" };
    format!("{}.{ending}", ascii(label).replace(' ', "-"))
}

/// The local part that somebody of this name has at a place with this habit.
pub(crate) fn local_part(name: &str, habit: usize) -> String {
    let folded = ascii(name);
    let (first, last) = folded.split_once(' ').unwrap_or((&folded, ""));
    let last = last.replace([' ', '\''], "");
    let initial = &first[..first.len().min(1)];
    match habit % 4 {
        0 => format!("{first}.{last}"),
        1 => format!("{initial}.{last}"),
        2 => format!("{initial}{last}"),
        _ => format!("{first}_{last}"),
    }
}

/// In lower case with the letters of ASCII only.
pub(crate) fn ascii(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars().flat_map(char::to_lowercase) {
        match character {
            'å' | 'ä' | 'á' | 'ã' => out.push('a'),
            'ø' | 'ö' | 'ó' => out.push('o'),
            'é' | 'ë' | 'è' => out.push('e'),
            'ü' => out.push('u'),
            'ł' => out.push('l'),
            'ç' => out.push('c'),
            other if other.is_ascii() => out.push(other),
            _ => out.push('x'),
        }
    }
    out
}

/// Makes the letter at `start` a capital.
pub(crate) fn capitalise(text: &mut str, start: usize) {
    if let Some(first) = text.get_mut(start..start + 1) {
        first.make_ascii_uppercase();
    }
}

fn coined_surname(random: &mut Random) -> String {
    let mut name = String::new();
    place(random, &mut name);
    if random.chance(0.3) {
        name.push_str(random.word(&["er", "sen", "son", "i", "ov"]));
    }
    name
}

fn initials(name: &str) -> String {
    name.split(' ').filter_map(|word| word.chars().next()).collect()
}
