//! A way to a server that breaks when told to.
//!
//! ```text
//!   client ─▶ Proxy ─▶ server        each new connection takes the next fault; without one it is a plain way
//! ```

#![expect(
    clippy::disallowed_methods,
    reason = "a proxy serves until the program ends, whoever asks"
)]

use std::collections::VecDeque;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

/// What happens to a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// It is closed as soon as it is there.
    Refuse,
    /// It is closed when so many bytes came from the server.
    CutAfter(u64),
    /// When so many bytes came from the server, no more are passed on, and it stays open.
    SilentAfter(u64),
    /// Every piece from the server comes so much later.
    Delay(Duration),
    /// The server is not asked: it answers HTTP's 503.
    Unavailable,
}

/// While no connection is held, this many bytes may pass.
const NO_HOLD: u64 = u64::MAX;

/// A listener that passes bytes on to a server.
#[derive(Debug, Clone)]
pub struct Proxy {
    pub address: SocketAddr,
    shared: Arc<Shared>,
}

#[derive(Debug)]
struct Shared {
    target: String,
    faults: Mutex<VecDeque<Fault>>,
    num_connections: AtomicUsize,
    passed_bytes: AtomicU64,
    held_from_bytes: AtomicU64,
}

impl Proxy {
    /// A proxy in front of the server at `target`, HOST:PORT. It listens until the program ends.
    pub fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let proxy = Self {
            address: listener.local_addr().unwrap(),
            shared: Arc::new(Shared {
                target: target.to_owned(),
                faults: Mutex::default(),
                num_connections: AtomicUsize::new(0),
                passed_bytes: AtomicU64::new(0),
                held_from_bytes: AtomicU64::new(NO_HOLD),
            }),
        };
        let shared = Arc::clone(&proxy.shared);
        thread::spawn(move || {
            for client in listener.incoming().flatten() {
                let shared = Arc::clone(&shared);
                thread::spawn(move || shared.serve(client));
            }
        });
        proxy
    }

    /// Lets the next connection without a fault have this one.
    pub fn next(&self, fault: Fault) -> &Self {
        self.shared.faults.lock().unwrap().push_back(fault);
        self
    }

    /// Once so many bytes came from the server, over all connections, no more pass until [`release`](Self::release).
    pub fn hold_after(&self, bytes: u64) {
        self.shared.held_from_bytes.store(bytes, Ordering::Relaxed);
    }

    /// Lets bytes pass again.
    pub fn release(&self) {
        self.hold_after(NO_HOLD);
    }

    /// Connections so far.
    pub fn num_connections(&self) -> usize {
        self.shared.num_connections.load(Ordering::Relaxed)
    }

    /// Bytes that came from the server.
    pub fn passed_bytes(&self) -> u64 {
        self.shared.passed_bytes.load(Ordering::Relaxed)
    }
}

impl Shared {
    fn serve(&self, mut client: TcpStream) {
        self.num_connections.fetch_add(1, Ordering::Relaxed);
        let fault = self.faults.lock().unwrap().pop_front();
        match fault {
            Some(Fault::Refuse) => return,
            Some(Fault::Unavailable) => return unavailable(&mut client),
            _ => (),
        }
        let Ok(server) = TcpStream::connect(&self.target) else {
            return;
        };
        let _ = (client.set_nodelay(true), server.set_nodelay(true));
        let (mut from_client, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || {
            let _ = std::io::copy(&mut from_client, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        });
        self.pass(server, client, fault);
    }

    /// Passes on what comes from the server.
    fn pass(&self, mut server: TcpStream, mut client: TcpStream, fault: Option<Fault>) {
        let mut buffer = vec![0; 64 << 10];
        let mut passed_bytes = 0;
        while let Ok(read @ 1..) = server.read(&mut buffer) {
            if let Some(Fault::Delay(time)) = fault {
                thread::sleep(time);
            }
            while self.passed_bytes.load(Ordering::Relaxed) >= self.held_from_bytes.load(Ordering::Relaxed) {
                thread::sleep(Duration::from_millis(2));
            }
            let allowed = match fault {
                Some(Fault::CutAfter(bytes) | Fault::SilentAfter(bytes)) => bytes - passed_bytes,
                _ => u64::MAX,
            };
            let passed = allowed.min(read as u64);
            if client.write_all(&buffer[..passed as usize]).is_err() {
                break;
            }
            passed_bytes += passed;
            self.passed_bytes.fetch_add(passed, Ordering::Relaxed);
            if passed < read as u64 && matches!(fault, Some(Fault::SilentAfter(_))) {
                // Until somebody else closes it.
                let _ = std::io::copy(&mut server, &mut std::io::sink());
                return;
            }
            if passed < read as u64 {
                break;
            }
        }
        let _ = (client.shutdown(Shutdown::Both), server.shutdown(Shutdown::Both));
    }
}

fn unavailable(client: &mut TcpStream) {
    let mut request = Vec::new();
    let mut byte = [0];
    while !request.ends_with(b"\r\n\r\n") && matches!(client.read(&mut byte), Ok(1)) {
        request.push(byte[0]);
    }
    let _ = client
        .write_all(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
    // What the client still sends is taken: closing on it would be a reset, and the answer lost.
    let _ = client.shutdown(Shutdown::Write);
    let _ = std::io::copy(client, &mut std::io::sink());
}
