//! The commands of a module's binary.
//!
//! `main.rs` of a module is one line:
//!
//! ```no_run
//! tiny_runtime::main!();
//! ```

mod apply;
mod components;
mod documents;
mod get;
mod kinds;
mod next;
mod plane;
mod prune;
mod run;
mod signal;

use std::ffi::OsString;
use std::io::IsTerminal;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, Result, bail};
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};
use tracing_subscriber::EnvFilter;

use crate::registry::Registry;

/// Writes the `main` of a module's binary: the commands of [`cli`](crate::cli) for all components that the crate registers.
///
/// ```no_run
/// tiny_runtime::main!();
/// ```
#[macro_export]
macro_rules! main {
    () => {
        fn main() -> ::std::process::ExitCode {
            $crate::cli::main($crate::cli::Binary {
                name: env!("CARGO_PKG_NAME"),
                version: env!("CARGO_PKG_VERSION"),
            })
        }
    };
}

/// What a binary knows of itself: its crate.
#[derive(Clone, Copy, Debug)]
pub struct Binary {
    /// `CARGO_PKG_NAME`.
    pub name: &'static str,
    /// `CARGO_PKG_VERSION`.
    pub version: &'static str,
}

#[derive(Debug, Parser)]
#[command(arg_required_else_help = true, disable_help_subcommand = true)]
struct Args {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Runs the module on a local plane, or on a cluster when told to
    Run(run::Run),
    /// Writes flows, nodes and other objects from files to the plane
    Apply(apply::Apply),
    /// Lists objects of the plane
    Get(get::Get),
    /// Sends a message to a port of a node, one at a time
    Signal(signal::Signal),
    /// Lists the components that this binary has
    Components(components::Components),
    /// Prints the CRDs of Tiny, ready for `kubectl apply -f -`
    Crds,
}

/// Runs the command that the process was called with. Exit codes: 0 when it did what it was asked, 1 when it could not, 2 when
/// it was asked in a way that it does not understand.
pub fn main(binary: Binary) -> ExitCode {
    match parse(binary, std::env::args_os()) {
        Ok(args) => match start(binary, args) {
            Ok(()) => ExitCode::SUCCESS,
            Err(e) => {
                eprintln!("error: {e:#}");
                ExitCode::FAILURE
            }
        },
        Err(e) => e.exit(),
    }
}

fn parse(
    binary: Binary,
    args: impl IntoIterator<Item = OsString>,
) -> std::result::Result<Args, clap::Error> {
    let command = Args::command()
        .name(binary.name)
        .version(binary.version)
        .about(format!("{}: a module of Tiny", binary.name));
    Args::from_arg_matches(&command.try_get_matches_from(args)?)
}

fn start(binary: Binary, args: Args) -> Result<()> {
    let registry = Arc::new(Registry::collect()?);
    if registry.is_empty() {
        bail!(
            "this binary registers no component: put `#[component]` on a struct of crate `{}`, and make sure that its \
             module is part of the binary (`mod hello;`)",
            binary.name
        );
    }
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .context("cannot start the async runtime")?;
    let result = runtime.block_on(async {
        match args.command {
            Command::Run(run) => {
                log_to_stderr(run.quiet);
                run.carry_out(binary, registry).await
            }
            Command::Apply(apply) => apply.carry_out(binary, &registry).await,
            Command::Get(get) => get.carry_out().await,
            Command::Signal(signal) => signal.carry_out().await,
            Command::Components(components) => components.carry_out(binary, &registry),
            Command::Crds => print(&tiny_crds::manifest::yaml()),
        }
    });
    // A task that hangs must not keep a process that is done.
    runtime.shutdown_timeout(std::time::Duration::from_secs(1));
    result
}

/// Logs go to stderr, so that stdout holds what a command is asked for.
fn log_to_stderr(quiet: bool) {
    let usual = if quiet { "error" } else { "info,kube=warn,hyper=warn,tower=warn,rustls=warn" };
    let filter = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new(usual));
    let log = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_writer(std::io::stderr)
        .with_ansi(std::io::stderr().is_terminal())
        .with_target(false);
    // Fails when the process has a subscriber already, which then takes the log.
    drop(log.try_init());
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

/// How this program is called from a shell, for hints: `cargo run --`, or its own path.
fn invocation() -> String {
    if std::env::var_os("CARGO").is_some() {
        return "cargo run --".into();
    }
    std::env::args().next().unwrap_or_else(|| "module".into())
}
