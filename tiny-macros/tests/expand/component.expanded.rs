/// Greets a person by name.
///
/// The smallest useful component.
#[derive(Default)]
pub struct Hello {
    /// How to greet.
    settings: Settings<HelloSettings>,
    count: AtomicU64,
}
#[automatically_derived]
impl ::tiny_runtime::component::Component for Hello {
    const INFO: ::tiny_runtime::component::Info = ::tiny_runtime::component::Info {
        name: "hello",
        description: "Greets a person by name.",
        info: "The smallest useful component.",
        tags: &["example"],
        aliases: &["hi"],
        concurrency: ::tiny_runtime::component::Info::CONCURRENCY,
    };
    fn cells(table: &mut ::tiny_runtime::component::Table<Self>) {
        table.settings::<HelloSettings>("How to greet.");
    }
}
#[automatically_derived]
impl ::tiny_runtime::component::SettingsOf<HelloSettings> for Hello {
    fn settings_cell(&self) -> &::tiny_runtime::component::Settings<HelloSettings> {
        &self.settings
    }
}
::tiny_runtime::derive::inventory::submit! {
    ::tiny_runtime::component::Registration::of:: < Hello >
    (::core::concat!(::core::file!(), ":", ::core::line!()))
}
/// Has nothing.
struct Empty;
#[automatically_derived]
impl crate::rt::component::Component for Empty {
    const INFO: crate::rt::component::Info = crate::rt::component::Info {
        name: "empty",
        description: "Has nothing.",
        info: "",
        tags: &[],
        aliases: &[],
        concurrency: 1,
    };
    fn cells(_: &mut crate::rt::component::Table<Self>) {}
}
crate::rt::derive::inventory::submit! {
    crate ::rt::component::Registration::of:: < Empty > (::core::concat!(::core::file!(),
    ":", ::core::line!()))
}
