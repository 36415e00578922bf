//! A portal over a store, a gateway that follows it, and an S3 server behind that.

use std::{net::SocketAddr, time::Duration};

use pathward::{
    AccessSet, Engine, Reach,
    embedded::{Embedded, EmbeddedOptions},
    executor::{PrivateEndpoints, S3},
    gateway::{Gateway, Options},
    manage::Manager,
    portal::{Portal, PortalOptions},
    store::{Draft, DraftCredentials, DraftRule, SealKey, Secret, Store},
};
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};

/// The S3 server's credentials: what no page may ever hold.
pub const ID: &str = "AKIACANARYCANARYWXYZ";
pub const SECRET: &str = "canary/SECRETsecretSECRETsecret+SECRETsec";

/// An answer.
#[derive(Debug)]
pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: String,
}

impl Answer {
    pub fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }

    /// The cookie that it sets, as the browser sends it back.
    pub fn cookie(&self) -> String {
        let set = self.header("set-cookie").unwrap_or_else(|| panic!("no cookie: {self:?}"));
        set.split(';').next().unwrap().to_owned()
    }

    /// The value of a hidden field.
    pub fn hidden(&self, name: &str) -> String {
        let start = format!("name=\"{name}\" value=\"");
        let rest = self.body.split(&start).nth(1).unwrap_or_else(|| panic!("no {name}: {self:?}"));
        rest.split('"').next().unwrap().to_owned()
    }
}

pub struct World {
    pub store: Store,
    pub portal: Portal,
    pub address: SocketAddr,
    pub embedded: Embedded,
    folder: tempfile::TempDir,
}

impl World {
    pub async fn start() -> Self {
        Self::with(PortalOptions::default(), true).await
    }

    pub async fn with(options: PortalOptions, sealed: bool) -> Self {
        let server = EmbeddedOptions::default().with_credentials(ID, SECRET);
        let embedded = Embedded::start(server).await.unwrap();
        embedded.put("pub", "data/x", "text/plain", "x".into()).await.unwrap();
        embedded.put("pub", "secret", "text/plain", "SECRET".into()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let seal = sealed.then(|| SealKey::parse(&SealKey::generate()).unwrap());
        let store = Store::open(folder.path(), seal).unwrap();
        let executor = Arc::new(S3::default().unseal_by(store.unseal()));
        let engine = Engine::new(Arc::clone(store.snapshot().policy()));
        let gateway = Gateway::new(engine, executor, Options::default()).unwrap();
        let following = gateway.clone();
        store.on_change(Box::new(move |snapshot| {
            following.replace(Engine::new(Arc::clone(snapshot.policy())));
        }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let manager =
            Manager::new(store.clone(), gateway).with_private_endpoints(PrivateEndpoints::All);
        let portal = Portal::new(manager, address, options);
        let serving = portal.clone();
        tokio::spawn(async move { serving.serve(listener, std::future::pending()).await });
        Self { store, portal, address, embedded, folder }
    }

    /// Every file of the store, with what is in it.
    pub fn files(&self) -> Vec<(String, String)> {
        let entries = std::fs::read_dir(self.folder.path()).unwrap().map(Result::unwrap);
        let read = |path: std::path::PathBuf| {
            (path.display().to_string(), std::fs::read_to_string(path).unwrap())
        };
        entries.map(|entry| read(entry.path())).collect()
    }

    pub fn key(&self, owner: &str, id: &str, manage: bool) -> String {
        self.store
            .create_key(owner, id, AccessSet::READ_WRITE, manage, &Reach::ALL)
            .unwrap()
            .1
            .to_string()
    }

    /// A stored connection to the server; its identity.
    pub fn connection(&self, owner: &str, label: &str, restrictions: &[&str]) -> String {
        let draft = Draft {
            endpoint: Some(self.embedded.endpoint()),
            region: Some("us-east-1".to_owned()),
            keys: Some(pathward::Keys::Exact),
            credentials: DraftCredentials::Secret(Secret::new(ID, SECRET)),
            restrictions: Some(restrictions.iter().copied().map(DraftRule::path).collect()),
            ..Draft::new(label)
        };
        self.store.create(owner, &draft).unwrap().identity
    }

    /// A session of this owner: signed in with a new key of this name.
    pub async fn sign_in(&self, owner: &str, id: &str) -> Session<'_> {
        let key = self.key(owner, id, true);
        let answer = self.post("/sign-in", "", &[("key", &key)]).await;
        assert_eq!(answer.status, 303, "{answer:?}");
        let cookie = answer.cookie();
        let page = self.get("/sources", &cookie).await;
        Session { world: self, csrf: page.hidden("csrf"), cookie }
    }

    pub async fn get(&self, target: &str, cookie: &str) -> Answer {
        self.send("GET", target, &[("Host", &self.host()), ("Cookie", cookie)], "").await
    }

    /// A form of the portal's own page.
    pub async fn post(&self, target: &str, cookie: &str, fields: &[(&str, &str)]) -> Answer {
        let origin = format!("http://{}", self.address);
        let headers = [
            ("Host", &*self.host()),
            ("Origin", &origin),
            ("Cookie", cookie),
            ("Content-Type", "application/x-www-form-urlencoded"),
        ];
        self.send("POST", target, &headers, &form(fields)).await
    }

    pub fn host(&self) -> String {
        self.address.to_string()
    }

    pub async fn send(
        &self,
        method: &str,
        target: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = format!("{method} {target} HTTP/1.1\r\nConnection: close\r\n");
        for (name, value) in headers.iter().filter(|(_, value)| !value.is_empty()) {
            request += &format!("{name}: {value}\r\n");
        }
        if method == "POST" {
            request += &format!("Content-Length: {}\r\n", body.len());
        }
        let request = format!("{request}\r\n{body}");
        let mut stream = TcpStream::connect(self.address).await.unwrap();
        stream.write_all(request.as_bytes()).await.unwrap();
        let mut bytes = Vec::new();
        let reading = stream.read_to_end(&mut bytes);
        tokio::time::timeout(Duration::from_secs(60), reading).await.unwrap().unwrap();
        let answer = String::from_utf8(bytes).unwrap();
        // No page, whatever was asked, holds what the S3 server's credentials are.
        for secret in [SECRET, ID] {
            assert!(!answer.contains(secret), "{target}: {answer}");
        }
        let (head, body) = answer.split_once("\r\n\r\n").unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers = lines
            .map(|line| line.split_once(": ").unwrap())
            .map(|(name, value)| (name.to_ascii_lowercase(), value.to_owned()))
            .collect();
        Answer { status, headers, body: body.to_owned() }
    }
}

/// Someone who is signed in.
pub struct Session<'a> {
    pub world: &'a World,
    pub cookie: String,
    pub csrf: String,
}

impl Session<'_> {
    pub async fn get(&self, target: &str) -> Answer {
        self.world.get(target, &self.cookie).await
    }

    pub async fn post(&self, target: &str, fields: &[(&str, &str)]) -> Answer {
        let fields = [&[("csrf", &*self.csrf)], fields].concat();
        self.world.post(target, &self.cookie, &fields).await
    }
}

/// The fields as a browser sends them.
pub fn form(fields: &[(&str, &str)]) -> String {
    let escaped = |text: &str| -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
        text.bytes()
            .map(|byte| match plain(byte) {
                true => char::from(byte).to_string(),
                false => format!("%{byte:02X}"),
            })
            .collect()
    };
    let pairs = fields.iter().map(|(name, value)| format!("{}={}", escaped(name), escaped(value)));
    pairs.collect::<Vec<_>>().join("&")
}
