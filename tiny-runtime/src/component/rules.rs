//! Rules that a value must keep beside being of its type: lengths, ranges, patterns. The schema says them, and decoding checks them.

use std::collections::{BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt;
use std::sync::{LazyLock, PoisonError, RwLock};

use regex::Regex;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;

use super::Secret;

/// The message `Self` has rules for its field number `N`. `#[message]` writes it where `#[ui]` has rules.
pub trait Ruled<const N: usize> {
    /// The type of the field.
    type Field;
    /// What it is called in JSON.
    const NAME: &'static str;
    /// Its rules.
    const RULES: Rules<Self::Field>;
}

/// Reads a field and checks its rules: what `#[message]` puts into serde's `deserialize_with`.
///
/// # Errors
/// Those of the field's type, and a sentence for the first rule that is broken. It has no part of the value, which may be secret.
pub fn ruled<'de, M: Ruled<N>, const N: usize, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<M::Field, D::Error>
where
    M::Field: Deserialize<'de>,
{
    let field = M::Field::deserialize(deserializer)?;
    // With the field's name: where serde looks at a value before it knows its type, it forgets the way to it.
    let told = |broken| D::Error::custom(format_args!("`{}` {broken}", M::NAME));
    M::RULES.check(&field).map_err(told)?;
    Ok(field)
}

/// The rules of a `T`. A value that is not there keeps all of them.
pub struct Rules<T> {
    length: Range<usize>,
    pattern: Option<&'static str>,
    text: fn(&T) -> Option<&str>,
    items: Range<usize>,
    count: fn(&T) -> Option<usize>,
    repeats: fn(&T) -> bool,
    range: Range<Bound>,
    number: fn(&T) -> Option<Bound>,
}

/// From the one to the other; both belong to it.
#[derive(Clone, Copy)]
struct Range<B> {
    from: Option<B>,
    to: Option<B>,
}

impl<B> Range<B> {
    const ALL: Self = Self { from: None, to: None };
}

/// A number in a rule, or one to be judged.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Bound {
    /// A whole one: judged exactly against other whole ones.
    Whole(i128),
    /// Any other.
    Real(f64),
}

impl<T> Rules<T> {
    /// No rules.
    #[must_use]
    pub const fn new() -> Self {
        Self {
            length: Range::ALL,
            pattern: None,
            text: |_| None,
            items: Range::ALL,
            count: |_| None,
            repeats: |_| false,
            range: Range::ALL,
            number: |_| None,
        }
    }

    fn check(&self, value: &T) -> Result<(), Broken> {
        if let Some(text) = (self.text)(value) {
            // Counted only where somebody asks.
            let count = |_: &usize| text.chars().count();
            if let Some(least) = self.length.from.filter(|least| count(least) < *least) {
                return Err(Broken::Shorter(least));
            }
            if let Some(most) = self.length.to.filter(|most| count(most) > *most) {
                return Err(Broken::Longer(most));
            }
            if let Some(pattern) = self.pattern {
                matches(pattern, text)?;
            }
        }
        if let Some(count) = (self.count)(value) {
            if let Some(least) = self.items.from.filter(|least| count < *least) {
                return Err(Broken::Fewer(least));
            }
            if let Some(most) = self.items.to.filter(|most| count > *most) {
                return Err(Broken::More(most));
            }
            if (self.repeats)(value) {
                return Err(Broken::Twice);
            }
        }
        if let Some(number) = (self.number)(value) {
            if let Some(least) = self.range.from.filter(|least| number.is_below(*least)) {
                return Err(Broken::Below(least));
            }
            if let Some(most) = self.range.to.filter(|most| most.is_below(number)) {
                return Err(Broken::Above(most));
            }
        }
        Ok(())
    }
}

impl<T> Default for Rules<T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T> fmt::Debug for Rules<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Rules").finish_non_exhaustive()
    }
}

impl<T: Text> Rules<T> {
    /// At least so many characters.
    #[must_use]
    pub const fn min_length(mut self, least: usize) -> Self {
        (self.length.from, self.text) = (Some(least), T::text);
        self
    }

    /// At most so many characters.
    #[must_use]
    pub const fn max_length(mut self, most: usize) -> Self {
        (self.length.to, self.text) = (Some(most), T::text);
        self
    }

    /// A regular expression that is found in the text; `^` and `$` are its ends.
    #[must_use]
    pub const fn pattern(mut self, pattern: &'static str) -> Self {
        (self.pattern, self.text) = (Some(pattern), T::text);
        self
    }
}

impl<T: List> Rules<T> {
    /// At least so many elements.
    #[must_use]
    pub const fn min_items(mut self, least: usize) -> Self {
        (self.items.from, self.count) = (Some(least), T::count);
        self
    }

    /// At most so many elements.
    #[must_use]
    pub const fn max_items(mut self, most: usize) -> Self {
        (self.items.to, self.count) = (Some(most), T::count);
        self
    }
}

impl<T: List + Serialize> Rules<T> {
    /// No two elements that are the same JSON.
    #[must_use]
    pub const fn unique_items(mut self) -> Self {
        (self.repeats, self.count) = (repeats::<T>, T::count);
        self
    }
}

impl<T: Number> Rules<T> {
    /// No smaller than this.
    #[must_use]
    pub const fn minimum(mut self, least: Bound) -> Self {
        (self.range.from, self.number) = (Some(least), T::number);
        self
    }

    /// No larger than this.
    #[must_use]
    pub const fn maximum(mut self, most: Bound) -> Self {
        (self.range.to, self.number) = (Some(most), T::number);
        self
    }
}

impl Bound {
    pub(crate) fn is_below(self, other: Self) -> bool {
        match (self, other) {
            (Self::Whole(one), Self::Whole(other)) => one < other,
            (one, other) => one.real() < other.real(),
        }
    }

    #[allow(
        clippy::cast_precision_loss,
        reason = "beside a real number a whole one is as exact as that"
    )]
    fn real(self) -> f64 {
        match self {
            Self::Whole(number) => number as f64,
            Self::Real(number) => number,
        }
    }
}

impl fmt::Display for Bound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
        }
    }
}

/// Which rule is broken.
#[derive(Debug, PartialEq, thiserror::Error)]
enum Broken {
    #[error("must have at least {0} character{s}", s = s(*.0))]
    Shorter(usize),
    #[error("must have at most {0} character{s}", s = s(*.0))]
    Longer(usize),
    #[error("must match the pattern `{0}`")]
    Unlike(&'static str),
    #[error(
        "cannot be checked: its pattern is no regular expression that Rust's `regex` reads: `{0}`"
    )]
    Pattern(&'static str),
    #[error("must have at least {0} element{s}", s = s(*.0))]
    Fewer(usize),
    #[error("must have at most {0} element{s}", s = s(*.0))]
    More(usize),
    #[error("must not have an element twice")]
    Twice,
    #[error("must be at least {0}")]
    Below(Bound),
    #[error("must be at most {0}")]
    Above(Bound),
}

fn s(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Patterns are compiled once; there are as many as authors wrote.
static PATTERNS: LazyLock<RwLock<HashMap<&'static str, Option<Regex>>>> =
    LazyLock::new(RwLock::default);

fn matches(pattern: &'static str, text: &str) -> Result<(), Broken> {
    let judge = |regex: &Option<Regex>| match regex {
        None => Err(Broken::Pattern(pattern)),
        Some(regex) if regex.is_match(text) => Ok(()),
        Some(_) => Err(Broken::Unlike(pattern)),
    };
    if let Some(regex) = PATTERNS.read().unwrap_or_else(PoisonError::into_inner).get(pattern) {
        return judge(regex);
    }
    let mut patterns = PATTERNS.write().unwrap_or_else(PoisonError::into_inner);
    judge(patterns.entry(pattern).or_insert_with(|| Regex::new(pattern).ok()))
}

fn repeats<T: Serialize>(list: &T) -> bool {
    let Ok(Value::Array(items)) = serde_json::to_value(list) else { return false };
    let mut seen = HashSet::new();
    items.iter().any(|item| !seen.insert(item.to_string()))
}

/// What `minLength`, `maxLength` and `pattern` can be asked of.
#[diagnostic::on_unimplemented(
    message = "`minLength`, `maxLength` and `pattern` are rules of a text, and `{Self}` is none",
    label = "the type of this field is no text"
)]
pub trait Text {
    /// The text, where there is one.
    fn text(&self) -> Option<&str>;
}

/// What `minItems`, `maxItems` and `uniqueItems` can be asked of.
#[diagnostic::on_unimplemented(
    message = "`minItems`, `maxItems` and `uniqueItems` are rules of a list, and `{Self}` is none",
    label = "the type of this field is no list"
)]
pub trait List {
    /// How many elements it has, where it is there.
    fn count(&self) -> Option<usize>;
}

/// What `minimum` and `maximum` can be asked of.
#[diagnostic::on_unimplemented(
    message = "`minimum` and `maximum` are rules of a number, and `{Self}` is none",
    label = "the type of this field is no number"
)]
pub trait Number {
    /// The number, where there is one.
    fn number(&self) -> Option<Bound>;
}

impl Text for String {
    fn text(&self) -> Option<&str> {
        Some(self)
    }
}

macro_rules! lists {
    ($($list:ident)*) => { $(impl<T> List for $list<T> {
        fn count(&self) -> Option<usize> {
            Some(self.len())
        }
    })* };
}

lists! { Vec VecDeque BTreeSet }

impl<T, S> List for HashSet<T, S> {
    fn count(&self) -> Option<usize> {
        Some(self.len())
    }
}

macro_rules! numbers {
    ($($number:ident)*, $bound:ident $as:ty) => { $(impl Number for $number {
        #[allow(clippy::cast_lossless, trivial_numeric_casts, reason = "one body for all numbers")]
        fn number(&self) -> Option<Bound> {
            Some(Bound::$bound(*self as $as))
        }
    })* };
}

numbers! { i8 i16 i32 i64 isize u8 u16 u32 u64 usize, Whole i128 }
numbers! { f32 f64, Real f64 }

/// What is around a value has its rules.
macro_rules! around {
    ($($around:ident $it:ident $inner:expr;)*) => { $(
        impl<T: Text> Text for $around<T> {
            fn text(&self) -> Option<&str> {
                let $it = self;
                $inner.and_then(T::text)
            }
        }
        impl<T: List> List for $around<T> {
            fn count(&self) -> Option<usize> {
                let $it = self;
                $inner.and_then(T::count)
            }
        }
        impl<T: Number> Number for $around<T> {
            fn number(&self) -> Option<Bound> {
                let $it = self;
                $inner.and_then(T::number)
            }
        }
    )* };
}

around! {
    Option it it.as_ref();
    Box it Some(&**it);
    Secret it Some(it.expose());
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sentence<T>(rules: &Rules<T>, value: T) -> String {
        rules.check(&value).map_or_else(|broken| broken.to_string(), |()| "kept".to_owned())
    }

    #[test]
    fn a_text_is_counted_in_characters() {
        let rules = Rules::new().min_length(2).max_length(3);
        assert_eq!(sentence(&rules, "äö".to_owned()), "kept");
        assert_eq!(sentence(&rules, "ä".to_owned()), "must have at least 2 characters");
        assert_eq!(sentence(&rules, "äöüß".to_owned()), "must have at most 3 characters");
    }

    #[test]
    fn a_pattern_is_found_anywhere_unless_it_says_where() {
        let pattern = |pattern| Rules::<String>::new().pattern(pattern);
        assert_eq!(sentence(&pattern("b"), "abc".into()), "kept");
        assert_eq!(sentence(&pattern("^b"), "abc".into()), "must match the pattern `^b`");
        assert!(sentence(&pattern("(?=b)"), "abc".into()).starts_with("cannot be checked"));
    }

    #[test]
    fn a_list_is_counted_and_its_elements_are_told_apart() {
        let rules = Rules::<Vec<u8>>::new().min_items(1).max_items(2).unique_items();
        assert_eq!(sentence(&rules, vec![1, 2]), "kept");
        assert_eq!(sentence(&rules, vec![]), "must have at least 1 element");
        assert_eq!(sentence(&rules, vec![1, 2, 3]), "must have at most 2 elements");
        assert_eq!(sentence(&rules, vec![1, 1]), "must not have an element twice");
    }

    #[test]
    fn whole_numbers_are_judged_exactly() {
        let rules = Rules::<i64>::new().maximum(Bound::Whole(9_007_199_254_740_992));
        assert_eq!(sentence(&rules, 9_007_199_254_740_992), "kept");
        assert_eq!(sentence(&rules, 9_007_199_254_740_993), "must be at most 9007199254740992");
        let rules = Rules::<f64>::new().minimum(Bound::Real(0.5)).maximum(Bound::Whole(1));
        assert_eq!(sentence(&rules, 0.25), "must be at least 0.5");
        assert_eq!(sentence(&rules, 1.0), "kept");
    }

    #[test]
    fn what_is_not_there_keeps_every_rule() {
        let rules = Rules::<Option<Secret<String>>>::new().min_length(9);
        assert_eq!(sentence(&rules, None), "kept");
        assert_eq!(
            sentence(&rules, Some(Secret::new("short".into()))),
            "must have at least 9 characters"
        );
    }
}
