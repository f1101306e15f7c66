//! Secrets: a document says where one is, never what it is.

use std::fmt;

use schemars::JsonSchema;
use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserializer, MapAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};

use super::problem::Problem;

/// Where a secret is to be found.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Secret {
    /// In this variable of the environment.
    Env(String),
    /// In this file, but for a line end at its end; a relative path starts at the instance.
    File(String),
    /// On stdout of this command of the shell.
    Command(String),
}

/// A value that may be written as it is, or kept where secrets are.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// As written.
    Plain(String),
    /// To be found.
    Secret(Secret),
}

/// A secret that was found. It is shown to nobody: every way of printing it gives three asterisks.
#[derive(Clone, PartialEq, Eq)]
pub struct SecretText(String);

/// What stands for a secret where it would be shown.
const HIDDEN: &str = "***";

impl SecretText {
    /// Takes `text` as secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The secret itself, for whoever it opens something to.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl fmt::Display for SecretText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(HIDDEN)
    }
}

impl Serialize for SecretText {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(HIDDEN)
    }
}

/// A secret as typed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum RawSecret {
    /// The thing itself.
    Literal(SecretText),
    /// `{ env = "..." }`, `{ file = "..." }` or `{ command = "..." }`.
    Reference(RawReference),
}

/// Where a secret is found: one of these.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields, rename = "secret")]
#[schemars(extend("minProperties" = 1, "maxProperties" = 1))]
pub(super) struct RawReference {
    /// A variable of the environment.
    env: Option<String>,
    /// A file; a relative path starts at the instance.
    file: Option<String>,
    /// A command of the shell that prints it.
    command: Option<String>,
}

/// What is no secret by itself, in a schema.
#[derive(JsonSchema)]
#[serde(untagged, rename = "value")]
#[expect(dead_code, reason = "a schema is made of it, never a value")]
pub(super) enum ValueSchema {
    /// As it is.
    Plain(String),
    /// Where it is found.
    Reference(RawReference),
}

const PLACES: &str = "{ env = \"VARIABLE\" }, { file = \"PATH\" } or { command = \"COMMAND\" }";

fn remedy() -> String {
    format!("write {PLACES}")
}

impl RawSecret {
    /// Where the secret is.
    pub(super) fn resolve(self) -> Result<Secret, Problem> {
        match self {
            // The text is not repeated: it would be printed.
            Self::Literal(_) => Err(Problem::new("", "a secret in the clear", remedy())),
            Self::Reference(reference) => reference.resolve(),
        }
    }

    /// Where the value is, or what it is: of what is no secret by itself.
    pub(super) fn resolve_value(self) -> Result<Value, Problem> {
        match self {
            Self::Literal(text) => Ok(Value::Plain(text.0)),
            Self::Reference(reference) => reference.resolve().map(Value::Secret),
        }
    }
}

impl RawReference {
    fn resolve(self) -> Result<Secret, Problem> {
        let secret = match (self.env, self.file, self.command) {
            (Some(name), None, None) => Secret::Env(name),
            (None, Some(path), None) => Secret::File(path),
            (None, None, Some(command)) => Secret::Command(command),
            _ => return Err(Problem::new("", "not one place to find a secret in", remedy())),
        };
        match &secret {
            Secret::Env(text) | Secret::File(text) | Secret::Command(text) if text.trim().is_empty() => {
                Err(Problem::new("", "an empty place to find a secret in", remedy()))
            }
            _ => Ok(secret),
        }
    }
}

impl<'de> Deserialize<'de> for RawSecret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawSecretVisitor)
    }
}

/// Takes any scalar as a literal: serde's own complaint about one would repeat it.
struct RawSecretVisitor;

impl<'de> Visitor<'de> for RawSecretVisitor {
    type Value = RawSecret;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(PLACES)
    }

    fn visit_str<E>(self, text: &str) -> Result<RawSecret, E> {
        Ok(RawSecret::Literal(SecretText::new(text)))
    }

    fn visit_bool<E>(self, value: bool) -> Result<RawSecret, E> {
        Ok(RawSecret::Literal(SecretText::new(value.to_string())))
    }

    fn visit_i64<E>(self, number: i64) -> Result<RawSecret, E> {
        Ok(RawSecret::Literal(SecretText::new(number.to_string())))
    }

    fn visit_f64<E>(self, number: f64) -> Result<RawSecret, E> {
        Ok(RawSecret::Literal(SecretText::new(number.to_string())))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<RawSecret, A::Error> {
        RawReference::deserialize(MapAccessDeserializer::new(map)).map(RawSecret::Reference)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_never_shown() {
        let secret = SecretText::new("hunter2");
        let shown = [
            format!("{secret}"),
            format!("{secret:?}"),
            format!("{secret:#?}"),
            format!("{:?}", Some(RawSecret::Literal(secret.clone()))),
            serde_json::to_string(&secret).unwrap(),
        ];
        for shown in shown {
            assert!(!shown.contains("hunter2") && shown.contains(HIDDEN), "{shown}");
        }
        assert_eq!(secret.reveal(), "hunter2");
    }
}
