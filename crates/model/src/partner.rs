//! What partners say of things that a case holds too.

use crate::Timestamp;

/// An object of a partner's STIX bundle that hangs together with something seen in the case. It is context: no judgement changes
/// because of it, unless an analyst takes it in as evidence with a grade.
#[derive(Clone, Debug, Default, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct PartnerSaid {
    /// Its STIX identifier.
    pub id: String,
    /// Its STIX type: `report`, `campaign`, `intrusion-set`, `sighting`. Written under STIX' name for it; a remark has a `kind` of its own.
    #[serde(rename = "type")]
    pub kind: String,
    /// What it is called.
    pub name: String,
    /// What it says, cut to [`PartnerSaid::MAX_TEXT`] bytes.
    pub text: String,
    /// Who made it, as the bundle names them; where it does not, the file.
    pub source: String,
    /// Its marking by the Traffic Light Protocol: `clear`, `green`, `amber`, `amber+strict`, `red`; empty where it has none.
    pub tlp: String,
    /// How sure its maker is of it, 0 to 100.
    pub confidence: Option<u8>,
    /// When it was last changed.
    pub time: Timestamp,
    /// Values of the case that it hangs on, sorted.
    pub values: Vec<String>,
    /// The object as it came, as JSON; empty where it is larger than [`PartnerSaid::MAX_OBJECT`] bytes.
    pub object: String,
}

impl PartnerSaid {
    /// The longest text kept, in bytes.
    pub const MAX_TEXT: usize = 2_000;
    /// The largest object kept, in bytes.
    pub const MAX_OBJECT: usize = 32_768;
}
