//! A port on loopback with a thread for each connection.

use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

/// Accepts until it is dropped.
pub struct Listener {
    address: SocketAddr,
    ended: Arc<AtomicBool>,
}

impl Listener {
    /// Each connection is given to `serve` on a thread of its own.
    pub fn start(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port on loopback");
        let address = listener.local_addr().expect("its address");
        let ended = Arc::new(AtomicBool::new(false));
        let (over, serve) = (Arc::clone(&ended), Arc::new(serve));
        thread::spawn(move || {
            for peer in listener.incoming() {
                if over.load(Ordering::SeqCst) {
                    return;
                }
                let (Ok(peer), serve) = (peer, Arc::clone(&serve)) else {
                    continue;
                };
                thread::spawn(move || serve(peer));
            }
        });
        Self { address, ended }
    }

    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }
}

impl Drop for Listener {
    fn drop(&mut self) {
        self.ended.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which may be gone already.
        let _ = TcpStream::connect(self.address);
    }
}
