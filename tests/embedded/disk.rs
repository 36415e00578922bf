//! The store on disk: what lasts, what does not, and how much memory it takes.

use std::{fs, io::BufRead, path::Path};

use aws_sdk_s3::{
    primitives::ByteStream,
    types::{CompletedMultipartUpload, CompletedPart},
};
use bytes::Bytes;
use pathward::embedded::{Embedded, EmbeddedError, EmbeddedOptions};
use tokio::io::AsyncWriteExt;

use super::Server;

/// How many files with bytes of objects there are.
pub(crate) fn files(folder: &Path) -> usize {
    fs::read_dir(folder.join("objects")).unwrap().count()
}

#[tokio::test]
async fn what_was_stored_is_there_again() {
    let server = Server::on_disk().await;
    let (client, bucket) = (&server.client, server.bucket().await);
    let put = client.put_object().bucket(&bucket).key("odd//k\\ü").content_type("text/csv");
    let put = put.metadata("who", "steph").body(ByteStream::from_static(b"hello"));
    let tag = put.send().await.unwrap().e_tag().unwrap().to_owned();
    server.put(&bucket, "gone", b"x").await;
    client.delete_object().bucket(&bucket).key("gone").send().await.unwrap();
    server.put(&bucket, "changed", b"before").await;
    server.put(&bucket, "changed", b"after").await;
    server.put(&bucket, "empty", b"").await;
    let copy = client.copy_object().bucket(&bucket).key("copy");
    copy.copy_source(format!("{bucket}/changed")).send().await.unwrap();
    let upload = client.create_multipart_upload().bucket(&bucket).key("parts").send().await;
    let id = upload.unwrap().upload_id().unwrap().to_owned();
    let part = client.upload_part().bucket(&bucket).key("parts").upload_id(&id).part_number(7);
    let part = part.body(ByteStream::from_static(b"part")).send().await.unwrap();
    let part = CompletedPart::builder().part_number(7).e_tag(part.e_tag().unwrap()).build();

    let server = server.restart().await;
    let client = &server.client;
    let keys = ["changed", "copy", "empty", "odd//k\\ü"];
    assert_eq!(server.keys(&bucket).await, keys);
    assert_eq!(server.get(&bucket, "changed").await, b"after");
    assert_eq!(server.get(&bucket, "empty").await, b"");
    let head = client.head_object().bucket(&bucket).key("odd//k\\ü").send().await.unwrap();
    assert_eq!(head.content_type(), Some("text/csv"));
    assert_eq!(head.metadata().unwrap()["who"], "steph");
    assert_eq!(head.e_tag(), Some(&*tag));

    // The upload goes on, and the copy outlives what it was made of.
    client.delete_object().bucket(&bucket).key("changed").send().await.unwrap();
    assert_eq!(server.get(&bucket, "copy").await, b"after");
    let parts = CompletedMultipartUpload::builder().parts(part).build();
    let complete = client.complete_multipart_upload().bucket(&bucket).key("parts").upload_id(id);
    complete.multipart_upload(parts).send().await.unwrap();
    assert_eq!(server.get(&bucket, "parts").await, b"part");

    let server = server.restart().await;
    assert_eq!(server.get(&bucket, "copy").await, b"after");
    assert_eq!(server.get(&bucket, "parts").await, b"part");
    for key in server.keys(&bucket).await {
        server.client.delete_object().bucket(&bucket).key(key).send().await.unwrap();
    }
    assert_eq!(files(server.folder.as_ref().unwrap().path()), 0);
}

#[tokio::test]
async fn what_a_crash_leaves_is_swept() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions::in_folder(folder.path());
    let server = Embedded::start(options.clone()).await.unwrap();
    server.put("bucket", "k", "text/plain", "kept".into()).await.unwrap();
    server.shutdown().await;
    let objects = folder.path().join("objects");
    fs::write(objects.join("0123456789abcdef0123456789abcdef"), "cut off").unwrap();
    fs::write(objects.join("somebody-elses.txt"), "kept").unwrap();
    assert_eq!(files(folder.path()), 3);
    let server = Embedded::start(options).await.unwrap();
    assert_eq!(files(folder.path()), 2);
    assert!(objects.join("somebody-elses.txt").exists());
    server.shutdown().await;
}

/// The server is killed while it takes objects: whatever it acknowledged is there.
#[tokio::test]
async fn what_was_acknowledged_survives_a_crash() {
    const FOLDER: &str = "PATHWARD_TEST_CRASH";
    let content = |i: usize| Bytes::from(format!("{i} ").repeat(1 + i * 997));
    let key = |i: usize| format!("k{}", i % 40);
    if let Some(folder) = std::env::var_os(FOLDER) {
        let server = Embedded::start(EmbeddedOptions::in_folder(folder)).await.unwrap();
        for i in 0.. {
            server.put("bucket", &key(i), "text/plain", content(i)).await.unwrap();
            println!("\nstored {i}");
        }
    }
    for objects in [1, 30, 75] {
        let folder = tempfile::tempdir().unwrap();
        let mut own = std::process::Command::new(std::env::current_exe().unwrap());
        let test = "disk::what_was_acknowledged_survives_a_crash";
        let own = own.args([test, "--exact", "--nocapture"]).env(FOLDER, folder.path());
        let mut server = own.stdout(std::process::Stdio::piped()).spawn().unwrap();
        let lines = std::io::BufReader::new(server.stdout.take().unwrap()).lines();
        let mut stored = lines.filter_map(|line| {
            line.unwrap().strip_prefix("stored ").map(|i| i.parse::<usize>().unwrap())
        });
        stored.by_ref().take(objects).for_each(drop);
        server.kill().unwrap();
        server.wait().unwrap();
        // What it said before it died counts too.
        let last = stored.last().unwrap_or(objects - 1);

        let options = EmbeddedOptions::in_folder(folder.path());
        let server = Server::start(options, Some(folder)).await;
        let keys = server.keys("bucket").await;
        for i in (0..=last).rev().take(40) {
            let got = server.get("bucket", &key(i)).await;
            // One more may have been stored than was said.
            let next = (i + 40 == last + 1).then(|| content(last + 1));
            assert!(got == content(i) || Some(got.into()) == next, "{i} of {last}");
        }
        assert!(keys.len() == 40.min(last + 1) || keys.len() == 40.min(last + 2), "{keys:?}");
        let files = files(server.folder.as_ref().unwrap().path());
        assert_eq!(files, keys.len(), "nothing is left of what was cut off");
    }
}

#[tokio::test]
async fn a_folder_is_one_servers() {
    let folder = tempfile::tempdir().unwrap();
    let options = EmbeddedOptions::in_folder(folder.path());
    let server = Embedded::start(options.clone()).await.unwrap();
    let second = Embedded::start(options.clone()).await;
    assert!(matches!(second, Err(EmbeddedError::Data { .. })), "{second:?}");
    server.shutdown().await;
    Embedded::start(options).await.expect("it is free again");

    let file = folder.path().join("file");
    fs::write(&file, "x").unwrap();
    let error = Embedded::start(EmbeddedOptions::in_folder(&file)).await.unwrap_err();
    assert!(error.to_string().starts_with("cannot keep objects in `"), "{error}");
}

#[tokio::test]
async fn an_object_that_is_deleted_is_read_to_its_end() {
    let server = Server::on_disk().await;
    let bucket = &server.bucket().await;
    let bytes = vec![b'x'; 24 * 1024 * 1024];
    server.put(bucket, "k", &bytes).await;
    let get = server.client.get_object().bucket(bucket).key("k").send().await.unwrap();
    server.put(bucket, "k", b"another").await;
    server.client.delete_object().bucket(bucket).key("k").send().await.unwrap();
    assert!(get.body.collect().await.unwrap().to_vec() == bytes);
    // The last reader takes the file with it.
    let folder = server.folder.as_ref().unwrap().path();
    for _ in 0..100 {
        if files(folder) == 0 {
            return;
        }
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    panic!("{} files are left", files(folder));
}

/// The most memory that this process has had, in KiB.
fn peak() -> u64 {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}

/// Runs alone, in a process of its own: other tests' memory would count.
#[tokio::test]
#[cfg(target_os = "linux")]
async fn a_large_object_is_never_in_memory() {
    const ALONE: &str = "PATHWARD_TEST_ALONE";
    if std::env::var_os(ALONE).is_none() {
        let test = "disk::a_large_object_is_never_in_memory";
        let own = std::env::current_exe().unwrap();
        let mut own = std::process::Command::new(own);
        let ran = own.args([test, "--exact", "--nocapture"]).env(ALONE, "1").output().unwrap();
        assert!(ran.status.success(), "{}", String::from_utf8_lossy(&ran.stderr));
        return;
    }
    const SIZE: u64 = 64 * 1024 * 1024;
    let server = Server::on_disk().await;
    let bucket = &server.bucket().await;
    server.put(bucket, "small", &[0; 100_000]).await;
    server.get(bucket, "small").await;
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("large");
    fs::File::create(&path).unwrap().set_len(SIZE).unwrap();

    let before = peak();
    let body = ByteStream::from_path(&path).await.unwrap();
    server.client.put_object().bucket(bucket).key("k").body(body).send().await.unwrap();
    let mut got = server.client.get_object().bucket(bucket).key("k").send().await.unwrap();
    let (mut length, mut sink) = (0, tokio::io::sink());
    while let Some(bytes) = got.body.next().await {
        length += sink.write(&bytes.unwrap()).await.unwrap() as u64;
    }
    assert_eq!(length, SIZE);
    let grown = peak() - before;
    println!("64 MiB up and down took {grown} KiB, of server and client");
    assert!(grown < 16 * 1024, "{grown} KiB");
}
