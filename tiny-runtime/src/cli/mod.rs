//! The commands of a module's binary.
//!
//! `main.rs` of a module is one line:
//!
//! ```no_run
//! tiny_runtime::main!();
//! ```

mod apply;
mod build;
mod check;
mod components;
pub(crate) mod documents;
mod doors;
mod eval;
mod explain;
mod files;
mod flow_schema;
mod get;
mod host;
mod kinds;
mod new;
mod next;
mod picture;
mod plane;
mod pre_delete;
mod pre_install;
mod prune;
mod rbac;
mod run;
mod schema;
mod signal;
mod survey;
mod test;
mod unread;
mod wire;

use std::ffi::OsString;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{FromArgMatches, Subcommand};

use crate::registry::Registry;
use crate::telemetry::{Log, Otlp};

/// Writes the `main` of a module's binary: the commands of [`cli`](crate::cli) for all components that the crate registers.
///
/// ```no_run
/// tiny_runtime::main!();
/// ```
///
/// With `new` the binary makes crates of new modules as well, which depend on the Tiny that it was built with:
///
/// ```no_run
/// tiny_runtime::main!(new);
/// ```
#[macro_export]
macro_rules! main {
    () => {
        $crate::main!(@scaffold ::core::option::Option::None);
    };
    (new) => {
        $crate::main!(@scaffold ::core::option::Option::Some({
            // A release build, which images are made of, must not differ from folder to folder.
            #[cfg(debug_assertions)]
            const HERE: &str = env!("CARGO_MANIFEST_DIR");
            #[cfg(not(debug_assertions))]
            const HERE: &str = "";
            HERE
        }));
    };
    (@scaffold $scaffold:expr) => {
        #[global_allocator]
        static HEAP: $crate::cli::Heap = $crate::cli::Heap;

        fn main() -> ::std::process::ExitCode {
            $crate::cli::main($crate::cli::Binary {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
                scaffold: $scaffold,
            })
        }
    };
}

/// The allocator of a module's binary. A run allocates what each of its hops needs and frees it on the way back: with the one of the
/// C library, hops that carry 313 bytes by value took half as much time again.
pub use mimalloc::MiMalloc as Heap;

/// What a binary knows of itself: its crate.
#[derive(Clone, Copy, Debug)]
pub struct Binary {
    /// `CARGO_PKG_NAME`.
    pub name: &'static str,
    /// `CARGO_PKG_VERSION`.
    pub version: &'static str,
    /// `CARGO_MANIFEST_DIR` of a binary that has the command `new`, empty where only `cargo run` knows; without it there is no such command.
    pub scaffold: Option<&'static str>,
}

// What a process was called with, when its binary has the command `new`. No word of documentation: clap would take it for that of the binary.
#[derive(Debug, Subcommand)]
enum Called {
    #[command(flatten)]
    Module(Box<Command>),
    /// Makes the crate of a new module in a folder of its own
    New(new::New),
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the module on a local plane, or on a cluster when told to
    Run(run::Run),
    /// Hosts the local plane alone, without a module
    Plane(host::Host),
    /// Writes flows, nodes and other objects from files to the plane
    Apply(apply::Apply),
    /// Checks flows of files without writing anything
    Check(check::Check),
    /// Prints what an edge does with each field of its target
    Explain(explain::Explain),
    /// Runs the tests of flows, without a plane
    Test(test::Test),
    /// Lists objects of the plane
    Get(get::Get),
    /// Sends a message to a port of a node, one at a time
    Signal(signal::Signal),
    /// Lists the components that this binary has
    Components(components::Components),
    /// Writes a JSON schema of flow files for YAML editors
    Schema(schema::Schema),
    /// Prints what an expression of a mapping gives for a JSON document
    Eval(eval::Eval),
    /// Draws flows of files as SVG
    Picture(picture::Picture),
    /// Makes the image of this module, without a container daemon
    Build(build::Build),
    /// Prints the Role that this module needs on a cluster
    Rbac(rbac::Rbac),
    /// Says whether a cluster is ready for this module
    PreInstall(pre_install::PreInstall),
    /// Lets go of all nodes of this module, so that it can be uninstalled
    PreDelete(pre_delete::PreDelete),
    /// Prints the CRDs of Tiny, ready for `kubectl apply -f -`
    Crds,
}

/// Runs the command that the process was called with. Exit codes: 0 when it did what it was asked, 1 when it could not, 2 when
/// it was asked in a way that it does not understand.
pub fn main(binary: Binary) -> ExitCode {
    match parse(binary, std::env::args_os()) {
        Ok(called) => match start(binary, called) {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => {
                eprintln!("error: {e:#}");
                ExitCode::FAILURE
            }
        },
        Err(e) => e.exit(),
    }
}

fn parse(binary: Binary, args: impl IntoIterator<Item = OsString>) -> Result<Called, clap::Error> {
    let command = clap::Command::new(binary.name)
        .version(binary.version)
        .about(format!("{}: a module of Tiny", binary.name))
        .subcommand_required(true)
        .arg_required_else_help(true)
        .disable_help_subcommand(true);
    let command = match binary.scaffold {
        Some(_) => Called::augment_subcommands(command),
        None => Command::augment_subcommands(command),
    };
    // These take no names of files, so that a folder may stand apart from its flag.
    let command = ["run", "plane"].into_iter().fold(command, |command, name| {
        command.mut_subcommand(name, |sub| sub.mut_arg("local", |arg| arg.require_equals(false)))
    });
    Called::from_arg_matches(&command.try_get_matches_from(args)?)
}

fn start(binary: Binary, called: Called) -> Result<()> {
    match called {
        Called::Module(command) => start_module(binary, *command),
        // Without the folder there is no such command.
        Called::New(new) => new.carry_out(binary.scaffold.unwrap_or_default()),
    }
}

fn start_module(binary: Binary, command: Command) -> Result<()> {
    let registry = Arc::new(Registry::collect()?);
    if registry.is_empty() {
        bail!(
            "this binary registers no component: put `#[component]` on a struct of crate `{}`, and make sure that its \
             module is part of the binary (`mod hello;`)",
            binary.name
        );
    }
    if let Command::Test(test) = command {
        // Its flows have clocks of their own.
        return test.carry_out(binary, &registry);
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let result = runtime.block_on(async {
        match command {
            Command::Run(run) => {
                let otlp = run.otlp(binary);
                let result = run.carry_out(binary, registry, &otlp).await;
                otlp.flush().await;
                result
            }
            Command::Plane(host) => {
                Log { quiet: false }.start(&Otlp::default());
                host.carry_out().await
            }
            Command::Apply(apply) => apply.carry_out(binary, &registry).await,
            Command::Check(check) => check.carry_out(binary, &registry).await,
            Command::Explain(explain) => explain.carry_out(binary, &registry).await,
            Command::Get(get) => get.carry_out().await,
            Command::Signal(signal) => signal.carry_out().await,
            Command::Components(components) => components.carry_out(binary, &registry),
            Command::Schema(schema) => schema.carry_out(binary, &registry).await,
            Command::Eval(eval) => eval.carry_out(),
            Command::Picture(picture) => picture.carry_out(binary, &registry),
            Command::Build(build) => build.carry_out(binary, &registry).await,
            Command::Rbac(rbac) => rbac.carry_out(binary),
            Command::PreInstall(check) => check.carry_out(binary).await,
            Command::PreDelete(release) => {
                Log { quiet: false }.start(&Otlp::default());
                release.carry_out(binary).await
            }
            Command::Test(_) => Ok(()),
            Command::Crds => print(&tiny_crds::manifest::yaml()),
        }
    });
    // A task that hangs must not keep a process that is done.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

/// Prints to stdout; a reader that has seen enough (`… | head`) is no fault.
fn print(text: &str) -> Result<()> {
    use std::io::Write;
    let mut out = std::io::stdout().lock();
    let end = if text.ends_with('\n') || text.is_empty() { "" } else { "\n" };
    match write!(out, "{text}{end}").and_then(|()| out.flush()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        written => written.context("cannot write to stdout"),
    }
}

/// The name of a module's object.
fn object_name(module: &str) -> Result<String> {
    let name = tiny_crds::names::sanitise(module);
    if tiny_crds::names::check_dns_name(&name).is_err() {
        bail!(
            "`{module}` cannot be the name of a module: as an object it would be called `{name}`; begin and end it with a letter or digit"
        );
    }
    Ok(name)
}

/// How this program is called from a shell, for hints: `cargo run --`, or its own path.
fn invocation() -> String {
    if std::env::var_os("CARGO").is_some() {
        return "cargo run --".into();
    }
    std::env::args().next().unwrap_or_else(|| "module".into())
}

#[cfg(test)]
mod tests {
    use clap::error::ErrorKind;

    use super::*;

    fn called(scaffold: Option<&'static str>, args: &[&str]) -> Result<Called, clap::Error> {
        let binary = Binary { name: "demo", version: "0.1.0", scaffold };
        parse(binary, ["demo"].iter().chain(args).map(Into::into))
    }

    fn refused(scaffold: Option<&'static str>, args: &[&str]) -> clap::Error {
        called(scaffold, args).expect_err("should be refused")
    }

    #[test]
    fn only_a_binary_with_a_scaffold_knows_new() {
        let without = refused(None, &["new", "x"]);
        assert_eq!(without.kind(), ErrorKind::InvalidSubcommand);
        assert!(without.to_string().contains("unrecognized subcommand 'new'"), "{without}");
        assert!(matches!(called(Some("/"), &["new", "x"]), Ok(Called::New(_))));
        for (scaffold, listed) in [(None, false), (Some("/"), true)] {
            let help = refused(scaffold, &["--help"]).to_string();
            assert_eq!(help.contains("\n  new "), listed, "{help}");
            assert!(help.contains("\n  run "), "{help}");
            assert!(help.starts_with("demo: a module of Tiny\n"), "{help}");
            let is_crds =
                |called| matches!(called, Called::Module(it) if matches!(*it, Command::Crds));
            assert!(called(scaffold, &["crds"]).is_ok_and(is_crds));
        }
    }

    #[test]
    fn a_revision_is_one_of_a_git_repository() {
        let refused = refused(Some("/"), &["new", "x", "--rev", "1"]);
        assert_eq!(refused.kind(), ErrorKind::MissingRequiredArgument);
    }

    /// What the charts call the binary with, in each render of `tests/tests/charts/`.
    #[test]
    fn the_arguments_of_charts_are_understood() {
        let renders = concat!(env!("CARGO_MANIFEST_DIR"), "/../tests/tests/charts/renders");
        let mut commands = std::collections::BTreeSet::new();
        for render in std::fs::read_dir(renders).unwrap() {
            let text = std::fs::read_to_string(render.unwrap().path()).unwrap();
            let objects: Vec<serde_json::Value> = serde_saphyr::from_multiple(&text).unwrap();
            for object in &objects {
                for pointer in ["/spec/containers", "/spec/template/spec/containers"] {
                    let containers = object.pointer(pointer).and_then(|it| it.as_array());
                    for container in containers.into_iter().flatten() {
                        if container["command"] != serde_json::json!(["/manager"]) {
                            continue;
                        }
                        let args = container["args"].as_array().unwrap().iter();
                        let args: Vec<&str> = args.map(|arg| arg.as_str().unwrap()).collect();
                        assert!(called(None, &args).is_ok(), "{:?}: {args:?}", object["metadata"]);
                        commands.insert(args[0].to_owned());
                    }
                }
            }
        }
        assert_eq!(commands.into_iter().collect::<Vec<_>>(), ["pre-delete", "run", "signal"]);
    }

    #[test]
    fn without_a_word_there_is_help() {
        let kind = ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand;
        assert_eq!(refused(None, &[]).kind(), kind);
        assert_eq!(refused(Some("/"), &[]).kind(), kind);
    }
}
