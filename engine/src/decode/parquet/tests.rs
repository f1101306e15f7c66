//! `values`: one column to texts; `rows`: whole rows as JSON; `files`: what is read of a file, sound or damaged.

mod files;
mod rows;
mod values;

use std::sync::Arc;

use arrow::array::{Array, ArrayRef};

use super::texts;

/// The texts of a column.
fn shown(column: impl Array + 'static) -> Vec<Option<String>> {
    let column: ArrayRef = Arc::new(column);
    let read = texts(&column).unwrap();
    assert_eq!(read.texts.len(), column.len());
    read.texts.iter().map(|text| text.map(str::to_owned)).collect()
}

fn some(texts: &[&str]) -> Vec<Option<String>> {
    texts.iter().map(|text| Some((*text).to_owned())).collect()
}
