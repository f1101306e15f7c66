//! Where statements end.

/// What a text is made of.
#[derive(Debug, PartialEq, Eq)]
pub struct Split<'a> {
    /// Whole statements, without their `;` and the blanks around them.
    pub statements: Vec<&'a str>,
    /// What stands after the last `;`, empty if that is blanks and comments only.
    pub rest: &'a str,
}

/// Splits a text at every `;` that no quote and no comment holds.
pub fn split(text: &str) -> Split<'_> {
    let mut statements = Vec::new();
    let (mut begin, mut place, mut is_blank) = (0, 0, true);
    while let Some(left) = text.get(place..).filter(|left| !left.is_empty()) {
        let (piece, length) = first_piece(left);
        match piece {
            Piece::Blank => {}
            Piece::Code => is_blank = false,
            Piece::End => {
                let statement = text.get(begin..place).filter(|_| !is_blank);
                statements.extend(statement.map(str::trim));
                (begin, is_blank) = (place + length, true);
            }
        }
        place += length;
    }
    let rest = text.get(begin..).filter(|_| !is_blank).unwrap_or_default();
    Split {
        statements,
        rest: rest.trim(),
    }
}

/// What a stretch of text is.
enum Piece {
    /// A `;`.
    End,
    /// Blanks, or a comment.
    Blank,
    /// Anything else, also what is quoted or not closed yet.
    Code,
}

/// The piece at the beginning of a text that is not empty, and its length in bytes.
fn first_piece(text: &str) -> (Piece, usize) {
    let first = text.chars().next().unwrap_or(' ');
    match first {
        ';' => (Piece::End, 1),
        '-' if text.starts_with("--") => (Piece::Blank, text.find('\n').unwrap_or(text.len())),
        '/' if text.starts_with("/*") => match comment_len(text) {
            Some(length) => (Piece::Blank, length),
            None => (Piece::Code, text.len()),
        },
        // A doubled quote closes the piece and opens the next.
        '\'' | '"' | '`' => (
            Piece::Code,
            text.get(1..)
                .and_then(|left| left.find(first))
                .map_or(text.len(), |end| end + 2),
        ),
        c if c.is_whitespace() => (Piece::Blank, c.len_utf8()),
        c => (Piece::Code, c.len_utf8()),
    }
}

/// The length of the comment that `text` begins with, comments within it included; none if it stays open.
fn comment_len(text: &str) -> Option<usize> {
    let (mut depth, mut place) = (0_usize, 0);
    loop {
        let left = text.get(place..)?;
        let opens = left.find("/*");
        let closes = left.find("*/")?;
        match opens.filter(|opens| *opens < closes) {
            Some(opens) => {
                depth += 1;
                place += opens + 2;
            }
            None => {
                depth -= 1;
                place += closes + 2;
            }
        }
        if depth == 0 {
            return Some(place);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(text: &str) -> (Vec<&str>, &str) {
        let Split { statements, rest } = split(text);
        (statements, rest)
    }

    #[test]
    fn a_semicolon_ends_a_statement_and_the_rest_waits() {
        assert_eq!(
            parts("SELECT 1; SELECT\n2 ;\nSELECT 3"),
            (vec!["SELECT 1", "SELECT\n2"], "SELECT 3")
        );
    }

    #[test]
    fn a_semicolon_in_a_literal_or_a_name_is_data() {
        assert_eq!(
            parts("SELECT ';', 'it''s; ', \"a;b\";"),
            (vec!["SELECT ';', 'it''s; ', \"a;b\""], "")
        );
        assert_eq!(parts("SELECT 'open;"), (vec![], "SELECT 'open;"));
    }

    #[test]
    fn a_semicolon_in_a_comment_ends_nothing() {
        assert_eq!(
            parts("SELECT 1 -- one; two\n;"),
            (vec!["SELECT 1 -- one; two"], "")
        );
        assert_eq!(
            parts("SELECT /* a; /* b; */ c; */ 1;"),
            (vec!["SELECT /* a; /* b; */ c; */ 1"], "")
        );
        assert_eq!(parts("/*/ ; */ SELECT 1;"), (vec!["/*/ ; */ SELECT 1"], ""));
    }

    #[test]
    fn blanks_and_comments_alone_are_no_statement() {
        assert_eq!(parts(" ; ;\n-- nothing\n"), (vec![], ""));
        assert_eq!(parts("/* nothing */ ;"), (vec![], ""));
    }

    #[test]
    fn an_open_comment_waits_for_its_end() {
        assert_eq!(parts("/* begun"), (vec![], "/* begun"));
    }

    #[test]
    fn letters_of_any_alphabet_do_not_shift_the_split() {
        assert_eq!(
            parts("SELECT 'é😀' ; SELECT 2;"),
            (vec!["SELECT 'é😀'", "SELECT 2"], "")
        );
    }
}
