//! How templates show texts that others wrote.

use std::fmt::Display;

use askama::{
    Result, Values,
    filters::{Html, Safe, escape as escape_html},
};

use crate::escape::escape;

/// A text with what is hidden in it made visible.
#[askama::filter_fn]
pub(super) fn shown(text: impl Display, _: &dyn Values) -> Result<String> {
    Ok(escape(&text.to_string()).into_owned())
}

/// A message, whose parts in backticks are code. Its own markup is the only one that it has.
#[askama::filter_fn]
pub(super) fn told(text: impl Display, _: &dyn Values) -> Result<Safe<String>> {
    let text = escape(&text.to_string()).into_owned();
    let mut told = String::with_capacity(text.len() + 32);
    let mut rest = text.as_str();
    while let Some((before, (code, after))) =
        rest.split_once('`').and_then(|(before, behind)| Some((before, behind.split_once('`')?)))
    {
        told += &format!("{}<code>{}</code>", escape_html(before, Html)?, escape_html(code, Html)?);
        rest = after;
    }
    told += &escape_html(rest, Html)?.to_string();
    Ok(Safe(told))
}
