//! `pathward graph`: a connection, drawn.

mod dot;
mod json;
mod label;
mod layout;
mod look;
mod svg;
mod tree;

use std::{
    ffi::OsString,
    io::Write,
    path::{Path as FilePath, PathBuf},
};

use clap::{Args, ValueEnum, builder::RangedU64ValueParser};

use self::{layout::Item, look::Look};
use super::{
    chosen::ChosenArgs,
    create::create,
    exit::Exit,
    output::{Failure, Format, Output, Special, escape_bytes, place, write_json},
};
use crate::{
    access::{Access, AccessSet},
    analysis::{Graph, GraphError, Scope, States},
    automaton::Effect,
    escape::escape,
    policy::{Connection, Keys, Rule},
};

/// The most places that can be asked for.
const MOST: u64 = 1_000;
/// How many rules, and how many texts of a way, the title of a place names.
const NAMED: usize = 12;

/// Draws a connection: places on the path, what leads to them, and what is decided there.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward graph --policy policy.yaml s3+saha
  pathward graph --policy policy.yaml s3+saha -o saha.svg
  pathward graph --policy policy.yaml s3+saha --format dot | dot -Tpdf > saha.pdf
  pathward graph --policy policies s3+lake --as ml --under lake-raw/ --access read

The drawing is an automaton over segments. A path follows every way whose text it has. It gets what is
given on any of them, unless it is denied on any. `*` in a text is any run of characters, `/` too; `‹*›`, `‹?›` and
`‹a-z›` are what globs have, and stay in a segment. `*` at a place: all that starts so. Restrictions and
denies that make no difference are not drawn; a note names them.

Text is a tree for the terminal. A FILE is what its name ends in, .svg, .dot, .gv, .json or .txt, unless
`--format` says otherwise; without an ending it is SVG.

Exit codes: 0 drawn, 1 too many places, or not decided within the budget, 2 no such connection, 3 the
policy does not load.")]
pub struct GraphArgs {
    #[command(flatten)]
    chosen: ChosenArgs,

    /// Write to FILE
    #[arg(long, short, value_name = "FILE")]
    output: Option<PathBuf>,

    /// Only paths that start with PREFIX: bytes, never percent-decoded
    #[arg(long, value_name = "PREFIX", default_value = "", hide_default_value = true)]
    under: OsString,

    /// Only these accesses, with commas between
    #[arg(long, value_name = "ACCESS", value_enum, value_delimiter = ',')]
    access: Vec<OneAccess>,

    /// How many places there may be; 1,000 at most
    #[arg(long, value_name = "N", default_value_t = 100,
        value_parser = RangedU64ValueParser::<usize>::new().range(1..=MOST))]
    max_nodes: usize,

    /// How many states a question may visit before it is given up
    #[arg(long, value_name = "N", default_value_t = States::default().most())]
    states: usize,
}

/// An access, as an argument.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum OneAccess {
    Read,
    Write,
    Delete,
}

impl From<OneAccess> for Access {
    fn from(access: OneAccess) -> Self {
        match access {
            OneAccess::Read => Self::Read,
            OneAccess::Write => Self::Write,
            OneAccess::Delete => Self::Delete,
        }
    }
}

pub(super) fn run(args: &GraphArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let kind = Kind::of(args.output.as_deref(), output)?;
    let connection = &*args
        .chosen
        .find("a connection is drawn, not a path: write `--under PREFIX` for a part of it")?;
    let access = match &args.access[..] {
        [] => AccessSet::READ_WRITE,
        some => some.iter().copied().map(Access::from).collect(),
    };
    let under = args.under.as_encoded_bytes();
    let scope = Scope { under, access, most: args.max_nodes };
    let graph = Graph::new(connection, scope, States::new(args.states))
        .map_err(|error| failed(error, connection, args.max_nodes))?;
    let drawing = Drawing::new(connection, &graph, access);

    let mut drawn = Vec::new();
    match kind {
        Kind::Dot => dot::write(&drawing, &mut drawn)?,
        Kind::Svg => svg::write(&drawing, &mut drawn)?,
        Kind::Tree => tree::write(&drawing, &mut drawn)?,
        Kind::Json => {
            write_json(&mut drawn, &json::GraphJson::new(&drawing))?;
            drawn.push(b'\n');
        }
    }
    match &args.output {
        Some(file) => create(file, &[], args.chosen.policy())?
            .write_all(&drawn)
            .map_err(|error| Failure::file("cannot write", file, &error))?,
        None => output.out.write_all(&drawn)?,
    }
    for &rule in graph.idle() {
        let rule = &connection.rules()[rule];
        output.note(format_args!("{} makes no difference, and is not drawn", named(rule)))?;
    }
    Ok(Exit::Fine)
}

/// What is written.
#[derive(Clone, Copy)]
enum Kind {
    Tree,
    Json,
    Svg,
    Dot,
}

impl Kind {
    /// What `--format` says; if it says nothing, what the name of a file ends in.
    fn of(file: Option<&FilePath>, output: &Output<'_>) -> Result<Self, Failure> {
        if let Some(file) = file.filter(|_| !output.is_said)
            && let Some(ending) = file.extension()
        {
            return match ending.to_ascii_lowercase().as_encoded_bytes() {
                b"svg" => Ok(Self::Svg),
                b"dot" | b"gv" => Ok(Self::Dot),
                b"json" => Ok(Self::Json),
                b"txt" => Ok(Self::Tree),
                _ => Err(Failure::question(format!(
                    "`{}` ends in none of what can be drawn: write `.svg`, `.dot`, `.gv`, `.json` or `.txt`, or \
                     `--format svg`, `dot`, `json` or `text`",
                    escape_bytes(file.as_os_str().as_encoded_bytes())
                ))),
            };
        }
        Ok(match (output.special, output.format) {
            (Some(Special::Dot), _) => Self::Dot,
            (Some(_), _) => Self::Svg,
            (None, Format::Json) => Self::Json,
            (None, Format::Text) if file.is_some() && !output.is_said => Self::Svg,
            (None, Format::Text) => Self::Tree,
        })
    }
}

fn failed(error: GraphError, connection: &Connection, most: usize) -> Failure {
    let message = match error {
        GraphError::TooMany { places } => format!(
            "`{}` has {places} places, and {most} are drawn at most: draw a part with `--under PREFIX` or \
             `--access ACCESS`, or write `--max-nodes N` (up to {MOST})",
            connection.id()
        ),
        GraphError::Undecided { .. } => {
            format!("{error}: draw a part with `--under PREFIX`, or write `--states N` for more")
        }
    };
    Failure::Said(Exit::Error, message)
}

/// A graph with its words.
struct Drawing<'d> {
    connection: &'d Connection,
    graph: &'d Graph,
    access: AccessSet,
    /// What stands at the root: how code names it.
    root: String,
    /// In the order of the places.
    items: Vec<Item>,
    /// For each place, which paths are meant.
    paths: Vec<String>,
}

impl<'d> Drawing<'d> {
    fn new(connection: &'d Connection, graph: &'d Graph, access: AccessSet) -> Self {
        let root = format!("{}://{}", connection.id(), escape_bytes(graph.under()));
        let places = graph.places();
        let look = |parent: Option<usize>, place: usize| {
            Look::of(&places[place], parent.map(|parent| &places[parent]))
        };
        let mut items = vec![Item { parent: None, texts: Vec::new(), look: look(None, 0) }];
        let mut paths = vec![root.clone()];
        for way in graph.ways() {
            let texts: Vec<String> = way.texts.iter().map(label::text).collect();
            let choice = match &texts[..] {
                [text] => text.clone(),
                texts if texts.len() > NAMED => format!("{{{}, …}}", texts[..NAMED].join(", ")),
                texts => format!("{{{}}}", texts.join(", ")),
            };
            paths.push(format!("{}{choice}", paths[way.from]));
            items.push(Item { parent: Some(way.from), texts, look: look(Some(way.from), way.to) });
        }
        Self { connection, graph, access, root, items, paths }
    }

    /// What the whole is of.
    fn title(&self) -> String {
        format!("{} of {}", self.connection.id(), escape(self.connection.owner()))
    }

    /// What of it is not seen in the places.
    fn remarks(&self) -> Vec<String> {
        let mut remarks = Vec::new();
        if self.access != AccessSet::READ_WRITE {
            remarks.push(format!("{} alone", look::names(self.access)));
        }
        if self.connection.keys() == Keys::Plain {
            remarks.push(r"keys: plain, which refuses paths with an empty segment or a \".into());
        }
        remarks
    }

    /// Which paths a place is of, what they have, and by which rules: a line each.
    fn explanation(&self, place: usize) -> Vec<String> {
        let rules = &self.graph.places()[place].rules;
        let mut lines = vec![self.paths[place].clone(), self.items[place].look.line()];
        lines.extend(rules.iter().take(NAMED).map(|id| {
            let rule = &self.connection.rules()[*id];
            format!("{} ({})", named(rule), rule.access)
        }));
        if rules.len() > NAMED {
            lines.push(format!("and {} more", rules.len() - NAMED));
        }
        lines
    }
}

/// A rule and where it is written.
fn named(rule: &Rule) -> String {
    let what = match rule.effect {
        Effect::Allow => "restriction",
        Effect::Deny => "deny",
    };
    let text = escape(rule.restriction.text());
    format!("{what} `{text}` ({})", place(rule.location.as_ref()))
}
