//! Names: of ports, nodes, modules, edges and signals.

use std::{convert::Infallible, fmt, str::FromStr};

/// Name of a port and of the node it belongs to: `node:port`.
///
/// ```
/// use tiny_crds::PortName;
///
/// let name = PortName::parse("greeter:input");
/// assert_eq!((name.node.as_str(), name.port.as_str()), ("greeter", "input"));
/// assert_eq!(name.to_string(), "greeter:input");
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct PortName {
    /// Name of the node; empty when the text had none.
    pub node: String,
    /// Name of the port; empty when the text had none.
    pub port: String,
}

impl PortName {
    /// The port of this node.
    pub fn new(node: impl Into<String>, port: impl Into<String>) -> Self {
        Self { node: node.into(), port: port.into() }
    }

    /// Reads `node:port`. A text without colon is a port without node; one with two or more
    /// colons is nothing at all. Nothing is trimmed.
    pub fn parse(text: &str) -> Self {
        match text.split_once(':') {
            None => Self::new("", text),
            Some((_, port)) if port.contains(':') => Self::default(),
            Some((node, port)) => Self::new(node, port),
        }
    }

    /// True when both node and port are named.
    pub fn is_full(&self) -> bool {
        !self.node.is_empty() && !self.port.is_empty()
    }
}

/// `node:port`; nothing when both are empty.
impl fmt::Display for PortName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.node.is_empty() && self.port.is_empty() {
            return Ok(());
        }
        write!(f, "{}:{}", self.node, self.port)
    }
}

impl FromStr for PortName {
    type Err = Infallible;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Ok(Self::parse(text))
    }
}

/// What is wrong with a name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A node's name has fewer than three parts.
    #[error(
        "`{name}` says neither module nor component: the dotted form is prefix.module.component"
    )]
    NotDotted {
        /// The name.
        name: String,
    },
    /// A node's dotted name and its spec name different modules.
    #[error("the name `{name}` says module `{named}`, but spec.module says `{module}`")]
    Disagrees {
        /// The name of the node.
        name: String,
        /// The module that the name says.
        named: String,
        /// The module that the spec says.
        module: String,
    },
    /// Kubernetes would refuse the name.
    #[error("`{name}` cannot be the name of an object: {reason}")]
    NotDns {
        /// The name, cut after 253 characters.
        name: String,
        /// What is wrong with it.
        reason: &'static str,
    },
}

/// What the dotted name of an older node says: `prefix.module.component-suffix`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FullName {
    /// The second part: the sanitised name of the module.
    pub module: String,
    /// The third part: component and random suffix.
    pub component: String,
}

impl FullName {
    /// Reads a dotted name; parts after the third are ignored.
    ///
    /// ```
    /// use tiny_crds::FullName;
    ///
    /// let name = FullName::parse("8740cbfb.http-module-v0.server-x1")?;
    /// assert_eq!(name.module, "http-module-v0");
    /// # Ok::<(), tiny_crds::NameError>(())
    /// ```
    ///
    /// # Errors
    /// A name of fewer than three parts.
    pub fn parse(name: &str) -> Result<Self, NameError> {
        let mut parts = name.split('.').skip(1);
        match (parts.next(), parts.next()) {
            (Some(module), Some(component)) => {
                Ok(Self { module: module.to_owned(), component: component.to_owned() })
            }
            _ => Err(NameError::NotDotted { name: name.to_owned() }),
        }
    }
}

/// The most characters that [`sanitise`] keeps.
pub const SANITISED_LENGTH: usize = 48;

/// Makes a name of any text: lower case, each run of other characters than letters and digits
/// one hyphen, 48 characters at most. Hyphens at the ends stay, so the result may still be no
/// valid name of an object: see [`check_dns_name`].
///
/// ```
/// use tiny_crds::names::sanitise;
///
/// assert_eq!(sanitise("github.com/acme/HTTP Module"), "github-com-acme-http-module");
/// ```
pub fn sanitise(text: &str) -> String {
    let mut name = String::with_capacity(text.len().min(SANITISED_LENGTH));
    for character in text.chars() {
        if name.len() == SANITISED_LENGTH {
            break;
        }
        if character.is_ascii_alphanumeric() {
            name.push(character.to_ascii_lowercase());
        } else if !name.ends_with('-') {
            name.push('-');
        }
    }
    name
}

/// Whether two names mean the same module.
pub fn same_module(a: &str, b: &str) -> bool {
    sanitise(a) == sanitise(b)
}

/// The id that a file's edge gets when it has none: `<port>-<to>`.
pub fn edge_id(port: &str, to: &str) -> String {
    format!("{port}-{to}")
}

/// Name of the one signal of a node's port: `<node>-<port>`, the port in lower case and without
/// underscores, which no name of an object may hold.
///
/// ```
/// assert_eq!(tiny_crds::names::signal_name("greeter", "_control"), "greeter-control");
/// ```
pub fn signal_name(node: &str, port: &str) -> String {
    format!("{node}-{}", port.replace('_', "").to_lowercase())
}

/// Checks that Kubernetes takes this as the name of an object: 1 to 253 characters, lower-case
/// letters, digits, hyphens and dots, each part between dots beginning and ending with a letter
/// or digit.
///
/// ```
/// use tiny_crds::names::check_dns_name;
///
/// assert!(check_dns_name("hello-module").is_ok());
/// assert_eq!(
///     check_dns_name("Hello").unwrap_err().to_string(),
///     "`Hello` cannot be the name of an object: only lower-case letters, digits, hyphens and \
///      dots are allowed",
/// );
/// ```
///
/// # Errors
/// [`NameError::NotDns`] with the rule that is broken.
pub fn check_dns_name(name: &str) -> Result<(), NameError> {
    match broken_rule(name) {
        None => Ok(()),
        Some(reason) => Err(NameError::NotDns { name: name.chars().take(253).collect(), reason }),
    }
}

fn broken_rule(name: &str) -> Option<&'static str> {
    let allowed = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.');
    if name.is_empty() {
        Some("it is empty")
    } else if name.len() > 253 {
        Some("it is longer than 253 characters")
    } else if !name.bytes().all(allowed) {
        Some("only lower-case letters, digits, hyphens and dots are allowed")
    } else if name.split('.').any(str::is_empty) {
        Some("a dot stands at an end or beside another dot")
    } else if name.split('.').any(|part| part.starts_with('-') || part.ends_with('-')) {
        Some("a hyphen stands at an end or beside a dot")
    } else {
        None
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_sanitised_as_modules_always_were() {
        let cases = [
            ("Hello, World!", "hello-world-"),
            ("http-module-v0", "http-module-v0"),
            ("  a__b  ", "-a-b-"),
            ("Größe", "gr-e"),
            ("", ""),
        ];
        for (text, name) in cases {
            assert_eq!(sanitise(text), name);
        }
        assert_eq!(sanitise(&"x".repeat(60)), "x".repeat(48));
    }

    #[test]
    fn modules_are_the_same_when_their_sanitised_names_are() {
        assert!(same_module("github.com/acme/HTTP", "github-com-acme-http"));
        assert!(!same_module("http-module-v0", "http-module-v1"));
    }

    #[test]
    fn a_port_name_has_one_colon() {
        let cases = [
            ("a:b", "a", "b"),
            ("b", "", "b"),
            ("a:", "a", ""),
            (":b", "", "b"),
            ("", "", ""),
            ("a:b:c", "", ""),
            (" a : b ", " a ", " b "),
        ];
        for (text, node, port) in cases {
            assert_eq!(PortName::parse(text), PortName::new(node, port), "{text}");
            assert_eq!(text.parse(), Ok(PortName::new(node, port)));
        }
        assert!(PortName::parse("a:b").is_full());
        assert!(["b", "a:", ":b", "a:b:c"].iter().all(|text| !PortName::parse(text).is_full()));
        assert_eq!(PortName::default().to_string(), "");
        assert_eq!(PortName::new("", "b").to_string(), ":b");
    }

    #[test]
    fn a_dotted_name_says_module_and_component_in_its_second_and_third_part() {
        let name = FullName::parse("8740cbfb.http-module-v0.server-x1.more.parts").unwrap();
        assert_eq!(
            (name.module.as_str(), name.component.as_str()),
            ("http-module-v0", "server-x1")
        );
        for short in ["greeter", "a.b", ""] {
            let error = FullName::parse(short).unwrap_err();
            assert_eq!(error, NameError::NotDotted { name: short.into() });
            assert!(error.to_string().contains("prefix.module.component"), "{error}");
        }
    }

    #[test]
    fn an_edge_is_named_by_its_port_and_its_end() {
        assert_eq!(edge_id("output", "show:input"), "output-show:input");
    }

    #[test]
    fn a_signal_is_named_by_its_node_and_port_without_what_no_name_may_hold() {
        assert_eq!(signal_name("a.b.c-1", "_control"), "a.b.c-1-control");
        assert_eq!(signal_name("greeter", "in_Put"), "greeter-input");
    }

    #[test]
    fn a_broken_rule_of_dns_is_named() {
        let long = "a".repeat(254);
        let cases = [
            ("", "empty"),
            (long.as_str(), "longer than 253"),
            ("Hello", "only lower-case"),
            ("a_b", "only lower-case"),
            ("ä", "only lower-case"),
            ("a..b", "a dot"),
            (".a", "a dot"),
            ("a.", "a dot"),
            ("-a", "a hyphen"),
            ("a-.b", "a hyphen"),
            ("a.-b", "a hyphen"),
        ];
        for (name, rule) in cases {
            let error = check_dns_name(name).unwrap_err().to_string();
            assert!(error.contains(rule), "{error}");
        }
        assert!(check_dns_name(&long[..253]).is_ok());
    }

    proptest! {
        #[test]
        fn sanitised_is_short_and_plain_and_stays_as_it_is(text in ".{0,80}") {
            let name = sanitise(&text);
            prop_assert!(name.len() <= SANITISED_LENGTH);
            let plain = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
            prop_assert!(name.bytes().all(plain), "{}", name);
            prop_assert!(!name.contains("--"), "{}", name);
            prop_assert_eq!(sanitise(&name), name.clone());
            prop_assert!(same_module(&text, &name));
        }

        #[test]
        fn a_port_name_is_read_back_as_it_was_written(node in "[^:]{1,20}", port in "[^:]{1,20}") {
            let name = PortName::new(node, port);
            prop_assert_eq!(PortName::parse(&name.to_string()), name);
        }

        #[test]
        fn what_the_api_server_takes_as_a_name_passes_and_one_wrong_character_does_not(
            name in "[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?){0,3}",
            wrong in "[A-Z_ :/é]",
        ) {
            prop_assert_eq!(check_dns_name(&name), Ok(()));
            prop_assert!(check_dns_name(&(name.clone() + &wrong)).is_err());
            prop_assert!(check_dns_name(&(wrong + &name)).is_err());
        }

        #[test]
        fn the_signal_of_a_good_node_has_a_good_name(
            node in "[a-z0-9]([-a-z0-9]{0,10}[a-z0-9])?",
            port in "_?[a-z][a-zA-Z0-9_]{0,20}",
        ) {
            prop_assert_eq!(check_dns_name(&signal_name(&node, &port)), Ok(()));
        }

        #[test]
        fn a_dotted_name_is_read_without_a_panic(name in ".{0,40}") {
            prop_assert_eq!(FullName::parse(&name).is_ok(), name.split('.').count() >= 3);
        }
    }
}
