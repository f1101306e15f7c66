//! Finding the secrets that a connection refers to.

use std::path::Path;
use std::process::{Command, Stdio};

use crate::error::{Error, Result};
use crate::spec::{Secret, SecretText, Value};

/// Finds a secret; relative paths start at `base`. May wait for a command.
///
/// # Errors
/// It is not where the reference says; the message names the place, never what is there.
pub fn find_secret(secret: &Secret, base: &Path) -> Result<SecretText> {
    let text = match secret {
        Secret::Env(name) => of_variable(name)?,
        Secret::File(path) => of_file(path, base)?,
        Secret::Command(command) => of_command(command, base)?,
    };
    let text = text.strip_suffix('\n').unwrap_or(&text);
    let text = text.strip_suffix('\r').unwrap_or(text);
    match text.is_empty() {
        false => Ok(SecretText::new(text)),
        true => Err(Error::usage(format!("the secret in {} is empty", place(secret)))
            .hint("put the secret there, or refer to another place in sluice.toml")),
    }
}

/// Finds a value that need not be a secret.
///
/// # Errors
/// As [`find_secret`].
pub fn find_value(value: &Value, base: &Path) -> Result<SecretText> {
    match value {
        Value::Plain(text) => Ok(SecretText::new(text)),
        Value::Secret(secret) => find_secret(secret, base),
    }
}

fn place(secret: &Secret) -> String {
    match secret {
        Secret::Env(name) => format!("the variable {name}"),
        Secret::File(path) => format!("the file {path}"),
        Secret::Command(command) => format!("the command {command:?}"),
    }
}

fn of_variable(name: &str) -> Result<String> {
    std::env::var(name).map_err(|error| {
        Error::usage(format!("the secret in the variable {name} cannot be had"))
            .because(match error {
                std::env::VarError::NotPresent => "it is not set",
                std::env::VarError::NotUnicode(_) => "it is no text",
            })
            .hint(format!("set {name} where sluice runs"))
    })
}

fn of_file(path: &str, base: &Path) -> Result<String> {
    let full = base.join(path);
    std::fs::read_to_string(&full).map_err(|error| {
        Error::usage("the file of a secret cannot be read")
            .because(error)
            .in_file(full.display().to_string())
            .hint("check the path in sluice.toml and the permissions")
    })
}

fn of_command(command: &str, base: &Path) -> Result<String> {
    let failed = |reason: String| {
        Error::usage(format!("the command {command:?} gave no secret: {reason}"))
            .hint("it must print the secret on stdout and end with 0; try it in a shell")
    };
    // What it says on stderr is for the user; stdout is the secret.
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(base)
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .map_err(|error| failed(error.to_string()))?;
    if !output.status.success() {
        return Err(failed(format!("{}", output.status)));
    }
    String::from_utf8(output.stdout).map_err(|_| failed("what it printed is no text".to_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_found_in_a_file_and_a_command_without_its_line_end() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("key"), "hunter2\n").unwrap();
        for secret in [
            Secret::File("key".into()),
            Secret::Command("cat key".into()),
            Secret::Command("printf 'hunter2\\r\\n'".into()),
        ] {
            let found = find_secret(&secret, folder.path()).unwrap();
            assert_eq!(found.reveal(), "hunter2", "{secret:?}");
        }
    }

    #[test]
    fn what_is_not_found_is_named_with_a_remedy_and_what_was_printed_is_not() {
        for (secret, word) in [
            (
                Secret::Env("SLUICE_NO_SUCH_VARIABLE".into()),
                "SLUICE_NO_SUCH_VARIABLE",
            ),
            (Secret::File("gone".into()), "gone"),
            (Secret::Command("echo hunter2; exit 3".into()), "exit 3"),
            (Secret::Command("true".into()), "is empty"),
        ] {
            let error = find_secret(&secret, Path::new("/")).unwrap_err();
            assert!(error.to_string().contains(word), "{error}");
            assert!(!error.hints().is_empty());
            let printed = error.to_string().replace("echo hunter2", "");
            assert!(!printed.contains("hunter2"), "{error}");
        }
    }
}
