use std::io::Cursor;
use std::sync::mpsc;
use std::time::Duration;

use super::super::testing::{Dribble, assert_cover, csv, drain};
use super::*;
use crate::error::Class;

fn start(reader: impl Read + Send + 'static, cut: Cut) -> StreamBlocks {
    let feed = Feed {
        reader: Box::new(reader),
        stored_bytes: Arc::default(),
        file: "people.csv.gz".to_owned(),
    };
    StreamBlocks::start(feed, cut, 2).unwrap()
}

/// A reader that fails, or panics, after some bytes.
struct Broken {
    left: usize,
    fail: fn() -> io::Error,
}

impl Read for Broken {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        if self.left == 0 {
            return Err((self.fail)());
        }
        let bytes = out.len().min(self.left);
        self.left -= bytes;
        Ok(bytes)
    }
}

#[test]
fn threads_that_ask_at_once_share_the_blocks() {
    let content = csv(20_000);
    let cut = Cut::new(1000, 70);
    let blocks = start(Dribble(Cursor::new(content.clone()), 777), cut);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mine = drain(&blocks).unwrap();
                all.lock().unwrap().extend(mine);
            });
        }
    });
    assert_cover(all.into_inner().unwrap(), &content, cut);
}

#[test]
fn dropping_it_while_it_produces_ends_the_thread() {
    let (done, is_done) = mpsc::channel::<()>();
    /// Endless; tells when it goes.
    struct Endless(#[expect(dead_code, reason = "dropped with the reader")] mpsc::Sender<()>);
    impl Read for Endless {
        fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
            out.fill(b'x');
            Ok(out.len())
        }
    }
    let blocks = start(Endless(done), Cut::new(4096, 10));
    blocks.next().unwrap().unwrap();
    drop(blocks);
    let gone = is_done.recv_timeout(Duration::from_secs(300));
    assert_eq!(gone, Err(mpsc::RecvTimeoutError::Disconnected));
}

#[test]
fn an_error_comes_after_the_whole_blocks_and_never_turns_into_the_end() {
    let fail = || fault::cut_off("gzip", 77);
    let blocks = start(Broken { left: 250, fail }, Cut::new(100, 10));
    assert!(blocks.next().unwrap().is_some());
    assert!(blocks.next().unwrap().is_some());
    let error = blocks.next().unwrap_err();
    assert_eq!(error.code(), Some("source_corrupt"));
    assert_eq!(error.place().file.as_deref(), Some("people.csv.gz"));
    let again = blocks.next().unwrap_err();
    assert_eq!(again.to_string(), error.to_string());
    assert_eq!((again.class(), again.hints()), (error.class(), error.hints()));
}

#[test]
fn a_reader_that_panics_is_an_error() {
    let fail = || panic!("a bug");
    let blocks = start(Broken { left: 250, fail }, Cut::new(100, 10));
    let error = drain(&blocks).unwrap_err();
    assert_eq!(error.class(), Class::Runtime);
    assert!(blocks.next().is_err());
}

#[test]
fn an_empty_stream_has_no_blocks() {
    assert!(start(io::empty(), Cut::new(10, 1)).next().unwrap().is_none());
}
