//! What is told: words for a mail, an object for programs.

use std::fmt::Write;

use serde::{Deserialize, Serialize};

use crate::report::RunRecord;
use crate::spec::NotifyOn;
use crate::split::RuleCount;

/// Records shown.
pub(super) const MAX_EXAMPLES: usize = 3;

/// A message about one run.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// What it was an occasion for.
    pub event: NotifyOn,
    /// The instance.
    pub instance: String,
    /// The process.
    pub process: String,
    /// `PROCESS/NUMBER`, which names the run on the command line.
    pub run: String,
    /// The run's id.
    pub run_id: String,
    /// How it ended.
    pub status: String,
    /// The file.
    pub source_file: Option<String>,
    /// Why it failed.
    pub error: Option<String>,
    /// Records of the file.
    pub rows_read: Option<u64>,
    /// Records accepted.
    pub rows_accepted: Option<u64>,
    /// Records rejected.
    pub rows_rejected: Option<u64>,
    /// Records by rule.
    pub rules: Vec<RuleCount>,
    /// Some of the rejected records.
    pub examples: Vec<Example>,
    /// The command to look closer.
    pub command: String,
}

/// A rejected record, and its first reason.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Example {
    /// Its number in the file.
    pub record_no: i64,
    /// The line it starts in, if the file has lines.
    pub line: Option<i64>,
    /// The rule it broke.
    pub rule: String,
    /// The source's column.
    pub column: Option<String>,
    /// What the file had there; only where the instance allows personal data in messages.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub value: Option<String>,
}

impl Message {
    /// The message about `run`.
    #[must_use]
    pub fn about(run: &RunRecord, event: NotifyOn, instance: &str, examples: Vec<Example>) -> Self {
        let name = format!("{}/{}", run.process, run.run_no);
        let command = match run.rows_rejected {
            Some(1..) => format!("sluice -i {instance} rejects {name} --by-rule"),
            _ => format!("sluice -i {instance} runs {}", run.process),
        };
        Self {
            event,
            instance: instance.to_owned(),
            process: run.process.clone(),
            run: name,
            run_id: run.run_id.clone(),
            status: run.status.word().to_owned(),
            source_file: run.source_file.clone(),
            error: run.error.clone(),
            rows_read: run.rows_read,
            rows_accepted: run.rows_accepted,
            rows_rejected: run.rows_rejected,
            rules: run.rule_counts.clone(),
            examples,
            command,
        }
    }

    /// One line.
    #[must_use]
    pub fn subject(&self) -> String {
        let rejected = self.rows_rejected.filter(|rows| *rows > 0);
        let rejected = rejected
            .map(|rows| format!(", {rows} rejected"))
            .unwrap_or_default();
        format!("Sluice: {} {}{rejected}", self.run, self.status.replace('_', " "))
    }

    /// The words of a mail.
    #[must_use]
    pub fn text(&self) -> String {
        let mut text = String::new();
        // Writing to a string does not fail.
        let _ = self.write(&mut text);
        text
    }

    fn write(&self, out: &mut String) -> std::fmt::Result {
        writeln!(out, "process   {}", self.process)?;
        writeln!(out, "run       {} ({})", self.run, self.run_id)?;
        writeln!(out, "status    {}", self.status.replace('_', " "))?;
        writeln!(out, "file      {}", self.source_file.as_deref().unwrap_or("none"))?;
        if let Some(error) = &self.error {
            writeln!(out, "failed    {error}")?;
            writeln!(out, "          the last good data stay as they are")?;
        }
        if let (Some(read), Some(accepted), Some(rejected)) =
            (self.rows_read, self.rows_accepted, self.rows_rejected)
        {
            writeln!(
                out,
                "records   {read} read, {accepted} accepted, {rejected} rejected"
            )?;
        }
        if !self.rules.is_empty() {
            writeln!(out, "\nby rule")?;
            self.rules
                .iter()
                .try_for_each(|count| writeln!(out, "  {:<24} {}", count.rule, count.records))?;
        }
        if !self.examples.is_empty() {
            writeln!(out, "\nfor example")?;
            self.examples.iter().try_for_each(|example| example.write(out))?;
        }
        writeln!(out, "\nlook closer\n  {}", self.command)
    }
}

impl Example {
    fn write(&self, out: &mut String) -> std::fmt::Result {
        write!(out, "  record {}", self.record_no)?;
        if let Some(line) = self.line {
            write!(out, ", line {line}")?;
        }
        write!(out, ": {}", self.rule)?;
        if let Some(column) = &self.column {
            write!(out, " in {column}")?;
        }
        match &self.value {
            Some(value) => writeln!(out, ": {value:?}"),
            None => writeln!(out),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::RunStatus;

    fn run() -> RunRecord {
        let mut run = RunRecord::started("01a2".into(), "loyalty", 7, "schedule");
        run.source_file = Some("s3://crm/Customers_7.csv".into());
        (run.rows_read, run.rows_accepted, run.rows_rejected) = (Some(100), Some(98), Some(2));
        run.error = Some("2 of 100 records were rejected, 1 is allowed".into());
        run.end(RunStatus::Failed);
        run
    }

    fn example(value: Option<&str>) -> Example {
        Example {
            record_no: 12,
            line: Some(13),
            rule: "email_invalid".into(),
            column: Some("Email".into()),
            value: value.map(str::to_owned),
        }
    }

    #[test]
    fn a_mail_says_what_failed_in_which_file_and_where_to_look() {
        let message = Message::about(&run(), NotifyOn::Failed, "/base", vec![example(None)]);
        assert_eq!(message.subject(), "Sluice: loyalty/7 failed, 2 rejected");
        assert_eq!(
            message.text(),
            "process   loyalty\n\
             run       loyalty/7 (01a2)\n\
             status    failed\n\
             file      s3://crm/Customers_7.csv\n\
             failed    2 of 100 records were rejected, 1 is allowed\n          \
                       the last good data stay as they are\n\
             records   100 read, 98 accepted, 2 rejected\n\
             \n\
             for example\n  \
               record 12, line 13: email_invalid in Email\n\
             \n\
             look closer\n  \
               sluice -i /base rejects loyalty/7 --by-rule\n"
        );
    }

    #[test]
    fn values_are_told_only_if_they_were_put_in() {
        let told = |value| {
            let message = Message::about(&run(), NotifyOn::Failed, "/base", vec![example(value)]);
            format!("{}{}", message.text(), serde_json::to_string(&message).unwrap())
        };
        assert!(!told(None).contains("value"));
        assert!(told(Some("ann@")).contains("Email: \"ann@\""));
    }
}
