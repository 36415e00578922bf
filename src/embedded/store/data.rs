//! The bytes of objects: written once, in one go, and shared from then on.
//!
//! An object is a list of segments. So an upload in parts is completed, and an object copied,
//! without moving a byte: the new object has the segments of the old ones.

use std::{
    collections::VecDeque,
    fs,
    io::{self, Seek, SeekFrom},
    ops::Range,
    path::PathBuf,
    pin::Pin,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    task::{Context, Poll, ready},
};

use bytes::Bytes;
use http_body::{Frame, SizeHint};
use tokio::io::{AsyncRead, AsyncWriteExt, BufWriter, ReadBuf};

/// How many bytes a segment in memory has at most.
const SEGMENT: usize = 1024 * 1024;
/// How many bytes are read from or written to a file at once.
const CHUNK: usize = 128 * 1024;

#[derive(Clone)]
pub(super) enum Segment {
    Memory(Bytes),
    File { file: Arc<DataFile>, length: u64 },
}

impl Segment {
    fn length(&self) -> u64 {
        match self {
            Self::Memory(bytes) => bytes.len() as u64,
            Self::File { length, .. } => *length,
        }
    }
}

/// A file with bytes of objects. It is removed when the last of those who use it is done, unless
/// the index refers to it: an upload that breaks off leaves nothing, and an object that is
/// deleted while somebody reads it is read to its end.
pub(super) struct DataFile {
    pub(super) path: PathBuf,
    references: AtomicUsize,
}

impl DataFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self { path, references: AtomicUsize::new(0) }
    }

    /// The name by which the index on disk knows it.
    pub(super) fn name(&self) -> &str {
        self.path.file_name().and_then(|name| name.to_str()).unwrap_or_default()
    }
}

impl Drop for DataFile {
    fn drop(&mut self) {
        if *self.references.get_mut() == 0 {
            // What cannot be removed now is removed when the folder is opened again.
            drop(fs::remove_file(&self.path));
        }
    }
}

/// The bytes of an object.
#[derive(Clone, Default)]
pub(in crate::embedded) struct Data {
    pub(super) segments: Vec<Segment>,
    length: u64,
}

impl Data {
    pub(super) fn new(segments: Vec<Segment>) -> Self {
        let length = segments.iter().map(Segment::length).sum();
        Self { segments, length }
    }

    /// In bytes.
    pub(in crate::embedded) fn length(&self) -> u64 {
        self.length
    }

    /// One after the other.
    pub(in crate::embedded) fn concatenated<'a>(all: impl Iterator<Item = &'a Self>) -> Self {
        Self::new(all.flat_map(|data| data.segments.iter().cloned()).collect())
    }

    /// The index refers to it once more.
    pub(super) fn retain(&self) {
        self.files().for_each(|file| {
            file.references.fetch_add(1, Ordering::Relaxed);
        });
    }

    /// The index refers to it once less.
    pub(super) fn release(&self) {
        self.files().for_each(|file| {
            file.references.fetch_sub(1, Ordering::Relaxed);
        });
    }

    pub(super) fn files(&self) -> impl Iterator<Item = &Arc<DataFile>> {
        self.segments.iter().filter_map(|segment| match segment {
            Segment::File { file, .. } => Some(file),
            Segment::Memory(_) => None,
        })
    }
}

/// Takes bytes as they come; in memory or in a file, whichever the store has.
pub(in crate::embedded) struct Writer(To);

enum To {
    Memory { segments: Vec<Segment>, block: Vec<u8> },
    File { file: Arc<DataFile>, to: BufWriter<tokio::fs::File>, length: u64 },
}

impl Writer {
    pub(super) fn in_memory() -> Self {
        Self(To::Memory { segments: Vec::new(), block: Vec::new() })
    }

    pub(super) async fn in_file(file: DataFile) -> io::Result<Self> {
        let to = tokio::fs::File::create_new(&file.path).await?;
        let to = BufWriter::with_capacity(CHUNK, to);
        Ok(Self(To::File { file: Arc::new(file), to, length: 0 }))
    }

    pub(in crate::embedded) async fn write(&mut self, mut bytes: &[u8]) -> io::Result<()> {
        match &mut self.0 {
            To::Memory { segments, block } => {
                // Copied, for what comes is a piece of a larger buffer that it would keep alive.
                while !bytes.is_empty() {
                    let (now, later) = bytes.split_at(bytes.len().min(SEGMENT - block.len()));
                    block.extend_from_slice(now);
                    bytes = later;
                    if block.len() == SEGMENT {
                        segments.push(Segment::Memory(std::mem::take(block).into()));
                    }
                }
            }
            To::File { to, length, .. } => {
                to.write_all(bytes).await?;
                *length += bytes.len() as u64;
            }
        }
        Ok(())
    }

    /// All has come. When this returns, a file's bytes are on the disk.
    pub(in crate::embedded) async fn finish(self) -> io::Result<Data> {
        let segments = match self.0 {
            To::Memory { mut segments, mut block } => {
                if !block.is_empty() {
                    block.shrink_to_fit();
                    segments.push(Segment::Memory(block.into()));
                }
                segments
            }
            // Dropped, it is removed again.
            To::File { length: 0, .. } => Vec::new(),
            To::File { file, mut to, length } => {
                to.flush().await?;
                to.get_ref().sync_all().await?;
                vec![Segment::File { file, length }]
            }
        };
        Ok(Data::new(segments))
    }
}

/// Gives some of an object's bytes, with never more than a chunk in memory.
pub(in crate::embedded) struct Reader {
    segments: VecDeque<(Segment, Range<u64>)>,
    open: Option<(tokio::fs::File, u64)>,
    left: u64,
}

impl Reader {
    /// The bytes of `range`, which must be within the object.
    pub(in crate::embedded) fn new(data: &Data, range: Range<u64>) -> Self {
        let left = range.end.saturating_sub(range.start);
        let mut segments = VecDeque::new();
        let mut at = 0;
        for segment in &data.segments {
            let start = range.start.saturating_sub(at).min(segment.length());
            let end = range.end.saturating_sub(at).min(segment.length());
            if start < end {
                segments.push_back((segment.clone(), start..end));
            }
            at += segment.length();
        }
        Self { segments, open: None, left }
    }

    fn poll_chunk(&mut self, cx: &mut Context<'_>) -> Poll<Option<io::Result<Bytes>>> {
        loop {
            if let Some((file, left)) = &mut self.open {
                if *left > 0 {
                    let size = usize::try_from(*left).unwrap_or(CHUNK).min(CHUNK);
                    let mut chunk = vec![0; size];
                    let mut buffer = ReadBuf::new(&mut chunk);
                    ready!(Pin::new(file).poll_read(cx, &mut buffer))?;
                    let read = buffer.filled().len();
                    if read == 0 {
                        return Poll::Ready(Some(Err(io::ErrorKind::UnexpectedEof.into())));
                    }
                    chunk.truncate(read);
                    *left -= read as u64;
                    self.left = self.left.saturating_sub(read as u64);
                    return Poll::Ready(Some(Ok(chunk.into())));
                }
                self.open = None;
            }
            match self.segments.pop_front() {
                None => return Poll::Ready(None),
                Some((Segment::Memory(bytes), range)) => {
                    let index = |at| usize::try_from(at).unwrap_or(usize::MAX);
                    self.left = self.left.saturating_sub(range.end - range.start);
                    let piece = bytes.slice(index(range.start)..index(range.end));
                    return Poll::Ready(Some(Ok(piece)));
                }
                Some((Segment::File { file, .. }, range)) => {
                    // Some microseconds of a local disk. Once open, it may be removed.
                    let mut open = fs::File::open(&file.path)?;
                    open.seek(SeekFrom::Start(range.start))?;
                    let open = tokio::fs::File::from_std(open);
                    self.open = Some((open, range.end - range.start));
                }
            }
        }
    }
}

impl http_body::Body for Reader {
    type Data = Bytes;
    type Error = io::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<io::Result<Frame<Bytes>>>> {
        self.poll_chunk(cx).map_ok(Frame::data)
    }

    fn is_end_stream(&self) -> bool {
        self.left == 0
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left)
    }
}
