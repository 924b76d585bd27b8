//! A call for each message, to a module that knows no stream.

use std::time::Duration;

use tonic::transport::Channel;
use tonic::{ConnectError, Request, Status, TimeoutExpired};

use super::answer::{self, Fate};
use super::proto::MessageRequest;
use super::proto::module_service_client::ModuleServiceClient;
use super::traceparent;
use crate::component::Error;

/// Sends a message and waits for what comes of it. Dropping this cancels the call.
pub(super) async fn call(
    mut client: ModuleServiceClient<Channel>,
    message: MessageRequest,
) -> Fate {
    let left = [message.deadline, message.timeout].into_iter().filter(|micros| *micros > 0).min();
    let (trace, to) = (message.trace.clone(), message.to.clone());
    let mut request = Request::new(message);
    traceparent::to_header(trace.as_ref(), request.metadata_mut());
    if let Some(micros) = left {
        request.set_timeout(Duration::from_micros(micros));
    }
    match client.message(request).await {
        Ok(response) => answer::read(response.into_inner()),
        Err(status) if caused::<ConnectError>(&status) => {
            Fate::Untouched { why: super::words(&status), after: Duration::ZERO }
        }
        Err(status) if caused::<TimeoutExpired>(&status) => {
            let left = Duration::from_micros(left.unwrap_or_default());
            Fate::Done(Err(Error::exhausted(format!(
                "`{to}` did not end within the {left:?} that were left"
            ))))
        }
        Err(status) if is_of_transport(&status) => Fate::Lost(super::words(&status)),
        Err(status) => answer::of_status(&status),
    }
}

/// Whether an error of this type stands behind a status: [`ConnectError`] where there was no connection to send it over, [`TimeoutExpired`] where
/// its time was over.
fn caused<E: std::error::Error + 'static>(status: &Status) -> bool {
    let mut cause = std::error::Error::source(status);
    while let Some(inner) = cause {
        if inner.is::<E>() {
            return true;
        }
        cause = inner.source();
    }
    false
}

/// Whether the connection failed, and not the call.
fn is_of_transport(status: &Status) -> bool {
    std::error::Error::source(status).is_some_and(|cause| cause.is::<tonic::transport::Error>())
}
