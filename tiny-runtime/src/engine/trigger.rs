//! What starts a run, and what it ends with.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use tokio_util::sync::CancellationToken;

use super::Address;
use crate::component::{Reply, Result, Run};

/// Something from outside that starts a run.
#[derive(Clone, Debug)]
pub struct Trigger {
    /// What it is, in words: ``signal `hello-input` ``.
    pub name: String,
    /// The port that it sends to.
    pub to: Address,
    /// The message; `None` sends the port's stored configuration, else its default.
    pub data: Option<Value>,
    /// The time limit of the whole run.
    pub timeout: Option<Duration>,
    /// Cancels the run and everything that it caused.
    pub cancel: CancellationToken,
}

/// A run that has ended.
#[derive(Debug)]
pub struct Outcome {
    /// What it passed.
    pub run: Arc<Run>,
    /// What it ended with.
    pub result: Result<Reply>,
    /// How long it took.
    pub took: Duration,
}

/// One line: `signal greet: hello:input → show:input, 2 hops in 1.3ms, ok`. Never the content of a message.
impl fmt::Display for Outcome {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: ", self.run.trigger())?;
        let visits = self.run.visits();
        let mut depth = 0;
        for visit in &visits {
            let between = match visit.depth {
                1 => "",
                deeper if deeper > depth => " → ",
                _ => ", ",
            };
            write!(f, "{between}{}", visit.at)?;
            depth = visit.depth;
        }
        let hops = self.run.hops();
        if hops as usize > visits.len() {
            f.write_str(" …")?;
        }
        let separator = if hops == 0 { "" } else { ", " };
        let plural = if hops == 1 { "" } else { "s" };
        write!(f, "{separator}{hops} hop{plural} in {:.1?}, ", self.took)?;
        match &self.result {
            Ok(reply) if reply.is_none() => f.write_str("ok, no reply"),
            Ok(_) => f.write_str("ok"),
            Err(error) => write!(f, "failed: {error}"),
        }
    }
}
