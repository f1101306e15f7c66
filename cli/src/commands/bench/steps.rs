//! The steps of a bench, in order.

use std::collections::BTreeMap;
use std::fs::File;
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use sluice_datasets::{Expected, Workload};
use sluice_engine::Error;

use super::checks::{self, Due, Fate, count};
use super::machine::Machine;
use super::outcome::{Outcome, Samples, Settings};
use super::program::{Program, Ran};
use crate::commands::generate::arguments;
use crate::context::Context;
use crate::error::Result;

/// Percent of the customers that each change set holds, if nothing else is said.
pub const MERGED_SHARES: [u64; 3] = [1, 10, 100];
/// Times that the program is started for nothing.
const STARTS: usize = 5;
/// Customers that are looked up.
const LOOKUPS: u64 = 20;
/// The process that loads.
const PROCESS: &str = "bench";

/// The step that merges a change set of so many percent.
pub fn merge(percent: u64) -> String {
    format!("merge {percent} %")
}

/// The step that merges it once more.
pub fn again(percent: u64) -> String {
    format!("merge {percent} % again")
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Part {
    /// A file of customers into an empty table, and starting for nothing
    Load,
    /// Change sets into a base, and what is asked of it
    Merge,
}

/// Which steps run, and what stays.
#[derive(Debug, Clone)]
pub struct Scope {
    /// The parts.
    pub parts: Vec<Part>,
    /// Percent of the customers that each change set holds.
    pub shares: Vec<u64>,
    /// What becomes of files that no later step needs.
    pub files: Files,
}

/// What becomes of files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Files {
    /// They go as soon as no later step needs them: a base can take more room than its table.
    Removed,
    /// They stay.
    Kept,
}

/// A generated file and what is due of it.
#[derive(Debug)]
struct ChangeFile {
    path: PathBuf,
    bytes: u64,
    due: Due,
}

/// A bench under way.
#[derive(Debug)]
pub struct Bench<'a> {
    context: &'a Context,
    program: Program,
    folder: &'a Path,
    settings: Settings,
    scope: Scope,
    samples: Vec<Samples>,
}

impl<'a> Bench<'a> {
    /// A bench in `folder`, which it makes.
    ///
    /// # Errors
    /// The folder cannot be written.
    pub fn new(context: &'a Context, folder: &'a Path, settings: Settings, scope: Scope) -> Result<Self> {
        std::fs::create_dir_all(folder)?;
        let mut options = Vec::new();
        if let Some(bytes) = context.settings.memory_bytes {
            options.extend(["--memory".to_owned(), format!("{bytes}B")]);
        }
        if let Some(threads) = context.settings.threads {
            options.extend(["--threads".to_owned(), threads.to_string()]);
        }
        Ok(Self {
            context,
            program: Program::this(options)?,
            folder,
            settings,
            scope,
            samples: Vec::new(),
        })
    }

    /// All steps, so many rounds.
    ///
    /// # Errors
    /// A step fails, or its answer is wrong.
    pub fn run(mut self) -> Result<Outcome> {
        let parts = self.scope.parts.clone();
        if parts.contains(&Part::Load) {
            self.loads()?;
        }
        if parts.contains(&Part::Merge) {
            self.merges()?;
        }
        Ok(Outcome {
            machine: Machine::here(),
            settings: self.settings,
            steps: self.samples.iter().map(Samples::measured).collect(),
        })
    }

    fn loads(&mut self) -> Result<()> {
        self.context.say("writing the files");
        let none = Workload {
            customers: 0,
            attributes: self.settings.attributes,
        };
        let (customers, bad) = (self.settings.customers, self.settings.bad_per_million);
        let all = self.changes("load", none, customers, bad, 1)?;
        let one = self.changes("one", none, 1, 0, 9)?;
        for round in 1..=self.settings.rounds {
            self.say_round(round);
            self.load(&all, &one)?;
        }
        self.no_longer(&all.path)
    }

    fn merges(&mut self) -> Result<()> {
        self.context.say("writing the files");
        let (customers, bad) = (self.settings.customers, self.settings.bad_per_million);
        let base = Workload {
            customers,
            attributes: self.settings.attributes,
        };
        let base_file = self.folder.join("base.csv");
        let _ = base.base().write(&mut File::create(&base_file)?)?;
        let mut sets = Vec::new();
        for (share, seed) in self.scope.shares.iter().zip(2..) {
            let name = format!("changes-{share}");
            sets.push((
                *share,
                self.changes(&name, base, customers * share / 100, bad, seed)?,
            ));
        }
        for round in 1..=self.settings.rounds {
            self.say_round(round);
            let instance = self.adopt(&base_file)?;
            if round == self.settings.rounds {
                self.no_longer(&base_file)?;
            }
            self.merge(&instance, &sets)?;
        }
        Ok(())
    }

    fn say_round(&self, round: u32) {
        self.context
            .say(format!("round {round} of {}", self.settings.rounds));
    }

    /// No later step needs the file.
    fn no_longer(&self, file: &Path) -> Result<()> {
        match self.scope.files {
            Files::Removed => Ok(std::fs::remove_file(file)?),
            Files::Kept => Ok(()),
        }
    }

    fn changes(&self, name: &str, of: Workload, rows: u64, bad: u32, seed: u64) -> Result<ChangeFile> {
        let path = self.folder.join(format!("{name}.csv"));
        let expected: Expected = of.changes(rows, seed, bad).write(&mut File::create(&path)?)?;
        Ok(ChangeFile {
            path,
            bytes: expected.bytes,
            due: Due::from(&expected),
        })
    }

    /// A file of customers into an empty instance, and again; then what nothing and next to nothing cost there.
    fn load(&mut self, file: &ChangeFile, one: &ChangeFile) -> Result<()> {
        let instance = self.fresh("load");
        self.program.run(&["init".to_owned(), shown(&instance)])?;
        self.ingest("load", &instance, file, Fate::AllNew, &[])?;
        self.ingest("load again", &instance, file, Fate::NothingDiffers, &["--force"])?;
        for _ in 0..STARTS {
            let ran = self.sql(&instance, "SELECT 1 AS one")?;
            right("start", checks::of_count(&ran.answer, 1))?;
            self.keep("start", 1, None, ran);
        }
        self.ingest("merge one row", &instance, one, Fate::Merged, &[])?;
        Ok(std::fs::remove_dir_all(instance)?)
    }

    /// A base becomes the customers of a new instance.
    fn adopt(&mut self, base: &Path) -> Result<PathBuf> {
        let instance = self.fresh("merge");
        let from = [
            "init".to_owned(),
            shown(&instance),
            "--from".to_owned(),
            shown(base),
        ];
        let from: Vec<String> = from.into_iter().chain(words(&["--key", "customer_id"])).collect();
        let ran = self.program.run(&from)?.sized(&instance)?;
        let bytes = std::fs::metadata(base)?.len();
        self.keep("adopt a base", self.settings.customers, Some(bytes), ran);
        Ok(instance)
    }

    /// Change sets into a base, then what is asked of it.
    fn merge(&mut self, instance: &Path, sets: &[(u64, ChangeFile)]) -> Result<()> {
        let (mut customers, mut rules) = (self.settings.customers, BTreeMap::<String, u64>::new());
        for (share, file) in sets {
            let merged = self.ingest(&merge(*share), instance, file, Fate::Merged, &[])?;
            customers += merged;
            self.ingest(&again(*share), instance, file, Fate::NothingDiffers, &["--force"])?;
            for (rule, records) in &file.due.rules {
                *rules.entry(rule.clone()).or_default() += 2 * records;
            }
        }
        if let Some((_, largest)) = sets.iter().max_by_key(|(share, _)| *share) {
            self.ingest("validate only", instance, largest, Fate::Judged, &["--dry-run"])?;
        }
        self.count_customers(instance, customers)?;
        self.look_up(instance, customers)?;
        self.ask_rejects(instance, &rules)?;
        let optimize = words(&["-i", &shown(instance), "optimize"]);
        let ran = self.program.run(&optimize)?.sized(instance)?;
        self.keep("optimize", customers, None, ran);
        self.count_customers(instance, customers)?;
        Ok(std::fs::remove_dir_all(instance)?)
    }

    /// Says how many customers are new.
    fn ingest(
        &mut self,
        step: &str,
        instance: &Path,
        file: &ChangeFile,
        fate: Fate,
        more: &[&str],
    ) -> Result<u64> {
        let head = [
            "-i".to_owned(),
            shown(instance),
            "ingest".to_owned(),
            shown(&file.path),
        ];
        let all = head
            .into_iter()
            .chain(arguments())
            .chain(words(&["--name", PROCESS]))
            .chain(words(more));
        let ran = self.program.run(&all.collect::<Vec<_>>())?.sized(instance)?;
        right(step, checks::of_run(&ran.answer, &file.due, fate))?;
        let inserted = count(&ran.answer, "rows_inserted").unwrap_or(0);
        self.keep(step, file.due.rows, Some(file.bytes), ran);
        Ok(inserted)
    }

    fn count_customers(&mut self, instance: &Path, due: u64) -> Result<()> {
        let ran = self.sql(instance, "SELECT count(*) AS customers FROM customers")?;
        right("count the customers", checks::of_count(&ran.answer, due))?;
        self.keep("count the customers", due, None, ran);
        Ok(())
    }

    fn look_up(&mut self, instance: &Path, customers: u64) -> Result<()> {
        for number in 0..LOOKUPS {
            let id = self.settings.customers * number / LOOKUPS + 1;
            let cid = format!("C{id:08}");
            let ran = self
                .program
                .run(&words(&["-i", &shown(instance), "customer", &cid]))?;
            right("look up a customer", checks::of_customer(&ran.answer, &cid))?;
            self.keep("look up a customer", customers, None, ran);
        }
        Ok(())
    }

    fn ask_rejects(&mut self, instance: &Path, due: &BTreeMap<String, u64>) -> Result<()> {
        let query =
            "SELECT rule, count(DISTINCT run_id || record_no) AS records FROM reject_reasons GROUP BY rule";
        let ran = self.sql(instance, query)?;
        right("rejects by rule", checks::of_rules(&ran.answer, due))?;
        self.keep("rejects by rule", due.values().sum(), None, ran);
        Ok(())
    }

    fn sql(&self, instance: &Path, query: &str) -> Result<Ran> {
        self.program.run(&words(&["-i", &shown(instance), "sql", query]))
    }

    fn fresh(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    fn keep(&mut self, step: &str, rows: u64, bytes: Option<u64>, ran: Ran) {
        self.context
            .say(format!("{step}: {:.3} s", ran.duration.as_secs_f64()));
        match self.samples.iter_mut().find(|samples| samples.step == step) {
            Some(samples) => samples.runs.push(ran),
            None => self.samples.push(Samples {
                step: step.to_owned(),
                rows,
                bytes,
                runs: vec![ran],
            }),
        }
    }
}

fn right(step: &str, judged: std::result::Result<(), String>) -> Result<()> {
    Ok(judged.map_err(|wrong| Error::runtime(format!("{step}: a wrong answer")).because(wrong))?)
}

fn shown(path: &Path) -> String {
    path.to_string_lossy().into_owned()
}

fn words(words: &[&str]) -> Vec<String> {
    words.iter().map(|word| (*word).to_owned()).collect()
}
