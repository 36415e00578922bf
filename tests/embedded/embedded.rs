//! The embedded S3 server, asked over HTTP as any other, by Amazon's own client.
#![expect(clippy::expect_used, clippy::unwrap_used, clippy::panic, reason = "these are tests")]

mod demo;
mod disk;
mod keys;
mod listing;
mod multipart;
mod objects;
mod refusals;

use std::sync::atomic::{AtomicUsize, Ordering};

use aws_sdk_s3::{
    Client,
    config::{BehaviorVersion, Credentials, Region, retry::RetryConfig},
    primitives::ByteStream,
};
use pathward::embedded::{Embedded, EmbeddedOptions};
use tempfile::TempDir;

/// A server, and a client that signs for it.
pub(crate) struct Server {
    pub(crate) embedded: Embedded,
    pub(crate) client: Client,
    pub(crate) folder: Option<TempDir>,
}

impl Server {
    pub(crate) async fn in_memory() -> Self {
        Self::start(EmbeddedOptions::default(), None).await
    }

    pub(crate) async fn on_disk() -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        Self::start(EmbeddedOptions::in_folder(folder.path()), Some(folder)).await
    }

    async fn start(options: EmbeddedOptions, folder: Option<TempDir>) -> Self {
        let embedded = Embedded::start(options).await.expect("it starts");
        let client =
            client(&embedded.endpoint(), embedded.access_key_id(), embedded.secret_access_key());
        Self { embedded, client, folder }
    }

    /// Ends it, and starts it again over the same folder.
    pub(crate) async fn restart(self) -> Self {
        self.embedded.shutdown().await;
        let folder = self.folder.expect("on disk");
        Self::start(EmbeddedOptions::in_folder(folder.path()), Some(folder)).await
    }

    /// A bucket that no other test has.
    pub(crate) async fn bucket(&self) -> String {
        static NEXT: AtomicUsize = AtomicUsize::new(0);
        let name = format!("Bucket_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        self.client.create_bucket().bucket(&name).send().await.expect("a bucket");
        name
    }

    pub(crate) async fn put(&self, bucket: &str, key: &str, bytes: &[u8]) {
        let body = ByteStream::from(bytes.to_vec());
        let put = self.client.put_object().bucket(bucket).key(key).body(body);
        put.send().await.unwrap_or_else(|error| panic!("{key:?}: {error:?}"));
    }

    pub(crate) async fn get(&self, bucket: &str, key: &str) -> Vec<u8> {
        let got = self.client.get_object().bucket(bucket).key(key).send().await;
        let got = got.unwrap_or_else(|error| panic!("{key:?}: {error:?}"));
        got.body.collect().await.expect("its body").to_vec()
    }

    /// All keys, as an encoded listing has them.
    pub(crate) async fn keys(&self, bucket: &str) -> Vec<String> {
        let list = self.client.list_objects_v2().bucket(bucket).encoding_type("url".into());
        let mut pages = list.into_paginator().send();
        let mut keys = Vec::new();
        while let Some(page) = pages.next().await {
            let page = page.expect("a page");
            keys.extend(page.contents().iter().map(|object| decode(object.key().unwrap())));
        }
        keys
    }
}

pub(crate) fn client(endpoint: &str, id: &str, secret: &str) -> Client {
    let config = aws_sdk_s3::Config::builder()
        .behavior_version(BehaviorVersion::latest())
        .endpoint_url(endpoint)
        .force_path_style(true)
        .region(Region::new("us-east-1"))
        .retry_config(RetryConfig::disabled())
        .credentials_provider(Credentials::new(id, secret, None, None, "test"))
        .build();
    Client::from_conf(config)
}

/// What an encoded name means.
pub(crate) fn decode(text: &str) -> String {
    let text = text.replace('+', " ");
    percent_encoding::percent_decode_str(&text).decode_utf8().expect("UTF-8").into_owned()
}

/// S3's code for an error, and its status.
pub(crate) fn refused<T: std::fmt::Debug, E>(
    result: Result<T, aws_sdk_s3::error::SdkError<E>>,
) -> (u16, String)
where
    E: aws_sdk_s3::error::ProvideErrorMetadata + std::error::Error + 'static,
{
    use aws_sdk_s3::error::ProvideErrorMetadata;
    let error = result.expect_err("refused");
    let status = error.raw_response().map_or(0, |response| response.status().as_u16());
    (status, error.code().unwrap_or_default().to_owned())
}

/// Runs a test over both stores.
macro_rules! over_both {
    ($($(#[$attribute:meta])* async fn $name:ident($server:ident: &Server) $body:block)*) => {
        $(mod $name {
            use super::*;

            async fn run($server: &Server) $body

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn in_memory() {
                run(&Server::in_memory().await).await;
            }

            #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
            async fn on_disk() {
                run(&Server::on_disk().await).await;
            }
        })*
    };
}
pub(crate) use over_both;
