//! Writes the first inputs of the corpus: `cargo run --example seeds -- corpus/split`.

use std::path::Path;
use std::{env, fs, io};

/// Files with something of everything, and the first byte of the input that names their dialect.
const FILES: [(u8, &[u8]); 10] = [
    (
        0x00,
        b"1,Ann,Bonn\n2,\"Bob \"\"B\"\" Burn\",Ulm\r\n3,,\"\"\n4,\"Cy\",\"1 Elm St\nFlat 2\"\n",
    ),
    (
        0x00,
        b"1,Ann,\"Bonn\n2,Bob,Ulm\n3,Cy,\"Kiel\"\n4,Di\n5,Ed,\"a\"b\n6,Fay,Rome",
    ),
    (0x00, b"\"a,\"\"b\"\",~\n~\",~,\"\"\n~,\"~\",~\r\n\r\n\n~,~,~\r\n"),
    (0x81, b"# a comment\n1,~,\"# none\n# none\"\n#\n\n2,b,c\n#~"),
    (
        0x40,
        b"1,\"a \\\"quoted\\\" word\",\\\\\n2,\"b\\\\\",c\n3,\"d\\\n",
    ),
    (0x0c, b"1::'it''s':: ::\n2:::\n3::'a::b'::c\n"),
    (0x05, b"1,,b,,c\n2,,\"x,,y\",,,\n,,,,\n"),
    (0xe1, b"1,a\nb,c\r2,\"d\re\",f\r\r3,g,h"),
    (0x18, b"1,\"a,b\n2,\"c\",\"d\n3,e\"e,f\n"),
    (0x22, b"1\t\"tab\tinside\"\tx\n2\t~\ty\n3\t\"~\"\t\"\n~\"\n"),
];

/// Ways to read them: fields, fields kept, largest record, piece, look-ahead, cuts, stretch.
const WAYS: [[u8; 7]; 6] = [
    [4, 0, 255, 40, 20, 1, 0],
    [4, 3, 255, 7, 3, 0, 1],
    [4, 4, 255, 120, 40, 2, 2],
    [0, 5, 255, 30, 0, 3, 1],
    [3, 6, 20, 16, 9, 130, 0],
    [4, 1, 100, 200, 255, 131, 3],
];

fn main() -> io::Result<()> {
    let folder = env::args()
        .nth(1)
        .ok_or_else(|| io::Error::other("name the folder, such as corpus/split"))?;
    fs::create_dir_all(&folder)?;
    for (number, (special, file)) in FILES.iter().enumerate() {
        for (way, head) in WAYS.iter().enumerate() {
            let input = [&[*special][..], head, file].concat();
            fs::write(Path::new(&folder).join(format!("seed-{number}-{way}")), input)?;
        }
    }
    Ok(())
}
