//! Who is connected: bounded in all and for each address. When there is no place, a connection that never had a call
//! of an admin makes room, the oldest first: such connections cost nothing to open.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, Ipv6Addr};
use std::sync::Arc;

use parking_lot::Mutex;
use tokio::sync::Notify;

use super::Limits;

/// Connections that are turned away at the same time; beyond it they are dropped.
const MOST_REFUSALS: usize = 64;

/// All places.
#[derive(Default)]
pub(super) struct Seats {
    /// By age.
    taken: BTreeMap<u64, Taken>,
    next: u64,
    refusing: usize,
    by_address: HashMap<IpAddr, usize>,
}

struct Taken {
    address: IpAddr,
    is_authenticated: bool,
    ended: Arc<Notify>,
}

/// A place among the connections; released on drop.
pub(super) struct Seat {
    seats: Arc<Mutex<Seats>>,
    /// `None` for a connection that is being turned away.
    number: Option<u64>,
    ended: Arc<Notify>,
}

/// There is no place; perhaps one to say so.
pub(super) struct Full {
    pub(super) refusal: Option<Seat>,
}

/// What counts as one address: of IPv6 a network, because a host of IPv6 has all addresses of its network.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => {
            let bits = address.to_bits() & (u128::MAX << 64);
            IpAddr::V6(Ipv6Addr::from_bits(bits))
        }
        IpAddr::V4(address) => IpAddr::V4(address),
    }
}

impl Seats {
    fn remove(&mut self, number: u64) {
        let Some(Taken { address, .. }) = self.taken.remove(&number) else {
            return;
        };
        if let Some(here) = self.by_address.get_mut(&address) {
            *here -= 1;
            if *here == 0 {
                self.by_address.remove(&address);
            }
        }
    }

    /// Ends the oldest connection without an admin, of `address` if it is given; whether there was one.
    fn make_room(&mut self, address: Option<IpAddr>) -> bool {
        let mut taken = self.taken.iter();
        let found = taken.find(|(_, taken)| {
            !taken.is_authenticated && address.is_none_or(|address| taken.address == address)
        });
        let Some((number, taken)) = found else {
            return false;
        };
        taken.ended.notify_one();
        let number = *number;
        self.remove(number);
        true
    }

    fn has_room(&mut self, address: IpAddr, limits: &Limits) -> bool {
        let here = self.by_address.get(&address).copied().unwrap_or(0);
        let has_room = here < limits.connections_per_address || self.make_room(Some(address));
        has_room && (self.taken.len() < limits.connections || self.make_room(None))
    }
}

impl Seat {
    pub(super) fn take(
        seats: &Arc<Mutex<Seats>>,
        address: IpAddr,
        limits: &Limits,
    ) -> Result<Self, Full> {
        let address = network(address);
        let ended = Arc::new(Notify::new());
        let seat = |number| Self {
            seats: Arc::clone(seats),
            number,
            ended: Arc::clone(&ended),
        };
        let mut all = seats.lock();
        if all.has_room(address, limits) {
            let number = all.next;
            all.next += 1;
            *all.by_address.entry(address).or_default() += 1;
            let taken = Taken {
                address,
                is_authenticated: false,
                ended: Arc::clone(&ended),
            };
            all.taken.insert(number, taken);
            return Ok(seat(Some(number)));
        }
        if all.refusing < MOST_REFUSALS {
            all.refusing += 1;
            return Err(Full {
                refusal: Some(seat(None)),
            });
        }
        Err(Full { refusal: None })
    }

    /// An admin called on this connection: it keeps its place.
    pub(super) fn authenticate(&self) {
        let mut all = self.seats.lock();
        if let Some(taken) = self.number.and_then(|number| all.taken.get_mut(&number)) {
            taken.is_authenticated = true;
        }
    }

    /// Ready when another connection got this place.
    pub(super) async fn ended(&self) {
        self.ended.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        let mut all = self.seats.lock();
        match self.number {
            Some(number) => all.remove(number),
            None => all.refusing -= 1,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(connections: usize, connections_per_address: usize) -> Limits {
        Limits {
            connections,
            connections_per_address,
            ..Limits::default()
        }
    }

    fn take(seats: &Arc<Mutex<Seats>>, address: &str, limits: &Limits) -> Option<Seat> {
        let address = address.parse().expect("an address");
        Seat::take(seats, address, limits).ok()
    }

    fn is_there(seat: &Seat) -> bool {
        let number = seat.number.expect("it got a place");
        seat.seats.lock().taken.contains_key(&number)
    }

    #[test]
    fn those_without_an_admin_make_room_and_the_oldest_first() {
        let (seats, limits) = (Arc::default(), limits(3, 3));
        let admin = take(&seats, "10.0.0.1", &limits).expect("a place");
        admin.authenticate();
        let old = take(&seats, "10.0.0.2", &limits).expect("a place");
        let young = take(&seats, "10.0.0.3", &limits).expect("a place");
        let next = take(&seats, "10.0.0.4", &limits).expect("the oldest makes room");
        assert!(is_there(&admin) && !is_there(&old) && is_there(&young));
        drop(old);
        young.authenticate();
        next.authenticate();
        assert!(take(&seats, "10.0.0.5", &limits).is_none());
        drop(young);
        assert!(take(&seats, "10.0.0.5", &limits).is_some());
    }

    #[test]
    fn a_full_address_takes_no_place_of_another() {
        let (seats, limits) = (Arc::default(), limits(9, 2));
        let other = take(&seats, "10.0.0.1", &limits).expect("a place");
        let held: Vec<_> = (0..2).map(|_| take(&seats, "10.0.0.2", &limits)).collect();
        let third = take(&seats, "10.0.0.2", &limits).expect("one of its own makes room");
        assert!(is_there(&other) && is_there(&third));
        let of_held = held.iter().flatten();
        assert_eq!(of_held.filter(|seat| is_there(seat)).count(), 1);
    }

    #[test]
    fn addresses_of_one_network_are_one() {
        let (seats, limits) = (Arc::default(), limits(9, 1));
        for (first, same, other) in [
            ("2001:db8:1:2::1", "2001:db8:1:2:ffff::9", "2001:db8:1:3::1"),
            ("10.0.0.1", "::ffff:10.0.0.1", "10.0.0.2"),
        ] {
            let seat = take(&seats, first, &limits).expect("a place");
            seat.authenticate();
            assert!(take(&seats, same, &limits).is_none(), "{same}");
            assert!(take(&seats, other, &limits).is_some(), "{other}");
        }
        let all = seats.lock();
        assert!(all.by_address.is_empty() && all.taken.is_empty());
    }
}
