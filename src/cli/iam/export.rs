//! `pathward export iam`: the least that the credentials of a connection need.

use clap::{Args, ValueEnum};
use serde::Serialize;

use crate::{
    access::Access,
    analysis::{
        States,
        iam::{
            Action, Export, MAX_GROUP, MAX_MANAGED, MAX_ROLE, MAX_SESSION, MAX_USER, Relation,
            Relations, Rounding, Statement, VERSION, export,
        },
    },
    automaton::Effect,
    cli::{
        chosen::ChosenArgs,
        exit::Exit,
        output::{Failure, Format, Output, RuleJson, escape_bytes, place, text_of},
    },
    escape::{escape, is_hidden},
    path::Path,
    policy::Connection,
};

/// The IAM policy for the connection's own key: what the connection gives, and no more.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward export iam --policy policy.yaml s3+saha > saha.json
  aws iam put-user-policy --user-name saha --policy-name saha --policy-document file://saha.json

The policy goes to standard output. How it is related to the connection goes to standard error: `equal`,
`wider` or `narrower`, with a path that only one of them has. Globs that stay in a segment, and
characters beyond U+00FF, are more than IAM can say; the policy is then wider (a deny is left out), or with
`--round narrower` narrower (a restriction is left out). IAM knows a listing by its prefix alone, so
what may be listed is mostly wider than what is shown.

Exit codes: 0 exported, 4 the connection gives nothing that IAM knows, or with `--fail-on-difference` other
objects than the policy (what may be listed does not count, unless it is narrower), 1 not decided
within the budget, 2 no such connection, 3 the policy does not load.")]
pub(in crate::cli) struct ExportIamArgs {
    #[command(flatten)]
    chosen: ChosenArgs,

    /// What becomes of a restriction that IAM cannot say
    #[arg(long, value_name = "WAY", value_enum, default_value_t = Round::Wider)]
    round: Round,

    /// End with exit code 4 if the IAM policy is not equal to the connection
    #[arg(long)]
    fail_on_difference: bool,

    /// Without white space
    #[arg(long)]
    compact: bool,

    /// How many states a question may visit before it is given up
    #[arg(long, value_name = "N", default_value_t = States::default().most())]
    states: usize,
}

/// Which way a restriction that IAM cannot say is rounded.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Round {
    /// The policy allows more.
    Wider,
    /// The policy allows less.
    Narrower,
}

pub(in crate::cli) fn run(
    args: &super::ExportArgs,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    let super::ExportCommand::Iam(args) = &args.command;
    let connection =
        &*args.chosen.find("a connection is exported whole: leave out what is behind it")?;
    let rounding = match args.round {
        Round::Wider => Rounding::Wider,
        Round::Narrower => Rounding::Narrower,
    };
    let export = export(connection, rounding);
    if export.document.statements.is_empty() {
        let message = format!("`{}` gives nothing that IAM knows", connection.id());
        return Err(Failure::Said(Exit::Findings, message));
    }
    let relations = export.relations(connection, States::new(args.states));
    let differs = !relations.are_equal() || relations.listed.narrower().is_some();
    output.decided = match (relations.are_undecided(), args.fail_on_difference && differs) {
        (true, _) => Exit::Error,
        (false, true) => Exit::Findings,
        (false, false) => Exit::Fine,
    };
    let json = PolicyJson::new(&export);
    let compact = visible(&serde_json::to_string(&json)?);
    let characters = compact.chars().count();
    match output.format {
        Format::Text => {
            let pretty = visible(&serde_json::to_string_pretty(&json)?);
            writeln!(output.out, "{}", if args.compact { &compact } else { &pretty })?;
            notes(&export, &relations, characters, args.round, output)?;
        }
        Format::Json => {
            output.json(&ExportJson::new(json, connection, &export, &relations, characters))?;
        }
    }
    Ok(output.decided)
}

fn notes(
    export: &Export<'_>,
    relations: &Relations,
    characters: usize,
    round: Round,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    for rule in &export.inexact {
        let done = match (round, rule.effect) {
            (Round::Wider, Effect::Allow) | (Round::Narrower, Effect::Deny) => "says more",
            (Round::Wider, Effect::Deny) | (Round::Narrower, Effect::Allow) => "leaves it out",
        };
        output.note(format_args!(
            "`{}` ({}) is more than IAM can say: the IAM policy {done}",
            escape(rule.restriction.text()),
            place(rule.location.as_ref())
        ))?;
    }
    for (access, relation) in &relations.accesses {
        output.note(format_args!("{access}: {}", sentence(relation)))?;
    }
    output.note(format_args!("listed names: {}", sentence(&relations.listed)))?;
    if export.hides_buckets {
        output.note(format_args!(
            "the root shows no bucket of which only prefixes may be listed: S3 is asked for a bucket without a prefix"
        ))?;
    }
    if let Some(folder) = &export.hides_folder {
        output.note(format_args!(
            "what is above {} cannot be listed: in that folder are more places than are asked for one by one, and S3 refuses to say whether anything at all is in it",
            escape(folder)
        ))?;
    }
    output.note(format_args!("{characters} characters: {}", sizes(characters)))
}

/// Which kinds of policies have room for so many characters.
fn sizes(characters: usize) -> String {
    let kinds = [
        (MAX_USER, "an inline policy of a user"),
        (MAX_SESSION, "a session policy"),
        (MAX_GROUP, "an inline policy of a group"),
        (MAX_MANAGED, "a managed policy"),
        (MAX_ROLE, "an inline policy of a role"),
    ];
    let list = |verb: &str, is: &dyn Fn(usize) -> bool| {
        let of: Vec<String> = kinds
            .iter()
            .filter(|(most, _)| is(*most))
            .map(|(most, kind)| format!("{kind} ({most})"))
            .collect();
        (!of.is_empty()).then(|| format!("{verb} {}", of.join(", ")))
    };
    let parts = [
        list("fits", &|most| characters <= most),
        list("is too large for", &|most| characters > most),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join("; ")
}

/// A relation for people.
pub(super) fn sentence(relation: &Relation) -> String {
    let at = |path: &Path<'_>| escape_bytes(path.as_bytes()).into_owned();
    match relation {
        Relation::Equal => "equal".to_owned(),
        Relation::Wider(path) => format!("wider, the IAM policy alone has {}", at(path)),
        Relation::Narrower(path) => format!("narrower, the IAM policy has not {}", at(path)),
        Relation::Neither { wider, narrower } => {
            let (wider, narrower) = (at(wider), at(narrower));
            format!("neither, the IAM policy alone has {wider}, and has not {narrower}")
        }
        Relation::Undecided { states } => {
            format!("not decided within {states} states; `--states` gives more")
        }
    }
}

/// JSON in which nothing is hidden, and only strings can have what would be.
fn visible(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            '\n' => text.push('\n'),
            hidden if is_hidden(hidden) => {
                for unit in hidden.encode_utf16(&mut [0; 2]) {
                    text.push_str(&format!("\\u{unit:04x}"));
                }
            }
            other => text.push(other),
        }
    }
    text
}

/// A policy as IAM has it.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct PolicyJson<'j> {
    version: &'static str,
    statement: Vec<StatementJson<'j>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct StatementJson<'j> {
    effect: &'static str,
    action: OneOrMore<&'static str>,
    resource: OneOrMore<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    condition: Option<ConditionJson<'j>>,
}

#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
struct ConditionJson<'j> {
    string_like: PrefixJson<'j>,
}

#[derive(Serialize)]
struct PrefixJson<'j> {
    #[serde(rename = "s3:prefix")]
    prefix: OneOrMore<&'j str>,
}

/// One, or a list of several: shorter, and the same to IAM.
#[derive(Serialize)]
#[serde(untagged)]
enum OneOrMore<T> {
    One(T),
    Several(Vec<T>),
}

impl<T> FromIterator<T> for OneOrMore<T> {
    fn from_iter<I: IntoIterator<Item = T>>(all: I) -> Self {
        let mut all: Vec<T> = all.into_iter().collect();
        match (all.len(), all.pop()) {
            (1, Some(one)) => Self::One(one),
            (_, last) => {
                all.extend(last);
                Self::Several(all)
            }
        }
    }
}

impl<'j> PolicyJson<'j> {
    fn new(export: &'j Export<'_>) -> Self {
        let statement = |statement| StatementJson::new(statement, export.partition);
        let statements = export.document.statements.iter().map(statement);
        Self { version: VERSION, statement: statements.collect() }
    }
}

impl<'j> StatementJson<'j> {
    fn new(statement: &'j Statement, partition: &str) -> Self {
        Self {
            effect: match statement.effect {
                Effect::Allow => "Allow",
                Effect::Deny => "Deny",
            },
            action: statement.actions.iter().copied().map(Action::name).collect(),
            resource: statement
                .resources
                .iter()
                .map(|resource| match &**resource {
                    "*" if statement.actions == [Action::ListAllMyBuckets] => "*".to_owned(),
                    resource => format!("arn:{partition}:s3:::{resource}"),
                })
                .collect(),
            condition: statement.prefixes.as_ref().map(|prefixes| ConditionJson {
                string_like: PrefixJson { prefix: prefixes.iter().map(|text| &**text).collect() },
            }),
        }
    }
}

/// The answer of `export iam` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct ExportJson<'j> {
    connection: String,
    owner: &'j str,
    policy: PolicyJson<'j>,
    relations: Vec<RelationJson>,
    inexact: Vec<RuleJson<'j>>,
    characters: usize,
    fits: FitsJson,
    hides_buckets: bool,
    hides_folder: Option<&'j str>,
}

#[derive(Serialize)]
struct FitsJson {
    inline: bool,
    inline_group: bool,
    inline_role: bool,
    session: bool,
    managed: bool,
}

/// A relation in JSON. `of` is an access or `list`.
#[derive(Serialize)]
pub(super) struct RelationJson {
    of: &'static str,
    relation: &'static str,
    wider: Option<String>,
    narrower: Option<String>,
}

pub(super) fn relations_json(relations: &Relations) -> Vec<RelationJson> {
    let text = |path: Option<&Path<'_>>| path.map(|path| text_of(path.as_bytes()).0.into_owned());
    let json = |of, relation: &Relation| RelationJson {
        of,
        relation: relation.name(),
        wider: text(relation.wider()),
        narrower: text(relation.narrower()),
    };
    let accesses =
        relations.accesses.iter().map(|(of, relation)| json(Access::name(*of), relation));
    accesses.chain([json("list", &relations.listed)]).collect()
}

impl<'j> ExportJson<'j> {
    fn new(
        policy: PolicyJson<'j>,
        connection: &'j Connection,
        export: &'j Export<'j>,
        relations: &Relations,
        characters: usize,
    ) -> Self {
        let inexact = connection.rules().iter().enumerate();
        let inexact =
            inexact.filter(|(_, rule)| export.inexact.iter().any(|one| std::ptr::eq(*one, *rule)));
        Self {
            connection: connection.id().to_string(),
            owner: connection.owner(),
            policy,
            relations: relations_json(relations),
            inexact: inexact.map(|(id, rule)| RuleJson::new(id, rule)).collect(),
            characters,
            fits: FitsJson {
                inline: characters <= MAX_USER,
                inline_group: characters <= MAX_GROUP,
                inline_role: characters <= MAX_ROLE,
                session: characters <= MAX_SESSION,
                managed: characters <= MAX_MANAGED,
            },
            hides_buckets: export.hides_buckets,
            hides_folder: export.hides_folder.as_deref(),
        }
    }
}
