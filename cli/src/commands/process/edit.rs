//! The text of a process: from a file, from stdin, or from the user's editor.

use std::io::{IsTerminal, Read, stdin};
use std::path::{Path, PathBuf};
use std::process::Command;

use sluice_engine::Error;

use crate::error::Result;

/// Reads a text from a file, `-` being stdin.
///
/// # Errors
/// It cannot be read, or is no UTF-8.
pub fn read(file: &Path) -> Result<String> {
    let text = if file == Path::new("-") {
        let mut text = String::new();
        stdin().lock().read_to_string(&mut text).map(|_| text)
    } else {
        std::fs::read_to_string(file)
    };
    text.map_err(|e| {
        let error = Error::runtime("the text of the process cannot be read").because(e);
        error.in_file(file.display().to_string()).wrote("nothing").into()
    })
}

/// A text in the user's editor. The copy is kept until `discard`, so that nothing typed is lost.
pub struct Draft {
    file: PathBuf,
}

impl Draft {
    /// A copy of `text` to be edited.
    ///
    /// # Errors
    /// There is no terminal, or no folder for the copy.
    pub fn of(process: &str, text: &str) -> Result<Self> {
        if !stdin().is_terminal() {
            return Err(Error::usage("no terminal to edit on")
                .hint(format!(
                    "take the text from a file: sluice process edit {process} --from FILE"
                ))
                .wrote("nothing")
                .into());
        }
        let file = std::env::temp_dir().join(format!("sluice-{}-{}.toml", process, std::process::id()));
        std::fs::write(&file, text)?;
        Ok(Self { file })
    }

    /// Lets the user edit, and returns the text.
    ///
    /// # Errors
    /// The editor could not be started, or failed.
    pub fn edit(&self) -> Result<String> {
        let named = ["VISUAL", "EDITOR"]
            .iter()
            .find_map(|name| std::env::var(name).ok().filter(|editor| !editor.is_empty()));
        let editor = named.unwrap_or_else(|| "vi".to_owned());
        // The variable may hold options, so a shell reads it; the file is an argument and nothing else.
        let status = Command::new("sh")
            .arg("-c")
            .arg(format!("{editor} \"$1\""))
            .arg("sh")
            .arg(&self.file)
            .status()?;
        if !status.success() {
            return Err(Error::runtime(format!("the editor `{editor}` failed"))
                .hint("$VISUAL or $EDITOR names another one")
                .wrote("nothing")
                .into());
        }
        read(&self.file)
    }

    /// Where the copy is.
    pub fn file(&self) -> &Path {
        &self.file
    }

    /// Removes the copy.
    pub fn discard(self) {
        // What is left is a small file in the folder for such.
        let _ = std::fs::remove_file(self.file);
    }
}
