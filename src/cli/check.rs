//! `pathward check`: may this caller do this?

use clap::Args;

use super::{
    answer::Answer,
    batch::{Batch, BatchArgs},
    chosen::unknown,
    exit::Exit,
    output::{Failure, Format, Output},
    question::{
        CallerArgs, PolicyArgs, Question, QuestionArgs, Target, caller, known_operation, load,
        path_of_uri,
    },
};
use crate::{
    engine::{Caller, Engine},
    policy::{ConnectionId, Policy},
};

/// Decides one operation, or every line of a batch.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward check --policy policy.yaml s3+saha read Algorithmia/team.jpg
  pathward check --policy policy.yaml s3+saha://Algorithmia/team.jpg read
  pathward check --policy policy.yaml --as steph s3+saha copy Algorithmia/a --to Algorithmia/b
  pathward check --policy policy.yaml s3+saha read --batch paths.txt -o answers.tsv
  printf 'read\\tpub/a\\nlist\\tpub\\n' | pathward check --policy policy.yaml s3+saha --batch -

Paths are bytes and are never percent-decoded: `a%20b` has a percent sign in it.

A batch has one line of output for each line of input, in its order: the decision, the reason and
the line, with tabs between them (`--format json`: a JSON object each). An empty line is the root.
Malformed lines are answered `invalid`, and named with their number on standard error.

Exit codes: 0 allowed, 5 denied, 2 malformed path or wrong usage, 3 the policy does not load.
A batch: 0 when every line was decided, allowed or not (with --fail-on-deny: 5 if any was denied);
2 if any line was malformed (0 with --ignore-invalid). When the reader of the answers goes away, the
batch ends there, and the code is that of the lines decided so far.")]
pub struct CheckArgs {
    #[command(flatten)]
    policy: PolicyArgs,
    #[command(flatten)]
    question: QuestionArgs,
    #[command(flatten)]
    caller: CallerArgs,
    #[command(flatten)]
    batch: BatchArgs,
}

pub(super) fn run(args: &CheckArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    if let Some(file) = &args.batch.batch {
        return run_batch(args, file, output);
    }
    let question = Question::parse(&args.question)?;
    let engine = Engine::new(load(&args.policy.policy)?);
    let caller = caller(engine.policy(), &question.id, &args.caller)?;
    note_unknown(engine.policy(), &question.id, caller, output)?;
    note_uri(&question, output)?;
    let answer = match question.operation() {
        Ok(operation) => Answer::Decided(engine.decide(caller, &question.id, &operation)),
        Err(refused) => Answer::Refused(refused),
    };
    output.decided = answer.exit();
    match output.format {
        Format::Text => writeln!(output.out, "{}", answer.line(&question))?,
        Format::Json => {
            output.json(&answer.json(&question, caller.name(), engine.policy().revision()))?;
        }
    }
    Ok(answer.exit())
}

fn run_batch(
    args: &CheckArgs,
    file: &std::path::Path,
    output: &mut Output<'_>,
) -> Result<Exit, Failure> {
    let target = Target::parse(&args.question.target)?;
    let op = args.question.operation.as_deref();
    if target.path.is_some() || args.question.path.is_some() || args.question.to.is_some() {
        return Err(Failure::question(
            "a batch has its paths in its lines: leave PATH, `--to` and `://…` out",
        ));
    }
    op.map_or(Ok(()), known_operation)?;
    let engine = Engine::new(load(&args.policy.policy)?);
    let caller = caller(engine.policy(), &target.id, &args.caller)?;
    if !args.batch.quiet {
        note_unknown(engine.policy(), &target.id, caller, output)?;
    }
    let policy = &args.policy.policy;
    let batch = Batch { engine: &engine, caller, id: &target.id, op, args: &args.batch, policy };
    batch.run(file, output)
}

/// Says where a URI goes when it stands in place of a path, which it never is: no bucket has a `:`.
pub(super) fn note_uri(question: &Question<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
    let bucket = question.path.split(|byte| *byte == b'/').next().unwrap_or_default();
    if !bucket.ends_with(b":") || !question.path[bucket.len()..].starts_with(b"//") {
        return Ok(());
    }
    output.note(format_args!(
        "a URI stands in place of the connection and has the path: write `{}://{} {}`",
        question.id,
        path_of_uri(question.path),
        question.op
    ))
}

/// Says which connections there are when the one that was asked for is not among them.
pub(super) fn note_unknown(
    policy: &Policy,
    id: &ConnectionId<'_>,
    caller: Caller<'_>,
    output: &mut Output<'_>,
) -> Result<(), Failure> {
    match policy.connection(caller.name(), id) {
        Some(_) => Ok(()),
        None => output.note(format_args!("{}", unknown(policy, id, caller))),
    }
}
