//! Text in columns.

/// On which side a column's text begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Align {
    /// Words.
    Left,
    /// Numbers.
    Right,
}

/// The rows as lines, indented by two blanks, each column as wide as its widest cell.
pub fn columns(aligns: &[Align], rows: &[Vec<String>]) -> String {
    let cell = |row: &Vec<String>, place: usize| row.get(place).map_or(0, |cell| cell.chars().count());
    let widths: Vec<usize> = (0..aligns.len())
        .map(|place| rows.iter().map(|row| cell(row, place)).max().unwrap_or(0))
        .collect();
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for ((cell, align), width) in row.iter().zip(aligns).zip(&widths) {
            line.push_str("  ");
            match align {
                Align::Left => line.push_str(&format!("{cell:<width$}")),
                Align::Right => line.push_str(&format!("{cell:>width$}")),
            }
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_begin_and_numbers_end_below_each_other() {
        let rows = [["rule", "records"], ["cid_null", "12"]].map(|row| row.map(String::from).to_vec());
        assert_eq!(
            columns(&[Align::Left, Align::Right], &rows),
            "  rule      records\n  cid_null       12\n"
        );
    }
}
