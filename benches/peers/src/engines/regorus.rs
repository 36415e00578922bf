//! regorus: Rego on its register machine.

use std::collections::BTreeMap;

use pathward::Access;
use regorus::{
    Rc, Value,
    cache::{self, Config},
    languages::rego::compiler::Compiler,
    rvm::vm::RegoVM,
};

use crate::engine::{About, Ask, Engine, Kind, Rule, Task};

/// A compiled policy on the register machine, restrictions as its data.
pub(crate) struct Rego {
    machine: RegoVM,
    path: Value,
    access: Value,
}

/// What is the same for any restrictions. `data.grants` has, by access: exact paths; prefixes and
/// their lengths; and what has stars before its end, by its literal start, with the lengths of
/// those.
const POLICY: &str = r#"
package peers
import rego.v1

default allow := false

grants := data.grants[input.access]

allow if grants.exact[input.path]

allow if {
    some length in grants.lengths
    grants.prefixes[substring(input.path, 0, length)]
}

allow if {
    some length in grants.starred_lengths
    some pattern in grants.starred[substring(input.path, 0, length)]
    endswith(input.path, pattern.suffix)
    every piece in pattern.pieces { contains(input.path, piece) }
    regex.match(pattern.regex, input.path)
}
"#;

impl Engine for Rego {
    const ABOUT: About = About {
        id: "regorus",
        title: "regorus, tuned, register VM",
        crates: &["regorus"],
        kind: Kind::Peer,
        bias: "The policy is compiled once for regorus's register machine, which is kept; a decision \
               makes the input and runs it. Tuned as far as Rego lets one: exact paths and prefixes \
               are keys of objects, prefixes are looked up by their distinct lengths instead of one \
               after the other with `startswith`, and `regex.match` is asked only of restrictions \
               whose literal start, end and pieces the path has, because each call copies the \
               compiled expression without what it has learnt; its cache takes all of them. The \
               plain form, `startswith` and `glob.match` over a list, is linear in the restrictions \
               and many times slower. Compiled without the builtins that it does not need.",
    };

    type Question<'q> = (&'q str, Access);

    fn build(task: &Task) -> Result<Self, String> {
        let grants = [Access::Read, Access::Write]
            .map(|access| (Value::from(access.name()), grants(Rule::giving(&task.rules, access))));
        let data = object([("grants", Value::from(BTreeMap::from(grants)))]);
        cache::configure(Config { regex: Config::MAX_CAPACITY, ..Config::default() });

        let mut engine = regorus::Engine::new();
        engine
            .add_policy("peers.rego".to_owned(), POLICY.to_owned())
            .map_err(|error| format!("{error:#}"))?;
        let entry: Rc<str> = "data.peers.allow".into();
        let compiled =
            engine.compile_with_entrypoint(&entry).map_err(|error| format!("{error:#}"))?;
        let program = Compiler::compile_from_policy(&compiled, &[&entry])
            .map_err(|error| error.to_string())?;
        let mut machine = RegoVM::new_with_policy(compiled);
        machine.load_program(program);
        machine.set_max_instructions(usize::MAX);
        machine.set_data(data).map_err(|error| error.to_string())?;
        Ok(Self { machine, path: "path".into(), access: "access".into() })
    }

    fn question<'q>(&self, ask: &Ask<'q>) -> Self::Question<'q> {
        (ask.path, ask.access)
    }

    fn decide(&mut self, (path, access): &Self::Question<'_>) -> bool {
        let input = BTreeMap::from([
            (self.path.clone(), Value::from(*path)),
            (self.access.clone(), Value::from(access.name())),
        ]);
        self.machine.set_input(input.into());
        matches!(self.machine.execute(), Ok(Value::Bool(true)))
    }
}

/// The data of one access.
fn grants<'t>(texts: impl Iterator<Item = &'t str>) -> Value {
    let mut exact = BTreeMap::new();
    let mut prefixes = BTreeMap::new();
    let mut starred: BTreeMap<&str, Vec<Value>> = BTreeMap::new();
    for text in texts {
        match text.split_once('*') {
            None => drop(exact.insert(Value::from(text), true.into())),
            Some((prefix, "")) => drop(prefixes.insert(prefix, Value::from(true))),
            Some((prefix, rest)) => starred.entry(prefix).or_default().push(pattern(prefix, rest)),
        }
    }
    object([
        ("exact", exact.into()),
        ("lengths", lengths(prefixes.keys())),
        ("prefixes", by_text(prefixes)),
        ("starred_lengths", lengths(starred.keys())),
        ("starred", by_text(starred.into_iter().map(|(prefix, all)| (prefix, all.into())))),
    ])
}

fn object<const N: usize>(fields: [(&str, Value); N]) -> Value {
    by_text(fields)
}

fn by_text<'t>(fields: impl IntoIterator<Item = (&'t str, Value)>) -> Value {
    let fields: BTreeMap<_, _> =
        fields.into_iter().map(|(name, value)| (Value::from(name), value)).collect();
    fields.into()
}

/// The distinct lengths of texts, in characters, as `substring` counts.
fn lengths<'t>(texts: impl Iterator<Item = &'t &'t str>) -> Value {
    let mut lengths: Vec<usize> = texts.map(|text| text.chars().count()).collect();
    lengths.sort_unstable();
    lengths.dedup();
    lengths.into_iter().map(Value::from).collect::<Vec<_>>().into()
}

/// A pattern with stars before its end: what is quickly seen to be missing, and the expression that
/// decides. regorus's expressions are of characters; a path is UTF-8, so that says the same. Stars
/// at either end are left out of it, so that it may begin with a literal.
fn pattern(prefix: &str, rest: &str) -> Value {
    let (middle, suffix) = rest.rsplit_once('*').unwrap_or(("", rest));
    let pieces: Vec<&str> = middle.split('*').filter(|piece| !piece.is_empty()).collect();
    let mut literals = Vec::new();
    let start = if prefix.is_empty() { "" } else { r"\A" };
    let end = if suffix.is_empty() { "" } else { r"\z" };
    literals.extend((!prefix.is_empty()).then_some(prefix));
    literals.extend(&pieces);
    literals.extend((!suffix.is_empty()).then_some(suffix));
    let literals: Vec<String> = literals.into_iter().map(regex::escape).collect();
    object([
        ("pieces", pieces.into_iter().map(Value::from).collect::<Vec<_>>().into()),
        ("suffix", suffix.into()),
        ("regex", Value::from(format!("(?s){start}{}{end}", literals.join(".*")))),
    ])
}
