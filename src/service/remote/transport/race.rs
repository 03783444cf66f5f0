//! Connects to a host that has several addresses (RFC 8305): while one address does not answer, the next is tried beside
//! it, and the first connection is taken. So an address that leads nowhere, as IPv6 often does, costs a moment.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use socket2::{Domain, Socket, Type};

use crate::clock::Clock;
use crate::platform::fork::ParentOnly;

/// An address that does not answer has so long alone, as RFC 8305 recommends.
const HEAD_START: Duration = Duration::from_millis(250);

/// A connection and its address.
type Winner = (ParentOnly<Socket>, SocketAddr);

/// Connects to the first of `addresses` that answers.
///
/// # Errors
/// The error of the address that failed last; [`io::ErrorKind::TimedOut`] at `deadline`.
pub(super) fn connect(
    addresses: &[SocketAddr],
    deadline: Option<Instant>,
    clock: &dyn Clock,
) -> io::Result<Winner> {
    let mut addresses = addresses.iter().peekable();
    let mut waiting: Vec<Winner> = Vec::new();
    let mut failure = io::Error::from(io::ErrorKind::AddrNotAvailable);
    let mut turn = clock.now();
    loop {
        let moment = clock.now();
        if deadline.is_some_and(|deadline| moment >= deadline) {
            return Err(io::ErrorKind::TimedOut.into());
        }
        if waiting.is_empty() || moment >= turn {
            if let Some(address) = addresses.next() {
                turn = moment + HEAD_START;
                match begin(*address) {
                    Ok(socket) => waiting.push((socket, *address)),
                    Err(error) if is_about_address(&error) => {
                        failure = error;
                        turn = moment;
                    }
                    Err(error) => return Err(error),
                }
                continue;
            }
            if waiting.is_empty() {
                return Err(failure);
            }
        }
        let until = addresses.peek().map(|_| turn).into_iter().chain(deadline);
        wait(
            &waiting,
            until
                .min()
                .map(|until| until.saturating_duration_since(moment)),
        )?;
        let before = waiting.len();
        match first_ended(&mut waiting)? {
            Some(Ok(winner)) => return Ok(winner),
            Some(Err(error)) if is_about_address(&error) => failure = error,
            Some(Err(error)) => return Err(error),
            None => {}
        }
        if waiting.len() < before {
            turn = moment;
        }
    }
}

/// Begins to connect.
fn begin(address: SocketAddr) -> io::Result<ParentOnly<Socket>> {
    let domain = Domain::for_address(address);
    let socket = ParentOnly::open(|| Socket::new(domain, Type::STREAM, None))?;
    socket.set_nonblocking(true)?;
    match socket.connect(&address.into()) {
        Err(error) if error.raw_os_error() != Some(libc::EINPROGRESS) => Err(error),
        _ => Ok(socket),
    }
}

/// Waits until one of them has connected or failed, or for `limit`.
fn wait(waiting: &[Winner], limit: Option<Duration>) -> io::Result<()> {
    let mut watched: Vec<_> = waiting
        .iter()
        .map(|(socket, _)| PollFd::new(socket.as_fd(), PollFlags::POLLOUT))
        .collect();
    // Rounded up: a wait that ends too soon would be repeated without a pause.
    let limit = limit.map(|limit| limit + Duration::from_millis(1));
    let limit = limit.map_or(PollTimeout::NONE, |limit| {
        PollTimeout::try_from(limit).unwrap_or(PollTimeout::MAX)
    });
    match poll(&mut watched, limit) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Takes out one that has connected or failed.
fn first_ended(waiting: &mut Vec<Winner>) -> io::Result<Option<io::Result<Winner>>> {
    for index in 0..waiting.len() {
        let socket = &waiting[index].0;
        let failed = socket.take_error()?;
        let is_connected = failed.is_none() && socket.peer_addr().is_ok();
        if failed.is_none() && !is_connected {
            continue;
        }
        let winner = waiting.swap_remove(index);
        return Ok(Some(match failed {
            Some(error) => Err(error),
            None => winner.0.set_nonblocking(false).map(|()| winner),
        }));
    }
    Ok(None)
}

/// Another address of the same host may do better.
fn is_about_address(error: &io::Error) -> bool {
    use io::ErrorKind::{
        AddrNotAvailable, ConnectionRefused, ConnectionReset, HostUnreachable, NetworkDown,
        NetworkUnreachable, TimedOut,
    };
    matches!(
        error.kind(),
        ConnectionRefused
            | ConnectionReset
            | HostUnreachable
            | NetworkUnreachable
            | NetworkDown
            | AddrNotAvailable
            | TimedOut
    ) || error.raw_os_error() == Some(libc::EAFNOSUPPORT)
}

/// `addresses` with the two families in turns, the first one's first, so that a family without a route holds up for one
/// address only; `good` before all others.
pub(super) fn order(addresses: &[SocketAddr], good: Option<SocketAddr>) -> Vec<SocketAddr> {
    let good = good.filter(|good| addresses.contains(good));
    let rest = addresses.iter().filter(|address| Some(**address) != good);
    let is_ipv6 = addresses.first().is_some_and(SocketAddr::is_ipv6);
    let (first, second): (Vec<&SocketAddr>, Vec<&SocketAddr>) =
        rest.partition(|address| address.is_ipv6() == is_ipv6);
    let longest = first.len().max(second.len());
    let in_turns = (0..longest).flat_map(|index| [first.get(index), second.get(index)]);
    good.into_iter()
        .chain(in_turns.flatten().copied().copied())
        .collect()
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;
    use crate::clock::SystemClock;

    /// Far longer than a connection on loopback takes.
    const LONG: Duration = Duration::from_mins(1);

    fn race(addresses: &[SocketAddr]) -> io::Result<SocketAddr> {
        let deadline = Instant::now() + LONG;
        connect(addresses, Some(deadline), &SystemClock).map(|(_, address)| address)
    }

    /// An address that takes no connection and refuses none: the queue of its listener is full.
    fn silent() -> (SocketAddr, Vec<Socket>) {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
        let any = SocketAddr::from(([127, 0, 0, 1], 0));
        listener.bind(&any.into()).expect("a port");
        listener.listen(0).expect("a listener");
        let address = listener.local_addr().ok().and_then(|it| it.as_socket());
        let address = address.expect("an address");
        let mut kept = vec![listener];
        for _ in 0..8 {
            let caller = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
            caller.set_nonblocking(true).expect("a socket");
            // It may stay unanswered: that is the point.
            let _ = caller.connect(&address.into());
            kept.push(caller);
        }
        (address, kept)
    }

    /// No service listens on the discard port.
    fn refusing() -> SocketAddr {
        SocketAddr::from(([127, 0, 0, 1], 9))
    }

    #[test]
    fn an_address_that_never_answers_costs_a_moment() {
        let (dead, _kept) = silent();
        let alive = TcpListener::bind("127.0.0.1:0").expect("a port");
        let alive = alive.local_addr().map(|address| (address, alive));
        let (address, _listener) = alive.expect("an address");
        let begin = Instant::now();
        assert_eq!(race(&[dead, dead, address]).expect("connected"), address);
        assert!(
            begin.elapsed() < LONG / 3,
            "the dead ones had no share of the time"
        );
    }

    #[test]
    fn an_address_that_refuses_is_followed_by_the_next() {
        let alive = TcpListener::bind("127.0.0.1:0").expect("a port");
        let address = alive.local_addr().expect("an address");
        let refusing = refusing();
        assert_eq!(race(&[refusing, address]).expect("connected"), address);
        let all = race(&[refusing, refusing]).expect_err("nobody there");
        assert_eq!(all.kind(), io::ErrorKind::ConnectionRefused);
    }

    #[test]
    fn no_answer_at_all_is_out_of_time() {
        let (dead, _kept) = silent();
        let deadline = Instant::now() + Duration::from_millis(20);
        let error = connect(&[dead, refusing(), dead], Some(deadline), &SystemClock).map(|_| ());
        assert_eq!(
            error.expect_err("no answer").kind(),
            io::ErrorKind::TimedOut
        );
    }

    #[test]
    fn families_take_turns_and_the_good_one_is_first() {
        let v4 = [1, 2, 3].map(|last| SocketAddr::from(([127, 0, 0, last], 80)));
        let v6 = [1, 2].map(|last| SocketAddr::from(([0, 0, 0, 0, 0, 0, 0, last], 80)));
        let all = [v6[0], v6[1], v4[0], v4[1], v4[2]];
        assert_eq!(order(&all, None), [v6[0], v4[0], v6[1], v4[1], v4[2]]);
        assert_eq!(order(&[v4[0], v4[1], v6[0]], None), [v4[0], v6[0], v4[1]]);
        assert_eq!(order(&all[..3], Some(v4[0])), [v4[0], v6[0], v6[1]]);
        let gone = SocketAddr::from(([127, 0, 0, 9], 80));
        assert_eq!(
            order(&all[1..3], Some(gone)),
            all[1..3],
            "it is no address of the host any more"
        );
    }
}
