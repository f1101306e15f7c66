//! Who is asked.

use crate::error::Result;

/// Somebody who answers in lines.
pub trait Lines {
    /// Says something.
    fn say(&mut self, text: &str);

    /// Asks; an empty answer is `default`.
    ///
    /// # Errors
    /// There will be no answer.
    fn ask(&mut self, prompt: &str, default: &str) -> Result<String>;

    /// Asks until `read` makes something of the answer; what it says against one is said.
    ///
    /// # Errors
    /// There will be no answer.
    fn ask_for<T>(
        &mut self,
        prompt: &str,
        default: &str,
        mut read: impl FnMut(&str) -> Result<T, String>,
    ) -> Result<T> {
        loop {
            match read(self.ask(prompt, default)?.trim()) {
                Ok(answer) => return Ok(answer),
                Err(problem) => self.say(&format!("  {problem}")),
            }
        }
    }
}

#[cfg(test)]
pub mod testing {
    use std::collections::VecDeque;

    use sluice_engine::Error;

    use super::*;

    /// Answers from a list, and what was said and asked.
    #[derive(Debug, Default)]
    pub struct Script {
        answers: VecDeque<&'static str>,
        pub heard: Vec<String>,
    }

    impl Script {
        pub fn of(answers: &[&'static str]) -> Self {
            Self {
                answers: answers.iter().copied().collect(),
                heard: Vec::new(),
            }
        }

        /// Whether something was said or asked that has these words.
        pub fn was_told(&self, words: &str) -> bool {
            self.heard.iter().any(|heard| heard.contains(words))
        }

        /// Whether every answer was asked for.
        pub fn is_over(&self) -> bool {
            self.answers.is_empty()
        }
    }

    impl Lines for Script {
        fn say(&mut self, text: &str) {
            self.heard.push(text.to_owned());
        }

        fn ask(&mut self, prompt: &str, default: &str) -> Result<String> {
            self.heard.push(format!("{prompt} [{default}]"));
            match self.answers.pop_front() {
                Some("") => Ok(default.to_owned()),
                Some(answer) => Ok(answer.to_owned()),
                None => Err(Error::usage("no more answers").into()),
            }
        }
    }
}
