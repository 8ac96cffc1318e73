//! `blackrod guard` as a mail server sees it: milter spoken over TCP to the real program.

use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use crate::support::{blackrod, root, stdout_of};

/// A guard with a folder of its own.
struct Guard {
    child: Child,
    address: String,
    /// What it said when it was ready.
    greeting: String,
}

impl Guard {
    fn start(config: &Path) -> Self {
        let mut child = blackrod()
            .arg("guard")
            .arg("--config")
            .arg(config)
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stderr.take().unwrap()).lines();
        let mut said = String::new();
        let greeting = loop {
            match lines.next() {
                Some(line) => {
                    let line = line.unwrap();
                    if line.contains("listening on") {
                        break line;
                    }
                    said.push_str(&line);
                }
                None => panic!("it ended: {said}"),
            }
        };
        let address = greeting.rsplit(' ').next().unwrap().to_owned();
        // Whoever writes to a pipe that nobody reads would wait.
        std::thread::spawn(move || lines.for_each(drop));
        Self {
            child,
            address,
            greeting,
        }
    }

    fn kill(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    fn session(&self) -> Session {
        Session::open(&self.address)
    }
}

/// One SMTP session, as its mail server tells it.
struct Session(TcpStream);

impl Session {
    fn open(address: &str) -> Self {
        let stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        let mut session = Self(stream);
        session.tell(b'O', &[6, 0x1ff, 0x1f_ffff].map(u32::to_be_bytes).concat());
        assert_eq!(session.answer().0, b'O');
        session.tell(b'D', b"Cj\0mx1.assembly.example\0");
        session.tell(b'C', b"mout.example.org\x004\0\x19192.0.2.77\0");
        session.tell(b'H', b"mout.example.org\0");
        session
    }

    fn tell(&mut self, code: u8, content: &[u8]) {
        let length = u32::try_from(content.len() + 1).unwrap();
        let frame = [&length.to_be_bytes()[..], &[code], content].concat();
        self.0.write_all(&frame).unwrap();
    }

    fn answer(&mut self) -> (u8, Vec<u8>) {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).unwrap();
        let mut frame = vec![0; u32::from_be_bytes(length) as usize];
        self.0.read_exact(&mut frame).unwrap();
        (frame[0], frame[1..].to_vec())
    }

    /// What the guard asks for, and its answer.
    fn message(&mut self, number: u32, headers: &[(&str, &str)], body: &str) -> (Vec<(u8, String)>, u8) {
        self.tell(b'D', format!("Mi\0Q{number}\0").as_bytes());
        self.tell(b'M', b"<sender@example.org>\0");
        self.tell(b'R', b"<anna@assembly.example>\0");
        for (name, value) in headers {
            self.tell(b'L', format!("{name}\0 {value}\0").as_bytes());
        }
        self.tell(b'N', b"");
        self.tell(b'B', body.as_bytes());
        self.tell(b'E', b"");
        let mut changes = Vec::new();
        loop {
            let (code, content) = self.answer();
            match code {
                b'i' | b'm' | b'b' => {
                    changes.push((code, String::from_utf8_lossy(&content).into_owned()));
                }
                last => return (changes, last),
            }
        }
    }
}

fn config(folder: &Path, more: &str) -> PathBuf {
    let path = folder.join("guard.toml");
    let estate = root().join("examples/estate.toml");
    let text = format!(
        "estate = {estate:?}\nstate = {state:?}\n[listen]\nmilter = [\"127.0.0.1:0\"]\n[limits]\nmessage_seconds = 30\n{more}",
        state = folder.join("state"),
    );
    std::fs::write(&path, text).unwrap();
    path
}

const LETTER: [(&str, &str); 3] = [
    ("From", "Sender <sender@example.org>"),
    ("Subject", "Meeting"),
    ("X-Blackrod-Id", "forged"),
];

#[test]
fn a_message_passes_with_its_name_and_without_a_forged_one() {
    let folder = tempfile::tempdir().unwrap();
    let guard = Guard::start(&config(folder.path(), ""));
    let (changes, last) = guard.session().message(1, &LETTER, "Until tomorrow.\r\n");
    assert_eq!(last, b'a');
    let inserted = |change: &&(u8, String)| change.0 == b'i' && change.1.contains("X-Blackrod-Id\0 ");
    assert_eq!(changes.iter().filter(inserted).count(), 1, "{changes:?}");
    let forged = (b'm', "\0\0\0\u{1}X-Blackrod-Id\0\0".to_owned());
    assert!(changes.contains(&forged), "{changes:?}");
    assert!(changes.iter().all(|(code, _)| *code != b'b'), "the body stays");
    guard.kill();
}

#[test]
fn what_was_judged_is_remembered_after_kill_9() {
    let folder = tempfile::tempdir().unwrap();
    let config = config(folder.path(), "");
    let first = Guard::start(&config);
    let mut session = first.session();
    for number in 0..7 {
        assert_eq!(session.message(number, &LETTER, "Hello.\r\n").1, b'a');
    }
    first.kill();
    let second = Guard::start(&config);
    assert!(
        second.greeting.contains(": 7 messages remembered"),
        "{}",
        second.greeting
    );
    second.kill();
}

#[test]
fn held_mail_is_listed_shown_and_expires() {
    let folder = tempfile::tempdir().unwrap();
    let more = "[policy]\notherwise = \"hold\"\n[quarantine]\nrelease = \"127.0.0.1:1\"\n";
    let config = config(folder.path(), more);
    let guard = Guard::start(&config);
    assert_eq!(guard.session().message(1, &LETTER, "Hold me.\r\n").1, b'd');
    guard.kill();
    let quarantine = |words: &[&str]| {
        let output = blackrod()
            .arg("quarantine")
            .args(words)
            .arg("--config")
            .arg(&config)
            .output();
        output.unwrap()
    };
    let listed = stdout_of(&quarantine(&["list", "--search", "MEETING"]), 0);
    assert!(listed.contains("anna@assembly.example"), "{listed}");
    let id = listed.split_whitespace().next().unwrap();
    let shown = stdout_of(&quarantine(&["show", id]), 0);
    assert!(shown.contains("sender@example.org"), "{shown}");
    let refused = quarantine(&["release", id, "--by", "anna"]);
    assert_eq!(refused.status.code(), Some(1), "nobody listens there");
    assert!(stdout_of(&quarantine(&["expire"]), 0).contains("0 messages"));
    assert!(stdout_of(&quarantine(&["expire", "--days", "0"]), 0).contains("1 messages"));
    assert_eq!(stdout_of(&quarantine(&["list"]), 0), "");
}

#[test]
fn who_says_nothing_or_nonsense_does_not_hold_up_others() {
    let folder = tempfile::tempdir().unwrap();
    let guard = Guard::start(&config(folder.path(), "sessions = 150\n"));
    let idle: Vec<TcpStream> = (0..400)
        .map(|number| {
            let mut stream = TcpStream::connect(&guard.address).unwrap();
            let said: &[u8] = match number % 3 {
                0 => b"",
                1 => b"\0\0\0",
                _ => b"GET / HTTP/1.1\r\n\r\n",
            };
            // It may have been closed already.
            let _ = stream.write_all(said);
            stream
        })
        .collect();
    let begun = Instant::now();
    assert_eq!(guard.session().message(1, &LETTER, "Hello.\r\n").1, b'a');
    assert!(begun.elapsed() < Duration::from_secs(30));
    drop(idle);
    guard.kill();
}

#[test]
fn a_configuration_that_cannot_be_used_is_told_with_its_line() {
    let folder = tempfile::tempdir().unwrap();
    let bad = config(folder.path(), "[policy]\ncampain = \"defuse\"\n");
    let check = |path: &Path| {
        let output = blackrod()
            .args(["guard", "--check-config", "--config"])
            .arg(path)
            .output();
        output.unwrap()
    };
    let output = check(&bad);
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(1));
    assert!(told.contains("line 8") && told.contains("campaign"), "{told}");
    let good = config(folder.path(), "");
    assert!(stdout_of(&check(&good), 0).contains("can be used"));
}
