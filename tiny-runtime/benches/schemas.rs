//! What the schemas of a large module cost: 100 components with 10 ports each, whose messages have schemas of 8 KB.
//!
//! `cargo bench -p tiny-runtime --bench schemas`. CPU is that of the process, memory its resident set, both as Linux counts them. The floor
//! is the same module with schemas of a few bytes, and the text of all schemas.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::hint::black_box;
use std::sync::Arc;

use kube::Api;
use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use tiny_crds::{TinyModule, manifest};
use tiny_runtime::component::{
    Component, ComponentType, Info, Message, Ports, Position, Reply, Table, key,
};
use tiny_runtime::control::ModuleId;
use tiny_runtime::derive::{schemars, serde};
use tiny_runtime::local::LocalPlane;
use tiny_runtime::operator::Operator;
use tiny_runtime::prelude::*;
use tiny_runtime::registry::Registry;
use tiny_runtime::schema;

/// A part of a form, as authors write them.
#[message]
pub struct Part {
    /// The name that is shown above the list, in the language of whoever looks at it.
    #[ui(title = "Name", minLength = 1, tab = "General")]
    pub name: String,
    /// Where the request goes: an address with its scheme, such as `https://example.com/orders`.
    #[ui(title = "Address", format = "uri", colSpan = 6)]
    pub address: String,
    /// Headers that are sent along, one for each line; those that the client sets itself are replaced.
    #[ui(title = "Headers")]
    pub headers: Vec<Header>,
    /// How long the answer may take, in milliseconds, before the request counts as failed.
    #[ui(title = "Timeout", minimum = 1, maximum = 600_000)]
    pub timeout: u32,
    /// What is passed on with the answer, whatever it is.
    #[ui(title = "Context", configurable)]
    pub context: Json,
    /// How a failure is met.
    pub on_failure: Choice,
}

/// A name and a value.
#[message]
pub struct Header {
    /// The name of the header, in any spelling; HTTP does not tell large letters from small ones.
    #[ui(title = "Key", colSpan = "col-span-6")]
    pub key: String,
    /// The value of the header, which is sent as it is written here.
    #[ui(title = "Value", colSpan = "col-span-6")]
    pub value: String,
}

/// What to do.
#[message]
pub enum Choice {
    /// Try again later.
    Retry,
    /// Go on without it.
    Ignore,
    /// Stop everything.
    Stop,
}

/// A form with many parts.
#[message]
pub struct Form {
    /// The first part, which is always there.
    pub first: Part,
    /// The second part, which may be left out.
    pub second: Option<Part>,
    /// The third part, of which there may be many.
    pub third: Vec<Part>,
    /// The fourth part, by name.
    pub fourth: BTreeMap<String, Part>,
    /// The fifth part, which is what the fourth is called when nothing else fits.
    pub fifth: Part,
    /// The sixth part, in pairs with a number that says how often it was tried.
    pub sixth: Vec<(Part, u32)>,
    /// The seventh part, which comes after all others and is left out where nobody asks for it.
    #[ui(title = "The last one", tab = "More")]
    pub seventh: Option<Part>,
    /// The last part, as it was before anything was changed in it.
    pub before: Part,
}

/// Messages of as many types as there are numbers: no two schemas are alike.
#[derive(Clone)]
struct Of<const SIZE: usize, const C: usize, const P: usize>(());

impl<const SIZE: usize, const C: usize, const P: usize> JsonSchema for Of<SIZE, C, P> {
    fn schema_name() -> Cow<'static, str> {
        format!("Message{C}of{P}").into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        match SIZE {
            0 => schemars::json_schema!({ "type": "null" }),
            _ => Form::json_schema(generator),
        }
    }
}

impl<const SIZE: usize, const C: usize, const P: usize> Serialize for Of<SIZE, C, P> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_unit()
    }
}

impl<'de, const SIZE: usize, const C: usize, const P: usize> Deserialize<'de> for Of<SIZE, C, P> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Deserialize::deserialize(deserializer).map(Self)
    }
}

impl<const SIZE: usize, const C: usize, const P: usize> Message for Of<SIZE, C, P> {}

/// A component with ten sources.
#[derive(Default)]
struct Many<const SIZE: usize, const C: usize>;

impl<const SIZE: usize, const C: usize> Many<SIZE, C> {
    #[allow(clippy::cast_possible_truncation, reason = "a digit")]
    const LETTERS: [u8; 3] = [b'c', b'0' + (C / 10) as u8, b'0' + (C % 10) as u8];
    const NAME: &'static str = match str::from_utf8(&Self::LETTERS) {
        Ok(name) => name,
        Err(_) => panic!("digits are text"),
    };
}

impl<const SIZE: usize, const C: usize> Component for Many<SIZE, C> {
    const INFO: Info = Info {
        name: Self::NAME,
        description: "Has many ports.",
        info: "",
        tags: &[],
        aliases: &[],
        concurrency: Info::CONCURRENCY,
    };

    fn cells(_: &mut Table<Self>) {}
}

macro_rules! ports {
    ($table:ident: $($number:literal)*) => { $(
        let port = key::<Self, Of<SIZE, C, $number>, Reply>(concat!("port", $number));
        $table.source(concat!("port", $number), port.ops()).shown(
            concat!("Port", $number), "A port.", Position::Right,
        );
    )* };
}

impl<const SIZE: usize, const C: usize> Ports for Many<SIZE, C> {
    fn ports(table: &mut Table<Self>) {
        ports! { table: 0 1 2 3 4 5 6 7 8 9 }
    }
}

macro_rules! components {
    ($size:literal: $($ten:literal)*) => {{
        let mut registry = Registry::default();
        $(
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 1 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 2 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 3 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 4 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 5 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 6 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 7 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 8 }>>());
            registry.insert(ComponentType::of::<Many<$size, { $ten * 10 + 9 }>>());
        )*
        Arc::new(registry)
    }};
}

/// CPU of the process so far, in milliseconds.
fn cpu() -> f64 {
    let mut nanos = 0;
    for thread in std::fs::read_dir("/proc/self/task").expect("this is Linux") {
        let path = thread.expect("a thread").path().join("schedstat");
        let text = std::fs::read_to_string(path).unwrap_or_default();
        nanos += text.split(' ').next().and_then(|nanos| nanos.parse::<u64>().ok()).unwrap_or(0);
    }
    #[allow(clippy::cast_precision_loss, reason = "a few seconds at most")]
    let millis = nanos as f64 / 1e6;
    millis
}

/// Resident memory of the process, in KiB.
fn memory() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find(|line| line.starts_with("VmRSS:")).expect("it has memory");
    line.split_whitespace().nth(1).and_then(|kib| kib.parse().ok()).expect("a number")
}

/// From nothing to a module whose status is written.
fn start(registry: &Arc<Registry>) {
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    runtime.block_on(async {
        let plane = LocalPlane::in_memory(manifest::crds()).expect("a plane");
        plane.ensure_namespace("bench").await.expect("a namespace");
        let client = plane.client("bench");
        let api: Api<TinyModule> = Api::namespaced(client.clone(), "bench");
        let id = ModuleId { name: "bench".into(), version: "1.0.0".into() };
        let operator = Operator::start(id, registry.clone(), &client, "bench", None);
        loop {
            let module = api.get_opt("bench").await.expect("the plane answers");
            let status = module.and_then(|module| module.status);
            if status.is_some_and(|status| !status.components.is_empty()) {
                break;
            }
            tokio::time::sleep(std::time::Duration::from_millis(1)).await;
        }
        operator.stop().await;
    });
}

/// All schemas as they are kept.
fn texts(registry: &Registry) -> Vec<schema::Text> {
    registry.iter().flat_map(|it| it.ports()).map(|port| (port.schema)()).collect()
}

/// One measurement, in a process of its own: CPU in milliseconds, memory in KiB, and what else there is to say.
fn measure(what: &str) {
    let small = components!(0: 0 1 2 3 4 5 6 7 8 9);
    let large = components!(1: 0 1 2 3 4 5 6 7 8 9);
    // The first start pays for what all others have then.
    start(&components!(0: 0));
    let (cpu_before, before) = (cpu(), memory());
    let mut note = String::new();
    match what {
        "small" => start(&small),
        "large" => start(&large),
        "texts" => {
            let texts = texts(&large);
            let bytes: usize = texts.iter().map(|text| text.len()).sum();
            note = format!("{} schemas, {} KiB of text", texts.len(), bytes / 1024);
        }
        _ => {
            let values: Vec<_> = texts(&large).iter().map(|text| text.value()).collect();
            note = format!("{} values", values.len());
            black_box(&values);
            let (cpu, kib) = (cpu() - cpu_before, memory().saturating_sub(before));
            println!("{cpu:8.1} ms CPU {kib:8} KiB  {note}");
            return;
        }
    }
    let (cpu, kib) = (cpu() - cpu_before, memory().saturating_sub(before));
    println!("{cpu:8.1} ms CPU {kib:8} KiB  {note}");
}

fn main() {
    if let Ok(what) = std::env::var("MEASURE") {
        return measure(&what);
    }
    let own = std::env::current_exe().expect("a bench has a path");
    for (what, title) in [
        ("small", "start-up, schemas of a few bytes"),
        ("large", "start-up, schemas of 8 KB"),
        ("texts", "all schemas, made and kept"),
        ("values", "the same as values, which nothing keeps"),
    ] {
        let measured = std::process::Command::new(&own).env("MEASURE", what).output();
        let output = measured.expect("it starts itself");
        print!("{title:<40}{}", String::from_utf8_lossy(&output.stdout));
    }
}
