//! The store on disk.
//!
//! The index is a redb database, whose commits survive a crash or do not exist. The bytes of
//! objects are files beside it, one for each upload or part, with random names. Not values of
//! redb: those are written whole, and a transaction would be open for as long as an upload
//! lasts. Nor files named by key: keys are not names of files.
//!
//! A file is written and synced before the commit that names it, and removed after the one that
//! no longer does. So a crash leaves at most files without a name, which are swept at the next
//! opening. (The commit does what renaming a temporary file would.)

use std::{collections::HashSet, error::Error, fs, io, path::Path, path::PathBuf, time::Duration};

use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition};
use s3s::{S3Result, s3_error};

use super::{
    data::DataFile,
    record::{self, Loader},
    state::{Change, State, Upload, now},
};
use crate::embedded::credentials::random_name;

/// Rows by their keys; [`record`] says what is in them.
const ROWS: TableDefinition<'_, &[u8], &[u8]> = TableDefinition::new("rows");

/// How old an upload in parts is that nobody goes on with, when the server starts.
const GIVEN_UP: Duration = Duration::from_secs(24 * 60 * 60);

pub(super) type DiskError = Box<dyn Error + Send + Sync>;

pub(super) struct Disk {
    database: Database,
    files: PathBuf,
}

impl Disk {
    /// Opens a folder, or makes it.
    pub(super) fn open(folder: &Path) -> Result<(Self, State), DiskError> {
        let files = folder.join("objects");
        fs::create_dir_all(&files)?;
        let database = Database::create(folder.join("index.redb"))?;
        let transaction = database.begin_write()?;
        transaction.open_table(ROWS)?;
        transaction.commit()?;

        let mut loader = Loader::new(files.clone());
        for row in database.begin_read()?.open_table(ROWS)?.iter()? {
            let (key, value) = row?;
            loader.row(key.value(), value.value())?;
        }
        let (mut state, known) = loader.finish();
        sweep(&files, &known)?;
        let disk = Self { database, files };
        disk.end_old_uploads(&mut state)?;
        Ok((disk, state))
    }

    /// Ends the uploads in parts that nobody goes on with.
    fn end_old_uploads(&self, state: &mut State) -> Result<(), DiskError> {
        let is_old = |upload: &Upload| {
            now().duration_since(upload.started).is_ok_and(|since| since >= GIVEN_UP)
        };
        let old = state.uploads.iter().filter(|(_, upload)| is_old(upload));
        let changes: Vec<_> = old.map(|(id, _)| Change::NoUpload(id.clone())).collect();
        if !changes.is_empty() {
            self.try_record(&changes)?;
            changes.into_iter().for_each(|change| state.apply(change));
        }
        Ok(())
    }

    /// Makes changes last, all or none.
    pub(super) fn record(&self, changes: &[Change]) -> Result<(), io::Error> {
        self.try_record(changes).map_err(|error| {
            tracing::error!(%error, "the embedded server cannot write to its disk");
            io::Error::other(error)
        })
    }

    fn try_record(&self, changes: &[Change]) -> Result<(), DiskError> {
        // The names of the files must be on the disk before the index has them.
        if changes.iter().any(record::adds_files) {
            fs::File::open(&self.files)?.sync_all()?;
        }
        let transaction = self.database.begin_write()?;
        {
            let mut rows = transaction.open_table(ROWS)?;
            for change in changes {
                match record::of(change)? {
                    (key, Some(value)) => drop(rows.insert(key.as_slice(), value.as_slice())?),
                    (key, None) => drop(rows.remove(key.as_slice())?),
                }
            }
            for prefix in changes.iter().filter_map(record::removes_below) {
                rows.retain_in(prefix.as_slice()..record::end_of(&prefix).as_slice(), |_, _| {
                    false
                })?;
            }
        }
        transaction.commit()?;
        Ok(())
    }

    /// A place for the bytes of an upload.
    pub(super) fn new_file(&self) -> S3Result<DataFile> {
        let name = random_name().map_err(|error| s3_error!(error, InternalError))?;
        Ok(DataFile::new(self.files.join(name)))
    }
}

/// Removes the files that the index does not know: uploads that a crash cut off.
fn sweep(files: &Path, known: &HashSet<String>) -> io::Result<()> {
    for entry in fs::read_dir(files)? {
        let entry = entry?;
        // Only what has the form of our names: somebody may have pointed us at the wrong folder.
        let stray = entry.file_name().into_string().is_ok_and(|name| {
            name.len() == 32
                && name.bytes().all(|b| b.is_ascii_hexdigit())
                && !known.contains(&name)
        });
        if stray {
            fs::remove_file(entry.path())?;
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeMap, sync::Arc};

    use super::{
        super::data::{Data, Segment},
        *,
    };
    use crate::embedded::store::{Headers, Object};

    /// Stores an upload of this age with one part, and says where the part's bytes are.
    fn upload(disk: &Disk, id: &str, age: Duration) -> PathBuf {
        let file = disk.new_file().unwrap();
        let path = file.path.clone();
        fs::write(&path, b"part").unwrap();
        let data = Data::new(vec![Segment::File { file: Arc::new(file), length: 4 }]);
        data.retain();
        let part = Arc::new(Object {
            data,
            etag: "tag".to_owned(),
            modified: now(),
            headers: Headers::default(),
            checksums: BTreeMap::new(),
        });
        let upload = Upload {
            bucket: "pub".to_owned(),
            key: b"k".to_vec(),
            headers: Headers::default(),
            started: now() - age,
            parts: BTreeMap::new(),
        };
        let changes = [
            Change::Bucket("pub".to_owned(), now()),
            Change::Upload(id.to_owned(), Box::new(upload)),
            Change::Part { upload: id.to_owned(), number: 1, part },
        ];
        disk.record(&changes).unwrap();
        path
    }

    #[test]
    fn uploads_that_nobody_goes_on_with_end_when_the_server_starts() {
        let folder = tempfile::tempdir().unwrap();
        let (disk, _) = Disk::open(folder.path()).unwrap();
        let (old, new) = ("0".repeat(32), "1".repeat(32));
        let gone = upload(&disk, &old, GIVEN_UP + Duration::from_secs(60));
        let kept = upload(&disk, &new, GIVEN_UP - Duration::from_secs(60));
        drop(disk);
        for _ in 0..2 {
            let (disk, state) = Disk::open(folder.path()).unwrap();
            assert_eq!(state.uploads.keys().collect::<Vec<_>>(), [&new]);
            assert_eq!(state.uploads[&new].parts.len(), 1);
            assert_eq!((gone.exists(), kept.exists()), (false, true));
            drop(disk);
        }
    }
}
