//! What components measure.

use tiny_runtime::component::Measured;
use tiny_runtime::prelude::*;

/// Measures.
#[component(name = "meter")]
#[derive(Default)]
struct Meter;

#[component]
impl Meter {
    /// Measures a text.
    #[port(target)]
    async fn input(&self, ctx: &Ctx, text: String) -> Result<()> {
        let span = tracing::debug_span!(parent: ctx.span(), "measure");
        let _span = span.enter();
        let kind = if text.is_empty() { "empty" } else { "text" };
        ctx.counter("texts").label("kind", kind).add(1);
        ctx.gauge("last_size").set(text.len() as f64);
        ctx.histogram("size").record(text.len() as f64);
        Ok(())
    }
}

#[tokio::test(start_paused = true)]
async fn a_test_sees_what_was_measured() {
    let bench = Bench::<Meter>::new();
    for text in ["", "a", "abc"] {
        bench.send(Meter::INPUT, text.into()).await.unwrap();
    }
    let measured = bench.measured();
    let of = |name: &str, label: &str| {
        let found = measured.iter().find(|sample| {
            sample.name == name && sample.labels.iter().all(|(_, value)| value == label)
        });
        found.map(|sample| sample.measured.clone())
    };
    assert_eq!(of("texts", "text"), Some(Measured::Count(2)));
    assert_eq!(of("texts", "empty"), Some(Measured::Count(1)));
    assert_eq!(of("last_size", ""), Some(Measured::Level(3.0)));
    let Some(Measured::Spread { count, sum, .. }) = of("size", "") else { panic!("{measured:?}") };
    assert_eq!((count, sum), (3, 4.0));
    assert!(measured.iter().all(|sample| sample.node == "meter"));
    bench.remove().await;
    assert!(bench.measured().is_empty(), "a node that is gone leaves no series");
}
