//! The forms that a message can have, each around any type.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use tiny_runtime::component::Message;
use tiny_runtime::jiff::civil::Date;
use tiny_runtime::jiff::{SignedDuration, Timestamp};
use tiny_runtime::prelude::*;

use super::any::{Any, Dice};

/// An object.
#[message]
#[derive(Default)]
pub(crate) struct Plain<T> {
    /// One.
    one: T,
    /// Perhaps one.
    #[ui(configurable, order = 1)]
    maybe: Option<T>,
    /// Some.
    #[ui(shared, tab = "Many")]
    some: Vec<T>,
    /// By name.
    named: BTreeMap<String, T>,
}

/// A name of its own.
#[message]
pub(crate) struct Named<T>(T);

/// Two without names.
#[message]
pub(crate) struct Pair<T>(T, Option<T>);

/// Lists, each in its own way.
#[message]
pub(crate) struct Lists<T> {
    /// Lists in lists.
    deep: Vec<Vec<T>>,
    /// Gaps in a list.
    gaps: Vec<Option<T>>,
    /// Pairs.
    pairs: Vec<(T, u8)>,
    /// Three.
    three: [T; 3],
    /// By number.
    numbered: BTreeMap<u8, T>,
    /// By another number.
    signed: BTreeMap<i32, T>,
}

/// What may be left out.
#[message]
#[serde(deny_unknown_fields)]
pub(crate) struct Strict<T> {
    /// Perhaps nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    maybe: Option<T>,
    /// Twice perhaps.
    #[serde(rename = "2nd")]
    second: Option<Box<T>>,
}

/// An object in an object, without a trace of it.
#[message]
pub(crate) struct Flat<T> {
    #[serde(flatten)]
    inner: Named2<T>,
    /// Beside it.
    beside: u8,
}

/// What is flattened.
#[message]
pub(crate) struct Named2<T> {
    /// What is in it.
    within: T,
}

/// The variant is the key.
#[message]
pub(crate) enum Outside<T> {
    /// Nothing in it.
    Unit,
    /// One in it.
    One(T),
    /// Two in it.
    Two(T, T),
    /// A name in it.
    Object {
        /// The name.
        inside: T,
    },
}

/// The variant is beside the fields.
#[message]
#[serde(tag = "kind")]
pub(crate) enum Inside<T> {
    /// Nothing else.
    Unit,
    /// An object.
    Object {
        /// What is in it.
        inside: T,
    },
    /// Another object.
    Other(Named2<T>),
}

/// The variant and its content are two fields.
#[message]
#[serde(tag = "kind", content = "content")]
pub(crate) enum Beside<T> {
    /// No content.
    Unit,
    /// A content.
    One(T),
    /// An object.
    Object {
        /// What is in it.
        inside: Option<T>,
    },
}

/// Whatever fits first.
#[message]
#[serde(untagged)]
pub(crate) enum Whatever<T> {
    /// An object.
    Object {
        /// What is in it.
        inside: T,
    },
    /// Itself.
    Itself(T),
    /// Or a flag.
    Flag(bool),
}

/// Itself, again and again.
#[message]
pub(crate) struct Tree<T> {
    /// What is in it.
    leaf: T,
    /// Below it.
    below: Vec<Tree<T>>,
    /// Beside it.
    #[ui(title = "Next")]
    beside: Option<Box<Tree<T>>>,
}

/// A choice with a text for each.
#[message]
#[derive(Default)]
pub(crate) enum Colour {
    /// Like blood.
    #[default]
    Red,
    /// Like the sky.
    LightBlue,
    #[serde(rename = "g")]
    Green,
}

/// A choice.
#[message]
pub(crate) enum Bare {
    Left,
    Right,
}

/// What has rules.
#[message]
pub(crate) struct Ruled {
    /// A short one.
    #[ui(minLength = 1, maxLength = 3, pattern = "^[a-z]")]
    name: String,
    /// A few.
    #[ui(minItems = 1, uniqueItems)]
    few: Vec<u8>,
    /// A small one.
    #[ui(minimum = -1.5, maximum = 2)]
    small: Option<f64>,
}

/// What the standard library has.
#[message]
pub(crate) struct Standard {
    /// A while.
    wait: Duration,
    /// No text twice.
    set: HashSet<String>,
    /// Nothing.
    nothing: (),
}

impl Any for Standard {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Self { wait: Any::any(dice, depth), set: Any::any(dice, depth), nothing: () }
    }
}

macro_rules! any {
    ($($name:ident { $($field:ident),* })*) => { $(
        impl<T: Any> Any for $name<T> {
            fn any(dice: &mut Dice, depth: usize) -> Self {
                Self { $($field: Any::any(dice, depth)),* }
            }
        }
    )* };
}

any! {
    Plain { one, maybe, some, named }
    Lists { deep, gaps, pairs, three, numbered, signed }
    Strict { maybe, second }
    Flat { inner, beside }
    Named2 { within }
}

impl<T: Any> Any for Named<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Self(T::any(dice, depth))
    }
}

impl<T: Any> Any for Pair<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Self(T::any(dice, depth), Any::any(dice, depth))
    }
}

impl<T: Any> Any for Outside<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        match dice.below(4) {
            0 => Self::Unit,
            1 => Self::One(T::any(dice, depth)),
            2 => Self::Two(T::any(dice, depth), T::any(dice, depth)),
            _ => Self::Object { inside: T::any(dice, depth) },
        }
    }
}

impl<T: Any> Any for Inside<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        match dice.below(3) {
            0 => Self::Unit,
            1 => Self::Object { inside: T::any(dice, depth) },
            _ => Self::Other(Any::any(dice, depth)),
        }
    }
}

impl<T: Any> Any for Beside<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        match dice.below(3) {
            0 => Self::Unit,
            1 => Self::One(T::any(dice, depth)),
            _ => Self::Object { inside: Any::any(dice, depth) },
        }
    }
}

impl<T: Any> Any for Whatever<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        match dice.below(3) {
            0 => Self::Object { inside: T::any(dice, depth) },
            1 => Self::Itself(T::any(dice, depth)),
            _ => Self::Flag(Any::any(dice, depth)),
        }
    }
}

impl<T: Any> Any for Tree<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        let leaf = T::any(dice, depth);
        let depth = depth.saturating_sub(1);
        Self { leaf, below: Any::any(dice, depth), beside: Any::any(dice, depth) }
    }
}

impl Any for Colour {
    fn any(dice: &mut Dice, _: usize) -> Self {
        [Self::Red, Self::LightBlue, Self::Green][dice.below(3)].clone()
    }
}

impl Any for Bare {
    fn any(dice: &mut Dice, _: usize) -> Self {
        if dice.below(2) == 0 { Self::Left } else { Self::Right }
    }
}

impl Any for Ruled {
    fn any(dice: &mut Dice, _: usize) -> Self {
        let name = ["a", "aß", "abc"][dice.below(3)].to_owned();
        let few = [vec![0], vec![1, 2, 255]][dice.below(2)].clone();
        Self { name, few, small: [None, Some(-1.5), Some(2.0)][dice.below(3)] }
    }
}

/// Each form around each type.
macro_rules! around {
    ($visit:ident: $($inner:ty),* $(,)?) => { $(
        $visit.visit::<Plain<$inner>>();
        $visit.visit::<Named<$inner>>();
        $visit.visit::<Pair<$inner>>();
        $visit.visit::<Lists<$inner>>();
        $visit.visit::<Strict<$inner>>();
        $visit.visit::<Flat<$inner>>();
        $visit.visit::<Outside<$inner>>();
        $visit.visit::<Inside<$inner>>();
        $visit.visit::<Beside<$inner>>();
        $visit.visit::<Whatever<$inner>>();
        $visit.visit::<Tree<$inner>>();
    )* };
}

/// What is done with each type.
pub(crate) trait Visit {
    fn visit<T: Message + Any>(&mut self);
}

pub(crate) fn each(visit: &mut impl Visit) {
    around! { visit:
        bool, i8, i32, i64, u16, u64, f32, f64, String, char,
        Json, Secret<String>, Timestamp, Date, SignedDuration,
        Colour, Bare, Ruled, Standard, Vec<u8>, Plain<String>, Outside<Colour>,
    }
}
