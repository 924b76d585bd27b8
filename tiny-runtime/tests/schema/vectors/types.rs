//! The recorded types, in Rust.

use std::collections::{BTreeMap, HashMap};

use tiny_runtime::prelude::*;

/// Types that are another type by a name of their own.
macro_rules! named {
    ($($name:ident = $ty:ty;)*) => { $(
        #[message]
        #[derive(Default)]
        pub(super) struct $name($ty);
    )* };
}

named! {
    ModifyContext = Json;
    ItemContext = Json;
    StartContext = Json;
    NamedScalar = String;
    Values = BTreeMap<String, Vec<String>>;
}

#[message]
#[derive(Default)]
pub(super) struct Inner {
    /// -
    #[ui(title = "A")]
    #[serde(default)]
    a: String,
    /// -
    #[serde(default)]
    b: isize,
}

#[message]
pub(super) struct ModifyInMessage {
    /// Arbitrary message to be modified
    #[ui(configurable, title = "Context")]
    context: ModifyContext,
}

#[message]
pub(super) struct ModifyInMessageF {
    /// Arbitrary message to be modified
    #[ui(title = "Context")]
    #[schemars(extend("configurable" = false))]
    context: ModifyContext,
}

#[message]
#[derive(Default)]
#[serde(rename_all = "lowercase")]
pub(super) enum SmallMethod {
    #[default]
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

#[message]
pub(super) struct Request {
    /// -
    #[ui(title = "Method", enumTitles = ["GET", "POST", "PATCH", "PUT", "DELETE"])]
    #[serde(default)]
    #[schemars(extend("default" = ""))]
    method: SmallMethod,
}

#[message]
pub(super) struct InMessage {
    /// -
    #[serde(default)]
    context: Json,
    /// -
    #[serde(default)]
    array: Vec<ItemContext>,
}

#[message]
#[derive(Default)]
pub(super) struct HelloInput {
    /// -
    #[ui(configurable)]
    #[serde(default)]
    name: String,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct Scalars {
    /// -
    s: String,
    /// -
    b: bool,
    /// -
    i: isize,
    /// -
    i8: i8,
    /// -
    i32: i32,
    /// -
    i64: i64,
    /// -
    u: usize,
    /// -
    u16: u16,
    /// -
    f32: f32,
    /// -
    f64: f64,
    #[serde(skip)]
    skipped: String,
    /// -
    omit: String,
}

#[message]
pub(super) struct Tagged {
    /// Desc
    #[ui(format = "textarea", maxLength = 9, minLength = 2, pattern = "^a", title = "Title")]
    #[schemars(extend("default" = "dflt"))]
    t: String,
    /// -
    #[ui(maximum = 10, minimum = 1, title = "Num")]
    #[serde(default = "three")]
    n: isize,
    /// -
    #[serde(default = "one_and_a_half")]
    f: f64,
    /// -
    #[ui(colSpan = "col-span-6", format = "button")]
    #[serde(default = "yes")]
    b: bool,
    /// -
    #[ui(enumTitles = ["Aa", "Bb", "Cc"])]
    #[serde(default)]
    #[schemars(extend("enum" = ["a", "b", "c"]))]
    e: String,
    /// -
    #[serde(default)]
    #[schemars(extend("enum" = ["1", "2", "3"]))]
    ei: isize,
    /// -
    #[ui(readonly)]
    #[serde(default)]
    ro: String,
    /// -
    #[ui(tab = "Auth", align = "horizontal")]
    #[serde(default)]
    tab: String,
    /// -
    #[serde(default)]
    po: String,
    /// -
    #[ui(requiredWhen = "['kind','equal','x']", optionalWhen = "y")]
    #[serde(default)]
    rw: String,
    /// -
    #[ui(format = "code", language = "javascript")]
    #[serde(default)]
    lang: String,
    /// -
    #[serde(default)]
    #[schemars(extend("configurable" = false))]
    cfg: bool,
    /// -
    #[serde(default)]
    #[schemars(extend("type" = "object"))]
    typ: String,
    /// -
    #[ui(tab = 1.5)]
    #[serde(default)]
    half: String,
    /// -
    #[ui(tab = 0)]
    #[serde(default)]
    zero: String,
    /// An array
    #[ui(maxItems = 4, minItems = 1, uniqueItems, title = "Arr")]
    #[serde(default = "x")]
    arr: Vec<String>,
}

fn three() -> isize {
    3
}

fn one_and_a_half() -> f64 {
    1.5
}

fn yes() -> bool {
    true
}

fn x() -> Vec<String> {
    vec!["x".into()]
}

#[message]
pub(super) struct Deep {
    /// -
    #[serde(default)]
    inner: Inner,
    /// -
    #[serde(default)]
    leaf: String,
}

#[message]
pub(super) struct Ptrs {
    /// -
    s: Option<String>,
    /// -
    i: Option<isize>,
    /// -
    st: Option<Inner>,
    /// -
    any: Option<Json>,
    /// -
    arr: Option<Vec<String>>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct Arrays {
    /// -
    strs: Vec<String>,
    /// -
    ints: Vec<isize>,
    /// -
    structs: Vec<Inner>,
    /// -
    ptr_structs: Vec<Option<Inner>>,
    /// -
    any: Vec<Json>,
    /// -
    named: Vec<ItemContext>,
    /// -
    nested: Vec<Vec<String>>,
    /// -
    #[schemars(extend("default" = []))]
    fixed: [isize; 2],
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct ArrOnly {
    /// -
    strs: Vec<String>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct ArrTwoOfSame {
    /// -
    a: Vec<String>,
    /// -
    #[ui(title = "second")]
    b: Vec<String>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct ArrOfStructs {
    /// -
    #[ui(title = "Items")]
    items: Vec<Inner>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct ArrCfg {
    /// -
    #[ui(title = "Items", configurable)]
    items: Vec<Inner>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct ArrShared {
    /// -
    #[ui(shared)]
    items: Vec<ItemContext>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct Maps {
    /// -
    ss: HashMap<String, String>,
    /// -
    si: HashMap<String, isize>,
    /// -
    sa: HashMap<String, Json>,
    /// -
    sst: HashMap<String, Inner>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct OneMap {
    /// -
    #[ui(title = "Labels")]
    labels: HashMap<String, String>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct Bytes {
    /// -
    b: Vec<u8>,
    /// -
    r: Raw,
}

/// Raw JSON, called as it is there.
#[message]
#[derive(Default)]
#[schemars(rename = "Value")]
pub(super) struct Raw(Json);

#[message]
pub(super) struct Embedded {
    #[serde(flatten)]
    inner: Inner,
    /// -
    #[serde(default)]
    c: String,
}

#[message]
pub(super) struct TwoAny {
    /// -
    #[ui(configurable, title = "V")]
    #[serde(default)]
    v: Json,
    /// -
    #[ui(configurable, title = "W")]
    #[serde(default)]
    w: Json,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct SharedScalar {
    /// -
    #[ui(shared)]
    a: isize,
    /// -
    #[ui(shared, title = "B")]
    b: bool,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct SameTypeTwice {
    /// -
    #[ui(title = "First")]
    a: Inner,
    /// -
    #[ui(title = "Second")]
    b: Inner,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct Recursive {
    /// -
    name: String,
    /// -
    children: Vec<Recursive>,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct RecursivePtr {
    /// -
    name: String,
    /// -
    next: Option<Box<RecursivePtr>>,
}

#[message]
#[derive(Default)]
pub(super) struct EmptyStruct {}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct HoldsEmpty {
    /// -
    e: EmptyStruct,
}

#[message]
#[derive(Default)]
#[serde(default)]
pub(super) struct Order {
    /// -
    z: String,
    /// -
    a: String,
    /// -
    m: Inner,
    /// -
    b: isize,
}

#[message]
pub(super) struct RequiredMix {
    /// -
    a: String,
    /// -
    #[serde(default)]
    b: String,
    /// -
    c: Inner,
}

#[message]
#[derive(Default)]
#[serde(default)]
#[schemars(rename = "URLPair")]
pub(super) struct UrlPair {
    /// -
    q: Values,
}

#[message]
pub(super) struct DelayRequest {
    /// Arbitrary message to be delayed
    #[ui(configurable, title = "Context")]
    #[serde(default)]
    context: Json,
    /// -
    #[ui(title = "Component (ms)")]
    delay: isize,
}

/// A text that is chosen.
#[message]
#[derive(Default)]
pub(super) struct RouteName(String);

#[message]
pub(super) struct Condition {
    /// -
    #[ui(title = "Route", shared)]
    #[schemars(extend("default" = "A", "enum" = ["A", "B"]))]
    route: RouteName,
    /// -
    #[ui(title = "Condition")]
    condition: bool,
}

#[message]
pub(super) struct RouterInMessage {
    /// Arbitrary message to be routed
    #[ui(configurable, title = "Context")]
    context: Json,
    /// -
    #[ui(title = "Conditions", minItems = 1, uniqueItems)]
    conditions: Vec<Condition>,
}

#[message]
pub(super) struct RouterSettings {
    /// -
    #[ui(title = "Routes", minItems = 1, uniqueItems)]
    routes: Vec<String>,
    /// -
    #[ui(title = "Enable default port")]
    enable_default_port: bool,
}

#[message]
pub(super) struct SplitInMessage {
    /// Message to be send further with each item
    #[ui(configurable, title = "Context")]
    #[serde(default)]
    context: Json,
    /// Array of items to be split
    #[ui(title = "Array")]
    array: Vec<ItemContext>,
}

#[message]
pub(super) struct SplitOutMessage {
    /// -
    #[serde(default)]
    context: Json,
    /// -
    #[serde(default)]
    item: ItemContext,
}

#[message]
pub(super) struct DebugControl {
    /// -
    #[ui(title = "Context", readonly)]
    context: Json,
}

#[message]
pub(super) struct SignalSettings {
    /// Arbitrary message to send
    #[ui(configurable, title = "Context")]
    context: Json,
}

#[message]
pub(super) struct Header {
    /// -
    #[ui(colSpan = "col-span-6", title = "Key")]
    key: String,
    /// -
    #[ui(colSpan = "col-span-6", title = "Value")]
    value: String,
}

#[message]
#[serde(rename_all = "UPPERCASE")]
pub(super) enum Method {
    Get,
    Post,
    Patch,
    Put,
    Delete,
}

#[message]
#[schemars(title = "-")]
pub(super) enum ContentType {
    #[serde(rename = "application/json")]
    Json,
    #[serde(rename = "application/xml")]
    Xml,
    #[serde(rename = "text/xml")]
    XmlText,
    #[serde(rename = "application/x-www-form-urlencoded")]
    Form,
    #[serde(rename = "multipart/form-data")]
    Parts,
    #[serde(rename = "text/html")]
    Html,
    #[serde(rename = "text/plain")]
    Plain,
}

#[message]
pub(super) struct ServerRequest {
    /// -
    #[serde(default)]
    context: StartContext,
    /// -
    #[serde(rename = "requestID")]
    request_id: String,
    /// -
    #[serde(rename = "requestURI")]
    request_uri: String,
    /// -
    request_params: Values,
    /// -
    host: String,
    /// -
    #[ui(title = "Method", enumTitles = ["GET", "POST", "PATCH", "PUT", "DELETE"])]
    method: Method,
    /// -
    #[serde(default, rename = "realIP")]
    real_ip: String,
    /// -
    #[serde(default)]
    headers: Vec<Header>,
    /// -
    #[serde(default)]
    body: String,
    /// -
    #[serde(default)]
    scheme: String,
}

#[message]
pub(super) struct ServerResponse {
    /// To match response with request pass request ID to response port
    #[serde(rename = "requestID")]
    #[ui(title = "Request ID", minLength = 1)]
    request_id: String,
    /// HTTP status code for response
    #[ui(title = "Status Code", minimum = 100, maximum = 599)]
    #[schemars(extend("default" = 200))]
    status_code: isize,
    /// Content type of the response
    #[ui(title = "Content Type")]
    content_type: ContentType,
    /// -
    #[ui(title = "Response headers")]
    #[serde(default)]
    headers: Vec<Header>,
    /// -
    #[ui(title = "Response body", format = "textarea")]
    #[serde(default)]
    body: String,
}

#[message]
pub(super) struct ClientRequest {
    /// Message to be sent further
    #[ui(configurable, title = "Context")]
    #[serde(default)]
    context: Json,
    /// -
    #[ui(title = "Method", colSpan = "col-span-6", enumTitles = ["GET", "POST", "PATCH", "PUT", "DELETE"])]
    method: Method,
    /// -
    #[ui(title = "Request Timeout", colSpan = "col-span-6")]
    timeout: isize,
    /// -
    #[ui(title = "URL", format = "uri")]
    url: String,
    /// -
    #[ui(title = "Headers")]
    #[serde(default)]
    headers: Vec<Header>,
    /// Content type of the response
    #[ui(title = "Request Content Type")]
    content_type: ContentType,
    /// -
    #[ui(title = "Request Body", format = "textarea")]
    #[serde(default)]
    body: String,
}

#[message]
pub(super) struct ClientResponseResponse {
    /// -
    #[ui(title = "Headers")]
    headers: Vec<Header>,
    /// -
    #[serde(default)]
    status: String,
    /// -
    #[serde(default)]
    status_code: isize,
    /// -
    #[ui(title = "Body")]
    #[serde(default)]
    #[schemars(extend("configurable" = false))]
    body: String,
}

#[message]
pub(super) struct ClientResponse {
    /// Message to be sent further
    #[ui(configurable, title = "Context")]
    context: Json,
    /// HTTP Response
    #[ui(title = "Response")]
    response: ClientResponseResponse,
}

#[message]
pub(super) struct GrpcSettings {
    /// -
    #[ui(title = "gRPC server address", tab = "Connect")]
    address: String,
    /// -
    #[ui(title = "Insecure mode", tab = "Connect")]
    #[serde(default)]
    insecure: bool,
    /// Name of the service
    #[ui(title = "Service", tab = "Request", shared)]
    #[serde(default)]
    service: RouteName,
    /// If error happen, error port will emit an error message
    #[ui(title = "Enable Error Port", tab = "General")]
    enable_error_port: bool,
}
