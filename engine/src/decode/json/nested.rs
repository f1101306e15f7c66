//! Objects and arrays inside a record: checked, not looked into.

use super::fault::{Expected, Fault, Problem};
use super::scan::Scanner;

/// Levels that a record has at most; its own object is the first.
pub const MAX_LEVELS: u32 = 128;

/// The open objects and arrays below the record, one bit each: the lowest bit is the innermost, set for an object.
#[derive(Default)]
struct Open {
    is_object: u128,
    num_open: u32,
}

/// What comes next.
enum Next {
    /// A value begins here.
    Value,
    /// A value ended here.
    Behind,
}

impl Open {
    fn push(&mut self, is_object: bool) {
        self.is_object = self.is_object << 1 | u128::from(is_object);
        self.num_open += 1;
    }

    fn pop(&mut self) {
        self.is_object >>= 1;
        self.num_open -= 1;
    }

    fn in_object(&self) -> bool {
        self.is_object & 1 == 1
    }

    fn closing(&self) -> (u8, Expected) {
        if self.in_object() {
            (b'}', Expected::CommaOrBrace)
        } else {
            (b']', Expected::CommaOrBracket)
        }
    }
}

impl Scanner<'_> {
    /// Passes the object or array that begins here.
    pub(super) fn nested(&mut self) -> Result<(), Fault> {
        let mut open = Open::default();
        let mut next = self.enter(&mut open)?;
        while open.num_open > 0 {
            next = match next {
                Next::Value => self.inner_value(&mut open)?,
                Next::Behind => self.leave_or_go_on(&mut open)?,
            };
        }
        Ok(())
    }

    fn inner_value(&mut self, open: &mut Open) -> Result<Next, Fault> {
        if matches!(self.peek(), b'{' | b'[') {
            return self.enter(open);
        }
        self.scalar()?;
        Ok(Next::Behind)
    }

    /// Passes an opening bracket, and what stands before the first value.
    fn enter(&mut self, open: &mut Open) -> Result<Next, Fault> {
        if open.num_open + 1 >= MAX_LEVELS {
            return Err(Fault {
                at: self.at,
                problem: Problem::TooDeep,
            });
        }
        open.push(self.peek() == b'{');
        self.at += 1;
        self.blanks();
        let (closing, _) = open.closing();
        if self.take(closing) {
            open.pop();
            return Ok(Next::Behind);
        }
        self.before_value(open, Expected::KeyOrBrace)
    }

    /// Passes a comma or a closing bracket.
    fn leave_or_go_on(&mut self, open: &mut Open) -> Result<Next, Fault> {
        self.blanks();
        if self.take(b',') {
            self.blanks();
            return self.before_value(open, Expected::Key);
        }
        let (closing, expected) = open.closing();
        self.token(closing, expected)?;
        open.pop();
        Ok(Next::Behind)
    }

    fn before_value(&mut self, open: &Open, expected: Expected) -> Result<Next, Fault> {
        if open.in_object() {
            self.key_ahead(expected)?;
            self.string()?;
            self.colon()?;
        }
        Ok(Next::Value)
    }
}
