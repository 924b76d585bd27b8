//! Limits of time: a wire carries what is left, a process knows when it ends.

use std::time::Duration;

use tokio::time::Instant;
use tonic::metadata::MetadataMap;

/// Microseconds that are left until `end`; at least one, since none stands for no limit.
pub(super) fn left(end: Option<Instant>) -> u64 {
    let Some(end) = end else { return 0 };
    let left = end.saturating_duration_since(Instant::now());
    u64::try_from(left.as_micros()).unwrap_or(u64::MAX).max(1)
}

/// When so many microseconds are over; none is no limit.
pub(super) fn end(micros: u64) -> Option<Instant> {
    (micros > 0).then(|| Instant::now().checked_add(Duration::from_micros(micros))).flatten()
}

/// What the header `grpc-timeout` of a call leaves: up to eight digits and a unit.
pub(super) fn of_header(metadata: &MetadataMap) -> Option<Duration> {
    let text = metadata.get("grpc-timeout")?.to_str().ok()?;
    let unit = text.chars().last()?;
    let digits = text.strip_suffix(unit)?;
    if digits.is_empty() || digits.len() > 8 {
        return None;
    }
    let count: u64 = digits.parse().ok()?;
    match unit {
        'H' => Some(Duration::from_secs(count * 3600)),
        'M' => Some(Duration::from_secs(count * 60)),
        'S' => Some(Duration::from_secs(count)),
        'm' => Some(Duration::from_millis(count)),
        'u' => Some(Duration::from_micros(count)),
        'n' => Some(Duration::from_nanos(count)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_the_protocol_says_and_anything_else_is_no_limit() {
        let read = |text: &str| {
            let mut metadata = MetadataMap::new();
            metadata.insert("grpc-timeout", text.parse().ok()?);
            of_header(&metadata)
        };
        assert_eq!(read("1H"), Some(Duration::from_secs(3600)));
        assert_eq!(read("250m"), Some(Duration::from_millis(250)));
        assert_eq!(read("99999999n"), Some(Duration::from_nanos(99_999_999)));
        for bad in ["", "1", "m", "100000000n", "-1S", "1X", "ü"] {
            assert_eq!(read(bad), None, "{bad}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_left_is_never_no_limit() {
        assert_eq!((left(None), end(0)), (0, None));
        let now = Instant::now();
        assert_eq!(left(Some(now)), 1);
        assert_eq!(
            end(left(Some(now + Duration::from_secs(2)))),
            Some(now + Duration::from_secs(2))
        );
        assert_eq!(end(u64::MAX).map(|end| end > now), end(u64::MAX).map(|_| true));
    }
}
