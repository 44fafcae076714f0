//! A caller that goes away in the middle.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    task::Poll,
};

/// Polls so often and then drops; nothing if it was not done by then.
pub async fn polled<F: Future>(future: F, polls: usize) -> Option<F::Output> {
    let mut future = pin!(future);
    let mut left = polls;
    poll_fn(|context| match future.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => {
            left -= 1;
            if left == 0 { Poll::Ready(None) } else { Poll::Pending }
        }
    })
    .await
}
