//! A key as 64 bits.
//!
//! ```text
//!   up to 12 bytes   view = │ length u32 │ bytes, zeros behind them │   hashed as it stands, two multiplications
//!   longer           16 bytes a step, the last 16 bytes read from the end
//! ```

/// Longest key that a view holds itself.
pub(super) const INLINE_BYTES: u32 = 12;

// Odd words without a pattern: the first 64 bits behind the point of the square roots of 2, 3, 5 and 7, made odd.
const ROOT_2: u64 = 0x6A09_E667_F3BC_C909;
const ROOT_3: u64 = 0xBB67_AE85_84CA_A73B;
const ROOT_5: u64 = 0x3C6E_F372_FE94_F82B;
const ROOT_7: u64 = 0xA54F_F53A_5F1D_36F1;

/// Turns keys into 64 bits. Equal keys have equal hashes; anything else is a matter of speed.
pub trait KeyHasher: Sync {
    /// The hash of a key of at most 12 bytes, given as its string view: length and bytes, padded with zeros.
    fn inline(&self, view: u128) -> u64;

    /// The hash of a key of more than 12 bytes.
    fn bytes(&self, key: &[u8]) -> u64;
}

/// The engine's hasher: multiply to 128 bits, fold the halves. The same in every run and on every machine.
#[derive(Debug, Clone, Copy, Default)]
pub struct Fold;

impl KeyHasher for Fold {
    #[inline]
    fn inline(&self, view: u128) -> u64 {
        // The length is in the low half of the first factor, and no short length makes that factor zero.
        mix(view as u64 ^ ROOT_2, (view >> 64) as u64 ^ ROOT_3)
    }

    fn bytes(&self, key: &[u8]) -> u64 {
        let mut state = key.len() as u64 ^ ROOT_2;
        let (blocks, _) = key.as_chunks::<16>();
        for block in blocks {
            let (low, high) = halves(*block);
            state = fold(low ^ ROOT_5, high ^ state);
        }
        let (low, high) = halves(tail(key));
        mix(low ^ ROOT_3, high ^ state)
    }
}

/// The last 16 bytes of a key; zeros before one that is shorter.
fn tail(key: &[u8]) -> [u8; 16] {
    key.last_chunk().copied().unwrap_or_else(|| {
        let mut tail = [0; 16];
        for (to, from) in tail.iter_mut().rev().zip(key.iter().rev()) {
            *to = *from;
        }
        tail
    })
}

fn halves(bytes: [u8; 16]) -> (u64, u64) {
    let word = u128::from_le_bytes(bytes);
    (word as u64, (word >> 64) as u64)
}

/// Two rounds: the first keeps both halves, so that little is lost before the second.
#[inline]
fn mix(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    fold(product as u64 ^ ROOT_5, (product >> 64) as u64 ^ ROOT_7)
}

#[inline]
fn fold(a: u64, b: u64) -> u64 {
    let product = u128::from(a) * u128::from(b);
    product as u64 ^ (product >> 64) as u64
}
