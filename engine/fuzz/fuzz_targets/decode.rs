//! The delimited-text decoder of the engine, without the rest of the engine.

#[path = "../../src/decode/csv/mod.rs"]
#[expect(dead_code, unused_imports, reason = "the engine uses more of it than is fuzzed")]
pub mod csv;
