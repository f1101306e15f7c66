//! Which columns become which attributes.
//!
//! ```text
//!   Loyalty Tier: string, 100 % of the values fit, 3 distinct
//!   attribute of "Loyalty Tier" [loyalty_tier=string] > tier            another name
//!                                                     > =varchar(20)    another type
//!                                                     > tier=varchar(20)
//!                                                     > -               it is left out; . leaves out all that follow
//! ```

use chrono::NaiveDate;
use sluice_engine::discover::{Chosen, ColumnReport, SuggestedAttribute};
use sluice_engine::process::{Looked, Wanted};
use sluice_engine::spec::{AttributeType, Mapping, Mode, check_attribute_name, default_attribute_name};

use super::lines::Lines;
use super::schedule;
use crate::error::Result;
use crate::render;

const HELP: &str = "for each column: Enter takes what stands in brackets; NAME, =TYPE or NAME=TYPE changes it; \
                    - leaves the column out, . all that follow";

/// The whole process: what was not said on the command line is asked.
///
/// # Errors
/// There are no more answers.
pub fn choose(lines: &mut impl Lines, looked: &Looked, wanted: Wanted, today: NaiveDate) -> Result<Chosen> {
    lines.say(&render::column_facts(&looked.preview.columns));
    let key = match wanted.key {
        Some(key) => key,
        None => key(lines, looked)?,
    };
    let mode = match wanted.mode {
        Some(mode) => mode,
        None => mode(lines)?,
    };
    let attributes = attributes(lines, looked, &key, &[])?;
    let schedule = match wanted.schedule {
        Some(schedule) => Some(schedule),
        None => schedule::choose(lines, looked.source.may_recur(), today)?,
    };
    Ok(Chosen {
        mode,
        key,
        attributes,
        schedule,
    })
}

fn key(lines: &mut impl Lines, looked: &Looked) -> Result<String> {
    for candidate in &looked.preview.keys {
        let reasons = candidate.reasons.join(", ");
        lines.say(&format!(
            "  {} may be the customer id: {reasons}",
            candidate.column
        ));
    }
    let columns = &looked.preview.columns;
    lines.ask_for(
        "column with the customer id",
        looked.key().unwrap_or_default(),
        |answer| {
            let found = columns.iter().find(|column| column.name == answer);
            let found = found.map(|column| column.name.clone());
            found.ok_or_else(|| format!("there is no column {answer:?}"))
        },
    )
}

fn mode(lines: &mut impl Lines) -> Result<Mode> {
    lines.say("unknown customer ids: register makes new customers of them, update rejects their rows");
    lines.ask_for("mode", "register", |answer| match answer {
        "register" => Ok(Mode::Register),
        "update" => Ok(Mode::Update),
        other => Err(format!("{other:?} is neither register nor update")),
    })
}

/// What the columns become, but for the key and those of `others`.
///
/// # Errors
/// There are no more answers.
pub fn attributes(
    lines: &mut impl Lines,
    looked: &Looked,
    key: &str,
    others: &[String],
) -> Result<Vec<SuggestedAttribute>> {
    let (guessed, notes) = looked.guessed(key);
    let columns = &looked.preview.columns;
    let asked = columns
        .iter()
        .filter(|column| column.name != key && !others.contains(&column.name));
    let mut choosing = Choosing {
        looked,
        chosen: Vec::new(),
    };
    lines.say(HELP);
    notes.iter().for_each(|note| lines.say(&format!("  {note}")));
    for column in asked {
        if choosing.chosen.len() == looked.max_attributes() {
            lines.say(&format!(
                "  a process has at most {} attributes: the rest is left out",
                choosing.chosen.len()
            ));
            break;
        }
        lines.say(&evidence(column));
        let guess = guessed.iter().find(|guess| guess.column == column.name);
        let default = guess.map_or("-".to_owned(), |guess| {
            format!("{}={}", guess.name, guess.guess.ty)
        });
        let prompt = format!("attribute of {:?}", column.name);
        match lines.ask_for(&prompt, &default, |answer| choosing.read(column, guess, answer))? {
            Answer::Out => {}
            Answer::OutAndAllThatFollow => break,
            Answer::Mapped(mapping) => choosing.chosen.push(mapping),
        }
    }
    let mapped = choosing.chosen.iter();
    Ok(mapped
        .map(|mapping| SuggestedAttribute::of_mapping(mapping, columns))
        .collect())
}

/// What a column looks like, in a line and its notes.
fn evidence(column: &ColumnReport) -> String {
    let guess = &column.guess;
    let mut text = format!(
        "{}: {}, {} % of the values fit, {} empty of {}",
        column.name,
        guess.ty,
        (guess.share * 100.0).floor(),
        column.null_rows,
        column.num_rows
    );
    for note in &guess.notes {
        text.push_str(&format!("\n  {note}"));
    }
    text
}

#[derive(Debug)]
enum Answer {
    Out,
    OutAndAllThatFollow,
    Mapped(Mapping),
}

/// What was chosen so far.
struct Choosing<'a> {
    looked: &'a Looked,
    chosen: Vec<Mapping>,
}

impl Choosing<'_> {
    fn read(
        &self,
        column: &ColumnReport,
        guess: Option<&SuggestedAttribute>,
        answer: &str,
    ) -> Result<Answer, String> {
        let (name, ty) = match answer {
            "-" => return Ok(Answer::Out),
            "." => return Ok(Answer::OutAndAllThatFollow),
            _ => answer
                .split_once('=')
                .map_or((answer, ""), |(name, ty)| (name.trim(), ty.trim())),
        };
        let usual = || {
            guess.map_or_else(
                || default_attribute_name(&column.name),
                |guess| guess.name.clone(),
            )
        };
        let guessed = guess.map_or(AttributeType::String, |guess| guess.guess.ty);
        let mapping = Mapping {
            column: column.name.clone(),
            name: if name.is_empty() { usual() } else { name.to_owned() },
            ty: if ty.is_empty() {
                guessed
            } else {
                ty.parse().map_err(worded)?
            },
        };
        self.check(&mapping)?;
        Ok(Answer::Mapped(mapping))
    }

    fn check(&self, mapping: &Mapping) -> Result<(), String> {
        let name = &mapping.name;
        check_attribute_name(name, &[]).map_err(worded)?;
        if self.looked.reserved().contains(name) {
            return Err(format!(
                "{name} is reserved, or an attribute of another process; choose another name"
            ));
        }
        if let Some(other) = self.chosen.iter().find(|other| other.name == *name) {
            return Err(format!(
                "{name} is what {:?} becomes; choose another name",
                other.column
            ));
        }
        let is_email = |other: &Mapping| other.ty == AttributeType::Email;
        let there = self
            .chosen
            .iter()
            .find(|other| is_email(other))
            .map(|other| other.name.as_str());
        match there.or(self.looked.email()).filter(|_| is_email(mapping)) {
            Some(email) => Err(format!(
                "an instance has one e-mail attribute, and that is {email}; write =string"
            )),
            None => Ok(()),
        }
    }
}

fn worded(problem: sluice_engine::spec::Problem) -> String {
    format!("{}; {}", problem.what, problem.remedy)
}

#[cfg(test)]
mod tests;
