/// Greets a person by name.
///
/// The smallest useful component.
#[component(name = "hello", tags = ["example"], aliases = ["hi"])]
#[derive(Default)]
pub struct Hello {
    /// How to greet.
    settings: Settings<HelloSettings>,
    count: AtomicU64,
}

/// Has nothing.
#[component(name = "empty", sequential, crate = crate::rt)]
struct Empty;
