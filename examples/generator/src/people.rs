//! The people of the Assembly of the Norrland Isles, none of whom exists.

use crate::random::Random;
use crate::story::{DOMAIN, TAKEN_ACCOUNT, TARGET_GROUP};

/// Somebody.
#[derive(Clone, Debug)]
pub(crate) struct Person {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) address: String,
    pub(crate) private_address: Option<String>,
    pub(crate) account: String,
    pub(crate) groups: Vec<&'static str>,
    pub(crate) role: &'static str,
    pub(crate) office: Option<String>,
    pub(crate) organisation: &'static str,
    pub(crate) high_risk: bool,
}

/// All of them.
pub(crate) struct Assembly {
    pub(crate) people: Vec<Person>,
}

const FIRST_NAMES: [&str; 31] = [
    "Runa", "Torvald", "Elin", "Aksel", "Siv", "Magnus", "Ylva", "Henrik", "Tuva", "Birger", "Maren", "Olof",
    "Signe", "Rasmus", "Vera", "Kjell", "Astrid", "Jonas", "Liv", "Edvard", "Solveig", "Pavel", "Nadia",
    "Gustav", "Ingrid", "Samir", "Tilde", "Viggo", "Hanne", "Mikkel", "Eira",
];
const LAST_NAMES: [&str; 29] = [
    "Lund",
    "Holm",
    "Lindqvist",
    "Strand",
    "Berg",
    "Sund",
    "Falk",
    "Dahl",
    "Nyberg",
    "Vik",
    "Hauge",
    "Sandvik",
    "Krog",
    "Aas",
    "Moen",
    "Rask",
    "Ek",
    "Lie",
    "Borg",
    "Thorn",
    "Hagen",
    "Solberg",
    "Wiik",
    "Brandt",
    "Norling",
    "Skog",
    "Tangen",
    "Ros",
    "Myhre",
];

const MEMBERS: usize = 38;
const ASSISTANTS: usize = 12;
const HIGH_RISK_MEMBERS: usize = 10;

impl Assembly {
    pub(crate) fn new() -> Self {
        let mut random = Random::named("people");
        let mut people: Vec<Person> = Vec::new();
        for number in 0..MEMBERS {
            let mut groups = vec![["foreign-affairs", "budget", "digital", "fisheries"][number % 4]];
            if number < 16 {
                groups.push(TARGET_GROUP);
            } else if number < 30 {
                groups.push("rural-caucus");
            }
            if number % 8 == 0 {
                groups.push("presidium");
            }
            let mut member = person(&people, number, "member", groups);
            member.high_risk = number < HIGH_RISK_MEMBERS;
            if number % 3 == 0 {
                member.private_address = Some(format!("{}@post.example", member.id.replace('.', "")));
            }
            people.push(member);
        }
        for number in 0..ASSISTANTS {
            let mut assistant = person(&people, MEMBERS + number, "assistant", vec!["assistants"]);
            assistant.office = Some(people[number * 2].id.clone());
            people.push(assistant);
        }
        for (role, group, count) in [("clerk", "secretariat", 4), ("admin", "it-operations", 3)] {
            for _ in 0..count {
                people.push(person(&people, people.len() + 2, role, vec![group]));
            }
        }
        for _ in 0..4 {
            let mut official = person(&people, people.len() + 5, "official", vec!["electoral-board"]);
            official.organisation = "electoral-commission";
            official.address = official.address.replace(DOMAIN, "vote.example");
            official.high_risk = random.below(2) == 0;
            people.push(official);
        }
        // The one whose password will be guessed works for the first member of the caucus.
        let taken = &mut people[MEMBERS];
        taken.name = "Elin Lindqvist".to_owned();
        taken.id = "e.lindqvist".to_owned();
        taken.address = format!("elin.lindqvist@{DOMAIN}");
        taken.account = TAKEN_ACCOUNT.to_owned();
        Self { people }
    }

    /// The members of a group.
    pub(crate) fn group(&self, id: &str) -> Vec<&Person> {
        self.people
            .iter()
            .filter(|person| person.groups.contains(&id))
            .collect()
    }

    /// Whose account this is.
    pub(crate) fn by_account(&self, account: &str) -> &Person {
        self.people
            .iter()
            .find(|person| person.account == account)
            .unwrap_or(&self.people[0])
    }

    /// The people file of the estate.
    pub(crate) fn to_csv(&self) -> String {
        let mut csv = String::from("id,name,addresses,groups,roles,office,organisation,accounts,high_risk\n");
        for person in &self.people {
            let mut addresses = person.address.clone();
            if let Some(private) = &person.private_address {
                addresses.push(';');
                addresses.push_str(private);
            }
            csv.push_str(&format!(
                "{},{},{addresses},{},{},{},{},{},{}\n",
                person.id,
                person.name,
                person.groups.join(";"),
                person.role,
                person.office.as_deref().unwrap_or_default(),
                person.organisation,
                person.account,
                if person.high_risk { "yes" } else { "no" },
            ));
        }
        csv
    }
}

/// Somebody with a name that nobody of `others` has.
fn person(others: &[Person], number: usize, role: &'static str, groups: Vec<&'static str>) -> Person {
    let mut last_index = number * 7;
    let (first, last) = loop {
        let first = FIRST_NAMES[number % FIRST_NAMES.len()];
        let last = LAST_NAMES[last_index % LAST_NAMES.len()];
        let account = account_of(first, last);
        if account != TAKEN_ACCOUNT && !others.iter().any(|other| other.account == account) {
            break (first, last);
        }
        last_index += 1;
    };
    Person {
        id: format!("{}.{}", first[..1].to_lowercase(), last.to_lowercase()),
        name: format!("{first} {last}"),
        address: format!("{}.{}@{DOMAIN}", first.to_lowercase(), last.to_lowercase()),
        private_address: None,
        account: account_of(first, last),
        groups,
        role,
        office: None,
        organisation: "assembly",
        high_risk: false,
    }
}

fn account_of(first: &str, last: &str) -> String {
    format!("{}{}", first[..1].to_lowercase(), last.to_lowercase())
}
