//! What the columns of a register hold, by their names.

/// What a column holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, serde::Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Surname, first names, title.
    Name,
    /// Street and house number.
    Address,
    /// Postcode.
    Postcode,
    /// Town, ward, district, county.
    Area,
    /// Date of birth.
    BirthDate,
    /// Year of birth, or age.
    BirthYear,
    /// The day on which somebody reaches the voting age: tells the date of birth of who has not.
    Attains,
    /// Sex or gender.
    Sex,
    /// Telephone number, mail address.
    Contact,
    /// Number in the register or of an identity document.
    Number,
    /// Nationality, franchise.
    Nationality,
    /// Marks of overseas electors.
    Overseas,
    /// Marks of anonymous electors.
    Anonymous,
    /// Anything else.
    Other,
}

impl Kind {
    /// In words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Name => "name",
            Self::Address => "address",
            Self::Postcode => "postcode",
            Self::Area => "area",
            Self::BirthDate => "date of birth",
            Self::BirthYear => "year of birth",
            Self::Attains => "date of reaching the voting age",
            Self::Sex => "sex",
            Self::Contact => "telephone or mail address",
            Self::Number => "number",
            Self::Nationality => "nationality",
            Self::Overseas => "overseas mark",
            Self::Anonymous => "anonymous mark",
            Self::Other => "other",
        }
    }
}

/// What a column of this name holds.
pub fn kind_of(name: &str) -> Kind {
    let name = name.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| name.contains(word));
    let is = |words: &[&str]| {
        name.split(|character: char| !character.is_alphanumeric())
            .any(|word| words.contains(&word))
    };
    if has(&["attain"]) {
        Kind::Attains
    } else if has(&["overseas", "abroad"]) {
        Kind::Overseas
    } else if has(&["anonym"]) {
        Kind::Anonymous
    } else if has(&["birth", "born"]) && has(&["year"]) || is(&["age", "yob"]) {
        Kind::BirthYear
    } else if has(&["birth", "born"]) || is(&["dob"]) {
        Kind::BirthDate
    } else if has(&["mail", "phone", "mobile"]) {
        Kind::Contact
    } else if has(&["surname", "forename", "given", "family"])
        || is(&["name", "names", "first", "last", "firstname", "lastname"])
    {
        Kind::Name
    } else if has(&["postcode", "postal", "zip"]) {
        Kind::Postcode
    } else if has(&["address", "street", "house"]) {
        Kind::Address
    } else if has(&[
        "ward",
        "district",
        "town",
        "city",
        "county",
        "municipality",
        "parish",
        "constituency",
        "region",
    ]) {
        Kind::Area
    } else if is(&["sex", "gender"]) {
        Kind::Sex
    } else if has(&["national", "franchise", "citizen"]) {
        Kind::Nationality
    } else if is(&["no", "number", "id", "nin", "ssn", "nr"]) {
        Kind::Number
    } else {
        Kind::Other
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_in_use() {
        for (name, kind) in [
            ("Elector Number", Kind::Number),
            ("elector_no", Kind::Number),
            ("Surname", Kind::Name),
            ("first_names", Kind::Name),
            ("Date of Attainment", Kind::Attains),
            ("birth_date", Kind::BirthDate),
            ("Year of birth", Kind::BirthYear),
            ("ZIP", Kind::Postcode),
            ("Address1", Kind::Address),
            ("polling_district", Kind::Area),
            ("Gender", Kind::Sex),
            ("E-mail", Kind::Contact),
            ("Opted out", Kind::Other),
        ] {
            assert_eq!(kind_of(name), kind, "{name}");
        }
    }
}
