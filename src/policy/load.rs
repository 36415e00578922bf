//! Files to policies.

use std::{
    collections::{BTreeMap, HashMap},
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
    sync::Arc,
};

use sha2::{Digest, Sha256};

use super::{
    Building, ConnectionId, Diagnostic, Location, Place, Policy, PolicyErrors, Revision,
    key_index::KeyIndex,
    part::{self, Mark, Part},
    report::{Report, Span},
    schema, yaml,
};

/// The largest file that is read, in bytes.
pub const MAX_FILE_SIZE: usize = 32 << 20;
/// The most rules (entries of `restrictions` and `deny`) of a policy, over all its connections.
pub const MAX_RULES: usize = 1 << 20;

impl Policy {
    /// Loads a policy: a file, or all files of a folder that end in `.yaml` or `.yml`.
    ///
    /// Of a folder, files of tests (`NAME.test.yaml`), hidden files and folders in it are left
    /// out; the files are taken in the order of their names. A policy loads whole or not at all.
    ///
    /// # Errors
    ///
    /// Everything that is wrong in any of the files, not only the first of it: a file that cannot
    /// be read or is larger than [`MAX_FILE_SIZE`], what is not YAML, an unknown field, a
    /// restriction that no path can match, a connection that two files define.
    pub fn load(path: &Path) -> Result<Self, PolicyErrors> {
        let mut loading = Loading::default();
        let is_folder = fs::metadata(path).is_ok_and(|meta| meta.is_dir());
        let files = if is_folder { policy_files(path) } else { Ok(vec![path.to_owned()]) };
        let files = match files {
            Ok(files) => files,
            Err(error) => {
                loading.fail(
                    path,
                    "policy.io",
                    &format!("the folder cannot be read: {error}"),
                    READABLE,
                );
                vec![]
            }
        };
        if files.is_empty() && loading.diagnostics.is_empty() {
            loading.fail(path, "policy.empty", "no policy is in this folder", NO_FILES);
        }
        for file in files {
            match read_file(&file) {
                Ok(bytes) => {
                    let name = file.file_name().map(|name| name.to_string_lossy());
                    loading.add(&file.to_string_lossy(), &name.unwrap_or_default(), &bytes);
                }
                Err(ReadError::Io(error)) => {
                    let message = format!("the file cannot be read: {error}");
                    loading.fail(&file, "policy.io", &message, READABLE);
                }
                Err(ReadError::Size) => loading.fail(&file, "limit.file_size", &too_big(), SPLIT),
            }
        }
        loading.finish(path)
    }

    /// The policy that one text says. `name` is what errors call it.
    ///
    /// ```
    /// use pathward::{ConnectionId, Policy};
    ///
    /// let policy = Policy::from_yaml("policy.yaml", "
    /// connections:
    ///   - id: s3+saha
    ///     owner: steph
    ///     restrictions: [Algorithmia/team.jpg, Algorithmia/out/]
    /// ")?;
    /// assert!(policy.connection("steph", &ConnectionId::parse("S3+saha")?).is_some());
    ///
    /// let errors = Policy::from_yaml("policy.yaml", "
    /// connections:
    ///   - id: s3+saha
    ///     owner: steph
    ///     dney: [Algorithmia/secret/]
    /// ").unwrap_err();
    /// assert_eq!(errors.to_string(), "\
    /// error: unknown field `dney` of a connection
    ///  --> policy.yaml:5:5
    ///   |
    /// 5 |     dney: [Algorithmia/secret/]
    ///   |     ^^^^
    /// help: did you mean `deny`?");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As [`Policy::load`].
    pub fn from_yaml(name: &str, text: &str) -> Result<Self, PolicyErrors> {
        Self::from_bytes(name, text.as_bytes())
    }

    /// The policy that the bytes of one file say, as [`Policy::from_yaml`] reads a text.
    ///
    /// # Errors
    ///
    /// As [`Policy::load`].
    pub fn from_bytes(name: &str, bytes: &[u8]) -> Result<Self, PolicyErrors> {
        let mut loading = Loading::default();
        match bytes.len() > MAX_FILE_SIZE {
            true => loading.fail(Path::new(name), "limit.file_size", &too_big(), SPLIT),
            false => loading.add(name, name, bytes),
        }
        loading.finish(Path::new(name))
    }

    /// The policy that the files of a folder say, which come from somewhere else than a folder.
    /// `name` is what errors call the whole; each file has its own name and its bytes.
    ///
    /// Files that a folder would not give to a policy ([`is_policy_file`]) are left out.
    ///
    /// # Errors
    ///
    /// As [`Policy::load`].
    #[expect(clippy::needless_pass_by_value, reason = "callers have the files for this alone")]
    pub fn from_files(name: &str, files: Vec<(String, Vec<u8>)>) -> Result<Self, PolicyErrors> {
        let files = files.iter().map(|(name, bytes)| (&**name, &**bytes)).collect();
        Self::from_read(name, files, &BTreeMap::new(), &[])
    }

    /// The users of a folder's files, as [`Policy::from_files`] finds them, and no connections: these may be
    /// many, and take long to compile.
    #[cfg(feature = "store")]
    pub(crate) fn users_from_read(
        name: &str,
        files: Vec<(&str, &[u8])>,
    ) -> Result<Self, PolicyErrors> {
        let building = Building { is_of_users: true, ..Building::default() };
        Loading { building, ..Loading::default() }.load(name, files, &BTreeMap::new())
    }

    /// As [`Policy::from_files`], with the files that cannot be read, and why: these are errors. Files that
    /// say what they said when one of `before` was read, by the same name, are not read once more.
    pub(crate) fn from_read(
        name: &str,
        files: Vec<(&str, &[u8])>,
        unread: &BTreeMap<String, String>,
        before: &[&Self],
    ) -> Result<Self, PolicyErrors> {
        let parts = before.iter().flat_map(|before| &before.parts);
        let before = parts.map(|part| (part.of(), part)).collect();
        Loading { before, ..Loading::default() }.load(name, files, unread)
    }
}

/// Whether a file of this name in a folder belongs to the folder's policy: `.yaml` or `.yml`, neither
/// tests (`NAME.test.yaml`) nor hidden.
pub fn is_policy_file(name: &str) -> bool {
    let is_yaml = [".yaml", ".yml"].iter().any(|end| name.ends_with(end));
    let is_test = [".test.yaml", ".test.yml"].iter().any(|end| name.ends_with(end));
    is_yaml && !is_test && !name.starts_with('.')
}

const NO_FILES: &str =
    "policies are files that end in `.yaml` or `.yml`; `.test.yaml` is for tests";
const SPLIT: &str = "put the connections into several files of one folder";

const READABLE: &str = "name a file or folder that can be read";

/// Reads a file only for what is wrong in it.
fn read_trial(report: &mut Report<'_>) {
    if let Some(root) = yaml::parse(report) {
        let mut building = Building { is_trial: true, ..Building::default() };
        schema::read(report, &mut building, &root);
    }
}

fn too_big() -> String {
    format!("the file has more than {} MiB (limit.file_size)", MAX_FILE_SIZE >> 20)
}

/// The files of a folder that make a policy, in the order of their names.
fn policy_files(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        if is_policy_file(&name) && !path.is_dir() {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// Why a file could not be read.
pub(super) enum ReadError {
    Io(io::Error),
    Size,
}

/// The bytes of a file that is not too large. Nothing of one that is too large is read.
pub(super) fn read_file(path: &Path) -> Result<Vec<u8>, ReadError> {
    let file = File::open(path).map_err(ReadError::Io)?;
    let meta = file.metadata().map_err(ReadError::Io)?;
    let limit = MAX_FILE_SIZE as u64;
    if meta.len() > limit {
        return Err(ReadError::Size);
    }
    // What is no ordinary file, or grows, has no length to go by.
    let mut bytes = Vec::with_capacity(usize::try_from(meta.len()).unwrap_or_default());
    file.take(limit + 1).read_to_end(&mut bytes).map_err(ReadError::Io)?;
    if bytes.len() > MAX_FILE_SIZE {
        return Err(ReadError::Size);
    }
    Ok(bytes)
}

/// The text of a file; reports where it is none.
pub(super) fn utf8<'t>(
    file: &Arc<str>,
    bytes: &'t [u8],
) -> Result<&'t str, (Vec<Diagnostic>, usize)> {
    std::str::from_utf8(bytes).map_err(|error| {
        let before = bytes.get(..error.valid_up_to()).unwrap_or_default();
        let start = memchr::memrchr(b'\n', before).map_or(0, |feed| feed + 1);
        let line = memchr::memchr_iter(b'\n', before).count() + 1;
        let column = String::from_utf8_lossy(before.get(start..).unwrap_or_default());
        let column = column.chars().count() + 1;
        let mut report = Report::of_file(Arc::clone(file));
        let span = Span {
            line: u32::try_from(line).unwrap_or(u32::MAX),
            column: u32::try_from(column).unwrap_or(u32::MAX),
            ..Span::default()
        };
        report.hide(span);
        report
            .error("policy.encoding", span, "the file is not UTF-8 from here on")
            .help("save it as UTF-8");
        report.finish()
    })
}

/// A policy, while its files are read.
#[derive(Default)]
struct Loading<'p> {
    building: Building,
    /// What files said before, by what they are called and the hash of their bytes.
    before: HashMap<(&'p str, &'p [u8; 32]), &'p Arc<Part>>,
    parts: Vec<Arc<Part>>,
    revision: Sha256,
    diagnostics: Vec<Diagnostic>,
    more: usize,
    failed: bool,
}

impl Loading<'_> {
    /// Reads the files of a folder.
    fn load(
        mut self,
        name: &str,
        mut files: Vec<(&str, &[u8])>,
        unread: &BTreeMap<String, String>,
    ) -> Result<Policy, PolicyErrors> {
        for (file, why) in unread {
            let shown = format!("{}/{file}", name.trim_end_matches('/'));
            let message = format!("the file cannot be read: {why}");
            self.fail(Path::new(&shown), "policy.io", &message, READABLE);
        }
        files.retain(|(file, _)| is_policy_file(file));
        files.sort();
        if files.is_empty() && unread.is_empty() {
            self.fail(Path::new(name), "policy.empty", "no policy is in this folder", NO_FILES);
        }
        for (file, bytes) in files {
            let shown = format!("{}/{file}", name.trim_end_matches('/'));
            match bytes.len() > MAX_FILE_SIZE {
                true => self.fail(Path::new(&shown), "limit.file_size", &too_big(), SPLIT),
                false => self.add(&shown, file, bytes),
            }
        }
        self.finish(Path::new(name))
    }

    /// Reads one file. `name` is what it is called in the revision.
    fn add(&mut self, file: &str, name: &str, bytes: &[u8]) {
        for part in [name.as_bytes(), bytes] {
            self.revision.update((part.len() as u64).to_be_bytes());
            self.revision.update(part);
        }
        let hash = part::hash(bytes);
        let known = self.before.get(&(file, &hash));
        if let Some(part) = known.filter(|part| part.add_to(&mut self.building, MAX_RULES)) {
            let (warnings, more) = part.warnings();
            self.diagnostics.extend(warnings.iter().cloned());
            self.more += more;
            self.parts.push(Arc::clone(part));
            return;
        }
        let (file, mark): (Arc<str>, _) = (file.into(), Mark::of(&mut self.building));
        let (diagnostics, more) = match utf8(&file, bytes) {
            Ok(text) => {
                let mut report = Report::new(Arc::clone(&file), text, read_trial);
                if let Some(root) = yaml::parse(&mut report) {
                    schema::read(&mut report, &mut self.building, &root);
                }
                let failed = report.failed();
                self.failed |= failed;
                let (warnings, more) = report.finish();
                if !failed {
                    let of = (file, hash);
                    let part = Part::since(&mark, &mut self.building, of, (&warnings, more));
                    self.parts.extend(part.map(Arc::new));
                }
                (warnings, more)
            }
            Err(found) => {
                self.failed = true;
                found
            }
        };
        self.diagnostics.extend(diagnostics);
        self.more += more;
    }

    /// Something is wrong with a file as a whole.
    fn fail(&mut self, file: &Path, code: &'static str, message: &str, help: &'static str) {
        let mut report = Report::of_file(file.to_string_lossy().into());
        report.error(code, Span::FILE, message).help(help);
        self.failed = true;
        self.diagnostics.extend(report.finish().0);
    }

    /// The policy, if nothing is wrong with it. `path` is where all of it was loaded from.
    fn finish(mut self, path: &Path) -> Result<Policy, PolicyErrors> {
        let is_empty = self.building.connections.is_empty() && self.building.users.is_empty();
        if is_empty && !self.failed {
            let help = "a connection stands under `connections`; without one nothing is allowed, and \
                        the policy can be taken away";
            self.fail(path, "policy.empty", "the policy defines no connection and no user", help);
        }
        if self.failed {
            return Err(PolicyErrors { diagnostics: self.diagnostics, more: self.more });
        }
        let digest = self.revision.finalize();
        let mut first = [0; 8];
        first.iter_mut().zip(digest.iter()).for_each(|(to, from)| *to = *from);
        Ok(Policy {
            connections: self.building.connections,
            by_hash: KeyIndex::new(&self.building.users),
            users: self.building.users,
            by_owner: self.building.by_owner,
            warnings: self.diagnostics,
            revision: Revision(u64::from_be_bytes(first)),
            parts: self.parts,
        })
    }
}

impl Building {
    /// Remembers where something is defined; reports when it was before.
    pub(super) fn claim(
        &mut self,
        report: &mut Report<'_>,
        span: Span,
        place: Place,
        message: impl FnOnce() -> String,
    ) {
        if let Some(first) = self.places.get(&place) {
            report
                .error("policy.duplicate", span, message())
                .note(format!("the first is at {first}"))
                .help("take one of the two out, or give it another name");
            return;
        }
        self.claimed.push(place.clone());
        self.places.insert(place, report.location(span));
    }

    /// A connection is defined here.
    pub(super) fn claim_connection(
        &mut self,
        report: &mut Report<'_>,
        span: Span,
        owner: &str,
        id: &ConnectionId<'_>,
    ) {
        let place = Place::Connection(owner.into(), id.to_string().into());
        self.claim(report, span, place, || {
            format!("the connection `{id}` of `{owner}` is defined twice")
        });
    }

    /// An owner's default connection is defined here.
    pub(super) fn claim_default(
        &mut self,
        report: &mut Report<'_>,
        span: Span,
        owner: &str,
        id: &ConnectionId<'_>,
    ) {
        let protocol = id.protocol().name();
        let place = Place::Connection(owner.into(), protocol.into());
        self.claim(report, span, place, || {
            format!("`{owner}` has two connections that are the default for `{protocol}`")
        });
    }
}

/// Where each thing is defined that may be defined only once.
pub(super) type Places = HashMap<Place, Location>;
