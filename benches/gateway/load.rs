//! Requests as bytes on sockets, so that asking costs next to nothing beside what is asked.

use std::{
    net::SocketAddr,
    rc::Rc,
    time::{Duration, Instant},
};

use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpSocket, TcpStream},
    task::LocalSet,
};

/// A request as it goes out, and how many bytes its answer's body has to have, if that is known.
#[derive(Clone)]
pub(crate) struct Request {
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) answer: Option<u64>,
}

/// Where requests go, and which: the connections take turns at them.
pub(crate) struct Way {
    pub(crate) address: SocketAddr,
    pub(crate) requests: Vec<Request>,
}

/// What came of asking for some time.
pub(crate) struct Asked {
    pub(crate) per_second: f64,
    pub(crate) count: usize,
    /// Microseconds, in order.
    pub(crate) latencies: Vec<f64>,
}

impl Asked {
    pub(crate) fn quantile(&self, q: f64) -> f64 {
        let at = ((self.latencies.len() - 1) as f64 * q) as usize;
        self.latencies[at]
    }
}

/// One connection that is kept.
pub(crate) struct Connection {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Connection {
    pub(crate) async fn new(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).await.expect("a connection");
        stream.set_nodelay(true).expect("no delay");
        Self { stream, buffer: vec![0; 256 << 10] }
    }

    /// Reads slowly: the system keeps no more than so many bytes for it.
    pub(crate) async fn slow(address: SocketAddr, buffer: u32) -> Self {
        let socket = TcpSocket::new_v4().expect("a socket");
        socket.set_recv_buffer_size(buffer).expect("a small buffer");
        let stream = socket.connect(address).await.expect("a connection");
        Self { stream, buffer: vec![0; 16 << 10] }
    }

    /// Sends one request and reads its answer to the end. Small requests are one write.
    pub(crate) async fn ask(&mut self, request: &Request) {
        if request.body.len() <= 64 << 10 {
            let bytes = [request.head.as_bytes(), &request.body].concat();
            self.stream.write_all(&bytes).await.expect("a request sent");
        } else {
            self.stream.write_all(request.head.as_bytes()).await.expect("a head sent");
            self.stream.write_all(&request.body).await.expect("a body sent");
        }
        let mut left = self.head(request).await;
        while left > 0 {
            left = left.checked_sub(self.read().await as u64).expect("no more than the answer");
        }
    }

    /// Sends a request, reads its answer's head and gives how much of the body is still to come.
    pub(crate) async fn begin(&mut self, request: &Request) -> u64 {
        self.stream.write_all(request.head.as_bytes()).await.expect("a request sent");
        self.head(request).await
    }

    /// Reads what is there, or waits for it.
    pub(crate) async fn read(&mut self) -> usize {
        let count = self.stream.read(&mut self.buffer).await.expect("an answer");
        assert_ne!(count, 0, "the connection ended in the middle of an answer");
        count
    }

    async fn head(&mut self, request: &Request) -> u64 {
        let mut filled = 0;
        let end = loop {
            let count = self.stream.read(&mut self.buffer[filled..]).await.expect("an answer");
            assert_ne!(count, 0, "no answer: {}", request.head);
            filled += count;
            let end = memchr::memmem::find(&self.buffer[..filled], b"\r\n\r\n");
            if let Some(end) = end {
                break end + 4;
            }
        };
        let head = &self.buffer[..end];
        let told = || String::from_utf8_lossy(&self.buffer[..filled]);
        assert!(head.starts_with(b"HTTP/1.1 200 "), "{}{}", request.head, told());
        let length = content_length(head).unwrap_or_else(|| panic!("no length: {}", told()));
        if let Some(expected) = request.answer {
            assert_eq!(length, expected, "{}", told());
        }
        length - (filled - end) as u64
    }
}

pub(crate) fn content_length(head: &[u8]) -> Option<u64> {
    const NAME: &[u8] = b"content-length:";
    head.split(|byte| *byte == b'\n').find_map(|line| {
        let (name, value) = line.split_at_checked(NAME.len())?;
        let is_it = name.eq_ignore_ascii_case(NAME);
        is_it.then(|| std::str::from_utf8(value).ok()?.trim().parse().ok())?
    })
}

/// Asks over so many connections for so long.
pub(crate) async fn ask(way: &Rc<Way>, connections: usize, time: Duration) -> Asked {
    let local = LocalSet::new();
    let mut open = Vec::new();
    for _ in 0..connections {
        open.push(Connection::new(way.address).await);
    }
    let began = Instant::now();
    let tasks: Vec<_> = open
        .into_iter()
        .enumerate()
        .map(|(number, mut connection)| {
            let way = Rc::clone(way);
            local.spawn_local(async move {
                let mut latencies = Vec::new();
                let mut requests = way.requests.iter().cycle().skip(number * 7);
                while began.elapsed() < time || latencies.is_empty() {
                    let request = requests.next().expect("a request");
                    let sent = Instant::now();
                    connection.ask(request).await;
                    latencies.push(sent.elapsed().as_secs_f64() * 1e6);
                }
                latencies
            })
        })
        .collect();
    local.await;
    let elapsed = began.elapsed().as_secs_f64();
    let mut latencies = Vec::new();
    for task in tasks {
        latencies.extend(task.await.expect("every answer right"));
    }
    latencies.sort_by(f64::total_cmp);
    Asked { per_second: latencies.len() as f64 / elapsed, count: latencies.len(), latencies }
}
