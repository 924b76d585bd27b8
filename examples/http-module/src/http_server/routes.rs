//! What may be asked, by method and path.

use std::borrow::Cow;
use std::collections::BTreeMap;

use percent_encoding::{percent_decode_str, percent_encode_byte};
use tiny_runtime::prelude::*;

use super::messages::Verb;

/// Something that may be asked.
#[message]
pub(crate) struct Route {
    /// Its name; the port is called `request_` and this.
    #[ui(minLength = 1, pattern = "^[A-Za-z0-9_-]+$")]
    pub(crate) name: String,
    /// What may be done; nothing means anything.
    #[serde(default)]
    pub(crate) methods: Vec<Verb>,
    /// Where: `/orders`, `/orders/{id}`, `/files/{*rest}`.
    #[ui(minLength = 1, pattern = "^/")]
    pub(crate) path: String,
}

/// The routes of the settings, to be looked up.
#[derive(Default)]
pub(super) struct Routes(Option<matchit::Router<Vec<Way>>>);

/// One route of a path.
struct Way {
    name: String,
    methods: Vec<Verb>,
}

/// Where a request goes.
#[derive(Debug, PartialEq)]
pub(super) enum Taken<'a> {
    /// There are no routes.
    Any,
    /// To this one, with what stands in the path.
    Route(&'a str, BTreeMap<String, String>),
    /// The path is there, but not for this method, only for those.
    Methods(String),
    /// There is no such path, or what stands in it is no text.
    Nowhere,
}

impl Routes {
    pub(super) fn read(routes: &[Route]) -> Result<Self, String> {
        if routes.is_empty() {
            return Ok(Self::default());
        }
        let mut paths: BTreeMap<Cow<'_, str>, Vec<Way>> = BTreeMap::new();
        for (at, route) in routes.iter().enumerate() {
            let name = &route.name;
            if routes[..at].iter().any(|other| other.name == *name) {
                return Err(format!("two routes are called `{name}`, and would share a port"));
            }
            let ways = paths.entry(canonical(&route.path)).or_default();
            if let Some(other) = ways.iter().find(|way| overlap(&way.methods, &route.methods)) {
                let path = &route.path;
                return Err(format!(
                    "the routes `{}` and `{name}` both take the same method of `{path}`",
                    other.name
                ));
            }
            ways.push(Way { name: name.clone(), methods: route.methods.clone() });
        }
        let mut router = matchit::Router::new();
        for (path, ways) in paths {
            let name = ways[0].name.clone();
            router
                .insert(&*path, ways)
                .map_err(|e| format!("the path `{path}` of route `{name}` cannot be used: {e}"))?;
        }
        Ok(Self(Some(router)))
    }

    pub(super) fn take(&self, method: Verb, path: &str) -> Taken<'_> {
        let Some(router) = &self.0 else { return Taken::Any };
        let path = canonical(path);
        let Ok(found) = router.at(&path) else { return Taken::Nowhere };
        let ways = found.value;
        let of = |method: Verb| {
            ways.iter().find(|way| way.methods.is_empty() || way.methods.contains(&method))
        };
        // Whoever may read may ask for the headers alone.
        let Some(way) = of(method).or_else(|| of(Verb::Get).filter(|_| method == Verb::Head))
        else {
            let may = |verb: &Verb| {
                of(*verb).is_some() || (*verb == Verb::Head && of(Verb::Get).is_some())
            };
            let names: Vec<&str> =
                Verb::ALL.iter().filter(|verb| may(verb)).map(|it| it.name()).collect();
            return Taken::Methods(names.join(", "));
        };
        let decoded = found.params.iter().map(|(name, value)| {
            let value = percent_decode_str(value).decode_utf8().ok()?;
            Some((name.to_owned(), value.into_owned()))
        });
        match decoded.collect() {
            Some(params) => Taken::Route(&way.name, params),
            None => Taken::Nowhere,
        }
    }
}

/// A path in the one way of many to write it: what needs no escape has none, what is no ASCII has one.
fn canonical(path: &str) -> Cow<'_, str> {
    if path.is_ascii() && !path.contains('%') {
        return path.into();
    }
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte);
    let mut written = String::with_capacity(path.len());
    let mut rest = path.as_bytes();
    while let [first, tail @ ..] = rest {
        let escaped = tail.get(..2).filter(|_| *first == b'%');
        let escaped = escaped.filter(|digits| digits.iter().all(u8::is_ascii_hexdigit));
        let escaped = escaped.and_then(|digits| std::str::from_utf8(digits).ok());
        match escaped.and_then(|digits| u8::from_str_radix(digits, 16).ok()) {
            Some(byte) => {
                rest = &tail[2..];
                match is_plain(byte) {
                    true => written.push(char::from(byte)),
                    false => written.push_str(percent_encode_byte(byte)),
                }
            }
            None => {
                rest = tail;
                match first.is_ascii() {
                    true => written.push(char::from(*first)),
                    false => written.push_str(percent_encode_byte(*first)),
                }
            }
        }
    }
    written.into()
}

fn overlap(one: &[Verb], other: &[Verb]) -> bool {
    one.is_empty() || other.is_empty() || one.iter().any(|verb| other.contains(verb))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn route(name: &str, methods: &[Verb], path: &str) -> Route {
        Route { name: name.into(), methods: methods.into(), path: path.into() }
    }

    fn params(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
        pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
    }

    #[test]
    fn a_path_and_a_method_find_their_route() {
        let routes = Routes::read(&[
            route("list", &[Verb::Get], "/orders"),
            route("add", &[Verb::Post], "/orders"),
            route("one", &[], "/orders/{id}"),
            route("rest", &[], "/files/{*rest}"),
        ]);
        let routes = routes.unwrap_or_default();
        assert_eq!(routes.take(Verb::Post, "/orders"), Taken::Route("add", params(&[])));
        assert_eq!(routes.take(Verb::Put, "/orders"), Taken::Methods("GET, POST, HEAD".into()));
        assert_eq!(routes.take(Verb::Head, "/orders"), Taken::Route("list", params(&[])));
        let one = Taken::Route("one", params(&[("id", "a/b ü")]));
        assert_eq!(routes.take(Verb::Get, "/orders/a%2Fb%20%C3%BC"), one);
        let rest = Taken::Route("rest", params(&[("rest", "a/b")]));
        assert_eq!(routes.take(Verb::Get, "/files/a/b"), rest);
        assert_eq!(routes.take(Verb::Get, "/orders/%FF"), Taken::Nowhere);
        assert_eq!(routes.take(Verb::Get, "/else"), Taken::Nowhere);
        assert_eq!(Routes::default().take(Verb::Get, "/else"), Taken::Any);
    }

    #[test]
    fn a_path_is_the_same_however_it_is_written() {
        let routes = Routes::read(&[route("a", &[], "/über/{id}"), route("b", &[], "/a%20b")]);
        let routes = routes.unwrap_or_default();
        let one = |id: &str| Taken::Route("a", params(&[("id", id)]));
        assert_eq!(routes.take(Verb::Get, "/über/1"), one("1"));
        assert_eq!(routes.take(Verb::Get, "/%c3%BCber/1"), one("1"));
        assert_eq!(routes.take(Verb::Get, "/%C3%BC%62er/%2525"), one("%25"), "unescaped once");
        assert_eq!(routes.take(Verb::Get, "/%C3%BCber/%2F"), one("/"), "this slash parts nothing");
        assert_eq!(routes.take(Verb::Get, "/a%20b"), Taken::Route("b", params(&[])));
        assert_eq!(routes.take(Verb::Get, "/%"), Taken::Nowhere);
    }

    #[test]
    fn routes_that_cannot_be_told_apart_are_refused() {
        let refused = |routes: &[Route]| Routes::read(routes).err().unwrap_or_default();
        let twice = refused(&[route("a", &[], "/a"), route("a", &[], "/b")]);
        assert_eq!(twice, "two routes are called `a`, and would share a port");
        let same = refused(&[route("a", &[], "/a"), route("b", &[Verb::Get], "/a")]);
        assert_eq!(same, "the routes `a` and `b` both take the same method of `/a`");
        let names = refused(&[route("a", &[], "/{a}"), route("b", &[], "/{b}")]);
        assert!(names.starts_with("the path `/{b}` of route `b` cannot be used: "), "{names}");
    }
}
