//! Memory with as many requests at once as one user has, against a server that never ends, whatever it is that
//! does not end, or that sends what is long and then says nothing more.
//!
//! Each operation runs in a process of its own, so that what it takes is what is measured: this program,
//! started again with the name of the operation.

use std::{
    io::Write as _,
    process::{Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::Duration,
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{Body, S3, S3Options, Setup, options};

/// What so many requests may take over an idle process.
const MOST_MIB: u64 = 256;
/// As many as one user has (`gateway::Options`).
const AT_ONCE: usize = 512;
/// In every run.
const AT_ONCE_FEW: usize = 64;
/// Says to the process that is started which operation it is to run, on which servers.
const OPERATION: &str = "PATHWARD_MEMORY_OPERATION";
const SERVERS: &str = "PATHWARD_MEMORY_SERVERS";
const COUNT_AT_ONCE: &str = "PATHWARD_MEMORY_AT_ONCE";

/// What does not end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Endless {
    /// White space, before anything else.
    Space,
    /// Attributes of one element.
    Attributes,
    /// Elements that are the least of their kind.
    Elements,
    /// Elements in one another.
    Nesting,
    /// A text.
    Text,
    /// Chunks of one byte.
    Chunks,
    /// Headers.
    Headers,
    /// An error's body.
    Error,
    /// Answers that say to wait.
    Interim,
    /// A body of nothing, a byte now and then.
    Trickle,
    /// Pages of nothing, with tokens as long as are taken, and longer.
    Tokens(usize),
    /// Pages as large as are taken: keys of 1,024 bytes.
    Keys,
    /// Pages with as many elements as are taken.
    Full,
    /// Ever new buckets, so many a page.
    Buckets(usize),
    /// Tags of parts, of 15 KiB each.
    Tags,
    /// So many entries of so long keys, in no order, whatever was asked for; then nothing more.
    Hangs(usize, usize),
}

/// Those that matter to operations whose answers are short.
const SHORT: &[Endless] = &[
    Endless::Space,
    Endless::Chunks,
    Endless::Headers,
    Endless::Error,
    Endless::Interim,
    Endless::Trickle,
    Endless::Tags,
];

const ALL: &[Endless] = &[
    Endless::Space,
    Endless::Attributes,
    Endless::Elements,
    Endless::Nesting,
    Endless::Text,
    Endless::Chunks,
    Endless::Headers,
    Endless::Error,
    Endless::Interim,
    Endless::Trickle,
    Endless::Tokens(4_000),
    Endless::Tokens(60_000),
    Endless::Keys,
    Endless::Full,
    Endless::Buckets(100),
    Endless::Buckets(20_000),
    Endless::Hangs(4_000, 980),
    Endless::Hangs(1_000, 1_000),
    Endless::Hangs(1_000, 60),
    Endless::Hangs(110, 980),
    Endless::Hangs(9_900, 240),
];

/// Each operation, and whether its answers may be long.
const OPERATIONS: &[(&str, bool)] = &[
    ("list", true),
    ("root", true),
    ("delete-tree", true),
    ("delete-directory", true),
    ("read", false),
    ("stat", false),
    ("write", false),
    ("write-streamed", false),
    ("write-parts", false),
    ("create-directory", false),
    ("delete", false),
    ("delete-many", true),
    ("copy", false),
    ("probe", false),
];

/// The most of each kind, for every run.
const SHORT_FEW: &[Endless] = &[Endless::Space, Endless::Chunks];
const ALL_FEW: &[Endless] = &[
    Endless::Elements,
    Endless::Text,
    Endless::Tokens(60_000),
    Endless::Keys,
    Endless::Full,
    Endless::Buckets(20_000),
    Endless::Hangs(4_000, 980),
    Endless::Hangs(1_000, 1_000),
    Endless::Hangs(9_900, 240),
];

static COUNT: AtomicU64 = AtomicU64::new(0);

async fn serve(endless: Endless, mut stream: TcpStream) -> std::io::Result<()> {
    let mut head = Vec::new();
    loop {
        while !head.windows(4).any(|four| four == b"\r\n\r\n") {
            if stream.read_buf(&mut head).await? == 0 {
                return Ok(());
            }
        }
        let text = String::from_utf8_lossy(&head).into_owned();
        head.clear();
        let length = text.to_ascii_lowercase();
        let length = length.split("content-length: ").nth(1).and_then(|rest| {
            rest.split("\r\n").next().and_then(|value| value.parse::<usize>().ok())
        });
        // What it is sent is taken, whatever it is.
        let mut left = length.unwrap_or(0);
        let mut taken = vec![0; 64 << 10];
        while left > 0 {
            let count = stream.read(&mut taken).await?;
            if count == 0 {
                return Ok(());
            }
            left = left.saturating_sub(count);
        }
        let number = COUNT.fetch_add(1, Ordering::SeqCst);
        let is_list = text.contains("list-type=2") || text.starts_with("GET /?");
        let ok = "HTTP/1.1 200 -\r\nconnection: close\r\n";
        let repeated: (String, String) = match endless {
            Endless::Space => (format!("{ok}\r\n"), " ".repeat(64 << 10)),
            Endless::Attributes => (format!("{ok}\r\n<ListBucketResult"), " a=''".repeat(10_000)),
            Endless::Elements => {
                (format!("{ok}\r\n<ListBucketResult>"), "<Contents/><Bucket/>".repeat(3_000))
            }
            Endless::Nesting => (format!("{ok}\r\n"), "<a>".repeat(10_000)),
            Endless::Text => {
                (format!("{ok}\r\n<ListBucketResult><Contents><Key>"), "a".repeat(64 << 10))
            }
            Endless::Chunks => (
                "HTTP/1.1 200 -\r\ntransfer-encoding: chunked\r\n\r\n".to_owned(),
                "1\r\n \r\n".repeat(10_000),
            ),
            Endless::Headers => (ok.to_owned(), "x-amz-meta-a: b\r\n".repeat(4_000)),
            Endless::Error => ("HTTP/1.1 403 -\r\n\r\n<Error>".to_owned(), "<a/>".repeat(16_000)),
            Endless::Interim => (String::new(), "HTTP/1.1 100 -\r\n\r\n".repeat(4_000)),
            Endless::Trickle => {
                stream.write_all(format!("{ok}\r\n").as_bytes()).await?;
                loop {
                    stream.write_all(b" ").await?;
                    tokio::time::sleep(Duration::from_millis(20)).await;
                }
            }
            Endless::Tokens(length) if is_list => {
                let token = format!("{number:012}{}", "t".repeat(length - 12));
                let page = format!(
                    "<ListBucketResult><IsTruncated>true</IsTruncated><NextContinuationToken>{token}\
                     </NextContinuationToken></ListBucketResult>"
                );
                answer(&mut stream, "", &page).await?;
                continue;
            }
            Endless::Keys if is_list => {
                let keys: String = (0..1_000)
                    .map(|n| {
                        let key = format!("{number:06}{n:04}{}", "k".repeat(1_000));
                        format!("<Contents><Key>d/{key}</Key><Size>1</Size></Contents>")
                    })
                    .collect();
                let page = format!(
                    "<ListBucketResult>{keys}<IsTruncated>true</IsTruncated><NextContinuationToken>\
                     {number}</NextContinuationToken></ListBucketResult>"
                );
                answer(&mut stream, "", &page).await?;
                continue;
            }
            Endless::Full if is_list => {
                let page = format!(
                    "<ListBucketResult>{}<IsTruncated>true</IsTruncated><NextContinuationToken>{number}\
                     </NextContinuationToken></ListBucketResult>",
                    "<Contents/>".repeat(19_990)
                );
                answer(&mut stream, "", &page).await?;
                continue;
            }
            Endless::Buckets(count) if is_list => {
                let name = "a".repeat(200);
                let buckets: String = (0..count)
                    .map(|n| format!("<Bucket><Name>b-{number}-{n}-{name}</Name></Bucket>"))
                    .collect();
                let page = format!(
                    "<ListAllMyBucketsResult><Buckets>{buckets}</Buckets><ContinuationToken>{number}\
                     </ContinuationToken></ListAllMyBucketsResult>"
                );
                answer(&mut stream, "", &page).await?;
                continue;
            }
            Endless::Tags => {
                let tag = format!("etag: \"{}\"\r\n", "t".repeat(15 << 10));
                let page = "<InitiateMultipartUploadResult><UploadId>u</UploadId>\
                            </InitiateMultipartUploadResult>";
                answer(&mut stream, &tag, page).await?;
                continue;
            }
            Endless::Hangs(count, length) => {
                let is_first = text.contains("max-keys=1000") || text.starts_with("GET /?");
                let is_more = ["continuation-token=", "start-after="];
                let is_first = is_first && !is_more.iter().any(|more| text.contains(more));
                // A directory's deletion asks for two first.
                if !is_first && !text.contains("max-keys=2&") {
                    std::future::pending::<()>().await;
                }
                let page: String = (0..count)
                    .map(|n| {
                        let name = format!("{:05}{}", (n * 7_919) % count, "k".repeat(length - 7));
                        match text.starts_with("GET /?") {
                            true => format!(
                                "<Bucket><Name>{}</Name></Bucket>",
                                &name[..name.len().min(240)]
                            ),
                            false => {
                                format!("<Contents><Key>d/{name}</Key><Size>1</Size></Contents>")
                            }
                        }
                    })
                    .collect();
                let page = match text.starts_with("GET /?") {
                    true => format!(
                        "<ListAllMyBucketsResult><Buckets>{page}</Buckets><ContinuationToken>t\
                         </ContinuationToken></ListAllMyBucketsResult>"
                    ),
                    false => format!("<ListBucketResult>{page}</ListBucketResult>"),
                };
                answer(&mut stream, "", &page).await?;
                continue;
            }
            // What does not list is answered with nothing.
            _ => {
                answer(&mut stream, "", "").await?;
                continue;
            }
        };
        stream.write_all(repeated.0.as_bytes()).await?;
        loop {
            stream.write_all(repeated.1.as_bytes()).await?;
        }
    }
}

async fn answer(stream: &mut TcpStream, headers: &str, body: &str) -> std::io::Result<()> {
    let head = format!("HTTP/1.1 200 -\r\n{headers}content-length: {}\r\n\r\n", body.len());
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(body.as_bytes()).await
}

/// A server of each kind.
async fn servers(kinds: &[Endless]) -> String {
    let mut addresses = Vec::new();
    for endless in kinds.iter().copied() {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        addresses.push(format!("{endless:?}=http://{address}").replace(", ", ","));
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                tokio::spawn(async move { drop(serve(endless, stream).await) });
            }
        });
    }
    addresses.join(" ")
}

/// How many MiB of memory the process has, or had at most since this was asked last.
fn memory(line: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|found| found.strip_prefix(line)).expect("a line");
    let kib: u64 = line.trim().trim_end_matches(" kB").parse().expect("a number");
    kib >> 10
}

/// The process that is measured.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "is started by the tests below"]
async fn the_measured_process() {
    let (Ok(operation), Ok(servers)) = (std::env::var(OPERATION), std::env::var(SERVERS)) else {
        return;
    };
    let idle = memory("VmRSS:");
    let at_once: usize = std::env::var(COUNT_AT_ONCE).expect("how many").parse().expect("a number");
    let time = if at_once == AT_ONCE { 8_000 } else { 800 };
    for server in servers.split(' ') {
        let (endless, endpoint) = server.split_once('=').expect("a kind and its server");
        let mut setup = Setup::at(endpoint).await;
        setup.s3 = S3::new(S3Options {
            attempt_timeout: Duration::from_secs(60),
            transfer_timeout: Duration::from_secs(60),
            stall_timeout: Duration::from_secs(60),
            ..options()
        });
        std::fs::write("/proc/self/clear_refs", "5").expect("what is the most begins anew");
        let all = futures_util::future::join_all((0..at_once).map(|n| run(&setup, &operation, n)));
        let _ = tokio::time::timeout(Duration::from_millis(time), all).await;
        let most = memory("VmHWM:").saturating_sub(idle);
        let line = format!("memory: {operation}, endless {endless}: {most} MiB\n");
        std::io::stdout().write_all(line.as_bytes()).expect("written");
    }
}

async fn run(setup: &Setup, operation: &str, number: usize) {
    let endless = |piece: usize| {
        let frames = futures_util::stream::repeat_with(move || {
            Ok(http_body::Frame::data(vec![7; piece].into()))
        });
        Body::new(http_body_util::StreamBody::new(frames))
    };
    match operation {
        "list" => drop(setup.list("pub/d/", None, 1_000).await),
        "root" => drop(setup.list("", None, 1_000).await),
        "delete-tree" => drop(setup.delete_tree("pub/d/").await),
        "delete-directory" => drop(setup.delete_directory("pub/d/").await),
        "read" => drop(setup.read("pub/x").await),
        "stat" => drop(setup.stat("pub/x").await),
        "write" => drop(setup.write("pub/x", b"x").await),
        "write-streamed" => drop(setup.upload("pub/x", endless(64 << 10), Some(5 << 30)).await),
        "write-parts" => drop(setup.upload("pub/x", endless(64 << 10), None).await),
        "create-directory" => drop(setup.create_directory("pub/x/").await),
        "delete" => drop(setup.delete("pub/x").await),
        "delete-many" => drop(setup.delete_many(&["pub/x", "pub/y"]).await),
        "copy" => drop(setup.copy("pub/x", &format!("pub/{number}")).await),
        "probe" => {
            let connection = &setup.engine.policy().connections()[0];
            let prefix = super::owned("pub/probe/");
            drop(pathward::executor::probe(&setup.s3, connection, &prefix).await);
        }
        other => panic!("there is no operation {other}"),
    }
}

/// Runs an operation in a process of its own, and says what it took of memory, by what did not end.
async fn measured(operation: &str, kinds: &[Endless], at_once: usize) -> Vec<(String, u64)> {
    let servers = servers(kinds).await;
    let mut command = Command::new(std::env::current_exe().expect("this program"));
    command
        .args(["--exact", "memory::the_measured_process", "--ignored", "--nocapture"])
        .env(OPERATION, operation)
        .env(SERVERS, servers)
        .env(COUNT_AT_ONCE, at_once.to_string())
        .stderr(Stdio::inherit());
    let ran = tokio::task::spawn_blocking(move || command.output()).await;
    let ran = ran.expect("no panic").expect("it runs");
    assert!(ran.status.success(), "{operation}");
    let text = String::from_utf8(ran.stdout).expect("text");
    let lines = text.lines().filter_map(|line| line.split_once("memory: ").map(|(_, rest)| rest));
    let read = |line: &str| {
        let (what, most) = line.rsplit_once(": ").expect("a line of ours");
        let most = most.trim_end_matches(" MiB").parse().expect("a number");
        (what.to_owned(), most)
    };
    let found: Vec<_> = lines.map(read).collect();
    assert_eq!(found.len(), kinds.len(), "{text}");
    found
}

async fn hold(few: bool) {
    let mut over = Vec::new();
    for (operation, is_long) in OPERATIONS {
        let kinds = match (is_long, few) {
            (true, true) => ALL_FEW,
            (true, false) => ALL,
            (false, true) => SHORT_FEW,
            (false, false) => SHORT,
        };
        if std::env::var("PATHWARD_MEMORY_ONLY").is_ok_and(|only| only != *operation) {
            continue;
        }
        for (what, most) in
            measured(operation, kinds, if few { AT_ONCE_FEW } else { AT_ONCE }).await
        {
            println!("{what}: {most} MiB");
            over.extend((most > MOST_MIB).then(|| format!("{what}: {most} MiB")));
        }
    }
    assert_eq!(over, [""; 0]);
}

#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_server_that_never_ends_takes_a_share_of_memory_and_no_more() {
    hold(true).await;
}

/// For `tests/long`, and by hand.
#[cfg(target_os = "linux")]
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[ignore = "takes minutes"]
async fn whatever_never_ends_takes_a_share_of_memory_and_no_more() {
    hold(false).await;
}
