//! The binary of an image: compiled from the crate that `cargo run` was called in, linked so that it needs no file of any system.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, bail};
use serde_json::Value;

use super::Platform;

/// The crate of a module, as cargo knows it.
#[derive(Debug)]
pub(crate) struct Crate {
    manifest: PathBuf,
    /// The name of the binary.
    binary: String,
    /// The folder of the workspace.
    root: PathBuf,
    /// Where it is compiled.
    pub(crate) target: PathBuf,
    /// Crates that it takes by path from outside of its workspace: their folders, and their names.
    elsewhere: Vec<(String, String)>,
    pub(crate) name: String,
    pub(crate) version: String,
    description: Option<String>,
    license: Option<String>,
    repository: Option<String>,
}

/// How to compile.
#[derive(Debug)]
pub(crate) struct Wish {
    pub(crate) platform: Platform,
    /// Seconds since 1970 that stand for the time of compiling, where C code asks for it.
    pub(crate) time: u64,
    /// Features of the crate, as cargo takes them.
    pub(crate) features: Vec<String>,
}

impl Crate {
    /// The crate of the binary `name`: the one that `cargo run` says, else that of this folder or of one above it.
    pub(crate) fn here(name: &str) -> Result<Self> {
        let folder = match std::env::var_os("CARGO_MANIFEST_DIR") {
            Some(folder) => PathBuf::from(folder),
            None => above()?,
        };
        let manifest = folder.join("Cargo.toml");
        let mut asked = Command::new(cargo());
        asked.args(["metadata", "--locked", "--format-version", "1", "--manifest-path"]);
        let answer = asked.arg(&manifest).output().map_err(|e| no_cargo(&e))?;
        if !answer.status.success() {
            let why = String::from_utf8_lossy(&answer.stderr);
            bail!("cargo cannot read `{}`: {}", manifest.display(), why.trim());
        }
        let known = serde_json::from_slice(&answer.stdout).context("cargo metadata is no JSON")?;
        Self::of(&known, manifest, name)
    }

    fn of(known: &Value, manifest: PathBuf, name: &str) -> Result<Self> {
        let text = |value: &Value| value.as_str().map(ToOwned::to_owned);
        let folder = |name: &str| known[name].as_str().map(PathBuf::from);
        let packages = known["packages"].as_array().map(Vec::as_slice).unwrap_or_default();
        // Those of registries and of git have a source.
        let by_path = || packages.iter().filter(|package| package["source"].is_null());
        let of_binary = by_path().find(|package| package["name"] == name).ok_or_else(|| {
            anyhow!(
                "`{}` is not the crate of `{name}`; call `cargo run -- build` in its folder",
                manifest.display()
            )
        })?;
        let targets = of_binary["targets"].as_array().map(Vec::as_slice).unwrap_or_default();
        let is_binary = |target: &&Value| {
            target["kind"].as_array().is_some_and(|kinds| kinds.iter().any(|kind| kind == "bin"))
        };
        let binaries: Vec<&str> =
            targets.iter().filter(is_binary).filter_map(|target| target["name"].as_str()).collect();
        let running = std::env::current_exe().ok();
        let running = running.as_deref().and_then(Path::file_stem).and_then(OsStr::to_str);
        let binary = binaries.iter().find(|binary| Some(**binary) == running).or(binaries.first());
        let binary = binary.ok_or_else(|| anyhow!("the crate `{name}` has no binary"))?;
        let missing = || anyhow!("cargo metadata says nothing of the workspace");
        let root = folder("workspace_root").ok_or_else(missing)?;
        let outside = |package: &Value| {
            let folder = Path::new(package["manifest_path"].as_str()?).parent()?;
            let is_inside = folder.starts_with(&root);
            (!is_inside).then(|| Some((folder.display().to_string(), text(&package["name"])?)))?
        };
        Ok(Self {
            binary: (*binary).to_owned(),
            elsewhere: by_path().filter_map(outside).collect(),
            root,
            target: folder("target_directory").ok_or_else(missing)?,
            name: name.to_owned(),
            version: text(&of_binary["version"]).unwrap_or_default(),
            description: text(&of_binary["description"]),
            license: text(&of_binary["license"]),
            repository: text(&of_binary["repository"]),
            manifest: of_binary["manifest_path"].as_str().map_or(manifest, PathBuf::from),
        })
    }

    /// What the crate says of itself, under the names that images have for it.
    pub(crate) fn labels(&self) -> BTreeMap<String, String> {
        let said = [
            ("title", Some(&self.name)),
            ("version", Some(&self.version)),
            ("description", self.description.as_ref()),
            ("licenses", self.license.as_ref()),
            ("source", self.repository.as_ref()),
        ];
        let named = |(name, value): (&str, Option<&String>)| {
            Some((format!("org.opencontainers.image.{name}"), value?.clone()))
        };
        said.into_iter().filter_map(named).collect()
    }

    /// Compiles; cargo tells on stderr how far it is. Gives the binary.
    pub(crate) fn compile(&self, wish: &Wish) -> Result<PathBuf> {
        installed(wish.platform)?;
        let mut cargo = self.command(wish);
        cargo.stdout(Stdio::piped()).stderr(Stdio::inherit());
        let built = cargo.spawn().map_err(|e| no_cargo(&e))?;
        let built = built.wait_with_output().map_err(|e| no_cargo(&e))?;
        if !built.status.success() {
            bail!("the crate `{}` does not compile: see above", self.name);
        }
        let lines = built.stdout.split(|byte| *byte == b'\n');
        let messages = lines.filter_map(|line| serde_json::from_slice::<Value>(line).ok());
        let mut made = messages.filter(|message| {
            message["reason"] == "compiler-artifact" && message["target"]["name"] == *self.binary
        });
        let made = made.find_map(|made| made["executable"].as_str().map(PathBuf::from));
        made.ok_or_else(|| anyhow!("cargo has made no binary `{}`", self.binary))
    }

    /// The command, for those who want to see it.
    pub(crate) fn shown(&self, wish: &Wish) -> String {
        let command = self.command(wish);
        let words = std::iter::once(command.get_program()).chain(command.get_args());
        let words = words.map(|word| {
            let word = word.to_string_lossy();
            if word.contains([' ', '"']) { format!("'{word}'") } else { word.into_owned() }
        });
        words.collect::<Vec<_>>().join(" ")
    }

    fn command(&self, wish: &Wish) -> Command {
        let target = wish.platform.target();
        let mut command = Command::new(cargo());
        command
            .args(["build", "--release", "--locked", "--target", &target, "--bin", &self.binary])
            .arg("--manifest-path")
            .arg(&self.manifest)
            .arg("--message-format=json-render-diagnostics");
        for features in &wish.features {
            command.args(["--features", features]);
        }
        let flags = self.flags();
        // Flags of the environment replace those of files: then ours go there as well.
        let separator = '\u{1f}';
        let given = match (std::env::var("CARGO_ENCODED_RUSTFLAGS"), std::env::var("RUSTFLAGS")) {
            (Ok(given), _) => Some(given),
            (_, Ok(given)) => {
                let words = given.split_whitespace().collect::<Vec<_>>();
                Some(words.join(&separator.to_string()))
            }
            _ => None,
        };
        match given.filter(|given| !given.is_empty()) {
            Some(given) => {
                let ours = flags.join(&separator.to_string());
                command.env("CARGO_ENCODED_RUSTFLAGS", format!("{given}{separator}{ours}"));
            }
            None => {
                // As TOML, whose strings are JSON's here.
                let list = serde_json::json!(flags);
                command.arg("--config").arg(format!("target.{target}.rustflags={list}"));
            }
        }
        // The same for C, of which build scripts compile a part. The most special name wins, so it holds what the others say.
        let variable = format!("CFLAGS_{}", target.replace('-', "_"));
        let given = [variable.as_str(), "TARGET_CFLAGS", "CFLAGS"];
        let given = given.iter().find_map(|name| std::env::var(name).ok()).unwrap_or_default();
        let folders = self.folders();
        let maps = folders.iter().map(|(from, to)| format!(" -ffile-prefix-map={from}={to}"));
        command.env(variable, given + &maps.collect::<String>());
        command.env("SOURCE_DATE_EPOCH", wish.time.to_string());
        if Platform::here() != Some(wish.platform) {
            let variable = target.to_uppercase().replace('-', "_");
            let variable = format!("CARGO_TARGET_{variable}_LINKER");
            if std::env::var_os(&variable).is_none() {
                command.env(variable, wish.platform.linker());
            }
        }
        command
    }

    /// Static, and without the names of this machine's folders, which would make another digest of each.
    fn flags(&self) -> Vec<String> {
        let folders = self.folders();
        let maps = folders.iter().map(|(from, to)| format!("--remap-path-prefix={from}={to}"));
        std::iter::once("-Ctarget-feature=+crt-static".to_owned()).chain(maps).collect()
    }

    /// Folders of this machine, and what the binary calls them. Of several that fit, compilers take the last.
    fn folders(&self) -> Vec<(String, String)> {
        let home = std::env::var_os("CARGO_HOME").map(PathBuf::from).or_else(|| {
            let home: OsString = std::env::var_os("HOME")?;
            Some(PathBuf::from(home).join(".cargo"))
        });
        let all = [
            (home.as_deref(), "/cargo"),
            (Some(&*self.root), "/src"),
            (Some(&*self.target), "/target"),
        ];
        let named = |(folder, name): (Option<&Path>, &str)| {
            Some((folder?.display().to_string(), name.to_owned()))
        };
        let elsewhere = self.elsewhere.iter();
        let elsewhere = elsewhere.map(|(folder, name)| (folder.clone(), format!("/path/{name}")));
        elsewhere.chain(all.into_iter().filter_map(named)).collect()
    }
}

/// Whether the standard library of a platform is here.
fn installed(platform: Platform) -> Result<()> {
    let target = platform.target();
    let mut rustc = Command::new(std::env::var_os("RUSTC").unwrap_or_else(|| "rustc".into()));
    let asked = rustc.args(["--print", "target-libdir", "--target", &target]).output();
    let asked = asked.context("cannot call rustc")?;
    let folder = String::from_utf8_lossy(&asked.stdout).trim().to_owned();
    if asked.status.success() && Path::new(&folder).is_dir() {
        return Ok(());
    }
    let linker = platform.linker();
    let package = linker.trim_end_matches("-gcc").replace('_', "-");
    bail!(
        "nothing can be compiled for {platform} here: install it with `rustup target add {target}`, and its linker `{linker}` (on Debian: \
         apt install gcc-{package})"
    )
}

fn cargo() -> OsString {
    std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into())
}

fn no_cargo(error: &std::io::Error) -> anyhow::Error {
    anyhow!(
        "cannot call cargo, which compiles the module: {error}; install it from https://rustup.rs"
    )
}

/// The nearest folder with a crate.
fn above() -> Result<PathBuf> {
    let here = std::env::current_dir().context("cannot tell in which folder this is")?;
    let found = here.ancestors().find(|folder| folder.join("Cargo.toml").is_file());
    let found = found.ok_or_else(|| {
        anyhow!("`build` compiles the source of the module: call `cargo run -- build` in the folder of its crate")
    })?;
    Ok(found.to_owned())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn demo() -> Crate {
        let known = json!({
            "workspace_root": "/w", "target_directory": "/w/target",
            "packages": [{
                "name": "demo", "version": "1.2.3", "license": "MIT", "description": "Shows.",
                "manifest_path": "/w/demo/Cargo.toml",
                "targets": [{"kind": ["lib"], "name": "lib"}, {"kind": ["bin"], "name": "demo"}],
            }, {
                "name": "near", "manifest_path": "/near/Cargo.toml", "targets": [],
            }, {
                "name": "far", "source": "registry", "manifest_path": "/cargo/far/Cargo.toml", "targets": [],
            }],
        });
        Crate::of(&known, "/w/demo/Cargo.toml".into(), "demo").unwrap()
    }

    #[test]
    fn the_crate_says_what_the_image_is() {
        let labels = demo().labels();
        assert_eq!(labels["org.opencontainers.image.title"], "demo");
        assert_eq!(labels["org.opencontainers.image.version"], "1.2.3");
        assert_eq!(labels["org.opencontainers.image.licenses"], "MIT");
        assert!(!labels.contains_key("org.opencontainers.image.source"));
    }

    #[test]
    fn the_binary_is_static_and_knows_no_folder() {
        let flags = demo().flags();
        assert_eq!(flags[0], "-Ctarget-feature=+crt-static");
        assert!(flags.contains(&"--remap-path-prefix=/w=/src".to_owned()), "{flags:?}");
        assert!(flags.contains(&"--remap-path-prefix=/near=/path/near".to_owned()), "{flags:?}");
        assert!(!flags.iter().any(|flag| flag.contains("far")), "{flags:?}");
        let shown =
            demo().shown(&Wish { platform: Platform::Amd64, time: 0, features: vec!["a".into()] });
        assert!(shown.contains("--target x86_64-unknown-linux-gnu --bin demo"), "{shown}");
        assert!(shown.contains("--features a"), "{shown}");
    }

    #[test]
    fn another_crate_is_none() {
        let said = Crate::of(&json!({"packages": []}), "/x/Cargo.toml".into(), "demo").unwrap_err();
        assert_eq!(
            said.to_string(),
            "`/x/Cargo.toml` is not the crate of `demo`; call `cargo run -- build` in its folder"
        );
    }
}
