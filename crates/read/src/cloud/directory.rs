//! Operations on a directory of accounts, by their names.

use blackrod_model::Class;

/// The class of a change to Entra's directory. The unified audit log ends its names with a full stop,
/// mostly; Entra's own log does not.
pub(crate) fn directory_class(operation: &str) -> Class {
    let name = operation.trim_end_matches('.').to_ascii_lowercase();
    let has = |part: &str| name.contains(part);
    if has("member to group") || has("member from group") || has("owner to group") {
        return Class::GROUP_MANAGEMENT;
    }
    let gives_rights =
        has("role") || has("consent") || has("permission grant") || has("oauth2permissiongrant");
    if gives_rights {
        return Class::USER_ACCESS;
    }
    let is_of_account = has("user")
        || has("password")
        || has("strong authentication")
        || has("security info")
        || has("license");
    if is_of_account {
        return Class::ACCOUNT_CHANGE;
    }
    Class::ENTITY_MANAGEMENT
}
