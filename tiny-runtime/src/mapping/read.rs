//! The walk through a message: a serializer that keeps what the plan wants and skips the rest.

use serde::Serialize;
use serde::ser::{
    SerializeMap, SerializeSeq, SerializeStruct, SerializeStructVariant, SerializeTuple,
    SerializeTupleStruct, SerializeTupleVariant, Serializer,
};
use serde_json::Value;
use serde_json::value::Serializer as ToValue;

use super::eval::{Eval, Failure, Got, Steps};
use super::key::Key;
use super::path::{Segment, follow, member};
use super::paths::Wanted;
use super::plan::{Computed, Plan};
use super::whole::Whole;
use super::{Held, MapError, Slots, stack};
use crate::component::json;
use crate::words;

/// Bytes of an expression in an error.
const SHOWN: usize = 200;

type Error = serde_json::Error;
type Filled = Vec<Option<Held>>;

/// Fills the slots from a Rust value.
pub(super) fn typed<T: Serialize + ?Sized>(plan: &Plan, message: &T) -> Result<Slots, MapError> {
    let mut slots = vec![None; plan.paths.len()];
    into(message, &plan.wanted, &mut slots)
        .map_err(|e| MapError(format!("the message cannot be read: {e}")))?;
    if !plan.computed.is_empty() {
        let values: Vec<_> = slots.iter().map(|held| held.as_ref().map(Held::value)).collect();
        for (slot, held) in compute(plan, &values)? {
            slots[slot] = held;
        }
    }
    Ok(Slots(slots))
}

/// Fills the slots from JSON. Only what the result takes as it is, is copied.
pub(super) fn value(plan: &Plan, message: &Value) -> Result<Slots, MapError> {
    let find = |path: &Option<Vec<Segment>>| follow(message, path.as_ref()?);
    let slots = plan.paths.iter().zip(&plan.uses).map(|(path, uses)| {
        let wanted = if *uses > 0 { find(path) } else { None };
        wanted.map(|value| Held::Value(value.clone()))
    });
    let mut slots: Filled = slots.collect();
    if !plan.computed.is_empty() {
        let values: Vec<_> = plan.paths.iter().map(find).collect();
        for (slot, held) in compute(plan, &values)? {
            slots[slot] = held;
        }
    }
    Ok(Slots(slots))
}

/// What the expressions of a plan give, each with its slot.
fn compute(plan: &Plan, values: &[Option<&Value>]) -> Result<Vec<(usize, Option<Held>)>, MapError> {
    let steps = Steps::default();
    let eval = Eval { slots: values, steps: &steps };
    let one = |computed: &Computed| {
        let Computed { expr, depth, slot, text, pointer } = computed;
        let evaluate = || eval.of(expr, &Value::Null);
        let deep = *depth > stack::SHALLOW;
        let got = if deep { stack::with_room(evaluate) } else { evaluate() };
        let got = got.map_err(|Failure(why)| {
            let field = pointer.trim_start_matches('/').replace('/', ".");
            let place = if field.is_empty() { String::new() } else { format!("`{field}`: ") };
            let text = words::shortened(text, SHOWN);
            MapError(format!("{place}`{{{{ {text} }}}}`: {why}"))
        })?;
        let held = match got {
            Got::Nothing => None,
            got => Some(Held::Value(got.into_value())),
        };
        Ok((*slot, held))
    };
    plan.computed.iter().map(one).collect()
}

/// Fills the slots below `wanted` from `value`.
fn fill(value: &Value, wanted: &Wanted, slots: &mut Filled) {
    if let Some(slot) = wanted.slot {
        slots[slot] = Some(Held::Value(value.clone()));
    }
    below(value, wanted, slots);
}

/// The same but for `value` itself.
fn below(value: &Value, wanted: &Wanted, slots: &mut Filled) {
    for (key, wanted) in &wanted.keys {
        if let Some(value) = value.as_object().and_then(|map| member(map, key)) {
            fill(value, wanted, slots);
        }
    }
    for (index, wanted) in &wanted.indices {
        if let Some(value) = element(value, *index) {
            fill(value, wanted, slots);
        }
    }
}

fn element(value: &Value, index: i64) -> Option<&Value> {
    follow(value, &[Segment::Index(index)])
}

/// Fills the slots below `wanted` from a Rust value.
fn into<T: Serialize + ?Sized>(
    message: &T,
    wanted: &Wanted,
    slots: &mut Filled,
) -> Result<(), Error> {
    if let Some(slot) = wanted.slot
        && json::may_be::<T>()
        && let Some(shared) = json::asked(|| message.serialize(Whole).is_ok())
    {
        below(&shared, wanted, slots);
        slots[slot] = Some(Held::Shared(shared));
        return Ok(());
    }
    // A value that is wanted whole is built, and so is a list of which an end is wanted: its length may come last.
    if wanted.slot.is_some() || wanted.indices.iter().any(|(index, _)| *index < 0) {
        fill(&serde_json::to_value(message)?, wanted, slots);
        return Ok(());
    }
    message.serialize(Reader { wanted, slots })
}

/// Reads a value of which only parts are wanted.
struct Reader<'a> {
    wanted: &'a Wanted,
    slots: &'a mut Filled,
}

macro_rules! skip {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, _: $type) -> Result<(), Error> { Ok(()) })*
    };
}

impl<'a> Serializer for Reader<'a> {
    type Ok = ();
    type Error = Error;
    type SerializeSeq = Elements<'a>;
    type SerializeTuple = Elements<'a>;
    type SerializeTupleStruct = Elements<'a>;
    type SerializeTupleVariant = Variant<'a, <ToValue as Serializer>::SerializeTupleVariant>;
    type SerializeMap = Entries<'a>;
    type SerializeStruct = Entries<'a>;
    type SerializeStructVariant = Variant<'a, <ToValue as Serializer>::SerializeStructVariant>;

    // A path cannot lead into one of these.
    skip! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_i128(i128) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_u128(u128) serialize_f32(f32) serialize_f64(f64) serialize_char(char) serialize_str(&str)
        serialize_unit_struct(&'static str)
    }

    fn serialize_bytes(self, bytes: &[u8]) -> Result<(), Error> {
        // JSON has no bytes: they are a list of numbers there.
        fill(&Value::from(bytes), self.wanted, self.slots);
        Ok(())
    }

    fn collect_str<T: std::fmt::Display + ?Sized>(self, _: &T) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_none(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit(self) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_unit_variant(self, _: &str, _: u32, _: &str) -> Result<(), Error> {
        Ok(())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &str,
        value: &T,
    ) -> Result<(), Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &str,
        _: u32,
        variant: &str,
        value: &T,
    ) -> Result<(), Error> {
        match self.wanted.key(variant) {
            Some(wanted) => into(value, wanted, self.slots),
            None => Ok(()),
        }
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<Elements<'a>, Error> {
        Ok(Elements { reader: self, index: 0 })
    }

    fn serialize_tuple(self, _: usize) -> Result<Elements<'a>, Error> {
        Ok(Elements { reader: self, index: 0 })
    }

    fn serialize_tuple_struct(self, _: &str, _: usize) -> Result<Elements<'a>, Error> {
        Ok(Elements { reader: self, index: 0 })
    }

    fn serialize_tuple_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeTupleVariant, Error> {
        let whole = self.wanted.key(variant).is_some();
        let whole = whole.then(|| ToValue.serialize_tuple_variant(name, index, variant, length));
        Ok(Variant { reader: self, whole: whole.transpose()? })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries<'a>, Error> {
        Ok(Entries { reader: self, next: None })
    }

    fn serialize_struct(self, _: &str, _: usize) -> Result<Entries<'a>, Error> {
        Ok(Entries { reader: self, next: None })
    }

    fn serialize_struct_variant(
        self,
        name: &'static str,
        index: u32,
        variant: &'static str,
        length: usize,
    ) -> Result<Self::SerializeStructVariant, Error> {
        let whole = self.wanted.key(variant).is_some();
        let whole = whole.then(|| ToValue.serialize_struct_variant(name, index, variant, length));
        Ok(Variant { reader: self, whole: whole.transpose()? })
    }
}

/// The elements of a list or tuple.
struct Elements<'a> {
    reader: Reader<'a>,
    index: i64,
}

impl Elements<'_> {
    fn element<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        let wanted = self.reader.wanted.indices.iter().find(|(index, _)| *index == self.index);
        self.index += 1;
        match wanted {
            Some((_, wanted)) => into(value, wanted, self.reader.slots),
            None => Ok(()),
        }
    }
}

macro_rules! elements {
    ($($trait:ident $method:ident)*) => {$(
        impl $trait for Elements<'_> {
            type Ok = ();
            type Error = Error;

            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
                self.element(value)
            }

            fn end(self) -> Result<(), Error> {
                Ok(())
            }
        }
    )*};
}

elements! { SerializeSeq serialize_element SerializeTuple serialize_element SerializeTupleStruct serialize_field }

/// The entries of a map or the fields of a struct.
struct Entries<'a> {
    reader: Reader<'a>,
    next: Option<&'a Wanted>,
}

impl SerializeMap for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Error> {
        let wanted = self.reader.wanted;
        self.next = key.serialize(Key { wanted })?;
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        match self.next.take() {
            Some(wanted) => into(value, wanted, self.reader.slots),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

impl SerializeStruct for Entries<'_> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        match self.reader.wanted.key(key) {
            Some(wanted) => into(value, wanted, self.reader.slots),
            None => Ok(()),
        }
    }

    fn end(self) -> Result<(), Error> {
        Ok(())
    }
}

/// An enum's variant with several fields: built whole when a path leads into it, which is rare.
struct Variant<'a, W> {
    reader: Reader<'a>,
    whole: Option<W>,
}

impl<W: SerializeTupleVariant<Ok = Value, Error = Error>> SerializeTupleVariant for Variant<'_, W> {
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Error> {
        self.whole.as_mut().map_or(Ok(()), |whole| whole.serialize_field(value))
    }

    fn end(self) -> Result<(), Error> {
        let whole = self.whole.map(SerializeTupleVariant::end).transpose()?;
        fill(&whole.unwrap_or_default(), self.reader.wanted, self.reader.slots);
        Ok(())
    }
}

impl<W: SerializeStructVariant<Ok = Value, Error = Error>> SerializeStructVariant
    for Variant<'_, W>
{
    type Ok = ();
    type Error = Error;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Error> {
        self.whole.as_mut().map_or(Ok(()), |whole| whole.serialize_field(key, value))
    }

    fn end(self) -> Result<(), Error> {
        let whole = self.whole.map(SerializeStructVariant::end).transpose()?;
        fill(&whole.unwrap_or_default(), self.reader.wanted, self.reader.slots);
        Ok(())
    }
}
