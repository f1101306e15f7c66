//! Telling somebody how a run ended: by mail, by a POST, by a command.
//!
//! ```text
//!   run ends ─▶ occasions ─▶ message ─▶ state file: undelivered      in the same replacement that ends the run
//!                                             │
//!                    deliver ◀────────────────┘  when the run has ended, and whenever somebody looks again
//!                       ├─ delivered ─▶ taken out, event `notified`
//!                       └─ not       ─▶ tried again later; after a day given up, event `notify_failed`
//! ```
//!
//! So a message is delivered at least once, and a notifier that does not answer fails no run. [`occasions`] says what a
//! run is an occasion for, [`Message`] what is told, [`raise`] notes it, [`flush`] delivers.

mod command;
mod mail;
mod message;
mod occasion;
mod outbox;
mod post;

pub use message::{Example, Message};
pub use occasion::occasions;
pub use outbox::{Pending, flush, raise};
