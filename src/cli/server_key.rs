//! The key that gateways share: `pathward key server`, and `serve --server-key`.

use std::{
    io::ErrorKind,
    path::{Path, PathBuf},
};

use clap::Args;
use zeroize::Zeroizing;

use super::{
    exit::Exit,
    output::{Failure, Output},
};
use crate::{
    escape::escape,
    gateway::ServerKey,
    readers::{Unread, read_secret, warn_of_readers},
};

/// The longest file that is read, in bytes.
const LONGEST: u64 = 64 << 10;

/// The key that several gateways share.
#[derive(Debug, Args)]
pub(super) struct ServerKeyArgs {
    /// Seal what callers bring back with the key in this file, which `pathward key server` makes: gateways
    /// that share it go on with each other's listings, and with their own after a restart. Without it each
    /// makes its own when it starts
    #[arg(long, value_name = "FILE")]
    server_key: Option<PathBuf>,
}

impl ServerKeyArgs {
    /// Reads the file.
    pub(super) fn load(&self) -> Result<Option<ServerKey>, Failure> {
        let Some(path) = &self.server_key else {
            tracing::info!(
                target: "pathward::serve",
                "no --server-key: markers of listings are good at this process alone, until it ends"
            );
            return Ok(None);
        };
        warn_of_readers(path, "the server key");
        read(path).map(Some)
    }
}

fn read(path: &Path) -> Result<ServerKey, Failure> {
    let shown = escape(&path.display().to_string()).into_owned();
    let text = read_secret(path, LONGEST).map_err(|unread| {
        Failure::question(match unread {
            Unread::Io(error) if error.kind() == ErrorKind::NotFound => format!(
                "`{shown}`: there is no such file: make one with `pathward key server {shown}`"
            ),
            Unread::Io(error) => format!("`{shown}` cannot be read: {error}"),
            Unread::NotAFile | Unread::TooLong => format!(
                "`{shown}` is no file of server keys: make one with `pathward key server FILE`"
            ),
        })
    })?;
    let text = std::str::from_utf8(&text)
        .map_err(|_| Failure::question(format!("`{shown}` is no text, and so no server key")))?;
    ServerKey::parse(text).map_err(|error| Failure::question(format!("`{shown}`: {error}")))
}

/// Makes the key that several gateways share.
#[derive(Debug, Args)]
#[command(after_long_help = "\
Examples:
  pathward key server server.key
  pathward serve --policy policies/ --server-key server.key

The file is for this user alone, and belongs on every gateway that stands for the same. To replace
the key, make another one and put its line behind the old one on every gateway; once all run with
both, put it first; once all do, take the old one out. What was sealed by a key that is gone is
refused: a listing is begun anew.

Exit codes: 0 made, 1 it cannot be written, 2 the file is there already.")]
pub(super) struct ServerArgs {
    /// The file to make
    #[arg(value_name = "FILE")]
    file: PathBuf,
}

pub(super) fn make(args: &ServerArgs, output: &mut Output<'_>) -> Result<Exit, Failure> {
    let key = ServerKey::random()
        .map_err(|_| Failure::Said(Exit::Error, "the system gives no random bytes".to_owned()))?;
    let text = Zeroizing::new(format!(
        "# Gateways of pathward that share this go on with each other's listings. Keep it secret.\n{}",
        &*key.text()
    ));
    match super::create::write_private(&args.file, text.as_bytes()) {
        Ok(()) => {}
        Err(error) if error.kind() == ErrorKind::AlreadyExists => {
            let file = escape(&args.file.display().to_string()).into_owned();
            return Err(Failure::question(format!(
                "`{file}` is there already, and is left as it is: a key that is lost refuses what it \
                 sealed. Name another file"
            )));
        }
        Err(error) => return Err(Failure::file("cannot write", &args.file, &error)),
    }
    output.note(format_args!(
        "made; start every gateway with `--server-key {}`",
        escape(&args.file.display().to_string())
    ))?;
    Ok(Exit::Fine)
}
