//! TCP as in ureq, over sockets that a forked child does not keep: ureq does not expose the descriptors of its
//! sockets.

use std::io::{self, Read, Write};
use std::net::Shutdown;
use std::sync::{Arc, Weak};
use std::time::Duration;

use socket2::Socket;
use ureq::unversioned::transport::{
    Buffers, ConnectionDetails, Connector, Either, LazyBuffers, NextTimeout, ShutdownHandle,
    Transport,
};
use ureq::{Error, Timeout};

use super::race;
use super::resolver::CachingResolver;
use crate::platform::fork::ParentOnly;

/// Makes the socket, unless what comes before in the chain has made a connection.
#[derive(Debug)]
pub(super) struct Tcp {
    resolver: CachingResolver,
}

impl Tcp {
    /// `resolver` is told which address of a host answered.
    pub(super) fn new(resolver: CachingResolver) -> Self {
        Self { resolver }
    }

    fn connected(&self, details: &ConnectionDetails) -> Result<ParentOnly<Socket>, Error> {
        let limit = details.timeout.not_zero().map(|limit| *limit);
        let clock = self.resolver.clock();
        let deadline = limit.map(|limit| clock.now() + limit);
        match race::connect(&details.addrs, deadline, clock) {
            Ok((socket, address)) => {
                self.resolver.prefer(details.uri, address);
                Ok(socket)
            }
            Err(error) if is_timeout(&error) => Err(Error::Timeout(Timeout::Connect)),
            Err(error) => Err(Error::Io(error)),
        }
    }
}

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
        let socket = self.connected(details)?;
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

/// The system says of a socket with a limit that it would block.
fn is_timeout(error: &io::Error) -> bool {
    matches!(
        error.kind(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock
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
