//! The report in a real browser, where there is one.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use crate::hostile::PAYLOADS;
use crate::make::Case;

const PROGRAMS: [&str; 4] = [
    "chromium",
    "chromium-browser",
    "google-chrome",
    "google-chrome-stable",
];

/// A browser that takes longer hangs.
const PATIENCE: Duration = Duration::from_secs(180);

#[test]
fn no_script_from_evidence_runs_and_nothing_is_fetched() {
    let Some(program) = find_browser() else {
        println!("SKIPPED: no Chromium on the path, so the report was not opened in a browser");
        return;
    };
    let folder = tempfile::tempdir().unwrap();
    let page = folder.path().join("report.html");
    let mut case = Case::saying(&PAYLOADS.join(" "), 60);
    case.title = "The report’s own title".to_owned();
    std::fs::write(&page, case.html()).unwrap();
    let (dom, requests) = open(&program, &page, folder.path());

    assert!(
        dom.contains("<title>The report’s own title</title>"),
        "evidence changed the title"
    );
    // Our own script did run, so the policy lets it; it filled the list from the data block.
    assert!(
        dom.contains("<html lang=\"en\" class=\"js\">"),
        "the report's script did not run"
    );
    assert!(dom.contains("1 to 50 of 60"), "the list was not filled");
    for tag in ["<img", "<iframe", "<link rel=\"stylesheet"] {
        assert!(!dom.contains(tag), "{tag} came out of evidence");
    }
    assert!(!requests.contains("beacon-7f3"), "evidence caused a request");
}

fn find_browser() -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    let folders: Vec<PathBuf> = std::env::split_paths(&path).collect();
    PROGRAMS.iter().find_map(|program| {
        folders
            .iter()
            .map(|folder| folder.join(program))
            .find(|candidate| candidate.is_file())
    })
}

/// Opens `page`, lets its scripts run, and gives the document as it then is and the browser's log
/// of everything it asked any network for.
fn open(program: &Path, page: &Path, folder: &Path) -> (String, String) {
    let log = folder.join("network.json");
    let dump = folder.join("dom.html");
    let mut browser = Command::new(program)
        .args([
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-background-networking",
        ])
        .args(["--virtual-time-budget=10000", "--dump-dom"])
        .arg(format!("--user-data-dir={}", folder.join("profile").display()))
        .arg(format!("--log-net-log={}", log.display()))
        .arg(format!("file://{}#finding-list", page.display()))
        .stdout(std::fs::File::create(&dump).unwrap())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let started = Instant::now();
    while browser.try_wait().unwrap().is_none() {
        if started.elapsed() > PATIENCE {
            browser.kill().unwrap();
            browser.wait().unwrap();
            panic!("the browser was not done after {PATIENCE:?}");
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let requests = std::fs::read_to_string(log).unwrap_or_default();
    assert!(!requests.is_empty(), "the browser kept no log of requests");
    let dom = std::fs::read(dump).unwrap();
    (String::from_utf8_lossy(&dom).into_owned(), requests)
}
