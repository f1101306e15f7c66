//! Gzip, member by member to the end of the file.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::fault;
use super::stored::Stored;

/// Decompresses gzip. Zeros may follow the last member, as tapes and some tools leave them; nothing else may.
///
/// ```text
///   │ member │ member │ ... │ zeros │
/// ```
#[derive(Debug)]
pub(super) struct Gunzip<R> {
    state: State<R>,
}

#[derive(Debug)]
enum State<R> {
    /// Within a member.
    Member(Box<GzDecoder<Stored<R>>>),
    /// The file was read to its end.
    Ended,
    /// It could not be.
    Failed,
}

const FORMAT: &str = "gzip";
const FIRST_BYTE_OF_MEMBER: u8 = 0x1f;

impl<R: Read> Gunzip<R> {
    /// Decompresses `stored`.
    pub(super) fn new(stored: Stored<R>) -> Self {
        Self {
            state: State::Member(Box::new(GzDecoder::new(stored))),
        }
    }

    /// Goes on behind a member that was read whole and whose checksum is right.
    fn next_member(&mut self) -> io::Result<()> {
        let State::Member(decoder) = std::mem::replace(&mut self.state, State::Failed) else {
            return Ok(());
        };
        let mut stored = decoder.into_inner();
        self.state = match stored.fill_buf()?.first() {
            None => State::Ended,
            Some(&FIRST_BYTE_OF_MEMBER) => State::Member(Box::new(GzDecoder::new(stored))),
            Some(_) => {
                pass_zeros(&mut stored)?;
                State::Ended
            }
        };
        Ok(())
    }

    fn fail(&mut self, error: io::Error) -> io::Error {
        let at = match &self.state {
            State::Member(decoder) => decoder.get_ref().consumed_bytes(),
            State::Ended | State::Failed => 0,
        };
        self.state = State::Failed;
        if fault::is_ours(&error) {
            error
        } else if error.kind() == io::ErrorKind::UnexpectedEof {
            fault::cut_off(FORMAT, at)
        } else {
            fault::damaged(FORMAT, at, &error.to_string())
        }
    }
}

impl<R: Read> Read for Gunzip<R> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if out.is_empty() {
            return Ok(0);
        }
        loop {
            let read = match &mut self.state {
                State::Member(decoder) => decoder.read(out),
                State::Ended => return Ok(0),
                State::Failed => return Err(fault::damaged(FORMAT, 0, "an earlier read failed")),
            };
            match read {
                Ok(0) => self.next_member()?,
                Ok(read) => return Ok(read),
                Err(error) => return Err(self.fail(error)),
            }
        }
    }
}

/// Reads zeros to the end of the file.
fn pass_zeros<R: Read>(stored: &mut Stored<R>) -> io::Result<()> {
    let begin = stored.consumed_bytes();
    loop {
        let rest = stored.fill_buf()?;
        let rest_bytes = rest.len();
        if rest.iter().any(|byte| *byte != 0) {
            return Err(fault::trailing(FORMAT, begin));
        }
        if rest_bytes == 0 {
            return Ok(());
        }
        stored.consume(rest_bytes);
    }
}

#[cfg(test)]
mod tests;
