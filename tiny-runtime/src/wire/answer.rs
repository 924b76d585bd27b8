//! What a hop came to, as it lies on the wire.

use std::time::Duration;

use tonic::metadata::MetadataValue;
use tonic::{Code, Status};

use super::LIMIT;
use super::proto::{Failure, Kind as Told, MessageResponse, Outcome};
use crate::component::{Error, Kind, Reply, Result};
use crate::words;

/// The trailer with the kind of an error, by its number in the protocol.
const KIND: &str = "tiny-kind";
/// The trailer with the milliseconds before which another attempt makes no sense, as gRPC's own retries have it.
const PUSHBACK: &str = "grpc-retry-pushback-ms";

/// The longest text of an error, in bytes.
const WORDS: usize = 2048;

/// What a caller learns of its call.
#[derive(Debug)]
pub(super) enum Fate {
    /// It reached its port, and this came of it.
    Done(Result<Reply>),
    /// It reached nobody, or somebody who has not touched it; not before so long another attempt makes sense.
    Untouched { why: String, after: Duration },
    /// It may have reached its port, and nobody will say what came of it.
    Lost(String),
}

/// What is told of a result.
pub(super) fn written(result: Result<Reply>) -> MessageResponse {
    let told = result.and_then(|reply| reply.to_text()).and_then(|reply| match reply {
        Some((data, _)) if data.len() > LIMIT => Err(Error::limit(format!(
            "the reply has {} bytes as JSON, and at most {LIMIT} go to another module; answer with a reference to what is large",
            data.len()
        ))),
        within => Ok(within),
    });
    match told {
        Ok(Some((data, origin))) => MessageResponse {
            data,
            outcome: Outcome::Reply.into(),
            origin,
            ..MessageResponse::default()
        },
        Ok(None) => {
            MessageResponse { outcome: Outcome::Empty.into(), ..MessageResponse::default() }
        }
        Err(error) => failed(failure(&error)),
    }
}

/// What is told to a caller whose message nobody has touched.
pub(super) fn untouched(why: &str, after: Duration) -> MessageResponse {
    failed(Failure {
        kind: Told::Untouched.into(),
        message: words::shortened(why, WORDS),
        after: u64::try_from(after.as_millis()).unwrap_or(u64::MAX),
    })
}

fn failed(failure: Failure) -> MessageResponse {
    MessageResponse {
        outcome: Outcome::Failed.into(),
        failure: Some(failure),
        ..MessageResponse::default()
    }
}

fn failure(error: &Error) -> Failure {
    let (kind, after) = match error.kind() {
        Kind::Transient { after } => (Told::Transient, after),
        Kind::Permanent => (Told::Permanent, None),
        Kind::Exhausted => (Told::Exhausted, None),
        Kind::Limit => (Told::Limit, None),
        Kind::Cancelled => (Told::Cancelled, None),
    };
    let after = after.map_or(0, |after| u64::try_from(after.as_millis()).unwrap_or(u64::MAX));
    // One that is too large would end the stream of all others, and a status is a header.
    Failure { kind: kind.into(), message: words::shortened(&error.to_string(), WORDS), after }
}

/// The same for one call, where an error is a status.
#[allow(clippy::result_large_err, reason = "the status of tonic is what it is")]
pub(super) fn of_call(response: MessageResponse) -> Result<MessageResponse, Status> {
    let Some(failure) = response.failure else { return Ok(response) };
    let code = match failure.kind() {
        Told::Transient => Code::Aborted,
        Told::Permanent => Code::FailedPrecondition,
        Told::Exhausted => Code::DeadlineExceeded,
        Told::Limit => Code::OutOfRange,
        Told::Cancelled => Code::Cancelled,
        Told::Untouched => Code::ResourceExhausted,
    };
    let mut status = Status::new(code, failure.message);
    let trailers = status.metadata_mut();
    trailers.insert(KIND, MetadataValue::from(failure.kind));
    if failure.after > 0 {
        trailers.insert(PUSHBACK, MetadataValue::from(failure.after));
    }
    Err(status)
}

/// What a module has answered.
pub(super) fn read(response: MessageResponse) -> Fate {
    let reply = |data, origin: String| {
        Fate::Done(Ok(Reply::of_text(data, (!origin.is_empty()).then_some(origin))))
    };
    match (response.outcome(), response.failure) {
        (Outcome::Failed, Some(failure)) => fate(failure),
        (Outcome::Failed, None) => Fate::Done(Err(Error::transient("it failed, and says no more"))),
        (Outcome::Empty, _) => Fate::Done(Ok(Reply::none())),
        (Outcome::Reply, _) => reply(response.data, response.origin),
        // The first version: an answer of nothing is written as `null` there.
        (Outcome::Unsaid, _) if matches!(&*response.data, b"" | b"null") => {
            Fate::Done(Ok(Reply::none()))
        }
        (Outcome::Unsaid, _) => reply(response.data, response.origin),
    }
}

/// What the status of a call that failed says.
pub(super) fn of_status(status: &Status) -> Fate {
    let number = |name| status.metadata().get(name)?.to_str().ok()?.parse::<u64>().ok();
    let after = number(PUSHBACK).unwrap_or_default();
    let message = || status.message().to_owned();
    if let Some(kind) = number(KIND) {
        let kind = i32::try_from(kind).unwrap_or_default();
        return fate(Failure { kind, message: message(), after });
    }
    let error = match status.code() {
        // Without a word of when to come again it may be anything, such as a message that is too large there.
        Code::ResourceExhausted if after > 0 => {
            return Fate::Untouched { why: message(), after: Duration::from_millis(after) };
        }
        Code::Cancelled => Error::cancelled(message()),
        Code::DeadlineExceeded => Error::exhausted(message()),
        Code::InvalidArgument
        | Code::NotFound
        | Code::PermissionDenied
        | Code::FailedPrecondition
        | Code::OutOfRange
        | Code::Unimplemented
        | Code::Unauthenticated => Error::permanent(message()),
        // What it does not say, the first version among them, may pass.
        _ => Error::transient(message()),
    };
    Fate::Done(Err(error))
}

fn fate(failure: Failure) -> Fate {
    let after = Duration::from_millis(failure.after);
    let kind = failure.kind();
    let message = failure.message;
    Fate::Done(Err(match kind {
        Told::Untouched => return Fate::Untouched { why: message, after },
        Told::Transient if after.is_zero() => Error::transient(message),
        Told::Transient => Error::retry_after(message, after),
        Told::Permanent => Error::permanent(message),
        Told::Exhausted => Error::exhausted(message),
        Told::Limit => Error::limit(message),
        Told::Cancelled => Error::cancelled(message),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_result_is_the_same_at_the_other_end_however_it_travels() {
        let results = [
            || Ok(Reply::none()),
            || Ok(Reply::of(7_u32)),
            || Err(Error::transient("busy")),
            || Err(Error::retry_after("busy", Duration::from_millis(1500))),
            || Err(Error::permanent("no")),
            || Err(Error::exhausted("gave up")),
            || Err(Error::limit("too far")),
            || Err(Error::cancelled("gone")),
        ];
        let told = |result: &Result<Reply>| match result {
            Ok(reply) => format!("{:?}", reply.to_json().unwrap()),
            Err(error) => format!("{error:?}"),
        };
        for result in results {
            for by_call in [false, true] {
                let response = written(result());
                let fate = match by_call {
                    false => read(response),
                    true => of_call(response).map_or_else(|status| of_status(&status), read),
                };
                let Fate::Done(back) = fate else { panic!("{fate:?}") };
                assert_eq!(told(&back), told(&result()));
            }
        }
    }

    #[test]
    fn the_first_version_says_nothing_with_nothing_or_null() {
        for (data, is_none) in [("", true), ("null", true), ("\"null\"", false), ("0", false)] {
            let response = MessageResponse { data: data.into(), ..MessageResponse::default() };
            let Fate::Done(Ok(reply)) = read(response) else { panic!("{data}") };
            assert_eq!(reply.is_none(), is_none, "{data}");
        }
        let null = written(Ok(Reply::of_text("null".into(), None)));
        let Fate::Done(Ok(reply)) = read(null) else { panic!() };
        assert!(!reply.is_none(), "a reply that is null is one");
    }

    #[test]
    fn what_nobody_touched_may_be_sent_again() {
        let full = of_call(untouched("full", Duration::from_millis(20))).unwrap_err();
        assert_eq!(full.code(), Code::ResourceExhausted);
        assert_eq!(full.metadata().get(PUSHBACK).unwrap(), "20");
        assert!(
            matches!(of_status(&full), Fate::Untouched { after, .. } if after.as_millis() == 20)
        );
        let too_large = Status::resource_exhausted("received message larger than max");
        let Fate::Done(Err(error)) = of_status(&too_large) else { panic!() };
        assert!(!error.is_permanent());
        let long = of_call(written(Err(Error::permanent("ü".repeat(5_000_000)))));
        assert!(long.unwrap_err().message().len() < 2 * WORDS + 16);
        let foreign = Status::unknown("handler failed");
        let Fate::Done(Err(error)) = of_status(&foreign) else { panic!() };
        assert!(!error.is_permanent(), "the first version tells no kind");
    }
}
