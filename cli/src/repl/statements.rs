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
    let (mut begin, mut inside) = (0, Inside::Statement);
    let mut is_blank = true;
    let mut chars = text.char_indices().peekable();
    while let Some((place, c)) = chars.next() {
        let next = chars.peek().map(|(_, next)| *next);
        let before = inside;
        inside = inside.after(c, next);
        if matches!(inside, Inside::Block(_)) && before != inside || matches!((before, c), (Inside::Block(_), '*')) && before != inside {
            // Both characters of `/*` and of `*/` are read at once, so that `/*/` closes nothing.
            chars.next();
            continue;
        }
        if before != Inside::Statement {
            continue;
        }
        if c == ';' {
            if !is_blank {
                statements.extend(text.get(begin..place).map(str::trim));
            }
            (begin, is_blank) = (place + 1, true);
        } else if !c.is_whitespace() && inside != Inside::Line {
            is_blank = false;
        }
    }
    let rest = text.get(begin..).map(str::trim).filter(|_| !is_blank || matches!(inside, Inside::Block(_)));
    Split { statements, rest: rest.unwrap_or_default() }
}

/// What holds a character.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Inside {
    /// Nothing.
    Statement,
    /// A literal or a quoted name; a doubled quote closes and opens it again.
    Quote(char),
    /// A comment to the end of its line.
    Line,
    /// Comments within comments, so deep.
    Block(usize),
}

impl Inside {
    fn after(self, c: char, next: Option<char>) -> Self {
        match (self, c, next) {
            (Self::Statement, '\'' | '"' | '`', _) => Self::Quote(c),
            (Self::Statement, '-', Some('-')) => Self::Line,
            (Self::Statement, '/', Some('*')) => Self::Block(1),
            (Self::Quote(quote), _, _) if c == quote => Self::Statement,
            (Self::Line, '\n', _) => Self::Statement,
            (Self::Block(depth), '/', Some('*')) => Self::Block(depth + 1),
            (Self::Block(1), '*', Some('/')) => Self::Statement,
            (Self::Block(depth), '*', Some('/')) => Self::Block(depth - 1),
            _ => self,
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
        assert_eq!(parts("SELECT 1; SELECT\n2 ;\nSELECT 3"), (vec!["SELECT 1", "SELECT\n2"], "SELECT 3"));
    }

    #[test]
    fn a_semicolon_in_a_literal_or_a_name_is_data() {
        assert_eq!(parts("SELECT ';', 'it''s; ', \"a;b\";"), (vec!["SELECT ';', 'it''s; ', \"a;b\""], ""));
        assert_eq!(parts("SELECT 'open;"), (vec![], "SELECT 'open;"));
    }

    #[test]
    fn a_semicolon_in_a_comment_ends_nothing() {
        assert_eq!(parts("SELECT 1 -- one; two\n;"), (vec!["SELECT 1 -- one; two"], ""));
        assert_eq!(parts("SELECT /* a; /* b; */ c; */ 1;"), (vec!["SELECT /* a; /* b; */ c; */ 1"], ""));
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
        assert_eq!(parts("SELECT 'é😀' ; SELECT 2;"), (vec!["SELECT 'é😀'", "SELECT 2"], ""));
    }
}
