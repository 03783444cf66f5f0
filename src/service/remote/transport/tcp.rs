//! TCP as in ureq, over sockets that a forked child does not keep: ureq does not expose the descriptors of its
//! sockets.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr};
use std::sync::{Arc, Weak};
use std::time::Duration;

use socket2::{Domain, Socket, Type};
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, ShutdownHandle,
    Transport,
};
use ureq::{Error, Timeout};

use crate::platform::fork::ParentOnly;

/// The least that one of several addresses is given.
const LEAST: Duration = Duration::from_millis(10);

/// Makes the socket, unless what comes before in the chain has made a connection.
#[derive(Debug)]
pub(super) struct Tcp;

impl<In: Transport> Connector<In> for Tcp {
    type Out = Either<In, Connection>;

    fn connect(
        &self,
        details: &ConnectionDetails,
        chained: Option<In>,
    ) -> Result<Option<Self::Out>, Error> {
        if let Some(chained) = chained {
            return Ok(Some(Either::A(chained)));
        }
        let socket = connect(details)?;
        let config = details.config;
        if config.no_delay() {
            socket.set_tcp_nodelay(true)?;
        }
        let socket = Arc::new(Handle(socket));
        let handle = Arc::downgrade(&socket) as Weak<dyn ShutdownHandle>;
        (details.register_shutdown)(handle)?;
        Ok(Some(Either::B(Connection {
            socket,
            buffers: LazyBuffers::new(config.input_buffer_size(), config.output_buffer_size()),
            read_limit: None,
            write_limit: None,
        })))
    }
}

/// Tries one address after the other. Each has twice the time of the next one, and all together the time that there is.
fn connect(details: &ConnectionDetails) -> Result<ParentOnly<Socket>, Error> {
    let total = details.timeout.not_zero().map(|limit| *limit);
    let mut last = Error::Io(io::ErrorKind::ConnectionRefused.into());
    for (index, address) in details.addrs.iter().enumerate() {
        let limit = total.map(|total| share(total, index, details.addrs.len()));
        match attempt(*address, limit) {
            Ok(socket) => return Ok(socket),
            Err(error) if is_timeout(&error) => last = Error::Timeout(Timeout::Connect),
            Err(error) if is_about_address(&error) => last = Error::Io(error),
            Err(error) => return Err(Error::Io(error)),
        }
    }
    Err(last)
}

/// What the address `index` of `count` has of the time.
fn share(total: Duration, index: usize, count: usize) -> Duration {
    let weight = |index: usize| 0.5_f64.powi(i32::try_from(index).unwrap_or(i32::MAX));
    let all = 2.0 * (1.0 - weight(count));
    total.mul_f64(weight(index) / all).max(LEAST)
}

fn attempt(address: SocketAddr, limit: Option<Duration>) -> io::Result<ParentOnly<Socket>> {
    let domain = Domain::for_address(address);
    let socket = ParentOnly::open(|| Socket::new(domain, Type::STREAM, None))?;
    match limit {
        Some(limit) => socket.connect_timeout(&address.into(), limit)?,
        None => socket.connect(&address.into())?,
    }
    Ok(socket)
}

/// The system says of a socket with a limit that it would block.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
    )
}

/// Another address of the same host may do better.
fn is_about_address(error: &io::Error) -> bool {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, HostUnreachable, NetworkDown, NetworkUnreachable,
    };
    matches!(
        error.kind(),
        ConnectionRefused | HostUnreachable | NetworkUnreachable | NetworkDown | AddrNotAvailable
    )
}

/// A socket that a client which closes can end, whatever its thread waits for.
#[derive(Debug)]
struct Handle(ParentOnly<Socket>);

impl ShutdownHandle for Handle {
    fn shutdown(&self) {
        // Without a connection there is nothing to end.
        let _ = self.0.shutdown(Shutdown::Both);
    }
}

/// A connection.
#[derive(Debug)]
pub(super) struct Connection {
    socket: Arc<Handle>,
    buffers: LazyBuffers,
    /// As the system has them: setting one costs a system call.
    read_limit: Option<Duration>,
    write_limit: Option<Duration>,
}

/// The time that is left; an error when there is none.
fn limit(timeout: &NextTimeout) -> Result<Option<Duration>, Error> {
    if timeout.after.is_zero() {
        return Err(Error::Timeout(timeout.reason));
    }
    Ok(timeout.not_zero().map(|limit| *limit))
}

fn failure(error: io::Error, timeout: &NextTimeout) -> Error {
    if is_timeout(&error) {
        Error::Timeout(timeout.reason)
    } else {
        Error::Io(error)
    }
}

impl Transport for Connection {
    fn buffers(&mut self) -> &mut dyn Buffers {
        &mut self.buffers
    }

    fn transmit_output(&mut self, amount: usize, timeout: NextTimeout) -> Result<(), Error> {
        let timeout = timeout.for_write();
        let limit = limit(&timeout)?;
        if limit != self.write_limit {
            self.socket.0.set_write_timeout(limit)?;
            self.write_limit = limit;
        }
        let output = &self.buffers.output()[..amount];
        (&*self.socket.0)
            .write_all(output)
            .map_err(|error| failure(error, &timeout))
    }

    fn await_input(&mut self, timeout: NextTimeout) -> Result<bool, Error> {
        let timeout = timeout.for_read();
        let limit = limit(&timeout)?;
        if limit != self.read_limit {
            self.socket.0.set_read_timeout(limit)?;
            self.read_limit = limit;
        }
        let input = self.buffers.input_append_buf();
        let amount = loop {
            match (&*self.socket.0).read(input) {
                // No signal reaches our threads, and one in a host program's thread costs at most the time again.
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                read => break read.map_err(|error| failure(error, &timeout))?,
            }
        };
        self.buffers.input_appended(amount);
        Ok(amount > 0)
    }

    /// Nothing is to be read from a connection that waits for its next request: a byte or an end says that it is of no
    /// use.
    fn is_open(&mut self) -> bool {
        let is_silent = || {
            self.socket.0.set_nonblocking(true)?;
            let read = (&*self.socket.0).read(&mut [0]);
            self.socket.0.set_nonblocking(false)?;
            Ok::<_, io::Error>(
                matches!(read, Err(error) if error.kind() == io::ErrorKind::WouldBlock),
            )
        };
        is_silent().unwrap_or(false)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_share_the_time_and_the_first_has_most() {
        let total = Duration::from_secs(15);
        assert_eq!(share(total, 0, 1), total);
        let shares: Vec<_> = (0..4).map(|index| share(total, index, 4)).collect();
        assert_eq!(shares, [8, 4, 2, 1].map(Duration::from_secs));
        assert_eq!(share(Duration::from_millis(20), 3, 4), LEAST);
    }
}
