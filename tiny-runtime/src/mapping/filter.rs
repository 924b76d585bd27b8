//! The filters of a query: what stands behind `?` in brackets, to the letter of RFC 9535.

use std::ops::Range;

use serde_json::Value;

use super::diagnostic::Fault;
use super::dollar::{Parsed, Parser};
use super::path::quoted;
use super::query::{Extent, Operand, Pattern, Query, Segment, Selector, Start, Test};
use crate::words;

impl Parser<'_> {
    pub(super) fn test_any(&mut self) -> Parsed<Test> {
        self.deeper(|parser| {
            let mut tests = vec![parser.test_all()?];
            while parser.take_after_blank("||") {
                parser.blank();
                tests.push(parser.test_all()?);
            }
            Ok(one_or(tests, Test::Any))
        })
    }

    fn test_all(&mut self) -> Parsed<Test> {
        let mut tests = vec![self.test()?];
        while self.take_after_blank("&&") {
            self.blank();
            tests.push(self.test()?);
        }
        Ok(one_or(tests, Test::All))
    }

    fn test(&mut self) -> Parsed<Test> {
        if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            self.blank();
            let inner = if self.rest().starts_with('(') {
                self.grouped()?
            } else {
                let start = self.at;
                let inner = self.test_or_comparison()?;
                if matches!(inner, Test::Compare(..)) {
                    let fault = Fault::syntax(
                        start..self.at,
                        "`!` stands before a test, not before a comparison",
                    );
                    return Err(fault.fix("put the comparison in parentheses"));
                }
                inner
            };
            return Ok(Test::Not(Box::new(inner)));
        }
        if self.rest().starts_with('(') {
            return self.grouped();
        }
        self.test_or_comparison()
    }

    fn grouped(&mut self) -> Parsed<Test> {
        let open = self.at;
        self.at += 1;
        self.blank();
        let test = self.test_any()?;
        self.blank();
        if !self.take(")") {
            return Err(Fault::syntax(open..open + 1, "`(` is not closed by `)`"));
        }
        Ok(test)
    }

    fn test_or_comparison(&mut self) -> Parsed<Test> {
        let start = self.at;
        let one = self.side()?;
        let Some(comparison) = self.comparator() else {
            return match one {
                Side::Test(test) => Ok(test),
                Side::Query(query) => Ok(Test::Exists(query)),
                Side::Value(_) => {
                    let fault = Fault::syntax(start..self.at, "a value alone is no test");
                    Err(fault.fix("compare it, such as `@.price > 10`"))
                }
            };
        };
        self.blank();
        let middle = self.at;
        let other = self.side()?;
        let one = compared(one, start..middle)?;
        let other = compared(other, middle..self.at)?;
        Ok(Test::Compare(comparison, one, other))
    }

    fn side(&mut self) -> Parsed<Side> {
        let start = self.at;
        match self.rest().chars().next() {
            Some('@') => {
                self.at += 1;
                let segments = self.segments()?;
                Ok(Side::Query(Query { start: Start::Current, segments }))
            }
            Some('$') => self.absolute().map(Side::Query),
            Some('\'' | '"') => {
                let (text, end) = quoted(self.text, start)?;
                self.at = end;
                Ok(Side::Value(Operand::Literal(text.into())))
            }
            Some('-' | '0'..='9') => {
                self.number().map(|number| Side::Value(Operand::Literal(number)))
            }
            Some('a'..='z') => self.filter_word(),
            Some(c) => {
                let why = format!("`{c}` cannot stand in a filter here");
                Err(Fault::syntax(start..start + c.len_utf8(), why)
                    .fix("the element is `@`, such as `[?@.price > 10]`"))
            }
            None => Err(Fault::syntax(start..start, "the filter is not complete")),
        }
    }

    /// `true`, `null`, or one of the functions of RFC 9535.
    fn filter_word(&mut self) -> Parsed<Side> {
        let start = self.at;
        let length =
            self.rest().find(|c: char| !(c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_'));
        let word = self.rest()[..length.unwrap_or(self.rest().len())].to_owned();
        self.at += word.len();
        let range = start..self.at;
        match &*word {
            "true" => return Ok(Side::Value(Operand::Literal(true.into()))),
            "false" => return Ok(Side::Value(Operand::Literal(false.into()))),
            "null" => return Ok(Side::Value(Operand::Literal(Value::Null))),
            _ => {}
        }
        if !self.take("(") {
            let fault = Fault::syntax(range, format!("`{word}` is no value in a filter"));
            return Err(fault.fix(format!("write `@.{word}`, or `'{word}'` for the text")));
        }
        let mut args = Vec::new();
        self.blank();
        if !self.take(")") {
            loop {
                self.blank();
                let at = self.at;
                args.push((self.deeper(Self::side)?, at..self.at));
                self.blank();
                if self.take(")") {
                    break;
                }
                if !self.take(",") {
                    return Err(self.unexpected("an argument"));
                }
            }
        }
        filter_call(&word, range, args)
    }
}

/// What stands in a filter, before it is known what it is for.
enum Side {
    Query(Query),
    Value(Operand),
    Test(Test),
}

fn one_or(mut tests: Vec<Test>, several: fn(Vec<Test>) -> Test) -> Test {
    match tests.pop() {
        Some(test) if tests.is_empty() => test,
        last => {
            tests.extend(last);
            several(tests)
        }
    }
}

fn is_singular(query: &Query) -> bool {
    query.segments.iter().all(|segment| match segment {
        Segment::Child(selectors) => {
            matches!(selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
        }
        Segment::Descend(_) => false,
    })
}

/// A side of a comparison, or an argument that is one value.
fn compared(side: Side, range: Range<usize>) -> Parsed<Operand> {
    match side {
        Side::Value(operand) => Ok(operand),
        Side::Query(query) if is_singular(&query) => Ok(Operand::One(query)),
        Side::Query(_) => Err(Fault::syntax(
            range,
            "a comparison takes one value, and this query may select several",
        )
        .fix("name one, such as `@.items[0]`, or count them: `count(@.items[*])`")),
        Side::Test(_) => Err(Fault::syntax(range, "what a test gives cannot be compared")),
    }
}

fn filter_call(word: &str, range: Range<usize>, args: Vec<(Side, Range<usize>)>) -> Parsed<Side> {
    const KNOWN: [&str; 5] = ["length", "count", "value", "match", "search"];
    let takes = match word {
        "length" | "count" | "value" => 1,
        "match" | "search" => 2,
        _ => {
            let near = words::did_you_mean(word, KNOWN.into_iter());
            let why = format!("a filter has no function `{word}`{near}");
            return Err(
                Fault::syntax(range, why).fix(format!("it has {}", words::list(KNOWN.into_iter())))
            );
        }
    };
    if args.len() != takes {
        let why = format!(
            "`{word}` takes {takes} argument{}, not {}",
            if takes == 1 { "" } else { "s" },
            args.len()
        );
        return Err(Fault::syntax(range, why));
    }
    let mut args = args.into_iter();
    let mut next =
        || args.next().unwrap_or((Side::Value(Operand::Literal(Value::Null)), range.clone()));
    Ok(match word {
        "length" => {
            let (side, at) = next();
            Side::Value(Operand::Length(Box::new(compared(side, at)?)))
        }
        "count" | "value" => {
            let (side, at) = next();
            let Side::Query(query) = side else {
                return Err(Fault::syntax(
                    at,
                    format!("`{word}` takes a query, such as `@.items[*]`"),
                ));
            };
            Side::Value(if word == "count" { Operand::Count(query) } else { Operand::Only(query) })
        }
        _ => {
            let extent = if word == "match" { Extent::Whole } else { Extent::Part };
            let (text, at) = next();
            let text = compared(text, at)?;
            let (pattern, at) = next();
            let pattern = match compared(pattern, at)? {
                Operand::Literal(Value::String(written)) => Pattern::of(&written, extent),
                other => Pattern::Found(other),
            };
            Side::Test(Test::Matches(text, pattern, extent))
        }
    })
}
