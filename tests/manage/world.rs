//! A store, the gateway that serves from it, the management API before both, and an S3 server.

use std::{
    collections::BTreeSet,
    net::SocketAddr,
    path::Path,
    sync::{Arc, Mutex},
};

use pathward::{
    AccessSet, Engine, Reach,
    embedded::{Embedded, EmbeddedOptions},
    executor::{PrivateEndpoints, S3, S3Options},
    gateway::{Gateway, Options},
    manage::Manager,
    store::{Quota, SealKey, Store},
};
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

use super::{canary, page::Page};

/// An answer, as it came.
#[derive(Clone, Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        let found = self.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name));
        found.map(|(_, value)| value.as_str())
    }

    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("{error}: {:?}", String::from_utf8_lossy(&self.body)))
    }

    /// The message of an error.
    pub fn error(&self) -> String {
        self.json()["error"]["message"].as_str().expect("a message").to_owned()
    }

    /// Asserts the status, and shows the answer where it is another.
    #[track_caller]
    pub fn is(&self, status: u16) -> &Self {
        assert_eq!(self.status, status, "{}", String::from_utf8_lossy(&self.body));
        self
    }
}

pub struct World {
    pub store: Store,
    pub manager: Manager,
    pub embedded: Embedded,
    /// Where the management API is.
    pub admin: SocketAddr,
    /// Where the Data API is.
    pub data: SocketAddr,
    /// Ana's keys: one that manages, and one for data.
    pub ana: String,
    pub ana_data: String,
    /// Bob's key that manages.
    pub bob: String,
    pub page: Page,
    /// Every operation and status that was met.
    pub met: Mutex<BTreeSet<(String, String, u16)>>,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn start() -> Self {
        Self::with(false, Options::default()).await
    }

    pub async fn with(references: bool, options: Options) -> Self {
        Self::within(references, options, Quota::default(), PrivateEndpoints::All).await
    }

    pub async fn within(
        references: bool,
        options: Options,
        quota: Quota,
        private: PrivateEndpoints,
    ) -> Self {
        canary::watch();
        let folder = tempfile::tempdir().unwrap();
        let of_s3 = EmbeddedOptions::default().with_credentials(canary::ID, canary::SECRET);
        let embedded = Embedded::start(of_s3).await.unwrap();
        for (key, text) in [
            ("team.jpg", "a team"),
            ("data/x", "x of data"),
            ("data/sub/y", "y"),
            ("hidden/z", "SECRET"),
        ] {
            embedded.put("pub", key, "text/plain", text.into()).await.unwrap();
        }
        let seal = SealKey::parse(&SealKey::generate()).unwrap();
        let store = Store::open(folder.path(), Some(seal)).unwrap();
        let full = AccessSet::READ_WRITE;
        let ana = store.create_key("ana", "portal", full, true, &Reach::ALL).unwrap().1.to_string();
        let ana_data =
            store.create_key("ana", "data", full, false, &Reach::ALL).unwrap().1.to_string();
        let bob = store.create_key("bob", "portal", full, true, &Reach::ALL).unwrap().1.to_string();
        let s3 = S3::new(S3Options::default()).private_endpoints(private.clone());
        let executor = Arc::new(s3.unseal_by(store.unseal()));
        let policy = Arc::clone(store.snapshot().policy());
        let gateway = Gateway::new(Engine::new(policy), executor, options).unwrap();
        let serving = gateway.clone();
        store.on_change(Box::new(move |snapshot| {
            serving.replace(Engine::new(Arc::clone(snapshot.policy())));
        }));
        let manager = Manager::new(store.within(quota), gateway.clone())
            .with_references(references)
            .with_private_endpoints(private);
        let data_routes = gateway.router().merge(manager.connectors_router());
        let admin = serve(&gateway, manager.router()).await;
        let data = serve(&gateway, data_routes).await;
        Self {
            store,
            manager,
            embedded,
            admin,
            data,
            ana,
            ana_data,
            bob,
            page: Page::read(),
            met: Mutex::default(),
            folder,
        }
    }

    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Credentials that the S3 server takes, as the API takes them.
    pub fn credentials() -> Value {
        json!({ "access_key_id": canary::ID, "secret_access_key": canary::SECRET })
    }

    /// A connection to the S3 server that may read this.
    pub fn draft(&self, label: &str, restrictions: &[&str]) -> Value {
        json!({
            "label": label,
            "endpoint": self.embedded.endpoint(),
            "credentials": Self::credentials(),
            "access": "read-only",
            "restrictions": restrictions,
            "deny": [],
        })
    }

    /// Makes a connection of Ana's; gives its identity and its revision.
    pub async fn made(&self, draft: &Value) -> (String, String) {
        let made = self.send("POST", "/v1/connections", Some(draft)).await;
        let made = made.is(201).json();
        let text = |name: &str| made[name].as_str().unwrap().to_owned();
        (text("identity"), text("revision"))
    }

    /// Asks with Ana's key that manages.
    pub async fn send(&self, method: &str, target: &str, body: Option<&Value>) -> Answer {
        self.send_with(method, target, &[], body).await
    }

    /// The same for a change of one revision.
    pub async fn change(
        &self,
        method: &str,
        target: &str,
        revision: &str,
        body: Option<&Value>,
    ) -> Answer {
        let revision = format!("\"{revision}\"");
        self.send_with(method, target, &[("If-Match", &revision)], body).await
    }

    pub async fn send_with(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Answer {
        let mut all = vec![("Authorization", self.ana.as_str())];
        all.extend_from_slice(headers);
        let body = body.map(|body| serde_json::to_vec(body).unwrap());
        self.raw(method, target, &all, body.as_deref()).await
    }

    /// Asks, and holds the answer against the page.
    pub async fn raw(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: Option<&[u8]>,
    ) -> Answer {
        let answer = ask(self.admin, method, target, headers, body).await;
        let Some(route) = self.page.route(target) else { return answer };
        // What answers a method that is not on the page is what all of the route's answer.
        let item = &self.page.0["paths"][route];
        let own = &item[method.to_ascii_lowercase()];
        let operation = match own.is_null() {
            false => own,
            true => {
                ["get", "post", "delete"].iter().map(|m| &item[*m]).find(|o| !o.is_null()).unwrap()
            }
        };
        let header = |name: &str| answer.header(name).map(str::to_owned);
        let told = self.page.check(operation, answer.status, header, &answer.body);
        let shown = String::from_utf8_lossy(&answer.body);
        assert_eq!(told, Ok(()), "{method} {target}: {} {shown}", answer.status);
        assert_eq!(answer.header("cache-control"), Some("private, no-store"));
        assert_eq!(answer.header("x-content-type-options"), Some("nosniff"));
        if answer.status >= 400 {
            let id = answer.json()["error"]["id"].clone();
            assert_eq!(answer.header("x-request-id"), id.as_str());
        }
        let met = (method.to_owned(), route.to_owned(), answer.status);
        self.met.lock().unwrap().insert(met);
        answer
    }
}

async fn serve(gateway: &Gateway, router: axum::Router) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let gateway = gateway.clone();
    tokio::spawn(async move {
        gateway.serve_router(router, listener, std::future::pending()).await;
    });
    address
}

/// One request and its answer, which is searched for canaries.
pub async fn ask(
    address: SocketAddr,
    method: &str,
    target: &str,
    headers: &[(&str, &str)],
    body: Option<&[u8]>,
) -> Answer {
    let mut request = format!("{method} {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n");
    for (name, value) in headers {
        request.push_str(&format!("{name}: {value}\r\n"));
    }
    if let Some(body) = body {
        request.push_str(&format!("Content-Length: {}\r\n", body.len()));
    }
    request.push_str("\r\n");
    let mut stream = TcpStream::connect(address).await.unwrap();
    let request = [request.as_bytes(), body.unwrap_or_default()].concat();
    // A body that is too long is refused before it has all come.
    let _ = stream.write_all(&request).await;
    let mut answer = Vec::new();
    let _ = stream.read_to_end(&mut answer).await;
    assert_eq!(canary::found(&answer), None, "{method} {target}");
    let end = answer.windows(4).position(|four| four == b"\r\n\r\n").expect("a head");
    let head = std::str::from_utf8(&answer[..end]).unwrap();
    let mut lines = head.split("\r\n");
    let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
    let headers: Vec<(String, String)> = lines
        .map(|line| line.split_once(": ").unwrap())
        .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
        .collect();
    Answer { status, headers, body: answer[end + 4..].to_vec() }
}
