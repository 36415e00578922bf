//! What to do about a mistake, with texts to write that were tried.
//!
//! A text to write is put into the file, in place of what is wrong, and the file is read once more.
//! Only where nothing is wrong there any more it is said: so help that is followed is never refused.
//! What cannot be tried within [`MAX_TRIED`] is said without a text to write.

use std::{borrow::Cow, ops::Range};

use super::{
    report::{Found, Reader, Report, Span, shown},
    secrets, traps,
    yaml::Node,
};
use crate::{
    escape::{is_hidden, taken_for},
    policy::Severity,
    restriction::{Dialect, Help, Part, Restriction},
};

/// How many bytes are read at most to try what is said about one file.
const MAX_TRIED: usize = 1 << 18;
/// The longest line that is looked through for signs that are none.
const MAX_LINE: usize = 1_024;

/// A change of a file with which a mistake in it is gone. It was tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Fix {
    range: Range<usize>,
    text: String,
    shown: String,
}

impl Fix {
    /// The bytes of the file that are replaced.
    pub fn range(&self) -> Range<usize> {
        self.range.clone()
    }

    /// What stands in their place.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// What the help says to write: the text, without the spaces and line feeds around it.
    pub fn shown(&self) -> &str {
        &self.shown
    }

    /// The file with the change. `None` if it is another file, without these bytes.
    pub fn apply(&self, file: &str) -> Option<String> {
        let (before, after) = (file.get(..self.range.start)?, file.get(self.range.end..)?);
        Some([before, &self.text, after].concat())
    }
}

/// A text that may be one to write, before it is tried.
#[derive(Clone, Debug)]
pub(super) struct Candidate {
    lead: &'static str,
    /// What is said behind it.
    tail: &'static str,
    range: Range<usize>,
    text: String,
    shown: String,
    /// What a form takes in place of it, which has no YAML.
    form: Option<String>,
    /// Nothing of the file is in it.
    is_example: bool,
}

impl Candidate {
    /// A text of one line in place of a piece of the file.
    pub(super) fn new(lead: &'static str, range: Range<usize>, text: impl Into<String>) -> Self {
        let text = text.into();
        Self { lead, tail: "", range, shown: text.clone(), text, form: None, is_example: false }
    }

    /// A text that has nothing of the file in it, so that it is shown beside a secret too.
    pub(super) fn example(lead: &'static str, range: Range<usize>, text: &str) -> Self {
        Self { is_example: true, ..Self::new(lead, range, text) }
    }

    /// With another text than is said, such as one with spaces around it.
    pub(super) fn with(self, text: impl Into<String>) -> Self {
        Self { text: text.into(), ..self }
    }

    /// With what is said in place of the text, and in a form.
    pub(super) fn shown_as(self, shown: impl Into<String>) -> Self {
        Self { shown: shown.into(), ..self }
    }

    /// With words behind it.
    pub(super) fn ending(self, tail: &'static str) -> Self {
        Self { tail, ..self }
    }

    fn in_form(self, form: String) -> Self {
        Self { form: Some(form), ..self }
    }
}

impl From<Candidate> for Fix {
    fn from(Candidate { range, text, shown, .. }: Candidate) -> Self {
        Self { range, text, shown }
    }
}

/// A line with the signs of YAML that its characters look like, and what these are. `None` if there are
/// none.
fn signs_of_yaml(line: &str) -> Option<(String, String)> {
    let sign = |character: char| match character {
        '\u{2018}' | '\u{2019}' => Some("'"),
        '\u{201c}'..='\u{201e}' => Some("\""),
        '\u{2012}'..='\u{2015}' | '\u{2212}' | '\u{2022}' => Some("-"),
        hidden if is_hidden(hidden) && !hidden.is_control() => Some(""),
        other => taken_for(other).filter(|sign| {
            sign.len() == 1 && !sign.bytes().all(|byte| byte.is_ascii_alphanumeric())
        }),
    };
    let first = line.chars().find(|character| sign(*character).is_some())?;
    let written = line.chars().fold(String::with_capacity(line.len()), |mut written, character| {
        match sign(character) {
            Some(sign) => written.push_str(sign),
            None => written.push(character),
        }
        written
    });
    let code = u32::from(first);
    let name = match sign(first) {
        Some(" ") => format!("U+{code:04X} is no space"),
        Some("") => format!("U+{code:04X}, which cannot be seen, stands in this line"),
        Some(sign) => format!("U+{code:04X} is no `{sign}`"),
        None => String::new(),
    };
    Some((name, written))
}

/// What to do about a mistake, before its texts are tried.
#[derive(Clone, Debug, Default)]
pub(super) struct Advice {
    steps: Vec<Step>,
}

#[derive(Clone, Debug)]
enum Step {
    Words(Cow<'static, str>),
    /// The first that can be written, and otherwise something else.
    Try(Vec<Candidate>, Otherwise),
    /// Each that can be written.
    Each(Vec<Candidate>),
}

/// What is said where nothing can be written.
#[derive(Clone, Debug)]
enum Otherwise {
    Nothing,
    Words(Cow<'static, str>),
    /// Why the first is refused too, behind these words.
    Why(&'static str),
}

impl Advice {
    /// Advice that starts with words.
    pub(super) fn words(words: impl Into<Cow<'static, str>>) -> Self {
        Self::default().and(words)
    }

    /// More words.
    pub(super) fn and(mut self, words: impl Into<Cow<'static, str>>) -> Self {
        self.steps.push(Step::Words(words.into()));
        self
    }

    /// A text to write, where it can be written.
    pub(super) fn write(self, candidate: Candidate) -> Self {
        self.write_first([candidate])
    }

    /// The first of some texts that can be written.
    pub(super) fn write_first(mut self, all: impl IntoIterator<Item = Candidate>) -> Self {
        self.steps.push(Step::Try(all.into_iter().collect(), Otherwise::Nothing));
        self
    }

    /// The first of some texts that can be written, or else words.
    pub(super) fn write_or(
        mut self,
        all: impl IntoIterator<Item = Candidate>,
        words: impl Into<Cow<'static, str>>,
    ) -> Self {
        self.steps.push(Step::Try(all.into_iter().collect(), Otherwise::Words(words.into())));
        self
    }

    /// The first of some texts that can be written, or else why the first of them is refused.
    pub(super) fn write_or_why(
        mut self,
        all: impl IntoIterator<Item = Candidate>,
        lead: &'static str,
    ) -> Self {
        self.steps.push(Step::Try(all.into_iter().collect(), Otherwise::Why(lead)));
        self
    }

    /// Every candidate in a list: each is said that can be written. What leads to the first is said before
    /// whichever is the first that can.
    pub(super) fn write_each(mut self, all: impl IntoIterator<Item = Candidate>) -> Self {
        self.steps.push(Step::Each(all.into_iter().collect()));
        self
    }
}

/// Where a restriction stands in a file: as an entry by itself, or in a field of one.
#[derive(Clone, Copy, Debug)]
pub(super) struct EntryPlace<'n, 't> {
    pub(super) item: &'n Node<'t>,
    /// The name of the field, where there is one.
    pub(super) field: Option<&'n Node<'t>>,
    pub(super) text: &'n Node<'t>,
    pub(super) dialect: Dialect,
}

impl EntryPlace<'_, '_> {
    /// What is said of a restriction, as advice about the entry that it stands in.
    pub(super) fn advice(&self, help: &Help) -> Advice {
        help.parts().iter().fold(Advice::default(), |advice, part| match part {
            Part::Words(words) => advice.and(words.clone()),
            Part::Write(lead, restriction) => advice.write(self.candidate(lead, restriction)),
        })
    }

    /// A restriction in place of this one.
    fn candidate(&self, lead: &'static str, restriction: &Restriction) -> Candidate {
        let text = traps::scalar(restriction.text());
        let (form, glob) = (restriction.text(), restriction.dialect() == Dialect::Glob);
        if restriction.dialect() == self.dialect {
            return Candidate::new(lead, self.text.span.range(), text).in_form(format!("`{form}`"));
        }
        let name = if glob { "glob" } else { "path" };
        let form = if glob { format!("`{form}` as a glob") } else { format!("`{form}`") };
        match self.field {
            Some(field) => {
                let range = field.span.range().start..self.text.span.range().end;
                Candidate::new(lead, range, format!("{name}: {text}")).in_form(form)
            }
            None => {
                let entry = format!("{{ {name}: {text} }}");
                Candidate::new(lead, self.item.span.range(), entry).in_form(form)
            }
        }
    }
}

/// What is said, with the texts to write that were tried.
#[derive(Debug, Default)]
pub(super) struct Resolved {
    pub(super) help: String,
    /// The same for somebody who sees a form.
    pub(super) form: String,
    pub(super) fixes: Vec<Fix>,
}

/// What became of a text that was tried.
enum Outcome {
    /// Nothing is said about its place any more.
    Good,
    /// Something else is, and it loads.
    Warned,
    /// It is refused, for this reason.
    Refused(Box<Resolved>),
    /// It cannot be shown, or trying it costs too much.
    Unknown,
}

/// Tries what is said about one file.
pub(super) struct Trials<'r> {
    text: &'r str,
    reader: Reader,
    /// What was found, in which a trial's findings are known again.
    known: &'r [Found],
    left: usize,
    /// Whether why something is refused is tried in turn.
    goes_on: bool,
}

impl<'r> Trials<'r> {
    pub(super) fn new(text: &'r str, reader: Reader, known: &'r [Found]) -> Self {
        Self { text, reader, known, left: MAX_TRIED, goes_on: true }
    }

    /// What is said of one finding. `may_show` is false where its line may hold a secret.
    pub(super) fn resolve(&mut self, found: &Found, may_show: bool) -> Resolved {
        let is_of_yaml =
            matches!(found.code, "policy.yaml" | "policy.unknown_field" | "policy.type");
        if is_of_yaml
            && may_show
            && let Some(said) = self.resolve_alike(found)
        {
            return said;
        }
        let mut said = Resolved::default();
        for step in &found.advice.steps {
            match step {
                Step::Words(words) => said.add(&shown(words)),
                Step::Try(all, otherwise) => {
                    self.say_first(found, all, otherwise, may_show, &mut said)
                }
                Step::Each(all) => {
                    let (mut first, said_before) = (all.first(), said.fixes.len());
                    for candidate in all {
                        let lead = first.map_or(candidate.lead, |first| first.lead);
                        let one = [Candidate { lead, ..candidate.clone() }];
                        self.say_first(found, &one, &Otherwise::Nothing, may_show, &mut said);
                        first = first.filter(|_| said.fixes.len() == said_before);
                    }
                }
            }
        }
        said
    }

    /// Of an error in a line with characters that look like signs of YAML: whether it is gone with
    /// the signs in their place. Then they are its cause.
    fn resolve_alike(&mut self, found: &Found) -> Option<Resolved> {
        let mut at = found.span.range().start;
        // What YAML does not understand may stand in the line above.
        for _ in 0..if found.ends { 2 } else { 1 } {
            let (line, start) = secrets::line_around(
                self.text,
                Span { from: u32::try_from(at).ok()?, ..found.span },
            );
            if line.len() <= MAX_LINE
                && let Some((names, written)) = signs_of_yaml(line)
            {
                let range = start..start + line.len();
                let shown = written.trim().to_owned();
                let candidate = Candidate::new("", range, written).shown_as(shown);
                if matches!(self.attempt(found, &candidate), Outcome::Good | Outcome::Warned) {
                    let mut said = Resolved::default();
                    said.add(&format!("{names}: YAML takes it for a letter"));
                    said.fixes.push(candidate.into());
                    return Some(said);
                }
            }
            at = start.checked_sub(1)?;
        }
        None
    }

    fn say_first(
        &mut self,
        found: &Found,
        all: &[Candidate],
        otherwise: &Otherwise,
        may_show: bool,
        said: &mut Resolved,
    ) {
        let mut second: Option<&Candidate> = None;
        let mut why: Option<Box<Resolved>> = None;
        for candidate in all.iter().filter(|candidate| may_show || candidate.is_example) {
            if said.fixes.iter().any(|fix| fix.shown == candidate.shown) {
                continue;
            }
            match self.attempt(found, candidate) {
                Outcome::Good => return said.write(candidate),
                Outcome::Warned => second = second.or(Some(candidate)),
                Outcome::Refused(reason) => why = why.or(Some(reason)),
                Outcome::Unknown => {}
            }
        }
        if let Some(candidate) = second {
            return said.write(candidate);
        }
        match (otherwise, why) {
            (Otherwise::Nothing, _) => {}
            (Otherwise::Words(words), _) => said.add(&shown(words)),
            (Otherwise::Why(lead), Some(reason)) => said.why(lead, *reason),
            (Otherwise::Why(_), None) => {}
        }
    }

    /// Reads the file with the candidate in place of what is wrong.
    fn attempt(&mut self, about: &Found, candidate: &Candidate) -> Outcome {
        let cost = self.text.len() + candidate.text.len();
        let Some(left) = self.left.checked_sub(cost) else { return Outcome::Unknown };
        // What would not be shown as it is, such as a secret, is not said.
        let is_shown = |text: &str| text.split('\n').all(|line| shown(line) == line);
        if !is_shown(&candidate.text) || !is_shown(&candidate.shown) {
            return Outcome::Unknown;
        }
        self.left = left;
        let (Some(before), Some(after)) =
            (self.text.get(..candidate.range.start), self.text.get(candidate.range.end..))
        else {
            return Outcome::Unknown;
        };
        let changed = [before, &candidate.text, after].concat();
        let place = before.len()..before.len() + candidate.text.len();
        let mut report = Report::of_part(&changed, place.clone(), self.reader);
        (self.reader)(&mut report);
        let grown = |at: usize| (at + candidate.text.len()).saturating_sub(candidate.range.len());
        // Where reading ended, it has to go on behind this line, and behind where it ended before.
        if let Some(end) = report.ended_at() {
            let line = after.find('\n').map_or(changed.len(), |feed| place.end + feed);
            let before =
                self.known.iter().filter(|found| found.ends).map(|f| f.span.range().start).max();
            if end <= line || before.is_some_and(|before| end <= grown(before)) {
                let found = report.found.iter().find(|found| found.ends);
                return self.refused(found, &changed, candidate);
            }
        }
        // Of fields that are missing, the mapping says so at its start, whichever it is.
        let is_known = |found: &Found| {
            found.code == "policy.missing_field"
                && self
                    .known
                    .iter()
                    .any(|known| !std::ptr::eq(known, about) && known.message == found.message)
        };
        let touches = |found: &&Found| {
            let span = found.span.range();
            span.start <= place.end && span.end >= place.start && !is_known(found)
        };
        let mut touching = report.found.iter().filter(touches).peekable();
        if touching.peek().is_none() {
            return Outcome::Good;
        }
        match touching.find(|found| found.severity == Severity::Error) {
            Some(error) => self.refused(Some(error), &changed, candidate),
            None => Outcome::Warned,
        }
    }

    /// Why a candidate is refused.
    fn refused(&mut self, found: Option<&Found>, changed: &str, candidate: &Candidate) -> Outcome {
        let Some(found) = found.filter(|_| self.goes_on) else {
            return Outcome::Refused(Box::default());
        };
        let mut again = Trials {
            text: changed,
            reader: self.reader,
            known: &[],
            left: self.left,
            goes_on: false,
        };
        let mut reason = again.resolve(found, !candidate.is_example);
        self.left = again.left;
        // What is to be written there, as a change of this file: in place of all of the candidate.
        let place = candidate.range.start..candidate.range.start + candidate.text.len();
        let is_whole = reason.fixes.iter().all(|fix| fix.range == place);
        if !is_whole {
            return Outcome::Refused(Box::new(Resolved::of(&found.message)));
        }
        reason.fixes.iter_mut().for_each(|fix| fix.range = candidate.range.clone());
        reason.help = format!("{}; {}", found.message, reason.help);
        Outcome::Refused(Box::new(reason))
    }
}

impl Resolved {
    fn of(words: &str) -> Self {
        Self { help: words.to_owned(), form: words.to_owned(), fixes: Vec::new() }
    }

    fn add(&mut self, words: &str) {
        self.help.push_str(words);
        self.form.push_str(words);
    }

    fn write(&mut self, candidate: &Candidate) {
        self.add(candidate.lead);
        let in_backticks = format!("`{}`", candidate.shown);
        // Quotes show well enough where a text starts and ends.
        let text = match candidate.shown.starts_with(['"', '\'']) {
            true => &candidate.shown,
            false => &in_backticks,
        };
        self.help.push_str(text);
        self.form.push_str(candidate.form.as_ref().unwrap_or(&in_backticks));
        self.add(candidate.tail);
        self.fixes.push(candidate.clone().into());
    }

    fn why(&mut self, lead: &str, reason: Self) {
        self.add(lead);
        self.help.push_str(&reason.help);
        self.form.push_str(&reason.help);
        self.fixes.extend(reason.fixes);
    }
}
