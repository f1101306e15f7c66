//! Ctrl-C and SIGTERM.

use std::io;
use std::pin::pin;

use sluice_engine::{Class, Error};
use tokio::signal::unix::{self, SignalKind};
use tokio::sync::Notify;

use crate::error::{Failure, Result};

/// A request from outside to end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signal {
    /// SIGINT: Ctrl-C.
    Interrupt,
    /// SIGTERM.
    Terminate,
}

impl Signal {
    /// 128 and the signal's number, as shells have it.
    pub fn exit_code(self) -> u8 {
        match self {
            Self::Interrupt => 130,
            Self::Terminate => 143,
        }
    }
}

/// What a command does when a signal comes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnSignal {
    /// It only reads: it is dropped.
    Drop,
    /// It is asked to stop and given the time to leave things whole; a second signal drops it.
    WindDown,
    /// It deals with Ctrl-C itself, as a prompt does.
    OwnInterrupt,
}

/// Runs `work` until it ends or a signal ends it.
///
/// # Errors
/// Those of `work`, and `Failure::Signal`.
pub async fn governed(work: impl Future<Output = Result<()>>, on: OnSignal, stop: &Notify) -> Result<()> {
    let mut signals = Signals::listen()?;
    let mut work = pin!(work);
    let first = loop {
        tokio::select! {
            outcome = &mut work => return outcome,
            signal = signals.next() => match (on, signal) {
                (OnSignal::OwnInterrupt, Signal::Interrupt) => {}
                _ => break signal,
            },
        }
    };
    if on != OnSignal::WindDown {
        return Err(Failure::Signal(first, Error::interrupted().wrote("nothing")));
    }
    stop.notify_one();
    tokio::select! {
        outcome = &mut work => outcome.map_err(|failure| signalled(failure, first)),
        second = signals.next() => {
            let error = Error::interrupted().hint("the next run of the process settles what this one left");
            Err(Failure::Signal(second, error.wrote("unknown: the run was dropped while it was stopping")))
        }
    }
}

/// A command that stopped because it was asked to ends with the signal's exit code.
fn signalled(failure: Failure, signal: Signal) -> Failure {
    match failure {
        Failure::Engine(error) if error.class() == Class::Interrupted => Failure::Signal(signal, error),
        other => other,
    }
}

struct Signals {
    interrupt: unix::Signal,
    terminate: unix::Signal,
}

impl Signals {
    fn listen() -> io::Result<Self> {
        let interrupt = unix::signal(SignalKind::interrupt())?;
        let terminate = unix::signal(SignalKind::terminate())?;
        Ok(Self { interrupt, terminate })
    }

    async fn next(&mut self) -> Signal {
        tokio::select! {
            _ = self.interrupt.recv() => Signal::Interrupt,
            _ = self.terminate.recv() => Signal::Terminate,
        }
    }
}
