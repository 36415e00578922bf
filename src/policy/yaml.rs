//! YAML to a tree of nodes that know where they are written: the only place that names the YAML
//! crate.
//!
//! The tree is built from the parser's events and not through serde, because every scalar has
//! to keep the text that its author wrote (`1e3`, `on`, `~` are names of buckets to them), because
//! tags, anchors and comments are mistakes here that a deserializer resolves before anyone sees
//! them, and because without aliases nothing can grow: time and memory are linear in the file.

use std::borrow::Cow;

use serde_saphyr::granit_parser::{
    self as parser, ErrorKind as Kind, Event, Parser, ScalarStyle, ScanError,
};

use super::{
    report::{Report, Span},
    traps,
};

/// How deep lists and mappings may be nested in a file. A policy needs five levels.
pub const MAX_YAML_DEPTH: usize = 16;

/// How many values (texts, lists, mappings, names of fields) a file may have.
pub const MAX_YAML_NODES: usize = 4 << 20;

/// A value of a file, and where it stands.
#[derive(Debug)]
pub(super) struct Node<'t> {
    pub(super) span: Span,
    /// The byte behind it: of a list or mapping without brackets, behind its last value.
    pub(super) end: u32,
    pub(super) value: Value<'t>,
}

impl Node<'_> {
    /// The value from its start to its end.
    pub(super) fn whole(&self) -> Span {
        Span { to: self.end.max(self.span.to), ..self.span }
    }
}

/// A value of a file.
#[derive(Debug)]
pub(super) enum Value<'t> {
    /// A text: YAML's numbers and truth values too, as they are written.
    Scalar(Scalar<'t>),
    /// A list.
    Sequence(Vec<Node<'t>>),
    /// Keys and their values, in the order of the file; a key may stand twice.
    Mapping(Vec<(Node<'t>, Node<'t>)>),
    /// Something that was already reported.
    Reported,
}

/// A text of a file.
#[derive(Debug)]
pub(super) struct Scalar<'t> {
    /// What it says: in quotes, with the escapes resolved; without, as it is written.
    pub(super) text: Cow<'t, str>,
    pub(super) style: Style,
}

/// How a text is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Style {
    /// Without quotes. Nothing at all is a plain empty text.
    Plain,
    /// In single or double quotes.
    Quoted,
    /// As a block, behind `|` or `>`.
    Block,
}

/// The value that the file consists of. `None` if the file is not YAML, which was then reported.
pub(super) fn parse<'t>(report: &mut Report<'t>) -> Option<Node<'t>> {
    let text = report.text;
    let options = parser::options! {
        emit_unresolved_aliases: true,
        emit_anchor_events: true,
        emit_comments: false,
        disallow_directives: true,
        flow_nesting_limit: MAX_YAML_DEPTH,
        block_nesting_limit: MAX_YAML_DEPTH,
    };
    let mut tree = Tree { open: Vec::new(), root: None };
    let mut documents = 0;
    let mut nodes = 0;
    for event in Parser::new_from_str_with_options(text, options) {
        let (event, place) = match event {
            Ok(event) => event,
            Err(error) => {
                syntax_error(report, &error);
                return None;
            }
        };
        let span = span(&place);
        nodes += usize::from(event.is_node());
        if nodes > MAX_YAML_NODES {
            let message =
                format!("the file has more than {MAX_YAML_NODES} values (limit.yaml_nodes)");
            report
                .end("limit.yaml_nodes", span, message)
                .help("put the connections into several files of one folder");
            return None;
        }
        let tag = place.tag_span().map(|tag| self::span(&tag));
        match event {
            Event::Scalar(value, style, _, _) => {
                let scalar = scalar(report, span, value, style);
                let value = match tag {
                    Some(tag) => traps::tag(report, tag),
                    None => Value::Scalar(scalar),
                };
                tree.add(Node { span, end: span.to, value });
            }
            Event::SequenceStart(..) | Event::MappingStart(..) => {
                if let Some(tag) = tag {
                    traps::tag(report, tag);
                }
                if tree.open.len() >= MAX_YAML_DEPTH {
                    too_deep(report, span);
                    return None;
                }
                tree.open.push(match event {
                    Event::SequenceStart(..) => Open::Sequence(span, Vec::new()),
                    _ => Open::Mapping(span, Vec::new(), None),
                });
            }
            Event::SequenceEnd | Event::MappingEnd => tree.close(span),
            Event::Alias(_) | Event::UnresolvedAlias(_) => {
                let value = traps::alias(report, span);
                tree.add(Node { span, end: span.to, value });
            }
            Event::Anchor(..) => {
                let value = traps::anchor(report, span);
                tree.replace_last_scalar(value);
            }
            Event::DocumentStart(..) => {
                documents += 1;
                if documents == 2 {
                    report
                        .end("policy.yaml", span, "a second document starts here")
                        .help("take the `---` out, or put what follows into a file of its own");
                    return None;
                }
            }
            _ => {}
        }
    }
    if tree.root.is_none() {
        report
            .error("policy.empty", Span::FILE, "there is nothing in this file")
            .help("put a policy into it, or take the file away");
    }
    tree.root
}

/// The tree, while it is built.
struct Tree<'t> {
    open: Vec<Open<'t>>,
    root: Option<Node<'t>>,
}

enum Open<'t> {
    Sequence(Span, Vec<Node<'t>>),
    Mapping(Span, Vec<(Node<'t>, Node<'t>)>, Option<Node<'t>>),
}

impl<'t> Tree<'t> {
    fn add(&mut self, node: Node<'t>) {
        match self.open.last_mut() {
            Some(Open::Sequence(_, items)) => items.push(node),
            Some(Open::Mapping(_, entries, key)) => match key.take() {
                Some(key) => entries.push((key, node)),
                None => *key = Some(node),
            },
            None => self.root = Some(node),
        }
    }

    fn close(&mut self, end: Span) {
        let node = match self.open.pop() {
            Some(Open::Sequence(span, items)) => {
                let last = items.last().map_or(span.from, |item| item.end);
                let value = Value::Sequence(items);
                Node { span: extent(span, end), end: behind(last, end), value }
            }
            Some(Open::Mapping(span, entries, _)) => {
                let closed = end;
                let end = match entries.first() {
                    Some((key, _)) if span.from == span.to => key.span,
                    _ => end,
                };
                let last = entries.last().map_or(span.from, |(_, value)| value.end);
                let behind = behind(last, closed);
                Node { span: extent(span, end), end: behind, value: Value::Mapping(entries) }
            }
            None => return,
        };
        self.add(node);
    }

    fn replace_last_scalar(&mut self, value: Value<'t>) {
        let last = match self.open.last_mut() {
            Some(Open::Sequence(_, items)) => items.last_mut(),
            Some(Open::Mapping(_, _, Some(key))) => Some(key),
            Some(Open::Mapping(_, entries, None)) => entries.last_mut().map(|(_, value)| value),
            None => self.root.as_mut(),
        };
        if let Some(node) = last
            && matches!(node.value, Value::Scalar(_))
        {
            node.value = value;
        }
    }
}

/// Where a list or mapping ends: behind its bracket, or without one behind its last value.
fn behind(last: u32, end: Span) -> u32 {
    if end.to > end.from { end.to } else { last }
}

/// What is marked for a list or mapping: all of it if it ends in the line where it starts.
fn extent(start: Span, end: Span) -> Span {
    if start.line == end.line && end.to > start.from { Span { to: end.to, ..start } } else { start }
}

/// A scalar, with the text that its author wrote.
fn scalar<'t>(
    report: &mut Report<'t>,
    span: Span,
    value: Cow<'t, str>,
    style: ScalarStyle,
) -> Scalar<'t> {
    match style {
        ScalarStyle::Plain => {
            // The parser has `~` for a value that is not there.
            let text = report.text.get(span.range()).map_or(value, Cow::Borrowed);
            traps::comment(report, span, &text);
            Scalar { text, style: Style::Plain }
        }
        ScalarStyle::SingleQuoted | ScalarStyle::DoubleQuoted => {
            Scalar { text: value, style: Style::Quoted }
        }
        ScalarStyle::Literal | ScalarStyle::Folded => Scalar { text: value, style: Style::Block },
    }
}

fn span(place: &parser::Span) -> Span {
    let bytes = place.byte_range().unwrap_or(0..0);
    // A file has less than 4 GiB.
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    Span {
        from: small(bytes.start),
        to: small(bytes.end),
        line: small(place.start.line()),
        column: small(place.start.col() + 1),
    }
}

fn too_deep(report: &mut Report<'_>, span: Span) {
    let message =
        format!("lists and mappings are nested more than {MAX_YAML_DEPTH} deep (limit.yaml_depth)");
    report.end("limit.yaml_depth", span, message).help("a policy needs five levels");
}

fn syntax_error(report: &mut Report<'_>, error: &ScanError) {
    let at = parser::Span::empty(*error.marker());
    let span = span(&at);
    let message = match error.kind() {
        Kind::RecursionLimitExceeded => return too_deep(report, span),
        Kind::MissingAnchorOrAliasName => "a value starts with a sign that YAML keeps for itself",
        Kind::UnexpectedCharacter { .. } => "a character that YAML has no place for here",
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInPlainScalar => "a tab, where YAML takes only spaces",
        Kind::DirectiveDisallowed => "a YAML directive",
        Kind::UnclosedQuotedScalar => "a quote is not closed",
        Kind::UnclosedFlowCollection { .. }
        | Kind::MismatchedFlowCollectionEnd { .. }
        | Kind::UnexpectedEofFlowSequence
        | Kind::UnexpectedEofFlowMapping => "a bracket is not closed",
        Kind::MisplacedFlowCollectionEnd => "a bracket is closed that was not opened",
        Kind::InvalidTrailingDoubleQuotedScalar | Kind::InvalidTrailingSingleQuotedScalar => {
            "something stands behind the closing quote"
        }
        Kind::UnknownQuotedScalarEscape => "a `\\` that YAML cannot read in double quotes",
        Kind::ExpectedBlockSequenceEntry | Kind::ExpectedBlockMappingKey => {
            "this does not continue the list or mapping that it stands in"
        }
        Kind::ExpectedFlowSequenceSeparator | Kind::ExpectedFlowMappingSeparator => {
            "a `,` or the closing bracket is missing before this"
        }
        Kind::MappingValueNotAllowed => "a `:` where no key can be",
        Kind::SimpleKeyExpected | Kind::InvalidSimpleKey => "a key without a `:` and a value",
        Kind::InvalidBlockScalarHeader => "something stands behind `|` or `>`",
        Kind::InvalidIndentation
        | Kind::InvalidFlowScalarIndent
        | Kind::InvalidQuotedScalarIndent
        | Kind::InvalidBlockScalarIndent => "the indentation fits nothing above",
        _ => "this is not YAML",
    };
    let trap = match error.kind() {
        Kind::UnclosedFlowCollection { .. }
        | Kind::MismatchedFlowCollectionEnd { .. }
        | Kind::ExpectedFlowSequenceSeparator
        | Kind::ExpectedFlowMappingSeparator => traps::Trap::Flow,
        Kind::UnknownQuotedScalarEscape => traps::Trap::Escape,
        Kind::DirectiveDisallowed => traps::Trap::Directive,
        Kind::UnclosedQuotedScalar => traps::Trap::Quote,
        Kind::MappingValueNotAllowed => traps::Trap::Colon,
        Kind::TabNotAllowed
        | Kind::TabInBlockIndentation
        | Kind::TabInIndentation
        | Kind::TabAtBlockScalarStart
        | Kind::TabInPlainScalar => traps::Trap::Tab,
        _ => traps::Trap::Other,
    };
    traps::syntax(report, span, message, trap, &error.info());
}
