//! Which values may stand at some place: a union of forms, each with what is known of it.

use std::fmt;
use std::sync::Arc;

use serde_json::{Map, Value};

use super::document::Named;
use super::pattern::Pattern;
use crate::component::rules::Bound;

/// More forms than this at one place are any JSON: what grows in a circle comes to an end.
const FORMS: usize = 24;

/// What may stand at some place. Without forms nothing can: no message comes this way.
///
/// ```
/// use serde_json::json;
/// use tiny_runtime::mapping::Shape;
///
/// let shape = Shape::of(&json!({"type": ["string", "null"]}));
/// assert_eq!(shape.to_string(), "a text or null");
/// assert!(shape.has(&json!(null)) && !shape.has(&json!(1)));
/// ```
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Shape(pub(super) Vec<Possible>);

/// One of the forms that a value may have.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Possible {
    pub(super) form: Form,
    /// Why the value need not have this form; `None` for a form that is declared.
    pub(super) doubt: Option<Doubt>,
}

/// Values of one kind.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Form {
    /// There is no value, for this reason.
    Nothing(Arc<str>),
    Null,
    /// Both, or one of them.
    Bool(Option<bool>),
    Number(Numbers),
    Text(Arc<Texts>),
    List(Arc<List>),
    Object(Arc<Object>),
    /// Any JSON.
    Any,
    /// What a definition says.
    Named(Named),
    /// What a schema says in words that are not known here: as a target, nobody can tell whether something fits.
    Odd,
}

/// Numbers from the one to the other.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Numbers {
    /// Written without a fraction, also where that is zero.
    pub(super) whole: bool,
    pub(super) from: Option<Bound>,
    pub(super) to: Option<Bound>,
}

/// Texts.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Texts {
    pub(super) choices: Option<Vec<Arc<str>>>,
    pub(super) format: Option<Arc<str>>,
    pub(super) pattern: Option<Pattern>,
    /// In characters.
    pub(super) least: u64,
    pub(super) most: Option<u64>,
}

/// Lists: the first elements one by one, then any number of others.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct List {
    pub(super) first: Vec<Shape>,
    pub(super) rest: Shape,
    pub(super) least: u64,
    pub(super) most: Option<u64>,
    pub(super) unique: bool,
}

/// Objects.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Object {
    /// What its definition is called.
    pub(super) name: Option<Arc<str>>,
    pub(super) fields: Vec<(Arc<str>, Field)>,
    pub(super) rest: Rest,
}

/// A field that an object declares.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    pub(super) shape: Shape,
    /// It must be there when the object is read.
    pub(super) required: bool,
    /// It is there whenever the object was written.
    pub(super) sent: bool,
}

/// Keys beside those that are declared.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Rest {
    /// Nobody writes them, and whoever reads looks over them.
    Ignored,
    /// They are refused.
    Denied,
    /// Any keys, with these values.
    Keys(Shape),
    /// Keys of this pattern, with these values; others are refused.
    Like(Pattern, Shape),
}

/// Why a form is possible, and no more than that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Doubt {
    /// A schema says no type.
    Untyped,
    /// A circle of edges makes it larger with each turn.
    Grows,
    /// A list may be shorter.
    Shorter,
    /// A map need not have a key.
    Key,
    /// A schema lets a field be left out.
    LeftOut,
    /// A function or operator has no value for all that it takes.
    Partial(&'static str),
    /// A result may leave what a whole number holds.
    Overflow,
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Untyped => f.write_str("nothing says what type it has"),
            Self::Grows => {
                f.write_str("it grows with each turn of a circle of edges, so its type has no end")
            }
            Self::Shorter => f.write_str("the list may be shorter"),
            Self::Key => f.write_str("a map has any keys"),
            Self::LeftOut => f.write_str("it may be left out"),
            Self::Partial(name) => write!(f, "`{name}` has no result for some values"),
            Self::Overflow => f.write_str("the result may be larger than JSON's numbers"),
        }
    }
}

impl Form {
    pub(super) fn nothing(why: impl Into<Arc<str>>) -> Self {
        Self::Nothing(why.into())
    }

    pub(super) fn text() -> Self {
        Self::Text(Arc::default())
    }

    pub(super) fn whole() -> Self {
        Self::Number(Numbers { whole: true, from: None, to: None })
    }

    pub(super) fn real() -> Self {
        Self::Number(Numbers { whole: false, from: None, to: None })
    }

    /// A list of any length.
    pub(super) fn list(of: Shape) -> Self {
        Self::List(Arc::new(List {
            first: Vec::new(),
            rest: of,
            least: 0,
            most: None,
            unique: false,
        }))
    }

    pub(super) fn object(fields: Vec<(Arc<str>, Field)>) -> Self {
        Self::Object(Arc::new(Object { name: None, fields, rest: Rest::Ignored }))
    }
}

impl Field {
    /// One that is there.
    pub(super) fn there(shape: Shape) -> Self {
        Self { shape, required: true, sent: true }
    }
}

impl List {
    /// The element at this place, counted from the start.
    pub(super) fn element(&self, at: usize) -> &Shape {
        self.first.get(at).unwrap_or(&self.rest)
    }

    /// What any element may be.
    pub(super) fn any(&self) -> Shape {
        let most = self.most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
        let first = self.first.iter().take(most);
        let mut all: Shape = first.flat_map(|shape| shape.0.iter().cloned()).collect();
        if most > self.first.len() {
            all.join(&self.rest);
        }
        all
    }
}

impl Object {
    pub(super) fn field(&self, name: &str) -> Option<&Field> {
        self.fields.iter().find(|(own, _)| **own == *name).map(|(_, field)| field)
    }
}

impl From<Form> for Shape {
    fn from(form: Form) -> Self {
        Self(vec![Possible { form, doubt: None }])
    }
}

impl FromIterator<Possible> for Shape {
    fn from_iter<I: IntoIterator<Item = Possible>>(forms: I) -> Self {
        let mut all = Self::default();
        forms.into_iter().for_each(|form| all.add(form));
        all
    }
}

impl Shape {
    /// What a schema without a document says, or a whole document of the dialect.
    pub fn of(schema: &Value) -> Self {
        super::Document::of(schema).shape()
    }

    /// Any JSON, of which nothing is known.
    pub fn any() -> Self {
        Self(vec![Possible { form: Form::Any, doubt: Some(Doubt::Untyped) }])
    }

    /// Any JSON but null.
    pub(super) fn something(doubt: Option<Doubt>) -> Self {
        let object = Object { name: None, fields: Vec::new(), rest: Rest::Keys(Self::any()) };
        let all = [
            Form::Bool(None),
            Form::real(),
            Form::text(),
            Form::list(Self::any()),
            Form::Object(Arc::new(object)),
        ];
        all.into_iter().map(|form| Possible { form, doubt: doubt.clone() }).collect()
    }

    /// No value at all: nothing comes this way.
    pub fn none() -> Self {
        Self::default()
    }

    /// True where something is known of each value.
    pub fn is_typed(&self) -> bool {
        self.0.iter().all(|it| !matches!(it.form, Form::Any | Form::Odd))
    }

    /// True where no value can be.
    pub fn is_none(&self) -> bool {
        self.0.is_empty()
    }

    /// Exactly this value.
    pub fn value(value: &Value) -> Self {
        let form = match value {
            Value::Null => Form::Null,
            Value::Bool(truth) => Form::Bool(Some(*truth)),
            Value::Number(number) => {
                let bound = match number.as_i128() {
                    Some(whole) => Bound::Whole(whole),
                    None => Bound::Real(number.as_f64().unwrap_or_default()),
                };
                Form::Number(Numbers {
                    whole: !number.is_f64(),
                    from: Some(bound),
                    to: Some(bound),
                })
            }
            Value::String(text) => Form::Text(Arc::new(Texts {
                choices: Some(vec![text.as_str().into()]),
                ..Texts::default()
            })),
            Value::Array(items) => Form::List(Arc::new(List {
                first: items.iter().map(Self::value).collect(),
                rest: Self::none(),
                least: items.len() as u64,
                most: Some(items.len() as u64),
                unique: false,
            })),
            Value::Object(map) => Form::object(fields(map)),
        };
        form.into()
    }

    /// All of both.
    #[must_use]
    pub fn or(mut self, other: &Self) -> Self {
        self.join(other);
        self
    }

    pub(super) fn join(&mut self, other: &Self) {
        for possible in &other.0 {
            self.add(possible.clone());
        }
    }

    /// With one more form, of which nobody knows whether it comes.
    pub(super) fn perhaps(mut self, form: Form, doubt: Doubt) -> Self {
        self.add(Possible { form, doubt: Some(doubt) });
        self
    }

    /// The same, each form of it with a doubt where it has none yet.
    pub(super) fn doubted(self, doubt: &Doubt) -> Self {
        let doubted =
            |it: Possible| Possible { doubt: it.doubt.or_else(|| Some(doubt.clone())), ..it };
        Self(self.0.into_iter().map(doubted).collect())
    }

    /// Adds a form; forms that say the same become one. What is declared outweighs what is only possible.
    pub(super) fn add(&mut self, new: Possible) {
        for own in &mut self.0 {
            let same_doubt = own.doubt == new.doubt;
            match (&mut own.form, &new.form) {
                (Form::Nothing(why), Form::Nothing(other)) => {
                    if own.doubt.is_some() && new.doubt.is_none() {
                        *why = other.clone();
                    }
                }
                (Form::Bool(one), Form::Bool(other)) if same_doubt => {
                    if *one != *other {
                        *one = None;
                    }
                }
                (Form::Number(one), Form::Number(other))
                    if same_doubt && one.whole == other.whole =>
                {
                    *one = one.hull(*other);
                }
                (Form::Text(one), Form::Text(other))
                    if same_doubt && one.are_chosen() && other.are_chosen() =>
                {
                    let one = Arc::make_mut(one).choices.get_or_insert_default();
                    for choice in other.choices.iter().flatten() {
                        if !one.contains(choice) {
                            one.push(choice.clone());
                        }
                    }
                }
                (one, other) if *one == *other => {}
                _ => continue,
            }
            if new.doubt.is_none() {
                own.doubt = None;
            }
            return;
        }
        self.0.push(new);
        if self.0.len() > FORMS {
            *self = Self(vec![Possible { form: Form::Any, doubt: Some(Doubt::Untyped) }]);
        }
    }

    /// Without this form of emptiness.
    pub(super) fn without(self, gone: impl Fn(&Form) -> bool) -> Self {
        Self(self.0.into_iter().filter(|it| !gone(&it.form)).collect())
    }

    /// The same where a path that leads nowhere gives null.
    pub(super) fn null_for_nothing(self) -> Self {
        let nulled = |it: Possible| match it.form {
            Form::Nothing(_) => Possible { form: Form::Null, ..it },
            _ => it,
        };
        self.0.into_iter().map(nulled).collect()
    }

    /// The forms, with what definitions say in the place of their names.
    pub(super) fn forms(&self) -> Vec<Possible> {
        let mut open = Vec::new();
        self.open_into(&mut open, None, 0);
        open
    }

    fn open_into(&self, open: &mut Vec<Possible>, doubt: Option<&Doubt>, depth: usize) {
        for it in &self.0 {
            let doubt = it.doubt.as_ref().or(doubt);
            match &it.form {
                // A definition that is nothing but itself says nothing.
                Form::Named(_) if depth > 32 => {}
                Form::Named(named) => named.shape().open_into(open, doubt, depth + 1),
                form => open.push(Possible { form: form.clone(), doubt: doubt.cloned() }),
            }
        }
    }
}

fn fields(map: &Map<String, Value>) -> Vec<(Arc<str>, Field)> {
    map.iter()
        .map(|(key, value)| (key.as_str().into(), Field::there(Shape::value(value))))
        .collect()
}

impl Texts {
    /// True when nothing but the choices is said.
    fn are_chosen(&self) -> bool {
        self.choices.is_some() && *self == Self { choices: self.choices.clone(), ..Self::default() }
    }
}

impl Numbers {
    /// From the smaller start to the larger end.
    fn hull(self, other: Self) -> Self {
        let from = match (self.from, other.from) {
            (Some(one), Some(other)) => Some(if other.is_below(one) { other } else { one }),
            _ => None,
        };
        let to = match (self.to, other.to) {
            (Some(one), Some(other)) => Some(if one.is_below(other) { other } else { one }),
            _ => None,
        };
        Self { from, to, ..self }
    }

    /// Whether all of them are within `other`.
    pub(super) fn are_within(self, other: Self) -> bool {
        let above =
            other.from.is_none_or(|least| self.from.is_some_and(|from| !from.is_below(least)));
        let below = other.to.is_none_or(|most| self.to.is_some_and(|to| !most.is_below(to)));
        above && below
    }

    /// Whether none of them is within `other`.
    pub(super) fn are_outside(self, other: Self) -> bool {
        let below = self.to.zip(other.from).is_some_and(|(to, least)| to.is_below(least));
        let above = self.from.zip(other.to).is_some_and(|(from, most)| most.is_below(from));
        below || above
    }
}
