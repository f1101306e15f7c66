//! Z85, the text form of the UUIDs that name deletion vectors: the kernel reads it and writes it for itself only.

/// The 85 characters, in the order of their values.
const CHARACTERS: &[u8; 85] =
    b"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ.-:+=^!/*?&<>()[]{}@%$#";

/// Five characters for every four bytes, the first the most significant.
pub(super) fn encode(bytes: &[u8; 16]) -> String {
    let mut text = String::with_capacity(20);
    for word in bytes.as_chunks::<4>().0 {
        let number = u32::from_be_bytes(*word);
        for power in [85_u32.pow(4), 85_u32.pow(3), 85_u32.pow(2), 85, 1] {
            let digit = (number / power % 85) as usize;
            text.extend(CHARACTERS.get(digit).map(|c| char::from(*c)));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use deltalake_core::kernel::{DeletionVectorDescriptor, StorageType};
    use proptest::prelude::*;
    use uuid::Uuid;

    use super::*;
    use crate::table::vector_path;

    proptest! {
        #[test]
        fn the_kernel_reads_back_every_name(bytes in any::<[u8; 16]>()) {
            let vector = DeletionVectorDescriptor {
                storage_type: StorageType::UuidRelativePath,
                path_or_inline_dv: encode(&bytes),
                offset: Some(1),
                size_in_bytes: 1,
                cardinality: 1,
            };
            let name = Uuid::from_bytes(bytes);
            prop_assert_eq!(vector_path(&vector), Some(format!("deletion_vector_{name}.bin")));
        }
    }
}
