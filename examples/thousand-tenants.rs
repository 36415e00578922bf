//! Prints `policies/thousand-tenants.yaml`: a policy as a program would write it.
//!
//! ```sh
//! cargo run --no-default-features --example thousand-tenants > policies/thousand-tenants.yaml
//! ```
//!
//! A thousand tenants share three buckets. Each may read and write its own folder, read what is
//! published for its plan, and change nothing that it is billed by. The program is deterministic:
//! a test compares what it prints with the file.

use std::{
    fmt::{self, Write as _},
    io::{self, Write as _},
};

/// How many tenants there are.
const TENANTS: usize = 1_000;

fn main() -> io::Result<()> {
    io::stdout().write_all(policy().map_err(io::Error::other)?.as_bytes())
}

/// The policy.
pub(crate) fn policy() -> Result<String, fmt::Error> {
    let mut yaml = String::from(
        "# A thousand tenants in three buckets: written by examples/thousand-tenants.rs, not by \
         hand.\n# A label says what a connection is for, and each owner has labels of their own: \
         all tenants\n# say `s3+data`, and none can name another's.\nconnections:\n",
    );
    for n in 0..TENANTS {
        tenant(&mut yaml, n)?;
    }
    Ok(yaml)
}

fn tenant(yaml: &mut String, n: usize) -> fmt::Result {
    let region = ["eu", "us", "ap"][n % 3];
    let plan = ["free", "team", "enterprise"][n * 7 % 3];
    let home = format!("tenants-{region}/t-{n:04}");
    writeln!(yaml, "  - id: s3+data\n    owner: tenant-{n:04}\n    default: true")?;
    writeln!(yaml, "    credentials: {{ profile: tenants-{region} }}\n    restrictions:")?;
    writeln!(yaml, "      - {{ path: {home}/, access: read-write }}")?;
    writeln!(yaml, "      - tenants-{region}/published/{plan}/")?;
    // Every tenth tenant has archives; they are read but never changed.
    if n.is_multiple_of(10) {
        writeln!(yaml, "      - tenants-{region}/archive/*/t-{n:04}/*")?;
    }
    writeln!(yaml, "    deny:")?;
    writeln!(yaml, "      - {{ path: {home}/billing/, access: [write, delete] }}")
}
