//! The key of a map on the walk through a message: looked up, not kept.

use serde::Serialize;
use serde::ser::{Impossible, Serializer};

use super::paths::Wanted;

type Error = serde_json::Error;

/// The key of a map: looked up, not kept. Numbers and booleans are text there, as in JSON.
pub(super) struct Key<'a> {
    pub(super) wanted: &'a Wanted,
}

macro_rules! as_text {
    ($($method:ident($type:ty))*) => {
        $(fn $method(self, value: $type) -> Result<Self::Ok, Error> {
            Ok(self.wanted.key(&value.to_string()))
        })*
    };
}

macro_rules! no_key {
    ($($method:ident($($type:ty),*) -> $result:ty;)*) => {
        $(fn $method(self, $(_: $type),*) -> Result<$result, Error> { Err(not_a_key()) })*
    };
}

fn not_a_key() -> Error {
    serde::ser::Error::custom("the key of a map must be a text")
}

impl<'a> Serializer for Key<'a> {
    type Ok = Option<&'a Wanted>;
    type Error = Error;
    type SerializeSeq = Impossible<Self::Ok, Error>;
    type SerializeTuple = Impossible<Self::Ok, Error>;
    type SerializeTupleStruct = Impossible<Self::Ok, Error>;
    type SerializeTupleVariant = Impossible<Self::Ok, Error>;
    type SerializeMap = Impossible<Self::Ok, Error>;
    type SerializeStruct = Impossible<Self::Ok, Error>;
    type SerializeStructVariant = Impossible<Self::Ok, Error>;

    as_text! {
        serialize_bool(bool) serialize_i8(i8) serialize_i16(i16) serialize_i32(i32) serialize_i64(i64)
        serialize_i128(i128) serialize_u8(u8) serialize_u16(u16) serialize_u32(u32) serialize_u64(u64)
        serialize_u128(u128) serialize_char(char)
    }

    fn serialize_str(self, key: &str) -> Result<Self::Ok, Error> {
        Ok(self.wanted.key(key))
    }

    fn serialize_f32(self, key: f32) -> Result<Self::Ok, Error> {
        self.serialize_f64(f64::from(key))
    }

    fn serialize_f64(self, key: f64) -> Result<Self::Ok, Error> {
        let text = serde_json::Number::from_f64(key).ok_or_else(not_a_key)?.to_string();
        Ok(self.wanted.key(&text))
    }

    fn serialize_unit_variant(self, _: &str, _: u32, variant: &str) -> Result<Self::Ok, Error> {
        Ok(self.wanted.key(variant))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &str,
        value: &T,
    ) -> Result<Self::Ok, Error> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &str,
        _: u32,
        _: &str,
        _: &T,
    ) -> Result<Self::Ok, Error> {
        Err(not_a_key())
    }

    fn serialize_some<T: Serialize + ?Sized>(self, _: &T) -> Result<Self::Ok, Error> {
        Err(not_a_key())
    }

    no_key! {
        serialize_bytes(&[u8]) -> Self::Ok;
        serialize_none() -> Self::Ok;
        serialize_unit() -> Self::Ok;
        serialize_unit_struct(&'static str) -> Self::Ok;
        serialize_seq(Option<usize>) -> Self::SerializeSeq;
        serialize_tuple(usize) -> Self::SerializeTuple;
        serialize_tuple_struct(&'static str, usize) -> Self::SerializeTupleStruct;
        serialize_tuple_variant(&'static str, u32, &'static str, usize) -> Self::SerializeTupleVariant;
        serialize_map(Option<usize>) -> Self::SerializeMap;
        serialize_struct(&'static str, usize) -> Self::SerializeStruct;
        serialize_struct_variant(&'static str, u32, &'static str, usize) -> Self::SerializeStructVariant;
    }
}
