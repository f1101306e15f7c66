//! What the tests of this module share.

use std::io::{Read, Write};

use flate2::write::GzEncoder;
use tempfile::NamedTempFile;

use super::{Block, Blocks, Cut, PADDING_BYTES};
use crate::error::Result;

/// All blocks, in the order in which they come; their buffers go back.
pub(super) fn drain(blocks: &dyn Blocks) -> Result<Vec<Block>> {
    let mut all = Vec::new();
    while let Some(block) = blocks.next()? {
        blocks.recycle(vec![0xaa; block.padded().len()]);
        all.push(block);
    }
    Ok(all)
}

/// Checks blocks against the naive model of the stream: every block is the slice that its number says.
pub(super) fn assert_cover(mut blocks: Vec<Block>, stream: &[u8], cut: Cut) {
    blocks.sort_by_key(|block| block.number);
    let wanted = stream.get(cut.start as usize..).unwrap_or_default();
    assert_eq!(blocks.len(), wanted.len().div_ceil(cut.block_bytes));
    for (number, block) in blocks.iter().enumerate() {
        let from = number * cut.block_bytes;
        let to = wanted.len().min(from + cut.block_bytes + cut.lookahead_bytes);
        assert_eq!(block.number, number as u64);
        assert_eq!(block.start, cut.start + from as u64);
        assert_eq!(block.owned_bytes, cut.block_bytes.min(wanted.len() - from));
        assert_eq!(block.content(), &wanted[from..to]);
        assert_eq!(block.is_last, to == wanted.len());
        assert_eq!(block.padded().len(), to - from + PADDING_BYTES);
        assert_eq!(block.padded()[to - from..], [0; PADDING_BYTES]);
    }
}

/// A file of `content` that is deleted with the value.
pub(super) fn file_of(content: &[u8]) -> NamedTempFile {
    let mut file = NamedTempFile::new().unwrap();
    file.write_all(content).unwrap();
    file
}

/// One gzip member.
pub(super) fn gzip(content: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), flate2::Compression::default());
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// One zstd frame with a checksum.
pub(super) fn zstd_frame(content: &[u8]) -> Vec<u8> {
    let mut encoder = zstd::Encoder::new(Vec::new(), 3).unwrap();
    encoder.include_checksum(true).unwrap();
    encoder.write_all(content).unwrap();
    encoder.finish().unwrap()
}

/// A skippable zstd frame.
pub(super) fn skippable(content: &[u8]) -> Vec<u8> {
    let mut frame = vec![0x5a, 0x2a, 0x4d, 0x18];
    frame.extend((content.len() as u32).to_le_bytes());
    frame.extend(content);
    frame
}

/// Some lines of CSV, `num_rows` of them.
pub(super) fn csv(num_rows: usize) -> Vec<u8> {
    let rows = (0..num_rows).map(|row| format!("C{row},tier {},\"María, {}\"\n", row % 7, row * row));
    rows.collect::<String>().into_bytes()
}

/// A reader that gives at most a few bytes at a time.
pub(super) struct Dribble<R>(pub(super) R, pub(super) usize);

impl<R: Read> Read for Dribble<R> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let bytes = out.len().min(self.1);
        self.0.read(&mut out[..bytes])
    }
}
