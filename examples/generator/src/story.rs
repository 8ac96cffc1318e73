//! What happens, when and from where: the constants that several parts share.

/// 2021-01-04 00:00 UTC, a Monday, in seconds.
pub(crate) const FIRST_MONDAY: i64 = 1_609_718_400;
/// Microseconds in a second.
pub(crate) const SECOND: i64 = 1_000_000;

/// The moment `hour:minute:second` on `day` of January 2021, in microseconds since the Unix epoch.
pub(crate) const fn january(day: i64, hour: i64, minute: i64, second: i64) -> i64 {
    (FIRST_MONDAY + (day - 4) * 86_400 + hour * 3_600 + minute * 60 + second) * SECOND
}

pub(crate) const DOMAIN: &str = "assembly.example";
pub(crate) const AD_DOMAIN: &str = "NORRLAND";

/// The caucus that is reconnoitred.
pub(crate) const TARGET_GROUP: &str = "strait-caucus";
/// The member's assistant whose password is guessed.
pub(crate) const TAKEN_ACCOUNT: &str = "elindqvist";

/// From where passwords are guessed.
pub(crate) const GUESSING_IP: &str = "203.0.113.77";
/// From where the guessed password is used.
pub(crate) const INTRUDER_IP: &str = "203.0.113.141";
/// The address that the VPN gives to the intruder.
pub(crate) const INTRUDER_VPN_IP: &str = "192.0.2.214";

pub(crate) const EXCHANGE: &str = "EXCHANGE01.norrland.assembly.example";
pub(crate) const EXCHANGE_IP: &str = "192.0.2.25";
pub(crate) const DOMAIN_CONTROLLER: &str = "DC01.norrland.assembly.example";
pub(crate) const WORKSTATION: &str = "WS-0147.norrland.assembly.example";

/// Where the web shell lies on the Exchange server.
pub(crate) const WEB_SHELL_PATH: &str = r"C:\inetpub\wwwroot\aspnet_client\system_web\error_ews.aspx";
