//! An envelope as it lies on the wire.

use std::time::Duration;

use bytes::Bytes;
use tokio::time::Instant;

use super::proto::{MessageRequest, Retry, Trace};
use super::{LIMIT, deadline};
use crate::component::{Body, Error, Parent, Result, RunId};
use crate::engine::{Address, Arrived, Envelope, Passed, RetryBounds, Sender};

/// Nodes of a path that are read: as many as a path may have hops.
const PATH: usize = 256;

/// What `envelope` says to another module. The limits of time are those of now, so this is called for each attempt.
pub(super) fn written(envelope: &Envelope, payload: Bytes, attempt: u32) -> MessageRequest {
    let line = &envelope.line;
    let (sender, path) = match &envelope.sender {
        Sender::Hop(hop) => {
            let mut path: Vec<String> = Vec::new();
            for node in hop.passed() {
                if path.len() < PATH && !path.iter().any(|known| known == node) {
                    path.push(node.to_owned());
                }
            }
            (&*hop.at().node, path)
        }
        Sender::Nobody | Sender::Module(_) => Default::default(),
    };
    let parent = match &envelope.sender {
        Sender::Hop(hop) => hop.parent(),
        Sender::Nobody | Sender::Module(_) => None,
    };
    let bounds = envelope.bounds;
    MessageRequest {
        id: String::new(),
        from: joined(sender, line.from.as_deref().unwrap_or_default()),
        to: joined(&line.to.node, &line.to.port),
        payload,
        edge_id: line.edge.as_deref().unwrap_or_default().to_owned(),
        mapped: envelope.body.is_mapped(),
        hops: envelope.sender.depth().into(),
        path,
        attempt,
        retry: (bounds != RetryBounds { timeout: bounds.timeout, ..RetryBounds::default() }).then(
            || Retry {
                attempts: bounds.attempts,
                initial: millis(bounds.initial),
                max: millis(bounds.max),
            },
        ),
        trace: Some(Trace {
            run: Bytes::copy_from_slice(&envelope.run.id().0.to_be_bytes()),
            span: parent.map_or(0, |parent| parent.span),
            sampled: parent.is_some_and(|parent| parent.sampled),
        }),
        deadline: deadline::left(envelope.deadline),
        timeout: deadline::left(envelope.expires),
    }
}

/// The message of an envelope as JSON.
///
/// # Errors
/// When it cannot be written as JSON, or is larger than a wire carries.
pub(super) fn payload(envelope: &Envelope) -> Result<Bytes> {
    let to = &envelope.line.to;
    let text =
        envelope.body.to_text().map_err(|e| e.into_permanent(&format!("the message to `{to}`")))?;
    if text.len() > LIMIT {
        return Err(Error::limit(format!(
            "the message to `{to}` has {} bytes as JSON, and at most {LIMIT} go to another module; send a reference to what is large",
            text.len()
        )));
    }
    Ok(text)
}

/// What another module says, as the engine reads it. `header` is what the call itself leaves of time.
///
/// # Errors
/// Permanent when it names no port.
pub(super) fn read(request: MessageRequest, header: Option<Duration>) -> Result<Arrived> {
    let to = address(&request.to).ok_or_else(|| {
        Error::permanent(format!("`To` must be `node:port`, and `{}` is not", request.to))
    })?;
    let bounds = request.retry.map_or_else(RetryBounds::default, |retry| RetryBounds {
        attempts: retry.attempts,
        initial: Duration::from_millis(retry.initial),
        max: Duration::from_millis(retry.max),
        timeout: None,
    });
    // Only said, never waited for, so in whole milliseconds: what the edge allows, less a little.
    let timeout = request.timeout.div_ceil(1000);
    let timeout = (timeout > 0).then(|| Duration::from_millis(timeout));
    let by_header = header.and_then(|left| Instant::now().checked_add(left));
    let trace = request.trace.unwrap_or_default();
    let run = <[u8; 16]>::try_from(&*trace.run).ok().map(u128::from_be_bytes);
    let run = run.filter(|id| *id != 0).map(RunId);
    // A span belongs to its run, and is nothing without.
    let parent = run.filter(|_| trace.span != 0);
    let parent = parent.map(|_| Parent { span: trace.span, sampled: trace.sampled });
    let nodes = request.path.into_iter().take(PATH).map(String::into_boxed_str).rev();
    Ok(Arrived {
        from: address(&request.from),
        to,
        edge: (!request.edge_id.is_empty()).then(|| request.edge_id.into()),
        body: Body::text(request.payload),
        mapped: request.mapped,
        run,
        passed: Passed {
            hops: u16::try_from(request.hops).unwrap_or(u16::MAX),
            nodes: nodes.collect(),
            parent,
        },
        bounds: RetryBounds { timeout, ..bounds },
        deadline: deadline::end(request.deadline).into_iter().chain(by_header).min(),
        expires: deadline::end(request.timeout),
    })
}

/// An [`Address`] as it is shown. Formatting takes several times as long, and this is done twice for each message.
fn joined(node: &str, port: &str) -> String {
    [node, ":", port].concat()
}

fn address(text: &str) -> Option<Address> {
    let (node, port) = text.rsplit_once(':')?;
    (!node.is_empty() && !port.is_empty()).then(|| Address::new(node, port))
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}
