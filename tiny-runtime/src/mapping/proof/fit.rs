//! Whether all that may stand at one place may stand at another, as serde reads it.

use std::sync::Arc;

use super::format;
use super::shape::{Doubt, Form, List, Numbers, Object, Possible, Rest, Shape, Texts};
use crate::component::rules::Bound;
use crate::words;

/// Whether a shape fits into another.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Fit {
    /// Every value of it does.
    Fits,
    /// Some may not.
    Doubtful(Misfit),
    /// Some that are declared do not.
    Misfit(Misfit),
}

/// What kind of misfit it is: a message shows a misfit only by one of the same kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Cause {
    /// A value is of another type, or is not there.
    Type,
    /// A value is of the type, and yet none of those that are taken.
    Value,
    /// An expression has no value.
    Expression,
}

/// What does not fit, or may not.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Misfit {
    pub(super) cause: Cause,
    /// JSON pointer, from where the comparison began.
    pub(super) at: String,
    /// In words that follow "it": `may be null, and a text is wanted`.
    pub(super) why: String,
}

impl Fit {
    fn rank(&self) -> u8 {
        match self {
            Self::Fits => 0,
            Self::Doubtful(_) => 1,
            Self::Misfit(_) => 2,
        }
    }

    /// The worse of both, the first of two that are as bad.
    pub(super) fn and(self, other: impl FnOnce() -> Self) -> Self {
        if self.rank() == 2 {
            return self;
        }
        let other = other();
        if other.rank() > self.rank() { other } else { self }
    }

    /// The better of both.
    fn or(self, other: impl FnOnce() -> Self) -> Self {
        if self.rank() == 0 {
            return self;
        }
        let other = other();
        if other.rank() < self.rank() { other } else { self }
    }

    /// No more than a doubt, for this reason.
    fn softened(self, doubt: Option<&Doubt>) -> Self {
        match (self, doubt) {
            (Self::Misfit(Misfit { cause, at, why }), Some(doubt)) => {
                // Some say it already.
                let doubt = doubt.to_string();
                let why = if why.contains(&doubt) { why } else { format!("{why}: {doubt}") };
                Self::Doubtful(Misfit { cause, at, why })
            }
            (fit, _) => fit,
        }
    }

    fn below(self, step: &str) -> Self {
        let down = |Misfit { cause, at, why }: Misfit| Misfit {
            cause,
            at: format!("/{}{at}", step.replace('~', "~0").replace('/', "~1")),
            why,
        };
        match self {
            Self::Fits => Self::Fits,
            Self::Doubtful(it) => Self::Doubtful(down(it)),
            Self::Misfit(it) => Self::Misfit(down(it)),
        }
    }
}

fn misfit(why: impl Into<String>) -> Fit {
    Fit::Misfit(Misfit { cause: Cause::Type, at: String::new(), why: why.into() })
}

/// A value of the right type that is not taken.
fn refused(why: impl Into<String>) -> Fit {
    Fit::Misfit(Misfit { cause: Cause::Value, at: String::new(), why: why.into() })
}

fn doubtful(why: impl Into<String>) -> Fit {
    Fit::Doubtful(Misfit { cause: Cause::Value, at: String::new(), why: why.into() })
}

/// Where a value stands: what becomes of a path that leads nowhere depends on it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The message itself.
    Top,
    /// A field, which is left out; it need not be there.
    Optional,
    /// A field that must be there.
    Required,
    /// An element of a list: null.
    Element,
}

/// Pairs of definitions that are being compared: what holds itself fits if all else does.
type Assumed = Vec<((usize, Arc<str>), (usize, Arc<str>))>;

/// Whether `given` fits where `wanted` is wanted.
pub(super) fn fit(given: &Shape, wanted: &Shape, place: Place) -> Fit {
    shapes(given, wanted, place, &mut Vec::new())
}

fn shapes(given: &Shape, wanted: &Shape, place: Place, assumed: &mut Assumed) -> Fit {
    let mut whole = Fit::Fits;
    let mut wanted_forms = None;
    for it in &given.0 {
        if let (Form::Named(one), [Possible { form: Form::Named(other), .. }]) =
            (&it.form, &*wanted.0)
        {
            let pair = (one.key(), other.key());
            if pair.0 == pair.1 || assumed.contains(&pair) {
                continue;
            }
            assumed.push(pair);
            let fit = shapes(&one.shape(), &other.shape(), place, assumed);
            assumed.pop();
            whole = whole.and(|| fit.softened(it.doubt.as_ref()));
            continue;
        }
        if let Form::Named(one) = &it.form {
            let fit = shapes(&one.shape(), wanted, place, assumed);
            whole = whole.and(|| fit.softened(it.doubt.as_ref()));
            continue;
        }
        let wanted_forms = wanted_forms.get_or_insert_with(|| wanted.forms());
        let fit = form(it, wanted, wanted_forms, place, assumed);
        whole = whole.and(|| fit.softened(it.doubt.as_ref()));
    }
    whole
}

fn form(
    it: &Possible,
    wanted: &Shape,
    forms: &[Possible],
    place: Place,
    assumed: &mut Assumed,
) -> Fit {
    let has = |kind: fn(&Form) -> bool| forms.iter().any(|it| kind(&it.form));
    let takes_any = has(|form| matches!(form, Form::Any));
    let is_odd = has(|form| matches!(form, Form::Odd));
    let no = || {
        if is_odd {
            return doubtful(format!(
                "is compared with a schema that says more than is read here ({wanted})"
            ));
        }
        let given = Shape(vec![Possible { form: it.form.clone(), doubt: None }]);
        // What is written out as a text is easily taken for what it looks like.
        let text = if matches!(it.form, Form::Text(_)) && !given.to_string().starts_with("a text") {
            "the text "
        } else {
            ""
        };
        misfit(format!("may be {text}{given}, and {wanted} is wanted{}", hint(&it.form, forms)))
    };
    match &it.form {
        Form::Nothing(why) => match place {
            Place::Optional => Fit::Fits,
            Place::Element if takes_any || has(|form| matches!(form, Form::Null)) => Fit::Fits,
            Place::Top if has(|form| matches!(form, Form::Null)) => Fit::Fits,
            _ if is_odd => no(),
            Place::Required => {
                misfit(format!("may give nothing ({why}), and the field is required"))
            }
            Place::Top | Place::Element => {
                misfit(format!("may give nothing ({why}), and {wanted} is wanted"))
            }
        },
        Form::Any if takes_any => Fit::Fits,
        Form::Any => doubtful(format!(
            "may be any JSON, and {wanted} is wanted: {}",
            it.doubt.as_ref().unwrap_or(&Doubt::Untyped)
        )),
        Form::Odd => {
            if takes_any {
                Fit::Fits
            } else {
                doubtful("comes from a schema that says more than is read here")
            }
        }
        _ if takes_any => Fit::Fits,
        Form::Null => {
            if has(|form| matches!(form, Form::Null)) {
                Fit::Fits
            } else {
                no()
            }
        }
        Form::Bool(given) => {
            let fits = |form: &Form| matches!(form, Form::Bool(wanted) if wanted.is_none() || wanted == given);
            if forms.iter().any(|it| fits(&it.form)) { Fit::Fits } else { no() }
        }
        Form::Number(given) => best(forms, no, |form| match form {
            Form::Number(wanted) => Some(numbers(*given, *wanted)),
            _ => None,
        }),
        Form::Text(given) => texts_in(given, forms, no),
        Form::List(given) => best(forms, no, |form| match form {
            Form::List(wanted) => Some(lists(given, wanted, assumed)),
            _ => None,
        }),
        Form::Object(given) => objects_in(given, forms, no, assumed),
        Form::Named(_) => unreachable!("definitions are opened before"),
    }
}

/// What can be done about a form that is not wanted.
fn hint(given: &Form, wanted: &[Possible]) -> &'static str {
    let wants = |kind: fn(&Form) -> bool| wanted.iter().any(|it| kind(&it.form));
    match given {
        Form::Null => "; `coalesce` gives another value in its place",
        Form::Number(_) | Form::Bool(_) if wants(|form| matches!(form, Form::Text(_))) => {
            "; `string` makes a text of it"
        }
        Form::Text(_) | Form::Number(_) | Form::Bool(_) | Form::Object(_)
            if wants(|form| matches!(form, Form::List(_))) =>
        {
            "; `to_array` makes a list of it"
        }
        _ => "",
    }
}

/// The best of all wanted forms of the same kind; `no` where there is none.
fn best(
    forms: &[Possible],
    no: impl Fn() -> Fit,
    mut fits: impl FnMut(&Form) -> Option<Fit>,
) -> Fit {
    let mut found: Option<Fit> = None;
    for it in forms {
        if let Some(fit) = fits(&it.form) {
            found = Some(match found {
                None => fit,
                Some(other) => closer(other, fit),
            });
        }
    }
    let odd = forms.iter().any(|it| matches!(it.form, Form::Odd));
    match found {
        Some(Fit::Misfit(it)) if odd => Fit::Doubtful(it),
        Some(fit) => fit,
        None => no(),
    }
}

fn numbers(given: Numbers, wanted: Numbers) -> Fit {
    let shown = |it: Numbers| Shape::from(Form::Number(it)).to_string();
    if wanted.whole && !given.whole {
        return misfit(format!("may be {}, and {} is wanted", shown(given), shown(wanted)));
    }
    if given.are_within(wanted) {
        return Fit::Fits;
    }
    let range = range(wanted);
    if given.are_outside(wanted) {
        return refused(format!("is {}, and it must be {range}", shown(given)));
    }
    doubtful(format!("must be {range}, and it may be {}", shown(given)))
}

/// The bounds of a number in words.
pub(super) fn range(numbers: Numbers) -> String {
    let bound = |bound: Bound| bound.to_string();
    match (numbers.from, numbers.to) {
        (Some(from), Some(to)) => format!("from {} to {}", bound(from), bound(to)),
        (Some(from), None) => format!("at least {}", bound(from)),
        (None, Some(to)) => format!("at most {}", bound(to)),
        (None, None) => "any number".to_owned(),
    }
}

/// Texts may be spread over several forms: each choice is looked for in all of them.
fn texts_in(given: &Texts, forms: &[Possible], no: impl Fn() -> Fit) -> Fit {
    let Some(choices) = given.choices.as_ref().filter(|choices| choices.len() > 1) else {
        return best(forms, no, |form| text_of(given, form));
    };
    let mut whole = Fit::Fits;
    for choice in choices {
        let only = Texts { choices: Some(vec![choice.clone()]), ..Texts::default() };
        whole = whole.and(|| best(forms, &no, |form| text_of(&only, form)));
    }
    whole
}

fn text_of(given: &Texts, form: &Form) -> Option<Fit> {
    match form {
        Form::Text(wanted) => Some(texts(given, wanted)),
        _ => None,
    }
}

fn texts(given: &Texts, wanted: &Texts) -> Fit {
    if let Some(choices) = &given.choices {
        let all = choices.iter().map(|choice| chosen(choice, wanted));
        return all.fold(Fit::Fits, |whole, fit| whole.and(|| fit));
    }
    let shown = |it: &Texts| Shape::from(Form::Text(Arc::new(it.clone()))).to_string();
    if let Some(choices) = &wanted.choices {
        let listed = words::list(choices.iter().map(AsRef::as_ref));
        return doubtful(format!("may be any text, and it must be one of {listed}"));
    }
    // One word is the format of two types, which read differently.
    let same = |format: &Arc<str>| given.format.as_ref() == Some(format) && **format != *"timespan";
    if let Some(format) = &wanted.format
        && !same(format)
        && !is_part(given.format.as_deref(), format)
    {
        return doubtful(format!("may be {}, and {} is wanted", shown(given), shown(wanted)));
    }
    if let Some(pattern) = &wanted.pattern
        && given.pattern.as_ref() != Some(pattern)
    {
        return doubtful(format!("must match the pattern `{pattern}`"));
    }
    length(given.least, given.most, wanted.least, wanted.most, "character")
}

fn is_part(given: Option<&str>, wanted: &str) -> bool {
    wanted == "ip" && matches!(given, Some("ipv4" | "ipv6"))
}

/// Whether a text that is known is one of the wanted ones.
pub(super) fn chosen(choice: &str, wanted: &Texts) -> Fit {
    if let Some(choices) = &wanted.choices {
        if choices.iter().any(|it| **it == *choice) {
            return Fit::Fits;
        }
        let names = || choices.iter().map(AsRef::as_ref);
        let near = words::did_you_mean(choice, names());
        return refused(format!(
            "may be `{choice}`{near}, and it must be one of {}",
            words::list(names())
        ));
    }
    if let Some(pattern) = &wanted.pattern {
        match pattern.is_in(choice) {
            Some(true) => {}
            Some(false) => {
                return refused(format!(
                    "may be `{choice}`, and it must match the pattern `{pattern}`"
                ));
            }
            None => return doubtful(format!("must match the pattern `{pattern}`")),
        }
    }
    let count = choice.chars().count() as u64;
    let long = length(count, Some(count), wanted.least, wanted.most, "character");
    long.and(|| match wanted.format.as_ref().map(|format| (format, format::has(choice, format))) {
        Some((format, Some(false))) => {
            refused(format!("may be `{choice}`, which has not the format `{format}`"))
        }
        Some((format, None)) => {
            doubtful(format!("must have the format `{format}`, and it may be `{choice}`"))
        }
        _ => Fit::Fits,
    })
}

fn length(least: u64, most: Option<u64>, from: u64, to: Option<u64>, of: &str) -> Fit {
    let short = most.is_some_and(|most| most < from);
    let long = to.is_some_and(|to| least > to);
    let s = |count: u64| if count == 1 { "" } else { "s" };
    let must = if least < from {
        format!("must have at least {from} {of}{}", s(from))
    } else {
        let to = to.unwrap_or_default();
        format!("must have at most {to} {of}{}", s(to))
    };
    if short || long {
        return refused(must);
    }
    let within = least >= from && to.is_none_or(|to| most.is_some_and(|most| most <= to));
    if within { Fit::Fits } else { doubtful(must) }
}

fn lists(given: &List, wanted: &List, assumed: &mut Assumed) -> Fit {
    let mut whole = length(given.least, given.most, wanted.least, wanted.most, "element");
    if wanted.unique && !given.unique && given.most.is_none_or(|most| most > 1) {
        whole = whole.and(|| doubtful("must not have an element twice"));
    }
    let most = given.most.map_or(usize::MAX, |most| usize::try_from(most).unwrap_or(usize::MAX));
    let single = given.first.len().max(wanted.first.len()).min(most);
    for at in 0..single {
        let element = |assumed: &mut Assumed| {
            shapes(given.element(at), wanted.element(at), Place::Element, assumed)
                .below(&at.to_string())
        };
        whole = whole.and(|| element(assumed));
    }
    if most > single {
        let at = single.to_string();
        whole = whole.and(|| shapes(&given.rest, &wanted.rest, Place::Element, assumed).below(&at));
    }
    whole
}

fn objects_in(
    given: &Object,
    forms: &[Possible],
    no: impl Fn() -> Fit,
    assumed: &mut Assumed,
) -> Fit {
    let others = |one: &Arc<Object>| {
        let one = one.clone();
        forms.iter().filter_map(move |it| match &it.form {
            Form::Object(other) if !Arc::ptr_eq(other, &one) => Some(other),
            _ => None,
        })
    };
    best(forms, no, |form| {
        let Form::Object(one) = form else { return None };
        let fit = objects(given, one, assumed);
        if fit != Fit::Fits {
            return Some(fit);
        }
        // What another variant has is refused beside this one by some ways to tag.
        let may_have = |key: &str| {
            given.field(key).is_some() || !matches!(given.rest, Rest::Ignored | Rest::Denied)
        };
        let mut foreign = others(one).flat_map(|other| &other.fields);
        let foreign = foreign.find(|(key, _)| one.field(key).is_none() && may_have(key));
        Some(match foreign {
            Some((key, _)) => doubtful(format!("may have `{key}`, which another variant has")),
            None => fit,
        })
    })
}

/// The better of two; of two misfits the one that lies deeper, which is the likelier to be meant.
fn closer(one: Fit, other: Fit) -> Fit {
    match (&one, &other) {
        (Fit::Misfit(first), Fit::Misfit(second)) if depth(&second.at) > depth(&first.at) => other,
        _ => one.or(|| other),
    }
}

pub(super) fn depth(pointer: &str) -> usize {
    pointer.matches('/').count()
}

fn objects(given: &Object, wanted: &Object, assumed: &mut Assumed) -> Fit {
    let mut whole = Fit::Fits;
    for (key, want) in &wanted.fields {
        let place = if want.required { Place::Required } else { Place::Optional };
        let field = |assumed: &mut Assumed| match (given.field(key), &given.rest) {
            (Some(own), _) => {
                let fit = shapes(&own.shape, &want.shape, place, assumed);
                fit.and(|| {
                    if own.sent || !want.required {
                        Fit::Fits
                    } else {
                        doubtful(format!("is required, and {}", Doubt::LeftOut))
                    }
                })
            }
            (None, Rest::Keys(values)) => {
                let fit = shapes(values, &want.shape, place, assumed);
                fit.softened(Some(&Doubt::Key)).and(|| {
                    if want.required {
                        doubtful(format!("is required, and {}", Doubt::Key))
                    } else {
                        Fit::Fits
                    }
                })
            }
            (None, Rest::Like(pattern, values)) => match pattern.is_in(key) {
                Some(false) if want.required => misfit("is required, and nothing feeds it"),
                Some(false) => Fit::Fits,
                _ => shapes(values, &want.shape, place, assumed).softened(Some(&Doubt::Key)).and(
                    || {
                        if want.required {
                            doubtful(format!("is required, and {}", Doubt::Key))
                        } else {
                            Fit::Fits
                        }
                    },
                ),
            },
            (None, Rest::Ignored | Rest::Denied) if want.required => {
                misfit("is required, and nothing feeds it")
            }
            (None, _) => Fit::Fits,
        };
        whole = whole.and(|| field(assumed).below(key));
    }
    for (key, own) in given.fields.iter().filter(|(key, _)| wanted.field(key).is_none()) {
        let field = |assumed: &mut Assumed| match &wanted.rest {
            Rest::Ignored => Fit::Fits,
            Rest::Denied if is_nothing(&own.shape) => Fit::Fits,
            Rest::Denied => misfit("is no field there, and others are refused"),
            Rest::Keys(values) => shapes(&own.shape, values, Place::Optional, assumed),
            Rest::Like(pattern, values) => match pattern.has_key(key) {
                Some(true) => shapes(&own.shape, values, Place::Optional, assumed),
                Some(false) => misfit(format!("is no key that matches `{pattern}`")),
                None => doubtful(format!("must be a key of `{pattern}`, and not too large")),
            },
        };
        whole = whole.and(|| field(assumed).below(key));
    }
    whole.and(|| match (&given.rest, &wanted.rest) {
        (Rest::Ignored | Rest::Denied, _) | (_, Rest::Ignored) => Fit::Fits,
        (_, Rest::Denied) => doubtful(format!("may have other keys: {}", Doubt::Key)),
        (Rest::Keys(one) | Rest::Like(_, one), Rest::Keys(other)) => {
            shapes(one, other, Place::Optional, assumed).below("*")
        }
        (Rest::Like(one, values), Rest::Like(other, wanted))
            if one == other && !one.is_of_numbers() =>
        {
            shapes(values, wanted, Place::Optional, assumed).below("*")
        }
        (_, Rest::Like(pattern, _)) => {
            doubtful(format!("may have keys that are none of `{pattern}`, or too large"))
        }
    })
}

fn is_nothing(shape: &Shape) -> bool {
    shape.0.iter().all(|it| matches!(it.form, Form::Nothing(_)))
}
