//! What `pathward serve --demo` has beyond a gateway and a portal: an S3 server inside the process
//! with a few objects, a store with one connection to it, a key, and three lines to try.

use std::{
    fs::{self, DirBuilder, File},
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
};

use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::{
    create::write_private,
    exit::Exit,
    output::{Failure, Output},
    portal::Listening,
};
use crate::{
    access::AccessSet,
    embedded::{Embedded, EmbeddedOptions, demo},
    escape::hex,
    policy::{ConnectionId, Reach},
    store::{Draft, DraftCredentials, SealKey, Secret, Store, StoreError},
};

/// What the demo's key is called.
const KEY_ID: &str = "demo";

/// What a demo in a folder begins with when it is started again, so that what was typed into the
/// portal then still holds: it opens nothing but the demo's own server.
#[derive(Serialize, Deserialize)]
struct Kept {
    port: u16,
    access_key_id: String,
    secret_access_key: String,
    seal_key: String,
}

/// A running S3 server with the demo's objects, and a store with a connection to it.
pub(super) struct Demo {
    server: Embedded,
    store: Store,
    key: Zeroizing<String>,
    /// Gone with the demo.
    _folder: Option<Private>,
}

impl Demo {
    /// Starts it, in this folder, or in memory and a folder that is gone with it.
    pub(super) async fn start(data: Option<&Path>) -> Result<Self, Failure> {
        Self::try_start(data)
            .await
            .map_err(|error| Failure::Said(Exit::Error, format!("the demo cannot start: {error}")))
    }

    async fn try_start(data: Option<&Path>) -> Result<Self, Box<dyn std::error::Error>> {
        let kept = data.map(|data| data.join("demo.json"));
        let known: Option<Kept> = match &kept {
            Some(file) if file.exists() => Some(serde_json::from_slice(&fs::read(file)?)?),
            _ => None,
        };
        let mut options = EmbeddedOptions { data: data.map(Path::to_owned), ..Default::default() };
        if let Some(known) = &known {
            options = options
                .with_credentials(&known.access_key_id, &known.secret_access_key)
                .at_port(known.port);
        }
        let server = Embedded::start(options).await?;
        demo::fill(&server).await?;
        let seal_key = match &known {
            Some(known) => Zeroizing::new(known.seal_key.clone()),
            None => SealKey::generate(),
        };
        let folder = match data {
            None => Some(Private::new()?),
            Some(_) => None,
        };
        if let Some(file) = kept.filter(|_| known.is_none()) {
            let kept = Kept {
                port: server.port(),
                access_key_id: server.access_key_id().to_owned(),
                secret_access_key: server.secret_access_key().to_owned(),
                seal_key: seal_key.to_string(),
            };
            write_private(&file, &serde_json::to_vec(&kept)?)?;
        }
        let policy = match (data, &folder) {
            (Some(data), _) => data.join("store"),
            (None, Some(folder)) => folder.path.clone(),
            (None, None) => return Err("there is no folder".into()),
        };
        let store = Store::open(&policy, Some(SealKey::parse(&seal_key)?))?;
        let id = ConnectionId::parse("s3+saha")?;
        match store.find(demo::OWNER, &id) {
            // Somebody may have deleted it meanwhile, which is theirs to do.
            _ if known.is_some() => {}
            Err(StoreError::Missing) => drop(store.create(demo::OWNER, &draft(&server))?),
            other => drop(other?),
        }
        match store.revoke_key(demo::OWNER, KEY_ID) {
            Ok(()) | Err(StoreError::Missing) => {}
            Err(error) => return Err(error.into()),
        }
        let (_, key) =
            store.create_key(demo::OWNER, KEY_ID, AccessSet::READ_WRITE, false, &Reach::ALL)?;
        Ok(Self { server, store, key, _folder: folder })
    }

    /// The address of its S3 server.
    pub(super) fn endpoint(&self) -> String {
        self.server.endpoint()
    }

    /// The store that is to be served.
    pub(super) fn store(&self) -> &Store {
        &self.store
    }

    /// Says what to try.
    pub(super) fn explain(
        &self,
        (scheme, gateway): (&str, SocketAddr),
        portal: Option<&Listening>,
        output: &mut Output<'_>,
    ) -> io::Result<()> {
        let key = &*self.key;
        let base = format!("{scheme}://{gateway}");
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
The third is denied: no restriction reaches what it asks for.",
            curl("Algorithmia/test_data.csv"),
            curl("Algorithmia/private/salaries.csv"),
        )?;
        if let Some(portal) = portal {
            let address = portal.address;
            let opens = match &portal.first_link {
                Some(link) => {
                    format!("  {link}\n\nThat link works once, and makes your key there.")
                }
                None => {
                    format!("  {scheme}://{address}\n\nSign in with the key that you made there.")
                }
            };
            writeln!(
                output.out,
                "
Connections are made and changed in the portal:

{opens}
A connection of your own can have the S3 server in this process (its bucket is Algorithmia; restrict it to
Algorithmia/reports/, for one), which takes

  endpoint           {}
  access key id      {}
  secret access key  {}",
                self.server.endpoint(),
                self.server.access_key_id(),
                self.server.secret_access_key(),
            )?;
        }
        writeln!(
            output.out,
            "\nFor a server of your own in a private network, start with --allow-private-endpoint and its address.\n\
             Keys, links and all else here are new at each start, unless --data DIR keeps them.\n\nCtrl-C stops."
        )?;
        output.out.flush()
    }

    pub(super) async fn stop(self) {
        self.server.shutdown().await;
    }
}

/// The connection of Algorithmia's guide: it reaches a picture, a table and the reports of one
/// bucket, and may write in one folder.
fn draft(server: &Embedded) -> Draft {
    let secret = Secret::new(server.access_key_id(), server.secret_access_key());
    Draft {
        is_default: true,
        endpoint: Some(server.endpoint()),
        region: Some("us-east-1".to_owned()),
        // The embedded server keeps keys as they are.
        keys: Some(crate::Keys::Exact),
        credentials: DraftCredentials::Secret(secret),
        restrictions: Some(demo::restrictions()),
        ..Draft::new("saha")
    }
}

/// A folder that only this user can enter, gone when this is dropped.
struct Private {
    path: PathBuf,
    /// Locked for as long as the demo runs.
    _alive: File,
}

impl Private {
    fn new() -> io::Result<Self> {
        remove_abandoned(&std::env::temp_dir());
        let mut random = [0_u8; 8];
        getrandom::fill(&mut random).map_err(io::Error::other)?;
        let path = std::env::temp_dir().join(format!("{PREFIX}{}", hex(&random)));
        let mut builder = DirBuilder::new();
        #[cfg(unix)]
        {
            use std::os::unix::fs::DirBuilderExt as _;
            builder.mode(0o700);
        }
        builder.create(&path)?;
        let alive = File::create_new(path.join(ALIVE))?;
        // Where there are no locks, nobody takes the folder for abandoned either.
        drop(alive.try_lock());
        Ok(Self { path, _alive: alive })
    }
}

impl Drop for Private {
    fn drop(&mut self) {
        // Of a server that ends with this process: what cannot be removed opens nothing.
        drop(fs::remove_dir_all(&self.path));
    }
}

/// What the folders of demos are called, with some digits behind it.
const PREFIX: &str = "pathward-demo-";
/// The file in each that its demo has locked.
const ALIVE: &str = ".pathward.alive";

/// Removes what demos left behind that were killed. Another user's cannot be entered, and stays.
fn remove_abandoned(temp: &Path) {
    for entry in fs::read_dir(temp).into_iter().flatten().flatten() {
        let is_demo = entry.file_name().to_str().is_some_and(|name| name.starts_with(PREFIX));
        if !is_demo || !entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            continue;
        }
        let alive = File::open(entry.path().join(ALIVE));
        if alive.is_ok_and(|alive| alive.try_lock().is_ok()) {
            drop(fs::remove_dir_all(entry.path()));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_killed_demo_left_is_removed_and_what_a_running_one_has_is_not() {
        let temp = tempfile::tempdir().unwrap();
        let folder = |name: &str| {
            let folder = temp.path().join(name);
            fs::create_dir(&folder).unwrap();
            File::create_new(folder.join(ALIVE)).unwrap()
        };
        let running = folder("pathward-demo-1");
        running.lock().unwrap();
        let _killed = folder("pathward-demo-2");
        let _other = folder("somebody-elses");
        remove_abandoned(temp.path());
        let left = |name: &str| temp.path().join(name).exists();
        assert!(left("pathward-demo-1") && !left("pathward-demo-2") && left("somebody-elses"));
    }
}
