//! The trace of a single call, as modules of the first version and tools say it: the header `traceparent` of the W3C.

use tonic::metadata::{MetadataMap, MetadataValue};

use super::proto::Trace;

const HEADER: &str = "traceparent";

/// What the header says: `00-TRACE-SPAN-FLAGS`, in hexadecimal digits.
pub(super) fn of_header(metadata: &MetadataMap) -> Option<Trace> {
    read(metadata.get(HEADER)?.to_str().ok()?)
}

fn read(text: &str) -> Option<Trace> {
    let mut parts = text.split('-');
    let mut number = |digits| {
        let part = parts.next().filter(|part| part.len() == digits)?;
        u128::from_str_radix(part, 16).ok()
    };
    let (_version, run, span, flags) = (number(2)?, number(32)?, number(16)?, number(2)?);
    let span = u64::try_from(span).ok()?;
    let is_valid = run != 0 && span != 0;
    is_valid.then(|| Trace {
        run: run.to_be_bytes().to_vec().into(),
        span,
        sampled: flags & 1 == 1,
    })
}

/// Says the same in a header; nothing where there is no span.
pub(super) fn to_header(trace: Option<&Trace>, metadata: &mut MetadataMap) {
    let Some(trace) = trace.filter(|trace| trace.span != 0) else { return };
    let Ok(run) = <[u8; 16]>::try_from(&*trace.run).map(u128::from_be_bytes) else { return };
    let text = format!("00-{run:032x}-{:016x}-{:02x}", trace.span, u8::from(trace.sampled));
    if let Ok(value) = MetadataValue::try_from(text) {
        metadata.insert(HEADER, value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_header_is_read_as_it_was_written_and_nonsense_is_nothing() {
        let text = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
        let trace = read(text).unwrap();
        assert!(trace.sampled);
        let mut metadata = MetadataMap::new();
        to_header(Some(&trace), &mut metadata);
        assert_eq!(metadata.get(HEADER).unwrap(), text);
        assert_eq!(of_header(&metadata), Some(trace));
        for wrong in [
            "",
            "00",
            "00-0-0-0",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4bf92f3577b34da6a3ce929d0e0e473g-00f067aa0ba902b7-01",
        ] {
            assert_eq!(read(wrong), None, "{wrong}");
        }
        to_header(Some(&Trace::default()), &mut MetadataMap::new());
    }
}
