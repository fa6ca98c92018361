//! The encodings of protobuf's JSON: bytes as base64, 64-bit numbers as strings,
//! times as RFC 3339. Values that are zero are left out, or written as `null`. Of any JSON
//! from outside, no object may have the same key twice.

use std::fmt;

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE};
use serde::Deserialize;
use serde::de::{self, Deserializer, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// Bytes, written as base64.
#[derive(Clone, Default, PartialEq, Eq)]
pub(crate) struct Base64(pub Vec<u8>);

impl fmt::Debug for Base64 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&BASE64_STANDARD.encode(&self.0))
    }
}

impl<'de> Deserialize<'de> for Base64 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl Visitor<'_> for Text {
            type Value = Base64;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("base64")
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Base64, E> {
                any_base64(text)
                    .map(Base64)
                    .map_err(|error| E::custom(format!("not base64: {error}")))
            }
        }
        deserializer.deserialize_str(Text)
    }
}

/// Decodes base64 as the readers of protobuf's JSON do: of either alphabet, with padding or
/// without, and with line ends in it.
fn any_base64(text: &str) -> Result<Vec<u8>, base64::DecodeError> {
    const BARE: GeneralPurposeConfig =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::RequireNone);
    const BARE_STANDARD: GeneralPurpose = GeneralPurpose::new(&STANDARD, BARE);
    const BARE_OF_URLS: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, BARE);
    if text.contains(['\r', '\n']) {
        return any_base64(&text.replace(['\r', '\n'], ""));
    }
    match (text.contains(['-', '_']), text.len() % 4) {
        (false, 0) => BASE64_STANDARD.decode(text),
        (false, _) => BARE_STANDARD.decode(text),
        (true, 0) => BASE64_URL_SAFE.decode(text),
        (true, _) => BARE_OF_URLS.decode(text),
    }
}

/// Takes the fields out whose value is `null`: in protobuf's JSON they are absent.
pub(crate) fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(fields) => {
            fields.retain(|_, value| !value.is_null());
            fields.values_mut().for_each(without_nulls);
        }
        Value::Array(items) => items.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// A number that is not negative, written as a string or as a number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Number(pub u64);

impl<'de> Deserialize<'de> for Number {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl Visitor<'_> for Either {
            type Value = Number;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number from 0 on")
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<Number, E> {
                Ok(Number(number))
            }
            fn visit_str<E: de::Error>(self, text: &str) -> Result<Number, E> {
                text.parse()
                    .map(Number)
                    .map_err(|_| E::custom(format!("{text:?} is not a number from 0 on")))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

/// A time, in whole seconds since 1970, written as RFC 3339.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Time(pub u64);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let time = humantime::parse_rfc3339(&text)
            .ok()
            .and_then(|time| time.duration_since(std::time::UNIX_EPOCH).ok());
        time.map(|time| Time(time.as_secs()))
            .ok_or_else(|| de::Error::custom(format!("{text:?} is not a time")))
    }
}

/// Reads JSON in which no object has the same key twice: two readers that take
/// different ones of the two would be shown different things.
pub fn strict_json(text: &[u8]) -> serde_json::Result<Value> {
    serde_json::from_slice::<NoDuplicateKeys>(text).map(|strict| strict.0)
}

/// A JSON value without the same key twice.
#[derive(Debug, Clone)]
pub(crate) struct NoDuplicateKeys(pub Value);

impl<'de> Deserialize<'de> for NoDuplicateKeys {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = Value;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("JSON")
            }
            fn visit_unit<E>(self) -> Result<Value, E> {
                Ok(Value::Null)
            }
            fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_str<E>(self, value: &str) -> Result<Value, E> {
                Ok(value.into())
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
                let mut all = Vec::new();
                while let Some(NoDuplicateKeys(item)) = items.next_element()? {
                    all.push(item);
                }
                Ok(Value::Array(all))
            }
            fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Value, A::Error> {
                // Two readers that take different ones of the two would see different things.
                let mut all = Map::new();
                while let Some((key, NoDuplicateKeys(value))) =
                    fields.next_entry::<String, NoDuplicateKeys>()?
                {
                    if all.insert(key.clone(), value).is_some() {
                        return Err(de::Error::custom(format!("the key {key:?} is there twice")));
                    }
                }
                Ok(Value::Object(all))
            }
        }
        deserializer.deserialize_any(Any).map(NoDuplicateKeys)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn base64_is_read_however_it_is_written() {
        let bytes = [0xfb, 0xff, 0xfe, 0x01];
        for text in ["+//+AQ==", "-__-AQ==", "+//+AQ", "-__-AQ", "+//+\nAQ==\r\n"] {
            assert_eq!(any_base64(text).as_deref(), Ok(&bytes[..]), "{text:?}");
        }
        for text in ["+_/+AQ==", "+//+AQ=", "+//+AQ===", "+//+ AQ==", "+//+AR=="] {
            assert!(any_base64(text).is_err(), "{text:?}");
        }
    }
}
