/// A greeting.
#[message]
#[derive(PartialEq, Clone)]
pub struct Greeting<T> {
    /// The text.
    #[ui(shared, tab = "Main", order = 7)]
    pub text: String,
    /// What else.
    pub rest: T,
    #[serde(skip)]
    cache: u8,
}

#[message(default)]
#[derive(Default)]
struct Pause {
    /// How long.
    #[ui(title = "Wait")]
    for_millis: u64,
}

#[message]
#[serde(rename_all = "snake_case", tag = "kind")]
enum Command {
    Stop,
    Say {
        /// What.
        the_words: String,
    },
}

#[message]
struct Bounded<T> {
    /// A name.
    #[ui(minLength = 2, pattern = "^[a-z]+$")]
    first_name: Option<String>,
    /// Things.
    #[ui(uniqueItems)]
    #[serde(rename = "all")]
    things: Vec<T>,
}
