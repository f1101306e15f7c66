use proptest::prelude::*;

use super::super::testing::{Dribble, assert_cover};
use super::*;

proptest! {
    #[test]
    fn blocks_are_the_stream_in_slices_however_the_reader_gives_it(
        stream in prop::collection::vec(any::<u8>(), 0..900),
        block_bytes in 1_usize..=300,
        lookahead_bytes in 0_usize..=50,
        start in 0_u64..=1000,
        step in 1_usize..=400,
    ) {
        let cut = Cut::new(block_bytes, lookahead_bytes).starting_at(start);
        let pool = Arc::new(Pool::new(cut.buffer_bytes()));
        let mut cutter = Cutter::new(Dribble(&stream[..], step), cut, Arc::clone(&pool), Arc::default());
        let mut blocks = Vec::new();
        while let Some(block) = cutter.next().unwrap() {
            pool.give(vec![0xaa; cut.buffer_bytes()]);
            blocks.push(block);
        }
        prop_assert!(cutter.next().unwrap().is_none(), "the end stays the end");
        assert_cover(blocks, &stream, cut);
    }
}
