//! The examples of `src/manage/README.md`, run with the system's shell and `curl`.

use std::process::Command;

use super::{canary, world::World};

const README: &str = include_str!("../../src/manage/README.md");

/// Commands, and what each prints.
fn examples() -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = Vec::new();
    for block in README.split("```console\n").skip(1) {
        for line in block.split("```").next().unwrap().lines() {
            match line.strip_prefix("$ ") {
                Some(command) => all.push((command.to_owned(), String::new())),
                None => all.last_mut().unwrap().1.push_str(line),
            }
        }
    }
    all
}

/// Whether a text is this one, in which `…` stands for anything.
fn is_like(text: &str, example: &str) -> bool {
    let mut parts = example.split('…');
    let Some(mut rest) = text.strip_prefix(parts.next().unwrap()) else { return false };
    let mut last = None;
    for part in parts {
        let Some(at) = rest.find(part) else { return false };
        rest = &rest[at + part.len()..];
        last = Some(part);
    }
    rest.is_empty() || last == Some("")
}

#[tokio::test(flavor = "multi_thread")]
async fn the_examples_do_what_they_show() {
    let has = |program: &str| Command::new(program).arg("--version").output().is_ok();
    assert!(has("curl"), "this test needs curl, which tests/run installs");
    let world = World::start().await;
    let examples = examples();
    assert!(examples.len() >= 10, "{examples:?}");
    // One shell for all, as the variables of one example are used in the next.
    let mut script = String::new();
    for (command, _) in &examples {
        script.push_str(command);
        script.push_str("\nprintf '\\036'\n");
    }
    let command = move |api: String, key: String, s3: String| {
        Command::new("sh")
            .args(["-c", &script])
            .env("API", api)
            .env("KEY", key)
            .env("S3", s3)
            .env("ID", canary::ID)
            .env("SECRET", canary::SECRET)
            .output()
            .unwrap()
    };
    let (api, key) = (format!("http://{}", world.admin), world.ana.clone());
    let s3 = world.embedded.endpoint();
    let output = tokio::task::spawn_blocking(move || command(api, key, s3)).await.unwrap();
    let printed = String::from_utf8(output.stdout).unwrap();
    let mut answers = printed.split('\u{1e}');
    for (command, example) in &examples {
        let answer = answers.next().unwrap().trim_end();
        assert!(is_like(answer, example), "{command}\nprints {answer}\nnot    {example}");
    }
}
