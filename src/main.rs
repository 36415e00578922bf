//! The command `pathward`.

use std::process::ExitCode;

fn main() -> ExitCode {
    pathward::cli::main()
}
