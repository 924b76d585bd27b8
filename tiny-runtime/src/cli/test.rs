//! `test`: the tests of flows, without a plane.

use std::io::IsTerminal;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, anyhow, bail};
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};
use tiny_crds::duration;

use super::documents::TESTS;
use super::{Binary, print};
use crate::registry::Registry;
use crate::testing::script::{File, Options, Told};

/// Runs the tests of flows, without a plane
///
/// Each FILE names a flow and says what goes into it, what must come out of it, and what goes wrong on the way. A folder stands for
/// all `*.test.yaml` in it. Time passes at once, and the same seed does the same.
#[derive(Debug, clap::Args)]
#[command(verbatim_doc_comment)]
pub(super) struct Test {
    /// File of tests, or folder with files of tests
    #[arg(required = true, value_name = "FILE|DIR")]
    files: Vec<PathBuf>,
    /// Run only those whose name has this in it
    #[arg(long, value_name = "TEXT")]
    only: Option<String>,
    /// Throw the dice of this seed, whatever the files say
    #[arg(long, value_name = "NUMBER")]
    seed: Option<u64>,
    /// Write what came of them as JUnit XML, for CI
    #[arg(long, value_name = "FILE")]
    junit: Option<PathBuf>,
    /// Name of the module whose components this binary has, if another than the crate's
    #[arg(short, long, value_name = "MODULE")]
    name: Option<String>,
}

impl Test {
    pub(super) fn carry_out(self, binary: Binary, registry: &Registry) -> Result<()> {
        let module = self.name.as_deref().unwrap_or(binary.name);
        let options = Options { seed: self.seed, only: self.only.clone() };
        // A panic of a component is part of what a test tells.
        std::panic::set_hook(Box::new(|_| {}));
        let mut suites = Vec::new();
        for path in files(&self.files)? {
            let told =
                File::read(&path).and_then(|file| file.play(Some(module), registry, &options));
            let told = told.map_err(|why| anyhow!("{why}"))?;
            print(&shown(&path, &told))?;
            suites.push((path, told));
        }
        drop(std::panic::take_hook());
        if let Some(path) = &self.junit {
            let shown = path.display();
            let xml = report(binary, &suites).to_string().context("cannot write JUnit XML")?;
            std::fs::write(path, xml).with_context(|| format!("cannot write `{shown}`"))?;
        }
        let all = || suites.iter().flat_map(|(_, told)| told);
        let failed = all().filter(|told| told.failure.is_some()).count();
        match (all().count(), failed) {
            (0, _) => bail!(
                "no test was run: none has a name with `{}` in it",
                options.only.unwrap_or_default()
            ),
            (count, 0) => print(&format!("{} passed", tests(count))),
            (count, failed) => bail!("{failed} of {} failed", tests(count)),
        }
    }
}

/// `1 test`, `2 tests`.
fn tests(count: usize) -> String {
    if count == 1 { "1 test".to_owned() } else { format!("{count} tests") }
}

/// The files, and those of the folders in the order of their names.
fn files(paths: &[PathBuf]) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for path in paths {
        let shown = path.display();
        if !path.is_dir() {
            files.push(path.clone());
            continue;
        }
        let entries =
            std::fs::read_dir(path).with_context(|| format!("cannot read folder `{shown}`"))?;
        let mut found = Vec::new();
        for entry in entries {
            let file = entry.with_context(|| format!("cannot read folder `{shown}`"))?.path();
            if file.to_string_lossy().ends_with(TESTS) {
                found.push(file);
            }
        }
        if found.is_empty() {
            bail!("folder `{shown}` holds no `*.test.yaml`");
        }
        found.sort();
        files.append(&mut found);
    }
    Ok(files)
}

/// What came of a file's tests, for people.
fn shown(path: &Path, told: &[Told]) -> String {
    let color = std::io::stdout().is_terminal();
    let painted = |text: &str, code: u8| match color {
        true => format!("\x1b[{code}m{text}\x1b[0m"),
        false => text.to_owned(),
    };
    let mut text = format!("{}\n", path.display());
    for told in told {
        match &told.failure {
            None => {
                let time = duration::format(told.flow_time);
                let time = if told.flow_time.is_zero() {
                    String::new()
                } else {
                    format!("  ({time} in the flow)")
                };
                text.push_str(&format!("  {}    {}{time}\n", painted("ok", 32), told.name));
            }
            Some(why) => {
                text.push_str(&format!(
                    "  {}  {}  (seed {})\n",
                    painted("FAIL", 31),
                    told.name,
                    told.seed
                ));
                why.lines().for_each(|line| text.push_str(&format!("        {line}\n")));
            }
        }
    }
    text
}

/// The same for CI.
fn report(binary: Binary, suites: &[(PathBuf, Vec<Told>)]) -> Report {
    let mut report = Report::new(binary.name);
    for (path, told) in suites {
        let file = path.display().to_string();
        let mut suite = TestSuite::new(file.clone());
        for told in told {
            let status = match &told.failure {
                None => TestCaseStatus::success(),
                Some(why) => {
                    let mut status = TestCaseStatus::non_success(NonSuccessKind::Failure);
                    status.set_message(why.lines().next().unwrap_or_default());
                    status.set_description(format!("{why}\nseed {}", told.seed));
                    status
                }
            };
            let mut case = TestCase::new(told.name.clone(), status);
            case.set_classname(file.clone()).set_time(told.took);
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report
}
