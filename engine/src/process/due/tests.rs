//! A leap year of eight schedules in eight time zones, run by two servers that compete, die and stand still.
//!
//! The agenda, the slots and the leases are the real ones; only the clock, the servers and the runs are played. A server
//! sees the states at one moment and acts on what it saw some seconds later, as one on another machine does.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{NaiveDateTime, TimeDelta};

use super::*;
use crate::process::{Holder, Lease, Trigger, slot_after};
use crate::report::{RunRecord, RunStatus};
use crate::spec::{Every, Schedule};

/// How long a lease lasts unless it is renewed.
const TERM: std::time::Duration = std::time::Duration::from_secs(600);

/// A server looks at least so often.
const LOOK_EVERY: TimeDelta = TimeDelta::minutes(30);
/// Between what a server sees and what it does.
const MAX_DELAY_SECONDS: i64 = 5;
const PARALLEL_RUNS: usize = 3;

const SCHEDULES: [(&str, Every, &str); 8] = [
    ("2028-01-01T03:00", Every::SixHours, "Europe/Madrid"),
    ("2028-01-01T02:30", Every::Day, "Europe/Madrid"),
    ("2028-01-01T02:00", Every::TwelveHours, "America/New_York"),
    ("2028-01-01T01:45", Every::SixHours, "Australia/Lord_Howe"),
    ("2028-01-01T02:45", Every::Day, "Africa/Casablanca"),
    ("2028-01-02T00:30", Every::TwelveHours, "America/St_Johns"),
    ("2028-02-28T23:15", Every::Day, "Pacific/Chatham"),
    ("2028-01-01T00:00", Every::SixHours, "UTC"),
];

fn schedules() -> BTreeMap<String, Schedule> {
    let schedule = |(number, (start, every, zone)): (usize, &(&str, Every, &str))| {
        let start = NaiveDateTime::parse_from_str(start, "%Y-%m-%dT%H:%M").unwrap();
        let time_zone = zone.parse().unwrap();
        (
            format!("p{number}"),
            Schedule {
                every: *every,
                start,
                time_zone,
            },
        )
    };
    SCHEDULES.iter().enumerate().map(schedule).collect()
}

fn at(text: &str) -> DateTime<Utc> {
    text.parse().unwrap()
}

/// The slots of the year, found without the code under test: somebody looks at the clock on the wall four times an hour.
fn slots_of_the_year(schedule: &Schedule) -> BTreeSet<DateTime<Utc>> {
    let (mut slots, mut due) = (BTreeSet::new(), schedule.start);
    let mut now = at("2027-12-30T00:00:00Z");
    while now < at("2029-01-01T00:00:00Z") {
        if now.with_timezone(&schedule.time_zone).naive_local() >= due {
            slots.insert(now);
            due += TimeDelta::hours(schedule.every.hours().into());
        }
        now += TimeDelta::minutes(15);
    }
    slots
}

/// Numbers that look random and are the same every time.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: i64) -> i64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 1).cast_signed() % most
    }
}

/// How hard the year is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Year {
    /// Servers live through it, runs take minutes.
    Calm,
    /// Servers die and come back, both stand still for days, runs fail and may take longer than six hours.
    Rough,
}

#[derive(Debug, Clone)]
struct Run {
    slot: DateTime<Utc>,
    started: DateTime<Utc>,
    /// When it ended, or its server died.
    ended: DateTime<Utc>,
    status: RunStatus,
}

#[derive(Debug, Default)]
struct Server {
    /// Dead until then.
    dead_until: Option<DateTime<Utc>>,
    looks_at: Option<DateTime<Utc>>,
    /// What it saw to be due, and when it acts on that.
    intends: BTreeSet<(DateTime<Utc>, String)>,
    /// When its runs end.
    runs: BTreeMap<String, DateTime<Utc>>,
}

struct World {
    year: Year,
    dice: Dice,
    now: DateTime<Utc>,
    schedules: BTreeMap<String, Schedule>,
    states: BTreeMap<String, ProcessState>,
    servers: [Server; 2],
    runs: BTreeMap<String, Vec<Run>>,
    /// Attempts that another server forestalled.
    lost_races: usize,
}

impl World {
    fn new(year: Year, seed: u64) -> Self {
        let now = at("2027-12-30T00:00:00Z");
        let schedules = schedules();
        let state = |(name, schedule): (&String, &Schedule)| {
            let mut state = ProcessState::draft("");
            state.status = crate::process::ProcessStatus::Scheduled;
            state.next_run_at = Some(slot_after(schedule, now));
            (name.clone(), state)
        };
        Self {
            year,
            dice: Dice(seed),
            now,
            states: schedules.iter().map(state).collect(),
            schedules,
            servers: Default::default(),
            runs: BTreeMap::new(),
            lost_races: 0,
        }
    }

    fn live(mut self) -> Self {
        self.servers
            .iter_mut()
            .for_each(|server| server.looks_at = Some(self.now));
        while self.now < at("2029-01-01T00:00:00Z") {
            for server in 0..self.servers.len() {
                self.step(server);
            }
            self.now = self.next_event();
            self.renew_leases();
        }
        self
    }

    fn next_event(&self) -> DateTime<Utc> {
        let of_server = |server: &Server| {
            let runs = server.runs.values().copied();
            let intends = server.intends.iter().map(|(at, _)| *at);
            runs.chain(intends)
                .chain(server.looks_at)
                .chain(server.dead_until)
                .min()
        };
        let next = self.servers.iter().filter_map(of_server).min();
        next.unwrap().max(self.now + TimeDelta::seconds(1))
    }

    /// Living servers renew every minute.
    fn renew_leases(&mut self) {
        for process in self.servers.iter().flat_map(|server| server.runs.keys()) {
            let lease = self.states.get_mut(process).unwrap().lease.as_mut().unwrap();
            let minutes = (self.now - lease.started_at).num_minutes();
            lease.renew(TERM, lease.started_at + TimeDelta::minutes(minutes));
        }
    }

    fn step(&mut self, server: usize) {
        if self.servers[server]
            .dead_until
            .is_some_and(|until| until > self.now)
        {
            return;
        }
        if self.servers[server].dead_until.take().is_some() {
            self.servers[server].looks_at = Some(self.now);
        }
        let ended = self.servers[server]
            .runs
            .iter()
            .filter(|(_, ends)| **ends <= self.now);
        for process in ended.map(|(process, _)| process.clone()).collect::<Vec<_>>() {
            self.end(server, &process);
        }
        while let Some((at, process)) = self.servers[server].intends.pop_first() {
            if at > self.now {
                self.servers[server].intends.insert((at, process));
                break;
            }
            self.begin(server, &process);
        }
        if self.servers[server].looks_at.is_some_and(|at| at <= self.now) {
            self.look(server);
            self.maybe_die(server);
        }
    }

    fn look(&mut self, server: usize) {
        for (process, state) in &mut self.states {
            let dead = state.lease.clone().filter(|lease| lease.is_dead_at(self.now));
            if let Some(lease) = dead {
                let record = record(process, &lease, RunStatus::Interrupted, self.now);
                state.end(&record, None, self.schedules.get(process));
            }
        }
        let agenda = Agenda::of(self.states.clone(), self.now);
        let free = PARALLEL_RUNS.saturating_sub(self.servers[server].runs.len());
        for due in agenda.due.into_iter().take(free) {
            let delay = TimeDelta::seconds(self.dice.below(MAX_DELAY_SECONDS));
            self.servers[server]
                .intends
                .insert((self.now + delay, due.process));
        }
        let next = agenda.next.into_iter().chain([self.now + LOOK_EVERY]).min();
        self.servers[server].looks_at = next;
    }

    fn begin(&mut self, server: usize, process: &str) {
        let holder = Holder {
            host: format!("host-{server}"),
            pid: 1,
            started_ticks: None,
            boot: None,
            pid_space: None,
        };
        let state = self.states.get_mut(process).unwrap();
        let slot = state.next_run_at.unwrap();
        let run_id = format!("run-{}", self.now.timestamp());
        match state.begin(process, run_id, Trigger::Schedule, holder, TERM, self.now) {
            Ok(_) => {
                let most_seconds = match (self.year, self.dice.below(20)) {
                    (Year::Rough, 0) => 20 * 3600,
                    // It may be over before the other server acts.
                    (_, 1..6) => 4,
                    _ => 40 * 60,
                };
                let ended = self.now + TimeDelta::seconds(1 + self.dice.below(most_seconds));
                self.servers[server].runs.insert(process.to_owned(), ended);
                let run = Run {
                    slot,
                    started: self.now,
                    ended,
                    status: RunStatus::Running,
                };
                self.runs.entry(process.to_owned()).or_default().push(run);
            }
            Err(error) => {
                assert_eq!(error.class(), crate::Class::Conflict, "{error}");
                self.lost_races += 1;
            }
        }
    }

    fn end(&mut self, server: usize, process: &str) {
        self.servers[server].runs.remove(process);
        let state = self.states.get_mut(process).unwrap();
        let lease = state.lease.clone().unwrap();
        assert_eq!(
            lease.holder.host,
            format!("host-{server}"),
            "a living run lost its lease"
        );
        let status = match (self.year, self.dice.below(10)) {
            (Year::Rough, 0) => RunStatus::Failed,
            _ => RunStatus::Completed,
        };
        let run = self.runs.get_mut(process).unwrap().last_mut().unwrap();
        (run.ended, run.status) = (self.now, status);
        state.end(
            &record(process, &lease, status, self.now),
            None,
            self.schedules.get(process),
        );
        self.servers[server].looks_at = Some(self.now);
    }

    fn maybe_die(&mut self, server: usize) {
        if self.year == Year::Calm || self.dice.below(150) > 0 {
            return;
        }
        // One time in ten both stand still for up to five days.
        let outage = self.dice.below(10) == 0;
        let minutes = if outage { 5 * 24 * 60 } else { 3 * 60 };
        let until = self.now + TimeDelta::minutes(1 + self.dice.below(minutes));
        let dying = if outage { vec![0, 1] } else { vec![server] };
        for server in dying {
            let dead = std::mem::take(&mut self.servers[server]);
            for process in dead.runs.keys() {
                let run = self.runs.get_mut(process).unwrap().last_mut().unwrap();
                (run.ended, run.status) = (self.now, RunStatus::Interrupted);
            }
            self.servers[server].dead_until = Some(until);
        }
    }
}

fn record(process: &str, lease: &Lease, status: RunStatus, now: DateTime<Utc>) -> RunRecord {
    let mut record = RunRecord::started(lease.run_id.clone(), process, lease.run_no, &lease.trigger);
    (record.status, record.started_at, record.ended_at) = (status, lease.started_at, Some(now));
    record
}

/// What holds of every process in every year.
fn check(world: &World) {
    for (process, schedule) in &world.schedules {
        let (slots, runs) = (slots_of_the_year(schedule), &world.runs[process]);
        for run in runs {
            assert!(slots.contains(&run.slot), "{process}: {run:?} is of no slot");
            assert!(run.started >= run.slot, "{process}: {run:?} came too early");
        }
        for pair in runs.windows(2) {
            let [before, after] = pair else { unreachable!() };
            assert!(
                before.ended <= after.started,
                "{process}: {before:?} and {after:?} at once"
            );
            // A slot whose run was cut off is run again; no other is, and none is run after a later one.
            let again = before.status == RunStatus::Interrupted && before.slot == after.slot;
            assert!(
                before.slot < after.slot || again,
                "{process}: {before:?}, then {after:?}"
            );
        }
        // What has no run of its own fell due before the run of an earlier slot had ended.
        for slot in slots.range(..world.now - TimeDelta::days(6)) {
            let place = runs.partition_point(|run| run.slot <= *slot);
            let last = place.checked_sub(1).map(|place| &runs[place]);
            let is_covered = last.is_some_and(|run| {
                run.slot == *slot || (*slot <= run.ended && run.status != RunStatus::Interrupted)
            });
            assert!(is_covered, "{process}: nothing ran for {slot}, last {last:?}");
        }
    }
}

#[test]
fn in_a_calm_year_every_slot_has_its_run_at_once_and_no_slot_has_two() {
    let world = World::new(Year::Calm, 1).live();
    check(&world);
    assert!(
        world.lost_races > 500,
        "two servers compete: {}",
        world.lost_races
    );
    for (process, schedule) in &world.schedules {
        let runs = &world.runs[process];
        let ran: Vec<_> = runs.iter().map(|run| run.slot).collect();
        // The run of the last slot may be beyond the end.
        let slots: Vec<_> = slots_of_the_year(schedule).into_iter().collect();
        assert!(ran.len() + 1 >= slots.len(), "{process}");
        assert_eq!(ran, slots[..ran.len()], "{process}");
        // A server that has all its places taken looks again when a run ends.
        let late = runs.iter().map(|run| run.started - run.slot).max().unwrap();
        assert!(late < TimeDelta::hours(1), "{process} began {late} late");
    }
    // 366 days: the leap day has its runs.
    let four_a_day = &world.runs["p7"];
    let on_leap_day = four_a_day
        .iter()
        .filter(|run| run.slot.date_naive().to_string() == "2028-02-29");
    assert_eq!(on_leap_day.count(), 4);
    assert!(four_a_day.len() >= 366 * 4 - 1, "{}", four_a_day.len());
}

#[test]
fn in_rough_years_no_slot_is_run_twice_none_overlaps_and_what_was_missed_is_caught_up_once() {
    for seed in 1..=3 {
        let world = World::new(Year::Rough, seed * 7919).live();
        check(&world);
        let runs = || world.runs.values().flatten();
        let interrupted = runs().filter(|run| run.status == RunStatus::Interrupted).count();
        let failed = runs().filter(|run| run.status == RunStatus::Failed).count();
        let slots: usize = world
            .schedules
            .values()
            .map(|schedule| slots_of_the_year(schedule).len())
            .sum();
        let ran = runs().count() - interrupted;
        assert!(
            interrupted > 10 && failed > 100,
            "{interrupted} interrupted, {failed} failed"
        );
        assert!(
            ran < slots - 50,
            "what was missed is not caught up one by one: {ran} of {slots}"
        );
    }
}
