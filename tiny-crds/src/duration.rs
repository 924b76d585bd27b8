//! Durations as text, the way Go writes them: `500ms`, `30s`, `1h30m`.

use std::time::Duration;

/// A text that is no duration.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{text}` is not a duration: write numbers with units (h, m, s, ms, us, ns), such as 500ms, 30s or 1h30m"
)]
pub struct DurationError {
    /// What was written.
    pub text: String,
}

const NANOS: [(&str, u64); 8] = [
    ("h", 3_600_000_000_000),
    ("ms", 1_000_000),
    ("m", 60_000_000_000),
    ("s", 1_000_000_000),
    ("us", 1_000),
    ("µs", 1_000),
    ("μs", 1_000),
    ("ns", 1),
];

/// Reads a duration: numbers, each with a unit, in any order; fractions are allowed, a sign is
/// not, and `0` needs no unit.
///
/// ```
/// use std::time::Duration;
/// use tiny_crds::duration;
///
/// assert_eq!(duration::parse("1h2m3s500ms"), Ok(Duration::from_millis(3_723_500)));
/// assert_eq!(duration::parse("1.5s"), Ok(Duration::from_millis(1500)));
/// assert!(duration::parse("30").is_err());
/// ```
///
/// # Errors
/// Any other text, and what does not fit 64 bits of nanoseconds (584 years).
pub fn parse(text: &str) -> Result<Duration, DurationError> {
    nanos(text)
        .map(Duration::from_nanos)
        .ok_or_else(|| DurationError { text: text.chars().take(40).collect() })
}

fn nanos(text: &str) -> Option<u64> {
    if text == "0" {
        return Some(0);
    }
    let mut rest = text;
    let mut total = None::<u64>;
    while !rest.is_empty() {
        let (term, after) = term(rest)?;
        total = Some(total.unwrap_or(0).checked_add(term)?);
        rest = after;
    }
    total
}

/// One number with its unit, in nanoseconds, and what comes after it.
fn term(text: &str) -> Option<(u64, &str)> {
    let (whole, rest) = digits(text);
    let (fraction, rest) = rest.strip_prefix('.').map_or(("", rest), digits);
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let (unit, nanos) = NANOS.into_iter().find(|(unit, _)| rest.starts_with(unit))?;
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let total = whole.checked_mul(nanos)?.checked_add(share(fraction, nanos))?;
    Some((total, &rest[unit.len()..]))
}

/// `0.fraction` of a unit; what is finer than a nanosecond is cut off.
fn share(fraction: &str, nanos: u64) -> u64 {
    // An hour is 3.6e12 ns, so digits after the 18th cannot count, and 18 fit easily.
    let counted = &fraction[..fraction.len().min(18)];
    let (part, whole) = counted.bytes().fold((0_u128, 1_u128), |(part, whole), digit| {
        (part * 10 + u128::from(digit - b'0'), whole * 10)
    });
    u64::try_from(part * u128::from(nanos) / whole).unwrap_or(u64::MAX)
}

fn digits(text: &str) -> (&str, &str) {
    text.split_at(text.bytes().take_while(u8::is_ascii_digit).count())
}

/// Writes a duration so that [`parse`] reads the same back: `1h2m3s500ms`, units of zero left
/// out, nothing as `0s`. What is longer than 584 years is written as 584 years.
///
/// ```
/// use std::time::Duration;
/// use tiny_crds::duration;
///
/// assert_eq!(duration::format(Duration::from_secs(300)), "5m");
/// assert_eq!(duration::format(Duration::from_millis(1500)), "1s500ms");
/// ```
pub fn format(duration: Duration) -> String {
    let mut rest = u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX);
    let mut text = String::new();
    for unit in ["h", "m", "s", "ms", "us", "ns"] {
        let Some((_, nanos)) = NANOS.into_iter().find(|(name, _)| *name == unit) else { continue };
        if rest >= nanos {
            text += &format!("{}{unit}", rest / nanos);
            rest %= nanos;
        }
    }
    if text.is_empty() { "0s".to_owned() } else { text }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn every_unit_is_known_and_any_order_is_fine() {
        let read = [
            ("0", 0),
            ("0s", 0),
            ("1ns", 1),
            ("1us", 1_000),
            ("1µs", 1_000),
            ("1μs", 1_000),
            ("1ms", 1_000_000),
            ("1s", 1_000_000_000),
            ("1m", 60_000_000_000),
            ("1h", 3_600_000_000_000),
            ("5ms1h", 3_600_005_000_000),
            ("1s1s", 2_000_000_000),
            ("1.5h", 5_400_000_000_000),
            (".5s", 500_000_000),
            ("1.s", 1_000_000_000),
            ("0.1234567891s", 123_456_789),
            ("0.3333333333333333333333h", 1_199_999_999_999),
        ];
        for (text, nanos) in read {
            assert_eq!(parse(text), Ok(Duration::from_nanos(nanos)), "{text}");
        }
    }

    #[test]
    fn anything_else_is_no_duration() {
        let refused =
            ["", " 1s", "1s ", "-1s", "+1s", "1", "s", ".s", ".", "1d", "1S", "1,5s", "1s5", "٣s"];
        for text in refused {
            assert_eq!(parse(text), Err(DurationError { text: text.into() }));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused_and_not_wrapped() {
        let most = Duration::from_nanos(u64::MAX);
        assert_eq!(parse("18446744073709551615ns"), Ok(most));
        for text in ["18446744073709551616ns", "18446744073709551615ns1ns", "5124096h", "1e9s"] {
            assert!(parse(text).is_err(), "{text}");
        }
        assert_eq!(parse(&format(Duration::MAX)), Ok(most));
    }

    #[test]
    fn the_error_says_how_to_write_one_and_cuts_a_long_text() {
        let error = parse(&"9".repeat(1000)).unwrap_err();
        assert_eq!(error.text.len(), 40);
        assert!(error.to_string().contains("such as 500ms, 30s or 1h30m"), "{error}");
    }

    proptest! {
        #[test]
        fn what_is_written_is_read_back_the_same(nanos in any::<u64>()) {
            let duration = Duration::from_nanos(nanos);
            prop_assert_eq!(parse(&format(duration)), Ok(duration));
        }

        #[test]
        fn no_text_panics(text in "[0-9.hmsuµn+ -]{0,30}") {
            if let Ok(duration) = parse(&text) {
                prop_assert_eq!(parse(&format(duration)), Ok(duration));
            }
        }
    }
}
