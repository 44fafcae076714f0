//! Connection limit: one seat for each connection. A connection that waits for its caller gives way to a new one.

use std::{
    collections::BTreeMap,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, ready},
};

use axum::body::Bytes;
use http_body::{Body, SizeHint};
use hyper::body::Incoming;
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use super::Piece;
use crate::held::HeldRequests;

/// All of them.
#[derive(Clone)]
pub(super) struct Seats {
    free: Arc<Semaphore>,
    waiting: Arc<Mutex<WaitingList>>,
    turned: Arc<Notify>,
    held: HeldRequests,
}

/// Those that wait for their callers, the one that has waited longest first.
#[derive(Default)]
struct WaitingList {
    next: u64,
    seats: BTreeMap<u64, Arc<Notify>>,
}

/// The seat of one connection.
pub(super) struct Seat {
    seats: Seats,
    ticket: Mutex<Option<u64>>,
    leave: Arc<Notify>,
    _place: Option<OwnedSemaphorePermit>,
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Seats {
    pub(super) fn new(most: usize, held: HeldRequests) -> Self {
        let free = Arc::new(Semaphore::new(most.min(Semaphore::MAX_PERMITS)));
        Self { free, waiting: Arc::default(), turned: Arc::default(), held }
    }

    /// A seat, for which another one is taken back if it must be. While every one is being served it waits; if somebody has
    /// several held requests, one of them is answered for it, and its seat is taken back then.
    pub(super) async fn take(&self) -> Seat {
        let mut one_leaves = self.free.available_permits() > 0;
        let mut one_is_let_go = false;
        let place = loop {
            one_leaves = one_leaves || self.take_back();
            one_is_let_go = one_is_let_go || (!one_leaves && self.held.let_go_of_most());
            tokio::select! {
                place = Arc::clone(&self.free).acquire_owned() => break place,
                () = self.turned.notified() => {}
            }
        };
        // Never closed, so always given.
        let place = place.ok();
        let seat = Seat { seats: self.clone(), ticket: Mutex::default(), leave: Arc::default(), _place: place };
        seat.waits();
        seat
    }

    /// Whether there is one that can be.
    fn take_back(&self) -> bool {
        let longest = locked(&self.waiting).seats.pop_first();
        longest.is_some_and(|(_, leave)| {
            leave.notify_one();
            true
        })
    }
}

impl Seat {
    /// It waits for its caller from now on.
    pub(super) fn waits(&self) {
        let mut ticket = locked(&self.ticket);
        let mut waiting = locked(&self.seats.waiting);
        if ticket.is_none() {
            waiting.next += 1;
            let next = waiting.next;
            waiting.seats.insert(next, Arc::clone(&self.leave));
            *ticket = Some(next);
            self.seats.turned.notify_one();
        }
    }

    /// Its request is being served.
    fn is_served(&self) {
        if let Some(ticket) = locked(&self.ticket).take() {
            locked(&self.seats.waiting).seats.remove(&ticket);
        }
    }

    /// Until it is given to another one.
    pub(super) async fn is_taken_back(&self) {
        self.leave.notified().await;
    }
}

impl Drop for Seat {
    fn drop(&mut self) {
        self.is_served();
    }
}

/// A body on its way: until it is there, the connection waits for its caller.
pub(super) struct ArrivingBody {
    body: Incoming,
    seat: Arc<Seat>,
}

impl ArrivingBody {
    pub(super) fn new(body: Incoming, seat: Arc<Seat>) -> Self {
        if body.is_end_stream() {
            seat.is_served();
        }
        Self { body, seat }
    }
}

impl Body for ArrivingBody {
    type Data = Bytes;
    type Error = hyper::Error;

    fn poll_frame(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Piece>> {
        let piece = ready!(Pin::new(&mut self.body).poll_frame(context));
        if piece.is_none() || self.body.is_end_stream() {
            self.seat.is_served();
        }
        Poll::Ready(piece)
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
