//! Exit codes: the one thing that a script sees of an answer.

use std::process::ExitCode;

/// What the command ends with. The numbers are stable.
///
/// 2 is also what clap ends with, so "denied" has a number of its own: a mistyped flag never
/// passes for a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Exit {
    /// Allowed, or nothing to complain about.
    Fine = 0,
    /// Something that is nobody's mistake here: a batch that cannot be read, a full disk.
    Error = 1,
    /// The question itself is wrong: usage, or a malformed path, which is neither allowed nor
    /// denied.
    Question = 2,
    /// The policy does not load, for whatever reason: what is wrong in it, or no file to read.
    Policy = 3,
    /// There are findings, or a test failed.
    Findings = 4,
    /// Denied.
    Denied = 5,
}

impl Exit {
    /// The number.
    pub const fn code(self) -> u8 {
        self as u8
    }
}

impl From<Exit> for ExitCode {
    fn from(exit: Exit) -> Self {
        Self::from(exit.code())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_numbers_are_stable() {
        for (exit, code) in [
            (Exit::Fine, 0),
            (Exit::Error, 1),
            (Exit::Question, 2),
            (Exit::Policy, 3),
            (Exit::Findings, 4),
            (Exit::Denied, 5),
        ] {
            assert_eq!(exit.code(), code);
            assert_eq!(ExitCode::from(exit), ExitCode::from(code));
        }
    }
}
