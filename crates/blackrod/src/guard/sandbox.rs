//! What the process can no longer do once it listens: a message that takes over a parser finds little to take.
//!
//! Landlock (Linux 5.13) leaves the state folder to write, the rules and the system's own files to read, and no new places to
//! listen on (6.7). Seccomp refuses to start programs, to trace others, and what only administrators need. Both are taken on
//! by the one thread that there is at this moment, and by all that it starts.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use landlock::{
    ABI, Access as _, AccessFs, AccessNet, CompatLevel, Compatible as _, Ruleset, RulesetAttr as _,
    RulesetCreatedAttr as _, RulesetStatus, path_beneath_rules,
};
use seccompiler::{BpfProgram, SeccompAction, SeccompFilter, apply_filter};

use super::config::{Config, Endpoint};

/// What the system keeps its settings, libraries and names in.
const SYSTEM: [&str; 8] = [
    "/etc",
    "/usr",
    "/lib",
    "/lib64",
    "/proc",
    "/sys/fs/cgroup",
    "/run/systemd/resolve",
    "/dev/null",
];

/// Gives up what is not needed from here on, and says what could be given up.
pub(super) fn enter(config: &Config) -> anyhow::Result<String> {
    let files = restrict_files(config)?;
    let calls = match restrict_calls() {
        Ok(()) => "seccomp",
        Err(_) => "no seccomp on this system",
    };
    let files = match files {
        RulesetStatus::FullyEnforced => "landlock",
        RulesetStatus::PartiallyEnforced => "landlock (in part: an older kernel)",
        RulesetStatus::NotEnforced => "no landlock on this system",
    };
    Ok(format!("{files}, {calls}"))
}

fn restrict_files(config: &Config) -> anyhow::Result<RulesetStatus> {
    let abi = ABI::V5;
    let read = AccessFs::from_read(abi) & !AccessFs::Execute;
    let write = AccessFs::from_all(abi) & !AccessFs::Execute;
    let folder_of = |file: &PathBuf| file.parent().map_or_else(|| file.clone(), Path::to_owned);
    let mut readable: Vec<PathBuf> = SYSTEM.iter().map(PathBuf::from).collect();
    readable.extend(config.rules.iter().chain(&config.canaries).cloned());
    readable.extend(config.indicators.iter().map(folder_of));
    let mut writable = vec![config.state.clone()];
    writable.extend(config.listen.milter.iter().filter_map(|endpoint| match endpoint {
        Endpoint::Unix(path) => Some(folder_of(path)),
        Endpoint::Tcp(_) => None,
    }));
    let there = |paths: Vec<PathBuf>| paths.into_iter().filter(|path| path.exists()).collect::<Vec<_>>();
    let status = Ruleset::default()
        .set_compatibility(CompatLevel::BestEffort)
        .handle_access(AccessFs::from_all(abi))?
        .handle_access(AccessNet::BindTcp)?
        .create()?
        .add_rules(path_beneath_rules(there(readable), read))?
        .add_rules(path_beneath_rules(there(writable), write))?
        .restrict_self()?;
    Ok(status.ruleset)
}

fn restrict_calls() -> Result<(), seccompiler::Error> {
    let refused = [
        libc::SYS_execve,
        libc::SYS_execveat,
        libc::SYS_ptrace,
        libc::SYS_process_vm_readv,
        libc::SYS_process_vm_writev,
        libc::SYS_mount,
        libc::SYS_umount2,
        libc::SYS_pivot_root,
        libc::SYS_chroot,
        libc::SYS_setns,
        libc::SYS_unshare,
        libc::SYS_init_module,
        libc::SYS_finit_module,
        libc::SYS_delete_module,
        libc::SYS_kexec_load,
        libc::SYS_bpf,
        libc::SYS_perf_event_open,
        libc::SYS_userfaultfd,
        libc::SYS_keyctl,
        libc::SYS_add_key,
        libc::SYS_request_key,
        libc::SYS_reboot,
        libc::SYS_swapon,
        libc::SYS_swapoff,
        libc::SYS_settimeofday,
        libc::SYS_clock_settime,
        libc::SYS_io_uring_setup,
    ];
    let rules: BTreeMap<i64, Vec<seccompiler::SeccompRule>> =
        refused.into_iter().map(|call| (call, Vec::new())).collect();
    let refuse = SeccompAction::Errno(libc::EPERM.unsigned_abs());
    let filter = SeccompFilter::new(
        rules,
        SeccompAction::Allow,
        refuse,
        std::env::consts::ARCH.try_into()?,
    )?;
    let program: BpfProgram = filter.try_into()?;
    apply_filter(&program)
}
