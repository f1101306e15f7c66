//! S3, Google Cloud Storage, and what speaks like them.
//!
//! - [`connect`] makes the client of a bucket: as a connection says, else as the environment does.
//! - [`Patience`] says how long a store may keep us waiting, and waits as long as it is asked to.
//! - [`Authorities`] vouch for a store whose certificate the system alone does not trust.
//! - `profile` reads `~/.aws`, which the client does not.
//! - [`ObjectFiles`] are a bucket's objects as files of a [`Store`](super::Store).
//! - [`faults`] puts what a service answers into words and a remedy.

mod authorities;
pub mod connect;
pub mod faults;
mod files;
mod patience;
mod profile;

pub use authorities::Authorities;
pub use files::ObjectFiles;
pub use patience::Patience;
