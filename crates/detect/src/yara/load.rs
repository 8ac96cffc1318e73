//! Reading and compiling rules.

use std::path::{Path, PathBuf};

use blackrod_model::{RuleProblem, RuleSet, Sha256};
use include_dir::{Dir, include_dir};
use yara_x::{Compiler, IgnoredRuleReason, SourceCode};

use super::Rules;
use crate::{LoadError, rule_files};

static BUILTIN: Dir<'_> = include_dir!("$CARGO_MANIFEST_DIR/../../content/yara");

/// The largest file that can be a rule.
const MAX_FILE: u64 = 32 << 20;

/// Modules that public rules import and this build leaves out.
const ABSENT_MODULES: [&str; 13] = [
    "androguard",
    "console",
    "crx",
    "cuckoo",
    "dex",
    "dotnet",
    "elf",
    "macho",
    "magic",
    "msi",
    "time",
    "vba",
    "vt",
];

/// A file with its text.
struct RuleFile {
    /// Its path below the folder it came from; the namespace of its rules.
    name: String,
    text: String,
}

impl Rules {
    /// Compiles the `.yar` and `.yara` files in `dirs` and the folders below them, after blackrod's
    /// own if `builtin`. Each file is a namespace of its own. A rule that does not compile is told
    /// in the [`RuleSet`] and leaves the others alone.
    ///
    /// # Errors
    ///
    /// [`LoadError::Folder`] when a folder cannot be read.
    pub fn load(dirs: &[PathBuf], builtin: bool) -> Result<(Self, RuleSet), LoadError> {
        let mut files = Vec::new();
        let mut problems = Vec::new();
        if builtin {
            for file in BUILTIN.files() {
                if let (true, Some(text)) = (is_yara(file.path()), file.contents_utf8()) {
                    files.push(RuleFile {
                        name: format!("builtin:{}", file.path().display()),
                        text: text.to_owned(),
                    });
                }
            }
        }
        for dir in dirs {
            read_folder(dir, &mut files, &mut problems)?;
        }
        Ok(compile(&files, problems))
    }

    /// Compiles one text of rules. For tests.
    #[cfg(test)]
    pub(crate) fn from_text(name: &str, text: &str) -> (Self, RuleSet) {
        let file = RuleFile {
            name: name.to_owned(),
            text: text.to_owned(),
        };
        compile(&[file], Vec::new())
    }
}

fn is_yara(path: &Path) -> bool {
    path.extension().is_some_and(|extension| {
        extension.eq_ignore_ascii_case("yar") || extension.eq_ignore_ascii_case("yara")
    })
}

fn read_folder(
    root: &Path,
    files: &mut Vec<RuleFile>,
    problems: &mut Vec<RuleProblem>,
) -> Result<(), LoadError> {
    for path in rule_files::list(root, is_yara)? {
        let name = path.strip_prefix(root).unwrap_or(&path).display().to_string();
        match rule_files::read_text(&path, MAX_FILE, "a file of rules") {
            Ok(text) => files.push(RuleFile { name, text }),
            Err(reason) => problems.push(RuleProblem {
                rule: name,
                title: String::new(),
                reason,
            }),
        }
    }
    Ok(())
}

fn compile(files: &[RuleFile], mut problems: Vec<RuleProblem>) -> (Rules, RuleSet) {
    let mut compiler = Compiler::new();
    compiler
        .relaxed_re_syntax(true)
        .enable_includes(false)
        .switch_all_warnings(false);
    for module in ABSENT_MODULES {
        compiler.ignore_module(module);
    }
    for variable in super::VARIABLES {
        // Fails only for a name used twice.
        let _ = compiler.define_global(variable, "");
    }
    for file in files {
        let problems_before = compiler.errors().len();
        compiler.new_namespace(&file.name);
        let source = SourceCode::from(file.text.as_str()).with_origin(&file.name);
        let is_sound = compiler.add_source(source).is_ok();
        if !is_sound {
            for error in compiler.errors().iter().skip(problems_before) {
                problems.push(RuleProblem {
                    rule: file.name.clone(),
                    title: String::new(),
                    reason: first_lines(&error.to_string()),
                });
            }
        }
    }
    for (rule, reason) in compiler.ignored_rules() {
        let told = match reason {
            IgnoredRuleReason::IgnoredModule(module) => {
                format!("needs the module {module:?}, which is not built in")
            }
            IgnoredRuleReason::IgnoredRule(other) => {
                format!("needs the rule {other:?}, which could not be loaded")
            }
            // Told above, with its file.
            IgnoredRuleReason::CompileError(_) => continue,
        };
        problems.push(RuleProblem {
            rule: rule.to_owned(),
            title: String::new(),
            reason: told,
        });
    }
    let compiled = compiler.build();
    let texts = files
        .iter()
        .flat_map(|file| [file.name.as_bytes(), file.text.as_bytes()]);
    let set = RuleSet {
        method: "yara".to_owned(),
        loaded: compiled.iter().len() as u64,
        digest: Sha256::of_parts(texts),
        refused: problems,
        idle: Vec::new(),
    };
    (Rules { compiled }, set)
}

/// `error[E009]: unknown identifier `x` at name.yar:4:17`: the message and its place, without the
/// drawing below.
fn first_lines(error: &str) -> String {
    let mut lines = error.lines();
    let message = lines.next().unwrap_or_default().trim();
    match lines.next().and_then(|line| line.trim().strip_prefix("-->")) {
        Some(place) => format!("{message} at{place}"),
        None => message.to_owned(),
    }
}
