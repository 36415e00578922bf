//! JSON as it is written: fields in their order, and twice where they are twice. The usual readers take the
//! first of two, or the last; IAM, and the gateway, refuse them.

#[cfg(feature = "gateway")]
use std::collections::HashSet;
use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor},
};

/// A value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Json {
    Text(String),
    List(Vec<Json>),
    Fields(Vec<(String, Json)>),
    Null,
    /// A number, `true` or `false`: conditions alone have one.
    Other,
}

#[cfg(feature = "gateway")]
impl Json {
    /// Whether an object in it has two members of one name, at any depth.
    pub(crate) fn has_a_member_twice(&self) -> bool {
        match self {
            Self::List(list) => list.iter().any(Self::has_a_member_twice),
            Self::Fields(fields) => {
                let mut names = HashSet::new();
                fields.iter().any(|(name, value)| !names.insert(name) || value.has_a_member_twice())
            }
            Self::Text(_) | Self::Null | Self::Other => false,
        }
    }
}

#[cfg(feature = "cli")]
impl Json {
    /// What it is, for people.
    pub(crate) const fn kind(&self) -> &'static str {
        match self {
            Self::Text(_) => "a text",
            Self::List(_) => "a list",
            Self::Fields(_) => "an object",
            Self::Null => "`null`",
            Self::Other => "a number, `true` or `false`",
        }
    }

    /// Whether it says nothing: what consoles write for a field that is not filled in.
    pub(crate) fn is_empty(&self) -> bool {
        match self {
            Self::Text(text) => text.is_empty(),
            Self::List(list) => list.is_empty(),
            Self::Fields(fields) => fields.is_empty(),
            Self::Null => true,
            Self::Other => false,
        }
    }

    /// The field of an object that has this name, unless it says nothing.
    pub(crate) fn field(&self, name: &str) -> Option<&Self> {
        let Self::Fields(fields) = self else { return None };
        let named = fields.iter().find(|(known, _)| known == name);
        named.map(|(_, json)| json).filter(|json| !json.is_empty())
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Any)
    }
}

struct Any;

impl<'de> Visitor<'de> for Any {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(value) = access.next_element()? {
            list.push(value);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Json, A::Error> {
        let mut fields = Vec::new();
        while let Some(field) = access.next_entry()? {
            fields.push(field);
        }
        Ok(Json::Fields(fields))
    }
}
