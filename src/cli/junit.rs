//! The answer of `test` as JUnit's XML, which builds show.

use std::io::{self, Write};

use super::test::{ReportJson, asked, got};
use crate::escape::xml;

/// A suite for each file, a case for each test.
pub(super) fn write(report: &ReportJson<'_>, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "<?xml version=\"1.0\" encoding=\"UTF-8\"?>")?;
    let total = report.passed + report.failed;
    writeln!(
        out,
        "<testsuites name=\"pathward\" tests=\"{total}\" failures=\"{}\">",
        report.failed
    )?;
    for file in &report.files {
        let failed = file.tests.iter().filter(|test| !test.passed).count();
        writeln!(
            out,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{failed}\">",
            xml(&file.file),
            file.tests.len()
        )?;
        for test in &file.tests {
            let (name, class) = (xml(test.name), format!("{} as {}", test.connection, test.caller));
            let head = format!(
                "    <testcase name=\"{name}\" classname=\"{}\" file=\"{}\" line=\"{}\"",
                xml(&class),
                xml(&file.file),
                test.line
            );
            if test.passed {
                writeln!(out, "{head}/>")?;
                continue;
            }
            writeln!(out, "{head}>")?;
            for failure in &test.failures {
                let message = format!(
                    "{}: expected {}, got {}",
                    asked(failure),
                    failure.expected,
                    got(failure)
                );
                let rule = failure.by.as_deref().unwrap_or_default();
                let at = &failure.at;
                writeln!(
                    out,
                    "      <failure message=\"{}\" type=\"{}\">{}</failure>",
                    xml(&message),
                    failure.reason,
                    xml(&format!("{}:{}:{}{rule}", file.file, at.line, at.column))
                )?;
            }
            writeln!(out, "    </testcase>")?;
        }
        writeln!(out, "  </testsuite>")?;
    }
    writeln!(out, "</testsuites>")
}
