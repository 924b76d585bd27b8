//! The expressions with `$`: paths and queries of RFC 9535, with operators and calls around them.

use serde_json::Value;

use super::diagnostic::{Code, Fault};
use super::functions::{self, Function};
use super::path::{self, quoted, skip_blank};
use super::paths::Paths;
use super::query::{Query, Segment, Selector, Start};
use super::tree::{Comparison, Expr, Logic, Operator};
use crate::words;

/// The deepest expression.
pub(super) const DEPTH: usize = 64;

/// The most operators in one row.
const ROW: usize = 256;

pub(super) type Parsed<T> = Result<T, Fault>;

/// An operator between two expressions.
#[derive(Clone, Copy)]
enum Join {
    Or,
    And,
    Compare(Comparison),
    Arithmetic(Operator),
}

/// How they are written: a longer one before one that begins it.
const JOINS: [(&str, Join); 13] = [
    ("||", Join::Or),
    ("&&", Join::And),
    ("==", Join::Compare(Comparison::Equal)),
    ("!=", Join::Compare(Comparison::Unequal)),
    ("<=", Join::Compare(Comparison::LessOrEqual)),
    (">=", Join::Compare(Comparison::GreaterOrEqual)),
    ("<", Join::Compare(Comparison::Less)),
    (">", Join::Compare(Comparison::Greater)),
    ("+", Join::Arithmetic(Operator::Add)),
    ("-", Join::Arithmetic(Operator::Subtract)),
    ("*", Join::Arithmetic(Operator::Multiply)),
    ("/", Join::Arithmetic(Operator::Divide)),
    ("%", Join::Arithmetic(Operator::Remainder)),
];

impl Join {
    /// The more it binds, the sooner it is done.
    fn binds(self) -> u8 {
        match self {
            Self::Or => 0,
            Self::And => 1,
            Self::Compare(_) => 2,
            Self::Arithmetic(Operator::Add | Operator::Subtract) => 3,
            Self::Arithmetic(_) => 4,
        }
    }

    fn of(self, one: Box<Expr>, other: Box<Expr>) -> Expr {
        match self {
            Self::Or => Expr::Or(Logic::Dollar, one, other),
            Self::And => Expr::And(Logic::Dollar, one, other),
            Self::Compare(comparison) => Expr::Compare(Logic::Dollar, comparison, one, other),
            Self::Arithmetic(operator) => Expr::Arithmetic(operator, one, other),
        }
    }
}

/// Reads a whole text as one query of RFC 9535, to the letter.
#[cfg(test)]
pub(super) fn query(text: &str, paths: &mut Paths) -> Parsed<Query> {
    let mut parser = Parser { text, at: 0, depth: 0, paths };
    if !text.starts_with('$') {
        return Err(Fault::syntax(0..0, "a query starts with `$`"));
    }
    let query = parser.absolute()?;
    if parser.at < text.len() {
        return Err(parser.unexpected("the query"));
    }
    Ok(query)
}

/// Reads one expression at `start`; returns it with its end. What may follow is for the caller to say.
pub(super) fn expression(text: &str, start: usize, paths: &mut Paths) -> Parsed<(Expr, usize)> {
    let mut parser = Parser { text, at: start, depth: 0, paths };
    let expr = parser.choice()?;
    Ok((expr, parser.at))
}

pub(super) struct Parser<'a> {
    pub(super) text: &'a str,
    pub(super) at: usize,
    depth: usize,
    paths: &'a mut Paths,
}

impl Parser<'_> {
    pub(super) fn rest(&self) -> &str {
        &self.text[self.at..]
    }

    pub(super) fn blank(&mut self) {
        self.at = skip_blank(self.text, self.at);
    }

    /// Takes `word` where it comes next.
    pub(super) fn take(&mut self, word: &str) -> bool {
        let found = self.rest().starts_with(word);
        if found {
            self.at += word.len();
        }
        found
    }

    /// The same after space.
    pub(super) fn take_after_blank(&mut self, word: &str) -> bool {
        let before = self.at;
        self.blank();
        let found = self.take(word);
        if !found {
            self.at = before;
        }
        found
    }

    pub(super) fn unexpected(&self, after: &str) -> Fault {
        match self.rest().chars().next() {
            None => Fault::syntax(self.at..self.at, format!("something is missing after {after}")),
            Some(c) => {
                let range = self.at..self.at + c.len_utf8();
                Fault::syntax(range, format!("`{c}` is not expected after {after}"))
            }
        }
    }

    fn enter(&mut self) -> Parsed<()> {
        if self.depth >= DEPTH {
            let why = format!("the expression is nested deeper than {DEPTH}");
            let fix = "split it, or shape the data in a component".to_owned();
            return Err(Fault { code: Code::Limit, range: self.at..self.at, why, fix });
        }
        self.depth += 1;
        Ok(())
    }

    pub(super) fn deeper<T>(&mut self, inner: impl FnOnce(&mut Self) -> Parsed<T>) -> Parsed<T> {
        self.enter()?;
        let parsed = inner(self);
        self.depth -= 1;
        parsed
    }

    /// A whole expression: `test ? one : other`, or what stands without a choice.
    fn choice(&mut self) -> Parsed<Expr> {
        self.enter()?;
        let test = self.operators(0)?;
        let expr = if self.take_after_blank("?") { self.chosen(test)? } else { test };
        self.depth -= 1;
        Ok(expr)
    }

    fn chosen(&mut self, test: Expr) -> Parsed<Expr> {
        let one = self.choice()?;
        if !self.take_after_blank(":") {
            return Err(self.unexpected("the first choice").fix("write `test ? one : other`"));
        }
        let other = self.choice()?;
        Ok(Expr::Choose(Box::new(test), Box::new(one), Box::new(other)))
    }

    /// A row of operators that bind at least so much, by precedence climbing: a function for each of them would take as many frames.
    fn operators(&mut self, least: u8) -> Parsed<Expr> {
        let mut expr = self.signed()?;
        for count in 0.. {
            let before = self.at;
            let Some(join) = self.join().filter(|join| join.binds() >= least) else {
                self.at = before;
                break;
            };
            if count > ROW {
                let why = format!("more than {ROW} operators stand in one row");
                let range = self.at..self.at;
                return Err(Fault { code: Code::Limit, range, why, fix: String::new() });
            }
            let other = self.operators(join.binds() + 1)?;
            expr = join.of(Box::new(expr), Box::new(other));
        }
        Ok(expr)
    }

    /// The operator that comes next.
    fn join(&mut self) -> Option<Join> {
        self.blank();
        let rest = self.rest();
        // Of the original, and none of ours: what follows tells them.
        if ["**", "<<", ">>", "=~"].iter().any(|sign| rest.starts_with(sign)) {
            return None;
        }
        let (sign, join) = JOINS.iter().find(|(sign, _)| rest.starts_with(sign))?;
        self.at += sign.len();
        Some(*join)
    }

    pub(super) fn comparator(&mut self) -> Option<Comparison> {
        let before = self.at;
        match self.join() {
            Some(Join::Compare(comparison)) => Some(comparison),
            _ => {
                self.at = before;
                None
            }
        }
    }

    fn signed(&mut self) -> Parsed<Expr> {
        self.blank();
        if self.rest().starts_with('!') && !self.rest().starts_with("!=") {
            self.at += 1;
            let of = self.deeper(Self::signed)?;
            let not = functions::find("not").ok_or_else(|| self.unexpected("`!`"))?;
            return Ok(Expr::Call(not, vec![of]));
        }
        if self.take("-") {
            // A number with its sign is one literal.
            if self.rest().starts_with(|c: char| c.is_ascii_digit()) {
                self.at -= 1;
                return self.number().map(Expr::Literal);
            }
            let of = self.deeper(Self::signed)?;
            return Ok(Expr::Negate(Box::new(of)));
        }
        self.primary()
    }

    fn primary(&mut self) -> Parsed<Expr> {
        let start = self.at;
        match self.rest().chars().next() {
            Some('$') => {
                let query = self.absolute()?;
                Ok(match query {
                    Query { start: Start::Slot(slot), segments } if segments.is_empty() => {
                        Expr::Slot(slot)
                    }
                    query => Expr::Query(query),
                })
            }
            Some('\'' | '"') => {
                let (text, end) = quoted(self.text, start)?;
                self.at = end;
                Ok(Expr::Literal(text.into()))
            }
            Some('`') => {
                let (value, end) = super::literal::json(self.text, start)?;
                self.at = end;
                Ok(Expr::Literal(value))
            }
            Some('(') => {
                self.at += 1;
                let inner = self.choice()?;
                if !self.take_after_blank(")") {
                    return Err(Fault::syntax(start..start + 1, "`(` is not closed by `)`"));
                }
                Ok(inner)
            }
            Some('0'..='9') => self.number().map(Expr::Literal),
            Some(c) if c.is_alphabetic() || c == '_' => self.word(),
            Some('@') => Err(Fault::syntax(
                start..start + 1,
                "`@` is the element that a filter looks at, and here is none",
            )
            .fix("the message itself is `$`")),
            Some(c) => {
                let why = format!("an expression cannot start with `{c}`");
                Err(Fault::syntax(start..start + c.len_utf8(), why)
                    .fix("a path starts with `$`, a text with a quote"))
            }
            None => Err(Fault::syntax(start..start, "an expression is missing here")
                .fix("write a path, such as `$.name`")),
        }
    }

    pub(super) fn number(&mut self) -> Parsed<Value> {
        let rest = self.rest();
        let bytes = rest.as_bytes();
        let digits = |from: usize| bytes[from..].iter().take_while(|b| b.is_ascii_digit()).count();
        let mut length = usize::from(rest.starts_with('-'));
        length += digits(length);
        if bytes.get(length) == Some(&b'.') && digits(length + 1) > 0 {
            length += 1 + digits(length + 1);
        }
        if matches!(bytes.get(length), Some(b'e' | b'E')) {
            let sign = usize::from(matches!(bytes.get(length + 1), Some(b'+' | b'-')));
            let exponent = digits((length + 1 + sign).min(bytes.len()));
            if exponent > 0 {
                length += 1 + sign + exponent;
            }
        }
        let range = self.at..self.at + length;
        let written = &self.text[range.clone()];
        let number = serde_json::from_str::<serde_json::Number>(written);
        let number =
            number.map_err(|_| Fault::syntax(range, format!("`{written}` is not a number")))?;
        self.at += length;
        Ok(number.into())
    }

    /// `true`, `null`, or a call.
    fn word(&mut self) -> Parsed<Expr> {
        let start = self.at;
        let is_word = |c: char| c.is_alphanumeric() || c == '_';
        let length = self.rest().find(|c| !is_word(c)).unwrap_or(self.rest().len());
        let word = self.rest()[..length].to_owned();
        self.at += length;
        let range = start..self.at;
        match &*word {
            "true" => return Ok(Expr::Literal(true.into())),
            "false" => return Ok(Expr::Literal(false.into())),
            "null" => return Ok(Expr::Literal(Value::Null)),
            _ => {}
        }
        if !self.take_after_blank("(") {
            let why = format!("`{word}` is neither a path nor a call");
            return Err(Fault::syntax(range, why)
                .fix(format!("write `$.{word}`, or `'{word}'` for the text")));
        }
        let function = known(&word, range.clone())?;
        let mut args = Vec::new();
        if !self.take_after_blank(")") {
            loop {
                args.push(self.choice()?);
                if self.take_after_blank(",") {
                    continue;
                }
                if self.take_after_blank(")") {
                    break;
                }
                self.blank();
                return Err(self
                    .unexpected("an argument")
                    .fix("arguments stand between `(` and `)`, with `,` between them"));
            }
        }
        counted(function, args.len(), range.clone())?;
        let deferred = function.takes.contains(&functions::Takes::Expression);
        if deferred {
            let why = format!("`{word}` takes an expression with `&`, which only JMESPath has");
            return Err(Fault::unsupported(range, why)
                .fix("write the whole expression in JMESPath, without `$`"));
        }
        Ok(Expr::Call(function, args))
    }

    // Paths and queries.

    /// A query that starts at the `$` that comes next. Its first steps, as long as each leads to one value, are the path of a slot.
    pub(super) fn absolute(&mut self) -> Parsed<Query> {
        let start = self.at;
        self.at += 1;
        let segments = self.segments()?;
        let is_one = |segment: &Segment| match segment {
            Segment::Child(selectors) => {
                matches!(selectors.as_slice(), [Selector::Name(_) | Selector::Index(_)])
            }
            Segment::Descend(_) => false,
        };
        let first = segments.iter().take_while(|segment| is_one(segment)).count();
        if first > path::LONGEST {
            let why = format!("the path has more than {} steps", path::LONGEST);
            return Err(Fault {
                code: Code::Limit,
                range: start..self.at,
                why,
                fix: String::new(),
            });
        }
        let mut segments = segments.into_iter();
        let steps = segments.by_ref().take(first).filter_map(|segment| match segment {
            Segment::Child(mut selectors) => match selectors.pop()? {
                Selector::Name(name) => Some(path::Segment::Key(name)),
                Selector::Index(index) => Some(path::Segment::Index(index)),
                _ => None,
            },
            Segment::Descend(_) => None,
        });
        let steps = steps.collect();
        Ok(Query { start: Start::Slot(self.paths.slot(steps)), segments: segments.collect() })
    }

    pub(super) fn segments(&mut self) -> Parsed<Vec<Segment>> {
        let mut segments = Vec::new();
        loop {
            let before = self.at;
            self.blank();
            if self.take("..") {
                segments.push(Segment::Descend(match self.rest().chars().next() {
                    Some('[') => self.bracketed()?,
                    Some('*') => {
                        self.at += 1;
                        vec![Selector::All]
                    }
                    _ => vec![Selector::Name(self.name(self.at - 1)?)],
                }));
            } else if self.rest().starts_with(".*") {
                self.at += 2;
                segments.push(Segment::Child(vec![Selector::All]));
            } else if self.rest().starts_with('.') {
                self.at += 1;
                segments.push(Segment::Child(vec![Selector::Name(self.name(self.at - 1)?)]));
            } else if self.rest().starts_with('[') {
                segments.push(Segment::Child(self.bracketed()?));
            } else {
                self.at = before;
                return Ok(segments);
            }
            if segments.len() > 4 * path::LONGEST {
                let why = format!("the query has more than {} steps", 4 * path::LONGEST);
                return Err(Fault {
                    code: Code::Limit,
                    range: before..self.at,
                    why,
                    fix: String::new(),
                });
            }
        }
    }

    /// The name after the dot at `dot`.
    fn name(&mut self, dot: usize) -> Parsed<String> {
        let (name, end) = path::name(self.text, dot)?;
        self.at = end;
        Ok(name)
    }

    fn bracketed(&mut self) -> Parsed<Vec<Selector>> {
        self.deeper(|parser| {
            let open = parser.at;
            parser.at += 1;
            let mut selectors = Vec::new();
            loop {
                parser.blank();
                selectors.push(parser.selector(open)?);
                parser.blank();
                if parser.take("]") {
                    return Ok(selectors);
                }
                if !parser.take(",") {
                    let fault =
                        Fault::syntax(open..parser.at.max(open + 1), "`[` is not closed by `]`");
                    return Err(fault.fix("write an index or a quoted name: `[0]`, `['name']`"));
                }
            }
        })
    }

    fn selector(&mut self, open: usize) -> Parsed<Selector> {
        match self.rest().chars().next() {
            Some('\'' | '"') => {
                let (name, end) = quoted(self.text, self.at)?;
                self.at = end;
                Ok(Selector::Name(name))
            }
            Some('*') => {
                self.at += 1;
                Ok(Selector::All)
            }
            Some('?') => {
                self.at += 1;
                self.blank();
                self.test_any().map(Selector::Filter)
            }
            Some('-' | '0'..='9' | ':') => self.index_or_slice(),
            Some(c) => {
                let range = self.at..self.at + c.len_utf8();
                let fault = Fault::syntax(range, format!("`{c}` cannot stand in brackets"));
                Err(fault.fix("write an index or a quoted name: `[0]`, `['name']`"))
            }
            None => Err(Fault::syntax(open..open + 1, "`[` is not closed by `]`")),
        }
    }

    fn index_or_slice(&mut self) -> Parsed<Selector> {
        let from = self.whole()?;
        let before = self.at;
        self.blank();
        if !self.take(":") {
            self.at = before;
            return from.map(Selector::Index).ok_or_else(|| self.unexpected("`[`"));
        }
        self.blank();
        let to = self.whole()?;
        let before = self.at;
        self.blank();
        let mut by = None;
        if self.take(":") {
            let after = self.at;
            self.blank();
            by = self.whole()?;
            if by.is_none() {
                self.at = after;
            }
        } else {
            self.at = before;
        }
        Ok(Selector::Slice { from, to, by: by.unwrap_or(1) })
    }

    /// A whole number, where one comes next.
    fn whole(&mut self) -> Parsed<Option<i64>> {
        if !self.rest().starts_with(|c: char| c == '-' || c.is_ascii_digit()) {
            return Ok(None);
        }
        let (index, end) = path::index(self.text, self.at)?;
        self.at = end;
        Ok(Some(index))
    }
}

/// The function of this name.
pub(super) fn known(word: &str, range: std::ops::Range<usize>) -> Parsed<&'static Function> {
    functions::find(word).ok_or_else(|| {
        let names = functions::ALL.iter().map(|function| function.name);
        let near = words::did_you_mean(word, names);
        Fault::syntax(range, format!("there is no function `{word}`{near}"))
            .fix("docs/mappings.md lists them")
    })
}

/// Whether a call has as many arguments as its function takes.
pub(super) fn counted(
    function: &Function,
    count: usize,
    range: std::ops::Range<usize>,
) -> Parsed<()> {
    functions::arity(function, count).map_err(|takes| {
        let name = function.name;
        let s = if takes == "1" || takes.ends_with(" 1") { "" } else { "s" };
        Fault::syntax(range, format!("`{name}` takes {takes} argument{s}, not {count}"))
    })
}
