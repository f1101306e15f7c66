//! Two bytes a code unit.

use std::fmt;

use encoding_rs::mem;

use super::super::encoding::surrogate_form;
use super::CutOff;

/// Which byte of a unit comes first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Order {
    /// The low one.
    Little,
    /// The high one.
    Big,
}

/// Decodes UTF-16 in pieces.
///
/// ```text
///   piece    41 00 3D D8 │ 00 DE 42 │ 00
///   units    A     high ─┼▶ pair  odd┼▶ B
/// ```
pub(super) struct Utf16 {
    /// Which byte of a unit comes first.
    order: Order,
    /// First byte of a unit whose second is yet to come.
    odd: Option<u8>,
    /// First half of a pair whose second is yet to come.
    high: Option<u16>,
    /// The units of a piece; kept for its memory.
    units: Vec<u16>,
}

impl Utf16 {
    /// Decodes units in `order`.
    pub(super) fn new(order: Order) -> Self {
        Self {
            order,
            odd: None,
            high: None,
            units: Vec::new(),
        }
    }

    /// Appends what `piece` decodes to.
    pub(super) fn feed(&mut self, mut piece: &[u8], out: &mut Vec<u8>) {
        self.units.clear();
        self.units.extend(self.high.take());
        if let (Some(first), Some((second, rest))) = (self.odd, piece.split_first()) {
            self.push(&[[first, *second]]);
            self.odd = None;
            piece = rest;
        }
        let (pairs, rest) = piece.as_chunks::<2>();
        self.push(pairs);
        self.odd = rest.first().copied().or(self.odd);
        self.high = self.units.pop_if(|unit| is_high(*unit));
        decode(&self.units, out);
    }

    /// Adds units. The order is decided outside the loop, so that the loop is as wide as the registers.
    fn push(&mut self, pairs: &[[u8; 2]]) {
        match self.order {
            Order::Little => self
                .units
                .extend(pairs.iter().map(|pair| u16::from_le_bytes(*pair))),
            Order::Big => self
                .units
                .extend(pairs.iter().map(|pair| u16::from_be_bytes(*pair))),
        }
    }

    /// Appends half a pair that nothing follows.
    pub(super) fn finish(&mut self, out: &mut Vec<u8>) -> Result<(), CutOff> {
        if let Some(high) = self.high.take() {
            out.extend(surrogate_form(high));
        }
        match self.odd.take() {
            Some(_) => Err(CutOff),
            None => Ok(()),
        }
    }
}

impl fmt::Debug for Utf16 {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Utf16")
            .field("odd", &self.odd)
            .field("high", &self.high)
            .finish_non_exhaustive()
    }
}

fn is_high(unit: u16) -> bool {
    (0xd800..0xdc00).contains(&unit)
}

/// Appends whole units; a half without its other becomes its three-byte form.
fn decode(mut units: &[u16], out: &mut Vec<u8>) {
    while !units.is_empty() {
        let (valid, rest) = units
            .split_at_checked(mem::utf16_valid_up_to(units))
            .unwrap_or((units, &[]));
        let start = out.len();
        out.resize(start + 3 * valid.len(), 0);
        let written = mem::convert_utf16_to_utf8(valid, out.get_mut(start..).unwrap_or_default());
        out.truncate(start + written);
        units = match rest.split_first() {
            Some((half, rest)) => {
                out.extend(surrogate_form(*half));
                rest
            }
            None => rest,
        };
    }
}
