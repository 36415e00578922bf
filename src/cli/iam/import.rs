//! `pathward import iam`: a connection with the paths of an IAM policy.

use std::{fmt::Write as _, fs::File, io::Read as _, path::PathBuf};

use clap::Args;
use serde::Serialize;

use super::{
    export::{RelationJson, relations_json, sentence},
    left_out::{self, BeyondJson, NoteJson},
    read::{Read, Unread, read},
};
use crate::{
    access::AccessSet,
    analysis::{
        States,
        iam::{Imported, Relations, import},
    },
    cli::{
        exit::Exit,
        output::{Failure, Format, Output, escape_bytes},
        validate::plural,
    },
    escape::escape,
    policy::{
        ConnectionId, Policy,
        written::text::{access_text, names, quoted},
    },
};

/// The longest file that is read: IAM's own policies have a few thousand characters.
const MAX_FILE: u64 = 1 << 20;
/// How many problems are shown.
const MOST_SHOWN: usize = 20;

/// A connection with the paths of an IAM policy.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward import iam saha.json --id s3+saha --owner steph > saha.yaml
  aws iam get-user-policy --user-name saha --policy-name saha --query PolicyDocument |
    pathward import iam - --owner steph

The file is the document of a user's or role's policy, or what has one in it: the answer of `aws iam
get-user-policy`, `get-role-policy` or `get-policy-version`, a list of statements, or the document percent-encoded
as IAM's API gives it. The connection has the same objects, exactly. A connection gives GetObject, PutObject (with
the two of uploads in parts), DeleteObject and those that list. What no connection gives is left out, and said:
other actions of S3, other services, access points. What a connection could give and cannot say is refused, all of
it at once, where leaving it out would make a difference: conditions, variables, `?`, and of NotResource what is no
list of restrictions. An action that there is not is refused too. What may be listed is not read: in a connection
it follows from what may be read. Standard error says how far apart the two are.

Exit codes: 0 imported, 3 the file cannot be read as a connection, 1 not decided within the budget, 2 wrong
usage.")]
pub(in crate::cli) struct ImportIamArgs {
    /// The policy's document: JSON. `-` is standard input
    #[arg(value_name = "FILE")]
    file: PathBuf,

    /// What to call the connection
    #[arg(long, value_name = "ID", default_value = "s3+imported")]
    id: String,

    /// Whose it is to be
    #[arg(long, value_name = "OWNER")]
    owner: String,

    /// How many states a question may visit before it is given up
    #[arg(long, value_name = "N", default_value_t = States::default().most())]
    states: usize,
}

/// The answer of `import iam` in JSON. See [`crate::cli`].
#[derive(Serialize)]
struct ImportJson<'j> {
    policy: &'j str,
    relations: Vec<RelationJson>,
    restrictions: usize,
    deny: usize,
    under: &'j str,
    left_out: Vec<BeyondJson<'j>>,
    notes: Vec<NoteJson<'j>>,
}

pub(in crate::cli) fn run(
    args: &super::ImportArgs,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    let super::ImportCommand::Iam(args) = &args.command;
    let id = ConnectionId::parse(&args.id).ok().filter(|id| id.label().is_some());
    let id = id.ok_or_else(|| {
        let given = escape(&args.id);
        Failure::question(format!("`{given}` names no connection: write `--id s3+label`"))
    })?;
    let bytes = bytes(args)?;
    let (read, imported) = read(&bytes)
        .and_then(|read| match import(&read.document) {
            Ok(imported) => Ok((read, imported)),
            Err(problems) => Err(Unread { problems, read }),
        })
        .map_err(|unread| Failure::Said(Exit::Policy, shown(args, &unread)))?;
    let yaml = yaml(&id, &args.owner, &imported);
    // What is written loads, or is not written.
    Policy::from_yaml("the connection", &yaml)
        .map_err(|errors| Failure::Said(Exit::Policy, errors.to_string()))?;
    answer(args, &read, &imported, &yaml, output)
}

fn answer(
    args: &ImportIamArgs,
    read: &Read,
    imported: &Imported,
    yaml: &str,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    let relations: Relations = imported.relations(&read.document, States::new(args.states));
    output.decided = match relations.are_undecided() {
        true => Exit::Error,
        false => Exit::Fine,
    };
    match output.format {
        Format::Text => {
            output.out.write_all(yaml.as_bytes())?;
            if !read.under.is_empty() {
                output
                    .note(format_args!("the policy is what is under `{}`", escape(&read.under)))?;
            }
            left_out::note(read, &imported.notes, output)?;
            for (access, relation) in &relations.accesses {
                output.note(format_args!("{access}: {}", sentence(relation)))?;
            }
            output.note(format_args!("listed names: {}", sentence(&relations.listed)))?;
        }
        Format::Json => output.json(&ImportJson {
            policy: yaml,
            relations: relations_json(&relations),
            restrictions: imported.restrictions.len(),
            deny: imported.deny.len(),
            under: &read.under,
            left_out: read.beyond.iter().map(BeyondJson::from).collect(),
            notes: read.notes.iter().chain(&imported.notes).map(NoteJson::from).collect(),
        })?,
    }
    Ok(output.decided)
}

fn bytes(args: &ImportIamArgs) -> Result<Vec<u8>, Failure> {
    let failed = |why: &dyn std::fmt::Display| {
        let file = escape_bytes(args.file.as_os_str().as_encoded_bytes());
        Failure::Said(Exit::Policy, format!("error: cannot read `{file}`: {why}"))
    };
    let source: Box<dyn std::io::Read> = match args.file.as_os_str() == "-" {
        true => Box::new(std::io::stdin().lock()),
        false => Box::new(File::open(&args.file).map_err(|error| failed(&error))?),
    };
    // What is no ordinary file has no length to go by.
    let mut bytes = Vec::new();
    source.take(MAX_FILE + 1).read_to_end(&mut bytes).map_err(|error| failed(&error))?;
    match bytes.len() as u64 > MAX_FILE {
        true => {
            Err(failed(&format_args!("it is longer than {MAX_FILE} bytes, and no IAM policy is")))
        }
        false => Ok(bytes),
    }
}

/// All that is wrong, as the errors of a policy are shown, and what was left out.
fn shown(args: &ImportIamArgs, Unread { problems, read }: &Unread) -> String {
    let file = escape_bytes(args.file.as_os_str().as_encoded_bytes());
    let under = match &*read.under {
        "" => String::new(),
        under => format!("{}: ", escape(under)),
    };
    let mut text = String::new();
    for problem in problems.iter().take(MOST_SHOWN) {
        // Writing to a `String` cannot fail.
        let _ = write!(
            text,
            "error: {}\n  --> {file}: {under}{}\n  help: {}\n\n",
            escape(&problem.message),
            escape(&problem.place),
            escape(&problem.help)
        );
    }
    for line in left_out::lines(read, &[]).iter().take(MOST_SHOWN) {
        let _ = writeln!(text, "note: {line}");
    }
    let _ = write!(text, "{} in {file}", plural(problems.len(), "problem"));
    text
}

/// A policy file with the one connection.
pub(crate) fn yaml(id: &ConnectionId<'_>, owner: &str, imported: &Imported) -> String {
    let given = imported
        .restrictions
        .iter()
        .fold(AccessSet::NONE, |given, (_, access)| given.union(*access));
    let common = imported.restrictions.first().map_or(AccessSet::READ_ONLY, |(_, access)| *access);
    let is_common = imported.restrictions.iter().all(|(_, access)| *access == common);
    let mut text = format!("connections:\n  - id: {id}\n    owner: {}\n", quoted(owner));
    let common = if is_common { common } else { AccessSet::READ_ONLY };
    if common != AccessSet::READ_ONLY {
        text.push_str(&format!("    access: {}\n", access_text(common)));
    }
    let mut list = |name: &str, rules: &[_], usual: &dyn Fn(AccessSet) -> bool, list_only| {
        if !rules.is_empty() {
            text.push_str(&format!("    {name}:\n"));
        }
        for (restriction, access) in rules {
            let restriction: &crate::Restriction = restriction;
            let path = quoted(restriction.text());
            text.push_str(&match (usual(*access), list_only) {
                (true, _) => format!("      - {path}\n"),
                (false, true) => {
                    format!("      - {{ path: {path}, access: {} }}\n", names(*access))
                }
                (false, false) => {
                    format!("      - {{ path: {path}, access: {} }}\n", access_text(*access))
                }
            });
        }
    };
    list("restrictions", &imported.restrictions, &|access| access == common, false);
    // A deny without an access takes all: what nothing gives it may take as well.
    list("deny", &imported.deny, &|access| given.without(access).is_empty(), true);
    text
}
