//! MITRE ATT&CK identifiers.

use std::fmt;

/// An ATT&CK technique or sub-technique id: `T1566` or `T1566.002`.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Technique(String);

impl Technique {
    /// Reads `T1566.002`, in any case and also as a Sigma tag (`attack.t1566.002`).
    pub fn parse(text: &str) -> Option<Self> {
        let lower = text.trim().to_ascii_lowercase();
        let id = lower.strip_prefix("attack.").unwrap_or(&lower);
        let digits = id.strip_prefix('t')?;
        let (main, sub) = match digits.split_once('.') {
            Some((main, sub)) => (main, Some(sub)),
            None => (digits, None),
        };
        let all_digits =
            |part: &str, len: usize| part.len() == len && part.bytes().all(|b| b.is_ascii_digit());
        (all_digits(main, 4) && sub.is_none_or(|sub| all_digits(sub, 3)))
            .then(|| Self(id.to_ascii_uppercase()))
    }

    /// The text form, upper case.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Technique {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&self.0)
    }
}

/// An ATT&CK Enterprise tactic, in the order of the kill chain.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Tactic {
    /// TA0043
    Reconnaissance,
    /// TA0042
    ResourceDevelopment,
    /// TA0001
    InitialAccess,
    /// TA0002
    Execution,
    /// TA0003
    Persistence,
    /// TA0004
    PrivilegeEscalation,
    /// TA0005
    DefenseEvasion,
    /// TA0006
    CredentialAccess,
    /// TA0007
    Discovery,
    /// TA0008
    LateralMovement,
    /// TA0009
    Collection,
    /// TA0011
    CommandAndControl,
    /// TA0010
    Exfiltration,
    /// TA0040
    Impact,
}

impl Tactic {
    /// All tactics, in the order of the kill chain.
    pub const ALL: [Self; 14] = [
        Self::Reconnaissance,
        Self::ResourceDevelopment,
        Self::InitialAccess,
        Self::Execution,
        Self::Persistence,
        Self::PrivilegeEscalation,
        Self::DefenseEvasion,
        Self::CredentialAccess,
        Self::Discovery,
        Self::LateralMovement,
        Self::Collection,
        Self::CommandAndControl,
        Self::Exfiltration,
        Self::Impact,
    ];

    /// The name in words: `initial access`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Reconnaissance => "reconnaissance",
            Self::ResourceDevelopment => "resource development",
            Self::InitialAccess => "initial access",
            Self::Execution => "execution",
            Self::Persistence => "persistence",
            Self::PrivilegeEscalation => "privilege escalation",
            Self::DefenseEvasion => "defense evasion",
            Self::CredentialAccess => "credential access",
            Self::Discovery => "discovery",
            Self::LateralMovement => "lateral movement",
            Self::Collection => "collection",
            Self::CommandAndControl => "command and control",
            Self::Exfiltration => "exfiltration",
            Self::Impact => "impact",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn technique_ids_are_read_from_tags() {
        assert_eq!(
            Technique::parse("attack.t1566.002")
                .map(|t| t.to_string())
                .as_deref(),
            Some("T1566.002")
        );
        for not_one in [
            "attack.persistence",
            "t15",
            "T1566.2",
            "T1566.00x",
            "attack.g0128",
            "",
        ] {
            assert_eq!(Technique::parse(not_one), None, "{not_one}");
        }
    }
}
