//! `plane`: the local plane alone, until it is told to stop.

use anyhow::Result;

use super::plane::PlaneArgs;
use super::print;
use super::run::Stop;
use crate::control;
use crate::local::Member;

/// Hosts the local plane alone, without a module
#[derive(Debug, clap::Args)]
pub(super) struct Host {
    /// Loopback port of the local plane; by default the one of the last time, if it is free
    #[arg(long)]
    port: Option<u16>,
    #[command(flatten)]
    plane: PlaneArgs,
}

impl Host {
    pub(super) async fn carry_out(self) -> Result<()> {
        let folder = self.plane.folder()?;
        let mut stop = Stop::listen()?;
        let plane = self.plane.start(self.port, Member::this(&control::identity(), None)).await?;
        let waits = plane.share.as_ref().is_some_and(|share| share.hosted().is_none());
        let rest = if waits { "; this one takes over when it ends" } else { "" };
        let said = print(&format!("plane      {}{rest}", plane.title))
            .and_then(|()| print(&format!("kubeconfig {}", folder.join("kubeconfig").display())));
        if said.is_ok() {
            stop.asked().await;
        }
        plane.leave().await;
        said
    }
}
