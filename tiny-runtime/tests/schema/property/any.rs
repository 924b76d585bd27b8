//! Any value of a type, from a seed.

use std::collections::{BTreeMap, HashSet};
use std::time::Duration;

use fastrand::Rng;

use tiny_runtime::jiff::civil::Date;
use tiny_runtime::jiff::{SignedDuration, Timestamp};
use tiny_runtime::prelude::*;
use tiny_runtime::serde_json::json;

/// A stream of numbers.
pub(crate) struct Dice(Rng);

impl Dice {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rng::with_seed(seed))
    }

    pub(crate) fn number(&mut self) -> u64 {
        self.0.u64(..)
    }

    pub(crate) fn below(&mut self, end: usize) -> usize {
        self.0.usize(..end)
    }
}

/// What has any value.
pub(crate) trait Any {
    /// One of them; what holds itself does so at most `depth` times.
    fn any(dice: &mut Dice, depth: usize) -> Self;
}

macro_rules! whole {
    ($($number:ident)*) => { $(impl Any for $number {
        #[allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap, trivial_numeric_casts, reason = "any bits will do")]
        fn any(dice: &mut Dice, _: usize) -> Self {
            match dice.below(5) {
                0 => Self::MIN,
                1 => Self::MAX,
                2 => 1,
                _ => dice.number() as Self,
            }
        }
    })* };
}

whole! { i8 i16 i32 i64 isize u8 u16 u32 u64 usize }

macro_rules! real {
    ($($number:ident $bits:ident)*) => { $(impl Any for $number {
        #[allow(clippy::cast_possible_truncation, trivial_numeric_casts, reason = "any bits will do")]
        fn any(dice: &mut Dice, _: usize) -> Self {
            // What is no number has no JSON.
            let number = Self::from_bits(dice.number() as $bits);
            if number.is_finite() { number } else { 0.5 }
        }
    })* };
}

real! { f32 u32 f64 u64 }

impl Any for bool {
    fn any(dice: &mut Dice, _: usize) -> Self {
        dice.below(2) == 0
    }
}

impl Any for char {
    fn any(dice: &mut Dice, _: usize) -> Self {
        ['a', '"', 'ß', '\u{0}', '𝄞', '\u{301}'][dice.below(6)]
    }
}

impl Any for String {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        (0..dice.below(5)).map(|_| char::any(dice, depth)).collect()
    }
}

impl Any for () {
    fn any(_: &mut Dice, _: usize) -> Self {}
}

impl Any for Json {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        let value = match dice.below(4) {
            0 => json!(null),
            1 => json!(i64::any(dice, depth)),
            2 => json!({"a": [String::any(dice, depth)]}),
            _ => json!([]),
        };
        value.into()
    }
}

impl Any for Timestamp {
    fn any(dice: &mut Dice, _: usize) -> Self {
        Self::from_second(i64::try_from(dice.number() % 4_000_000_000).unwrap()).unwrap()
    }
}

impl Any for Date {
    fn any(dice: &mut Dice, _: usize) -> Self {
        let part = |dice: &mut Dice, end: usize| i8::try_from(1 + dice.below(end)).unwrap();
        let year = i16::try_from(1900 + dice.below(200)).unwrap();
        Self::new(year, part(dice, 12), part(dice, 28)).unwrap()
    }
}

impl Any for SignedDuration {
    fn any(dice: &mut Dice, _: usize) -> Self {
        // The format of JSON schema has neither sign nor fraction.
        Self::from_secs(i64::try_from(dice.number() % 1_000_000).unwrap())
    }
}

impl Any for Duration {
    fn any(dice: &mut Dice, _: usize) -> Self {
        Self::new(dice.number() % 1_000_000, u32::try_from(dice.number() % 1_000_000_000).unwrap())
    }
}

impl<T: Any> Any for Secret<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Self::new(T::any(dice, depth))
    }
}

impl<T: Any> Any for Option<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        (depth > 0 && dice.below(3) > 0).then(|| T::any(dice, depth - 1))
    }
}

impl<T: Any> Any for Box<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Self::new(T::any(dice, depth))
    }
}

impl<T: Any> Any for Vec<T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        let count = if depth == 0 { 0 } else { dice.below(3) };
        (0..count).map(|_| T::any(dice, depth - 1)).collect()
    }
}

impl Any for HashSet<String> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Vec::<String>::any(dice, depth).into_iter().collect()
    }
}

impl<T: Any> Any for [T; 3] {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        std::array::from_fn(|_| T::any(dice, depth))
    }
}

impl<T: Any, U: Any> Any for (T, U) {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        (T::any(dice, depth), U::any(dice, depth))
    }
}

impl<T: Any> Any for BTreeMap<String, T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Vec::<(String, T)>::any(dice, depth).into_iter().collect()
    }
}

impl<T: Any> Any for BTreeMap<u8, T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Vec::<(u8, T)>::any(dice, depth).into_iter().collect()
    }
}

impl<T: Any> Any for BTreeMap<i32, T> {
    fn any(dice: &mut Dice, depth: usize) -> Self {
        Vec::<(i32, T)>::any(dice, depth).into_iter().collect()
    }
}
