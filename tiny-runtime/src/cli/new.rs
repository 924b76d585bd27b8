//! `new`: the crate of a module, ready to build, run and test.

mod draft;
mod name;
mod source;
mod template;

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;
use clap::builder::NonEmptyStringValueParser;

use self::draft::Draft;
use self::name::Name;
use self::source::Source;
use super::print;

/// Makes the crate of a new module in a folder of its own
#[derive(Debug, clap::Args)]
pub(super) struct New {
    /// Name of the crate, its folder and the module
    name: String,
    /// Depend on Tiny in this git repository; by default in the folder that this binary was built in
    #[arg(long, value_name = "URL", value_parser = NonEmptyStringValueParser::new())]
    git: Option<String>,
    /// Commit of the git repository
    #[arg(long, requires = "git", value_parser = NonEmptyStringValueParser::new())]
    rev: Option<String>,
}

impl New {
    /// `built` is the folder of the crate that this binary was built from.
    pub(super) fn carry_out(self, built: &str) -> Result<()> {
        let name = Name::parse(&self.name)?;
        let built = match built {
            "" => std::env::var("CARGO_MANIFEST_DIR").unwrap_or_default(),
            built => built.to_owned(),
        };
        let checkout = source::checkout(Path::new(&built));
        let (source, checkout) = match self.git {
            Some(url) => (Source::Git { url, rev: self.rev }, checkout.ok()),
            None => {
                let checkout = checkout?;
                (Source::Path(source::runtime(checkout)), Some(checkout))
            }
        };
        let folder = Path::new(name.as_str());
        let mut draft = Draft::open(folder)?;
        for (path, text) in template::files(&name, &source.lines(checkout)) {
            draft.write(&path, &text)?;
        }
        // With the versions that Tiny was built with nothing has to be fetched, and Cargo drops what is too much. Without
        // this file it chooses them itself.
        let lock = checkout.map(|checkout| fs::read_to_string(checkout.join("Cargo.lock")));
        if let Some(Ok(lock)) = lock {
            draft.write("Cargo.lock", &lock)?;
        }
        format(folder);
        print(&summary(&name, &source))?;
        draft.keep();
        Ok(())
    }
}

/// A name of another length breaks lines elsewhere. Where there is no rustfmt, nobody looks.
fn format(folder: &Path) {
    let mut rustfmt = Command::new("rustfmt");
    rustfmt.args(["--edition", "2024", "src/main.rs"]).current_dir(folder);
    rustfmt.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    drop(rustfmt.status());
}

fn summary(name: &Name, source: &Source) -> String {
    let name = name.as_str();
    format!(
        "created    {name}: a component, its tests, a flow that runs it\n\
         depends    tiny-runtime = {}; Cargo.toml says how to change it\n\
         next       cd {name}\n\
         next       cargo test\n\
         next       cargo run -- run --name {name} --apply flow.yaml\n\
         next       cargo run -- signal {name}-inner input '{{\"text\":\"World\"}}' --wait    # in a second terminal\n",
        source.value()
    )
}
