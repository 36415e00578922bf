//! What `pathward serve --demo` has beyond a gateway: an S3 server inside the process with a few
//! objects, a policy over them, a key, and three lines to try.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    net::SocketAddr,
    path::{Path, PathBuf},
};

use sha2::{Digest as _, Sha256};

use super::{
    exit::Exit,
    output::{Failure, Output},
};
use crate::{
    embedded::{Embedded, EmbeddedOptions, demo},
    policy::{
        Policy,
        written::random::{hex, random_key},
    },
};

/// A running S3 server with the demo's objects, and the one key to its policy.
pub(super) struct Demo {
    server: Embedded,
    policy: Policy,
    key: String,
    /// Gone with the demo.
    credentials: Private,
}

impl Demo {
    /// Starts it, with its objects in this folder or in memory.
    pub(super) async fn start(data: Option<&Path>) -> Result<Self, Failure> {
        let failed = |error: &dyn std::error::Error| {
            Failure::Said(Exit::Error, format!("the demo cannot start: {error}"))
        };
        let options = EmbeddedOptions { data: data.map(Path::to_owned), ..Default::default() };
        let server = Embedded::start(options).await.map_err(|error| failed(&error))?;
        demo::fill(&server).await.map_err(|error| failed(&error))?;
        let key = random_key().map_err(|error| failed(&error))?;
        let credentials =
            Private::write(&demo::credentials_file(&server)).map_err(|error| failed(&error))?;
        let file = credentials.file.to_string_lossy();
        let hash = hex(&Sha256::digest(&key));
        let text = demo::demo_policy(&server.endpoint(), &file, &hash);
        let policy = Policy::from_yaml("demo.yaml", &text)
            .map_err(|errors| Failure::Said(Exit::Policy, errors.to_string()))?;
        Ok(Self { server, policy, key, credentials })
    }

    /// Takes the policy out.
    pub(super) fn split(self) -> (Policy, Running) {
        let Self { server, policy, key, credentials } = self;
        (policy, Running { server, key, _credentials: credentials })
    }
}

/// The demo, while the gateway serves.
pub(super) struct Running {
    server: Embedded,
    key: String,
    _credentials: Private,
}

impl Running {
    /// Says what to try.
    pub(super) fn explain(&self, address: SocketAddr, output: &mut Output<'_>) -> io::Result<()> {
        let key = &self.key;
        let base = format!("http://{address}");
        let curl = |path: &str| {
            format!("curl -H 'Authorization: Simple {key}' {base}/v1/connector/s3+saha/{path}")
        };
        writeln!(
            output.out,
            "
The connection s3+saha reaches four places of an S3 server in this process. Try:

  {}
  python3 -c \"import Algorithmia; print(Algorithmia.client('{key}', '{base}').file('s3+saha://Algorithmia/test_data.csv').getString())\"
  {}

The first reads a file and the second does so by Algorithmia's own client (pip install algorithmia).
The third is denied: no restriction reaches what it asks for. Ctrl-C stops.",
            curl("Algorithmia/test_data.csv"),
            curl("Algorithmia/private/salaries.csv"),
        )?;
        output.out.flush()
    }

    pub(super) async fn stop(self) {
        self.server.shutdown().await;
    }
}

/// A file that only this user can read, in a folder of its own, gone when this is dropped.
struct Private {
    folder: PathBuf,
    file: PathBuf,
}

impl Private {
    fn write(text: &str) -> io::Result<Self> {
        let mut random = [0; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let folder = std::env::temp_dir().join(format!("pathward-demo-{}", hex(&random)));
        let mut builder = DirBuilder::new();
        let mut options = OpenOptions::new();
        options.write(true).create_new(true);
        #[cfg(unix)]
        {
            use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
            builder.mode(0o700);
            options.mode(0o600);
        }
        builder.create(&folder)?;
        let private = Self { file: folder.join("credentials"), folder };
        options.open(&private.file)?.write_all(text.as_bytes())?;
        Ok(private)
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Of a server that ends with this process: what cannot be removed opens nothing.
        drop(fs::remove_dir_all(&self.folder));
    }
}
