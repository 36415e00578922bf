//! The parent's end of a child: starting it within limits, asking it, and killing it when it
//! takes too long.

use std::{
    collections::HashMap,
    env,
    fs::{self, File},
    io::{self, BufRead, BufReader, Write},
    os::unix::process::ExitStatusExt,
    path::{Path, PathBuf},
    process::{Child, ChildStdin, Command, Stdio},
    sync::mpsc::{self, Receiver, RecvTimeoutError},
    thread,
    time::Duration,
};

/// Address space that a child may have, in KiB: 8 GiB.
pub(crate) const MEMORY_KIB: u64 = 8 << 20;

/// A running child.
pub(crate) struct Process {
    child: Child,
    stdin: ChildStdin,
    answers: Receiver<String>,
    /// What it wrote to stderr: why it panicked or aborted.
    errors: PathBuf,
}

/// Numbers by name, as a child answers.
pub(crate) type Answer = HashMap<String, f64>;

impl Process {
    /// Starts this program again, as the child that runs one engine on one task. `ulimit` in a
    /// shell limits its memory, which leaves nothing to be done by the system's own killer.
    ///
    /// # Errors
    ///
    /// Those of starting a process.
    pub(crate) fn start(engine: &str, task: &Path) -> io::Result<Self> {
        let errors = task.with_extension(format!("{engine}.stderr"));
        let mut child = Command::new("sh")
            .args(["-c", &format!("ulimit -c 0; ulimit -v {MEMORY_KIB} && exec \"$@\""), "sh"])
            .arg(env::current_exe()?)
            .args(["child", engine])
            .arg(task)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(File::create(&errors)?)
            .spawn()?;
        let stdin = child.stdin.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let stdout = child.stdout.take().ok_or(io::ErrorKind::BrokenPipe)?;
        let (sender, answers) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if sender.send(line).is_err() {
                    break;
                }
            }
        });
        Ok(Self { child, stdin, answers, errors })
    }

    /// Asks, and waits so long for an answer.
    ///
    /// # Errors
    ///
    /// Why there is none: the engine refused, the child died, or it was killed now because it took
    /// too long. It is not to be asked again.
    pub(crate) fn ask(&mut self, command: &str, limit: Duration) -> Result<Answer, String> {
        if writeln!(self.stdin, "{command}").and_then(|()| self.stdin.flush()).is_err() {
            return Err(self.death());
        }
        match self.answers.recv_timeout(limit) {
            Ok(line) => match line.split_once(' ') {
                Some(("ok", numbers)) => Ok(parse(numbers)),
                Some(("failed", why)) => Err(format!("refused: {}", shorten(why))),
                _ => Err(format!("answered `{}`", shorten(&line))),
            },
            Err(RecvTimeoutError::Timeout) => {
                let what = command.split(' ').next().unwrap_or_default();
                let what = if matches!(what, "build" | "count") { "building" } else { "answering" };
                Err(format!("killed after {} s of {what}", limit.as_secs()))
            }
            Err(RecvTimeoutError::Disconnected) => Err(self.death()),
        }
    }

    /// How it died, with the last that it said.
    fn death(&mut self) -> String {
        let said = fs::read_to_string(&self.errors).unwrap_or_default();
        // Of a panic the message, not the advice behind it.
        let said = said.lines().rfind(|line| !line.is_empty() && !line.starts_with("note:"));
        let how = match self.child.wait() {
            Ok(status) => match (status.signal(), status.code()) {
                (Some(6), _) => "aborted".to_owned(),
                (Some(11), _) => "crashed (stack overflow)".to_owned(),
                (Some(signal), _) => format!("killed by signal {signal}"),
                (_, Some(101)) => "panicked".to_owned(),
                (_, code) => format!("ended with {code:?}"),
            },
            Err(error) => error.to_string(),
        };
        match said {
            Some(said) => format!("{how}: {}", shorten(said)),
            None => how,
        }
    }
}

impl Drop for Process {
    /// Ends the child: it has nothing that is to be kept.
    fn drop(&mut self) {
        // It may have ended by itself, in which case there is nothing to end.
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = fs::remove_file(&self.errors);
    }
}

/// `name=number` pairs.
fn parse(text: &str) -> Answer {
    text.split(' ')
        .filter_map(|pair| {
            let (name, number) = pair.split_once('=')?;
            Some((name.to_owned(), number.parse().ok()?))
        })
        .collect()
}

/// An engine's message may have the whole policy in it.
fn shorten(text: &str) -> String {
    const MOST: usize = 160;
    match text.char_indices().nth(MOST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
