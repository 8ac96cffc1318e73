//! Event classes of the Open Cybersecurity Schema Framework, version 1.8.

use std::fmt;

/// An OCSF 1.8 event class, by its `class_uid`.
///
/// A number and not an enum: a new format may bring a class that nothing else needs to know.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Class(pub u32);

macro_rules! classes {
    ($($constant:ident = $uid:literal, $name:literal;)*) => {
        impl Class {
            $(#[doc = concat!("`", $name, "` (", stringify!($uid), ").")]
            pub const $constant: Self = Self($uid);)*

            /// The classes that blackrod's readers produce.
            pub const ALL: &'static [Self] = &[$(Self::$constant),*];

            /// The class's name in snake case, as in the `class` column; `base_event` for a number
            /// that this build does not know.
            pub const fn name(self) -> &'static str {
                match self.0 {
                    $($uid => $name,)*
                    _ => "base_event",
                }
            }

            /// The class with this name in the `class` column.
            pub fn from_name(name: &str) -> Option<Self> {
                match name {
                    $($name => Some(Self::$constant),)*
                    _ => None,
                }
            }
        }
    };
}

classes! {
    BASE_EVENT = 0, "base_event";
    FILE_ACTIVITY = 1001, "file_activity";
    KERNEL_EXTENSION = 1002, "kernel_extension_activity";
    MEMORY_ACTIVITY = 1004, "memory_activity";
    MODULE_ACTIVITY = 1005, "module_activity";
    SCHEDULED_JOB = 1006, "scheduled_job_activity";
    PROCESS_ACTIVITY = 1007, "process_activity";
    EVENT_LOG_ACTIVITY = 1008, "event_log_activity";
    SCRIPT_ACTIVITY = 1009, "script_activity";
    REGISTRY_KEY = 201_001, "registry_key_activity";
    REGISTRY_VALUE = 201_002, "registry_value_activity";
    WINDOWS_SERVICE = 201_004, "windows_service_activity";
    DETECTION_FINDING = 2004, "detection_finding";
    ACCOUNT_CHANGE = 3001, "account_change";
    AUTHENTICATION = 3002, "authentication";
    AUTHORIZE_SESSION = 3003, "authorize_session";
    ENTITY_MANAGEMENT = 3004, "entity_management";
    USER_ACCESS = 3005, "user_access";
    GROUP_MANAGEMENT = 3006, "group_management";
    NETWORK_ACTIVITY = 4001, "network_activity";
    HTTP_ACTIVITY = 4002, "http_activity";
    DNS_ACTIVITY = 4003, "dns_activity";
    RDP_ACTIVITY = 4005, "rdp_activity";
    SMB_ACTIVITY = 4006, "smb_activity";
    SSH_ACTIVITY = 4007, "ssh_activity";
    EMAIL_ACTIVITY = 4009, "email_activity";
    WEB_RESOURCES = 6001, "web_resources_activity";
    API_ACTIVITY = 6003, "api_activity";
    DATASTORE_ACTIVITY = 6005, "datastore_activity";
    FILE_HOSTING = 6006, "file_hosting";
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({})", self.name(), self.0)
    }
}
