//! Where Prometheus and probes look.

use std::net::SocketAddr;

use anyhow::{Result, anyhow};

use super::wire;
use crate::telemetry::Doors;

/// For those who look
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Metrics and probes")]
pub(super) struct DoorArgs {
    /// Where Prometheus finds /metrics; `:8080` is every address of this machine, port 0 a free one
    #[arg(short, long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = wire::address)]
    metrics_bind_address: SocketAddr,
    /// Where probes find /livez, /readyz and /healthz; may be the same address
    #[arg(short = 't', long, value_name = "HOST:PORT", default_value = "127.0.0.1:0", value_parser = wire::address)]
    health_probe_bind_address: SocketAddr,
}

impl DoorArgs {
    /// Takes the ports, so that what cannot be had is said before anything begins.
    pub(super) fn bind(&self) -> Result<Doors> {
        let (metrics, probes) = (self.metrics_bind_address, self.health_probe_bind_address);
        Doors::bind(metrics, probes).map_err(|(address, why)| {
            let (what, flag) = match address == metrics {
                true => ("metrics", "--metrics-bind-address"),
                false => ("probes", "--health-probe-bind-address"),
            };
            anyhow!("cannot listen on {address} for {what}: {why}; choose another with {flag}")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_that_is_taken_is_said_with_its_flag() {
        let free: SocketAddr = "127.0.0.1:0".parse().unwrap();
        let doors = |metrics, probes| DoorArgs {
            metrics_bind_address: metrics,
            health_probe_bind_address: probes,
        };
        let taken = doors(free, free).bind().unwrap();
        let (metrics, probes) = taken.addresses();
        assert_ne!(metrics, probes);
        for (args, flag) in [
            (doors(metrics, free), "--metrics-bind-address"),
            (doors(free, metrics), "--health-probe-bind-address"),
        ] {
            let said = args.bind().unwrap_err().to_string();
            assert!(said.starts_with(&format!("cannot listen on {metrics}")), "{said}");
            assert!(said.ends_with(flag), "{said}");
        }
        drop(taken);
        let both = doors(metrics, metrics).bind().unwrap();
        assert_eq!(both.addresses(), (metrics, metrics));
    }
}
