//! Changes of single places of a file, made all at once. What is not one of the places stays, byte for
//! byte.

use std::ops::Range;

use super::read::{field, items};
use crate::policy::yaml::{Node, Value};

/// Why a file cannot be changed in place.
pub(crate) type Why = &'static str;

const COMMENT: Why = "a comment stands inside of what changes";
const LAYOUT: Why = "it is not laid out with a line for each field and entry";

/// What becomes of a list.
pub(super) enum Step {
    /// The entry of this place stays.
    Keep(usize),
    /// The entry of this place goes.
    Remove(usize),
    /// This is new, in YAML.
    Insert(String),
}

/// Changes that are to be made.
pub(super) struct Splices<'t> {
    text: &'t str,
    all: Vec<(Range<usize>, String)>,
}

impl<'t> Splices<'t> {
    pub(super) fn new(text: &'t str) -> Self {
        Self { text, all: Vec::new() }
    }

    /// The text with all changes.
    pub(super) fn apply(mut self) -> Result<String, Why> {
        self.all.sort_by_key(|(range, _)| range.start);
        let mut changed = String::with_capacity(self.text.len() + 64);
        let mut done = 0;
        for (range, new) in &self.all {
            changed.push_str(self.text.get(done..range.start).ok_or(LAYOUT)?);
            changed.push_str(new);
            done = range.end;
        }
        changed.push_str(self.text.get(done..).ok_or(LAYOUT)?);
        Ok(changed)
    }

    /// Puts another value into the place of one.
    pub(super) fn replace(&mut self, node: &Node<'_>, value: &str) -> Result<(), Why> {
        self.cut(range(node), value)
    }

    fn cut(&mut self, range: Range<usize>, value: &str) -> Result<(), Why> {
        // In one line, a comment stands behind the value and not in it.
        let old = self.text.get(range.clone()).ok_or(LAYOUT)?;
        if old.contains('\n') && old.contains('#') {
            return Err(COMMENT);
        }
        self.all.push((range, value.to_owned()));
        Ok(())
    }

    /// Gives a mapping's field another value, a new field a line of its own behind that of the last of
    /// `after` which is there, and takes it out for `None`.
    pub(super) fn set(
        &mut self,
        mapping: &Node<'_>,
        name: &str,
        value: Option<&str>,
        after: &[&str],
    ) -> Result<(), Why> {
        match (field(mapping, name), value) {
            (Some(node), Some(value)) => self.replace(node, value),
            (Some(_), None) => self.remove_field(mapping, name),
            (None, Some(value)) => self.add_field(mapping, name, value, after),
            (None, None) => Ok(()),
        }
    }

    fn add_field(
        &mut self,
        mapping: &Node<'_>,
        name: &str,
        value: &str,
        after: &[&str],
    ) -> Result<(), Why> {
        let Value::Mapping(entries) = &mapping.value else { return Err(LAYOUT) };
        let (first, behind_first) = entries.first().ok_or(LAYOUT)?;
        let behind = after.iter().rev().find_map(|name| field(mapping, name));
        let behind = behind.unwrap_or(behind_first).end as usize;
        if self.is_flow(mapping) {
            self.all.push((behind..behind, format!(", {name}: {value}")));
            return Ok(());
        }
        let indent = " ".repeat(self.column(first)?);
        self.insert_lines(self.line_end(behind), &format!("{indent}{name}: {value}"));
        Ok(())
    }

    /// Adds a list as a field.
    pub(super) fn add_list(
        &mut self,
        mapping: &Node<'_>,
        name: &str,
        values: &[String],
    ) -> Result<(), Why> {
        let Value::Mapping(entries) = &mapping.value else { return Err(LAYOUT) };
        let (first, _) = entries.first().ok_or(LAYOUT)?;
        let (_, last) = entries.last().ok_or(LAYOUT)?;
        if self.is_flow(mapping) {
            let at = last.end as usize;
            self.all.push((at..at, format!(", {name}: [{}]", values.join(", "))));
            return Ok(());
        }
        let indent = " ".repeat(self.column(first)?);
        let items: String = values.iter().map(|item| format!("\n{indent}  - {item}")).collect();
        self.insert_lines(self.line_end(last.end as usize), &format!("{indent}{name}:{items}"));
        Ok(())
    }

    /// Takes a field out, with its line.
    pub(super) fn remove_field(&mut self, mapping: &Node<'_>, name: &str) -> Result<(), Why> {
        let Value::Mapping(entries) = &mapping.value else { return Err(LAYOUT) };
        let value = field(mapping, name).ok_or(LAYOUT)?;
        let at = entries.iter().position(|(_, other)| std::ptr::eq(other, value)).ok_or(LAYOUT)?;
        let from = |at: usize| entries.get(at).map(|(key, _)| key.span.range().start);
        let start = from(at).ok_or(LAYOUT)?;
        let line = self.line_start(start);
        let is_first_in_line = self.text.get(line..start).ok_or(LAYOUT)?.trim().is_empty();
        if !self.is_flow(mapping) && is_first_in_line {
            self.all.push((line..self.line_end(value.end as usize), String::new()));
            return Ok(());
        }
        match (from(at + 1), at.checked_sub(1).and_then(|before| entries.get(before))) {
            (Some(next), _) => self.cut(start..next, ""),
            (None, Some((_, before))) => self.cut(before.end as usize..value.end as usize, ""),
            (None, None) => Err(LAYOUT),
        }
    }

    /// Changes a list step by step; the steps name every entry that it has, in its order.
    pub(super) fn list(&mut self, list: &Node<'_>, steps: Vec<Step>) -> Result<(), Why> {
        let old = items(list);
        if self.is_flow(list) {
            let mut texts = Vec::new();
            for step in steps {
                match step {
                    Step::Keep(at) => {
                        let item = old.get(at).ok_or(LAYOUT)?;
                        texts.push(self.text.get(range(item)).ok_or(LAYOUT)?.to_owned());
                    }
                    Step::Insert(text) => texts.push(text),
                    Step::Remove(_) => {}
                }
            }
            return self.cut(range(list), &format!("[{}]", texts.join(", ")));
        }
        let first = old.first().ok_or(LAYOUT)?;
        let indent = " ".repeat(self.dash(first)?);
        // Entries that went and whose places are free for new ones, which keep the comments there.
        let mut free: Vec<usize> = Vec::new();
        let mut waiting: Vec<String> = Vec::new();
        let mut before: Option<usize> = None;
        let mut steps = steps.into_iter().peekable();
        while steps.peek().is_some() {
            while let Some(step) = steps.next_if(|step| !matches!(step, Step::Keep(_))) {
                match step {
                    Step::Remove(at) => free.push(at),
                    Step::Insert(text) => waiting.push(text),
                    Step::Keep(_) => {}
                }
            }
            let last = free.last().copied().or(before);
            let mut new = waiting.drain(..);
            for at in free.drain(..) {
                let item = old.get(at).ok_or(LAYOUT)?;
                match new.next() {
                    Some(text) => self.cut(range(item), &text)?,
                    None => {
                        self.dash(item)?;
                        let from = self.line_start(item.span.range().start);
                        self.all.push((from..self.line_end(item.end as usize), String::new()));
                    }
                }
            }
            let lines: Vec<String> = new.map(|text| format!("{indent}- {text}")).collect();
            if !lines.is_empty() {
                let at = match last {
                    Some(last) => self.line_end(old.get(last).ok_or(LAYOUT)?.end as usize),
                    None => self.line_start(first.span.range().start),
                };
                self.insert_lines(at, &lines.join("\n"));
            }
            if let Some(Step::Keep(at)) = steps.next() {
                before = Some(at);
            }
        }
        Ok(())
    }

    fn insert_lines(&mut self, at: usize, lines: &str) {
        let feed = if self.text.contains("\r\n") { "\r\n" } else { "\n" };
        let before = self.text.get(..at).unwrap_or_default();
        let lines = lines.replace('\n', feed);
        let new = match before.is_empty() || before.ends_with('\n') {
            true => format!("{lines}{feed}"),
            false => format!("{feed}{lines}"),
        };
        self.all.push((at..at, new));
    }

    /// Whether a list or mapping has brackets.
    fn is_flow(&self, node: &Node<'_>) -> bool {
        self.text.get(node.span.range().start..).is_some_and(|rest| rest.starts_with(['[', '{']))
    }

    fn line_start(&self, at: usize) -> usize {
        let before = self.text.get(..at).unwrap_or_default();
        before.rfind('\n').map_or(0, |feed| feed + 1)
    }

    /// The byte behind the line feed of the line of this place.
    fn line_end(&self, at: usize) -> usize {
        let behind = self.text.get(at..).unwrap_or_default();
        behind.find('\n').map_or(self.text.len(), |feed| at + feed + 1)
    }

    /// How far a key is indented, behind spaces and the dashes of lists.
    fn column(&self, key: &Node<'_>) -> Result<usize, Why> {
        let start = key.span.range().start;
        let before = self.text.get(self.line_start(start)..start).ok_or(LAYOUT)?;
        match before.bytes().all(|byte| matches!(byte, b' ' | b'-')) {
            true => Ok(before.len()),
            false => Err(LAYOUT),
        }
    }

    /// Where the dash of a list's entry is; the entry has to be the first of its line.
    fn dash(&self, item: &Node<'_>) -> Result<usize, Why> {
        let start = item.span.range().start;
        let before = self.text.get(self.line_start(start)..start).ok_or(LAYOUT)?;
        let spaces = before.len() - before.trim_start_matches(' ').len();
        match before.trim() == "-" {
            true => Ok(spaces),
            false => Err(LAYOUT),
        }
    }
}

fn range(node: &Node<'_>) -> Range<usize> {
    node.span.range().start..node.end as usize
}
