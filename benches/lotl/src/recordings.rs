//! OTRF Security-Datasets: where the attacker's session stands among all sessions of a recording, without history.

use std::collections::BTreeSet;
use std::fs::File;
use std::io::{BufReader, Read as _};
use std::ops::ControlFlow;
use std::path::Path;
use std::time::Instant;

use blackrod_detect::rarity::{Extractor, Options, Stream, Table};
use blackrod_model::process::{Act, ProcessFacts};
use blackrod_model::{Estate, Event, EvidenceId, Refusal, Sha256};
use blackrod_read::{HEAD_LEN, Sink, formats};

/// What the operator typed, as the recordings' descriptions have it: part of the recording's name, and a word of a
/// command that was his. Recordings in which nothing was started or run that could be logged are not here.
const ATTACKS: &[(&str, &[&str])] = &[
    ("cmd_lsass_memory_dumpert", &["dumpert"]),
    ("cmd_psexec_lsa_secrets", &["policy\\secrets"]),
    ("cmd_sam_copy_esentutl", &["esentutl"]),
    ("rubeus_asktgt_createnetonly", &["rubeus"]),
    ("rubeus_asktgt_ptt", &["rubeus"]),
    ("cmd_mshta_vbscript", &["vbscript"]),
    ("covenant_installutil", &["installutil"]),
    ("empire_launcher_sct_regsvr32", &["launcher.sct"]),
    ("psh_cmstp_execution", &["cmstp"]),
    ("psh_hh_local_html", &["hh.exe"]),
    ("psh_register_cimprovider", &["register-cimprovider"]),
    ("reg_disable_eventlog", &["payload.exe"]),
    ("wmic_remote_xsl", &["/format"]),
    ("cmd_discover_iexplorer", &["svcversion"]),
    ("empire_shell_net_local_users", &["net.exe\" user"]),
    ("empire_shell_net_localgroup", &["localgroup"]),
    ("empire_shell_rpc_samr", &["domain admins"]),
    ("empire_shell_samr", &["user /domain"]),
    ("cmd_sharpview", &["sharpview"]),
    ("psh_python_webserver", &["http.server"]),
    ("covenant_sc_query", &["query ikeext"]),
    ("empire_psremoting_stager", &["-enc"]),
    ("mimikatz_CVE", &["zerologon"]),
    ("schtask_create", &["eventcachemanager"]),
    ("cmd_userinitmprlogonscript", &["userinitmprlogonscript"]),
];

struct Facts<'x> {
    extractor: Extractor<'x>,
    evidence: EvidenceId,
    facts: Vec<ProcessFacts>,
    records: u64,
}

impl Sink for Facts<'_> {
    fn event(&mut self, event: Event<'_>) {
        self.records += 1;
        self.facts.extend(self.extractor.facts(self.evidence, &event));
    }

    fn refuse(&mut self, _: Refusal) {}
}

/// Prints for each recording in `folder` the rank of the session with the attacker's commands.
pub(crate) fn run(folder: &Path) -> anyhow::Result<()> {
    let mut ranks = [0_usize; 4];
    let mut all = 0;
    let mut paths: Vec<_> = std::fs::read_dir(folder)?
        .filter_map(Result::ok)
        .map(|entry| entry.path())
        .collect();
    paths.sort();
    for path in paths {
        let name = path
            .file_name()
            .map(|name| name.to_string_lossy().into_owned())
            .unwrap_or_default();
        let Some((part, words)) = ATTACKS.iter().find(|(part, _)| name.contains(part)) else {
            continue;
        };
        let began = Instant::now();
        let (facts, records) = read(&path, &name)?;
        let estate = Estate::default();
        let mut stream = Stream::new(&estate, Options::default());
        facts.iter().for_each(|facts| stream.push(facts));
        let outcome = stream.finish();
        let commands = facts.iter().filter(|facts| {
            matches!(
                facts.act,
                Act::Start | Act::Script | Act::Service | Act::Task | Act::LogCleared
            )
        });
        let everybody: BTreeSet<(&str, &str)> = commands
            .clone()
            .map(|facts| (facts.host.as_str(), facts.user.as_str()))
            .collect();
        let sessions: Vec<(&str, &str)> = commands
            .filter(|facts| words.iter().any(|word| facts.command.contains(word)))
            .map(|facts| (facts.host.as_str(), facts.user.as_str()))
            .collect();
        let rank = outcome.sessions.iter().position(|ranked| {
            sessions.iter().any(|(host, user)| {
                ranked.host == *host && (ranked.actor == *user || ranked.actor == format!("{host}$"))
            })
        });
        all += 1;
        let slot = rank.unwrap_or(usize::MAX).min(3);
        if let Some(count) = ranks.get_mut(slot) {
            *count += 1;
        }
        println!(
            "{:>5} of {:>3} accounts on hosts, {:>6} records, {:>5} facts, {:.2} s  {part}{}",
            rank.map_or("-".to_owned(), |rank| (rank + 1).to_string()),
            everybody.len(),
            records,
            facts.len(),
            began.elapsed().as_secs_f64(),
            if sessions.is_empty() {
                " (no such command logged)"
            } else {
                ""
            },
        );
    }
    println!(
        "first {}, second {}, third {}, later or not at all {}, of {all}",
        ranks[0], ranks[1], ranks[2], ranks[3]
    );
    Ok(())
}

fn read(path: &Path, name: &str) -> anyhow::Result<(Vec<ProcessFacts>, u64)> {
    let mut head = Vec::new();
    File::open(path)?.take(HEAD_LEN as u64).read_to_end(&mut head)?;
    let mut sink = Facts {
        extractor: Extractor::new(Table::builtin()),
        evidence: EvidenceId::new(&Sha256::of(name.as_bytes()), name),
        facts: Vec::new(),
        records: 0,
    };
    if let Some(&format) = formats().iter().find(|format| format.recognise(&head)) {
        let mut input = BufReader::with_capacity(1 << 20, File::open(path)?);
        format.split(&mut input, &mut |block| {
            format.parse(&block, &mut sink);
            ControlFlow::Continue(())
        })?;
    }
    sink.facts
        .sort_by_key(|facts| (facts.time, facts.evidence, facts.at));
    Ok((sink.facts, sink.records))
}
