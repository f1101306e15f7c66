use std::sync::Mutex;

use proptest::prelude::*;

use super::super::testing::{assert_cover, csv, drain, file_of};
use super::*;

fn plain_file(file: &tempfile::NamedTempFile, size_bytes: u64, cut: Cut) -> PlainFile {
    let opened = Arc::new(file.reopen().unwrap());
    PlainFile::new(opened, &file.path().display().to_string(), size_bytes, cut)
}

proptest! {
    #[test]
    fn blocks_are_the_file_in_slices(
        content in prop::collection::vec(any::<u8>(), 0..900),
        block_bytes in 1_usize..=300,
        lookahead_bytes in 0_usize..=50,
        start in 0_u64..=1000,
    ) {
        let file = file_of(&content);
        let cut = Cut::new(block_bytes, lookahead_bytes).starting_at(start);
        let plain = plain_file(&file, content.len() as u64, cut);
        let blocks = drain(&plain).unwrap();
        let read_bytes: u64 = blocks.iter().map(|block| block.read_bytes).sum();
        prop_assert_eq!(read_bytes, (content.len() as u64).saturating_sub(start));
        assert_cover(blocks, &content, cut);
    }
}

#[test]
fn threads_that_ask_at_once_share_the_blocks() {
    let content = csv(20_000);
    let file = file_of(&content);
    let cut = Cut::new(1000, 70);
    let plain = plain_file(&file, content.len() as u64, cut);
    let all = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                let mine = drain(&plain).unwrap();
                all.lock().unwrap().extend(mine);
            });
        }
    });
    assert_cover(all.into_inner().unwrap(), &content, cut);
}

#[test]
fn a_file_that_got_shorter_is_an_error_that_names_it() {
    let file = file_of(&csv(100));
    let size_bytes = csv(100).len() as u64;
    let plain = plain_file(&file, size_bytes, Cut::new(64, 8));
    plain.next().unwrap().unwrap();
    file.as_file().set_len(100).unwrap();
    let error = drain(&plain).unwrap_err();
    assert_eq!(error.code(), Some("source_changed"));
    assert_eq!(error.place().file, Some(file.path().display().to_string()));
}

#[test]
fn a_file_that_got_longer_ends_where_it_did() {
    let file = file_of(b"abcdefgh");
    let cut = Cut::new(3, 9);
    let plain = plain_file(&file, 5, cut);
    assert_cover(drain(&plain).unwrap(), b"abcde", cut);
}

#[test]
fn a_start_near_the_end_of_numbers_is_behind_the_file() {
    let file = file_of(b"abc");
    let cut = Cut::new(usize::MAX >> 1, 0).starting_at(u64::MAX - 1);
    assert!(
        PlainFile {
            cut,
            ..plain_file(&file, 3, Cut::new(1, 0))
        }
        .next()
        .unwrap()
        .is_none()
    );
}
