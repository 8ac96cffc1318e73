//! The Traffic Light Protocol 2.0 (FIRST, 2022).

use serde_json::{Value, json};

/// Who may see it, from everybody to the recipients only.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Tlp {
    /// Everybody.
    Clear,
    /// The community.
    Green,
    /// Those who need to know in the recipients' organisations and their clients.
    #[default]
    Amber,
    /// Those who need to know in the recipients' organisations only.
    AmberStrict,
    /// The recipients only.
    Red,
}

impl Tlp {
    /// `amber+strict`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Clear => "clear",
            Self::Green => "green",
            Self::Amber => "amber",
            Self::AmberStrict => "amber+strict",
            Self::Red => "red",
        }
    }

    /// The marking of this name.
    pub(super) fn from_name(name: &str) -> Option<Self> {
        let all = [
            Self::Clear,
            Self::Green,
            Self::Amber,
            Self::AmberStrict,
            Self::Red,
        ];
        all.into_iter().find(|tlp| tlp.name() == name)
    }

    /// Whether it stays with those who need to know.
    pub const fn is_close(self) -> bool {
        matches!(self, Self::Amber | Self::AmberStrict | Self::Red)
    }

    /// The identifiers that OASIS published (cti-stix-common-objects, TLP 2.0).
    pub(super) const fn id(self) -> &'static str {
        match self {
            Self::Clear => "marking-definition--94868c89-83c2-464b-929b-a1a8aa3c8487",
            Self::Green => "marking-definition--bab4a63c-aed9-4cf5-a766-dfca5abac2bb",
            Self::Amber => "marking-definition--55d920b0-5e8b-4f79-9ee9-91f868d9b421",
            Self::AmberStrict => "marking-definition--939a9414-2ddd-4d32-a0cd-375ea402b003",
            Self::Red => "marking-definition--e828b379-4e03-4974-9ac4-e53a884c97c1",
        }
    }

    /// The object, as OASIS published it.
    pub(super) fn definition(self) -> Value {
        json!({
            "type": "marking-definition",
            "spec_version": "2.1",
            "id": self.id(),
            "created": "2022-10-01T00:00:00.000Z",
            "name": format!("TLP:{}", self.name().to_uppercase()),
            "extensions": {
                "extension-definition--60a3c5c5-0d10-413e-aab3-9e08dde9e88d": {
                    "extension_type": "property-extension",
                    "tlp_2_0": self.name(),
                },
            },
        })
    }
}
