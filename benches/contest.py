"""A race: steps that every program does, in turn, and whose answer must be ours before its time counts."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path

import timing

INGEST, VALIDATE = "ingest", "validate"


@dataclass(frozen=True)
class Step:
    """One file, taken in or judged."""

    name: str
    csv: Path
    does: str = INGEST


@dataclass(frozen=True)
class Chain:
    """Steps one after the other, from the same customers in each round."""

    start: str
    """What the customers to start from are called."""
    base: Path | None
    """Their file; none: there are none."""
    steps: list


def race(programs, chain, rounds):
    """Runs A B C A B C ..., so that whatever else the machine does meets all of them; what came of each step.

    Ours is the first program: if it fails, so does the race. A peer that fails is out from that step on.
    """
    race_ = Race(chain)
    for number in range(1, rounds + 1):
        for program in programs:
            race_.run(program, f"round {number} of {rounds}")
    return race_.outcome(programs)


class Race:
    """One under way."""

    def __init__(self, chain):
        self.chain = chain
        self.samples = [{} for _ in chain.steps]
        self.answers = [None for _ in chain.steps]
        self.out, self.facts, self.loads = {}, {}, []

    def run(self, program, words):
        """The steps that the program can do, and has not failed at."""
        failed_at, _ = self.out.get(program.name, (len(self.chain.steps), None))
        steps = [step for step in self.chain.steps[:failed_at] if step.does == INGEST or program.judges]
        at = 0
        try:
            if steps:
                program.renew(self.chain.start, self.chain.base)
            for at, step in enumerate(steps):
                sample = self.take(program, at, step)
                self.samples[at].setdefault(program.name, []).append(sample)
                self.loads.append(os.getloadavg()[0])
                print(f"{words}, {step.name}, {program.name}: {sample.seconds:.2f} s, load {self.loads[-1]:.1f}",
                      file=sys.stderr)
        except timing.Wrong as wrong:
            if program.name == "sluice":
                raise
            print(f"{words}, {program.name} is out: {wrong}", file=sys.stderr)
            self.out[program.name] = (at, str(wrong))
        finally:
            program.forget()

    def take(self, program, at, step):
        """One step of one program, its answer compared with the generator's and ours."""
        timing.warm(step.csv)
        sample = program.ingest(step.csv) if step.does == INGEST else program.validate(step.csv)
        timing.check(program.title, sample.report, timing.expected(step.csv))
        answer = {}
        if step.does == INGEST:
            answer = merged(sample.report) | program.sums()
            sample.disk_bytes = program.disk_bytes()
        self.answers[at] = self.answers[at] or answer
        agree(program.title, answer, self.answers[at])
        self.facts.setdefault(program.name, {"title": program.title} | program.facts(sample.report))
        return sample

    def outcome(self, programs):
        """What came of each step, and of each program."""
        for name, (at, _) in self.out.items():
            for samples in self.samples[at:]:
                samples.pop(name, None)
        names = {program.name: program.title for program in programs}
        out = {name: {"title": names[name], "step": self.chain.steps[at].name, "reason": reason}
               for name, (at, reason) in self.out.items()}
        steps = [self.measured(at, step) for at, step in enumerate(self.chain.steps)]
        return {"steps": steps, "programs": self.facts, "out": out, "loads": self.loads}

    def measured(self, at, step):
        size_bytes = os.path.getsize(step.csv)
        results = {name: timing.medians(samples, size_bytes) for name, samples in self.samples[at].items()}
        for result in results.values():
            result["ratio"] = round(result["seconds"] / results["sluice"]["seconds"], 2)
        return {"step": step.name, "file_bytes": size_bytes, "rows": timing.expected(step.csv)["rows"],
                "rejected": results["sluice"]["rows_rejected"], "answer": self.answers[at], "programs": results}


def merged(report):
    """What became of the accepted rows; a peer does not say which of those that met a customer changed nothing."""
    met = sum(report.get(count) or 0 for count in ("rows_updated", "rows_unchanged"))
    return {"rows_met": met, "rows_inserted": report["rows_inserted"]}


def agree(title, answer, ours):
    """A time counts only if the answer is ours."""
    differ = [f"{name} is {answer.get(name)} in place of {ours.get(name)}"
              for name in sorted(answer.keys() | ours.keys()) if answer.get(name) != ours.get(name)]
    if differ:
        raise timing.Wrong(f"{title} has another answer: {', '.join(differ[:5])}")


def as_table(outcome):
    """The steps as text."""
    rows = [["step", "program", "seconds", "fastest", "CPU s", "GB/s", "peak MB", "disk MB", "to sluice"]]
    for step in outcome["steps"]:
        for name, result in step["programs"].items():
            seconds = [f"{result[field]:.2f}" for field in ("seconds", "fastest_seconds", "cpu_seconds", "gb_per_second")]
            rows.append([step["step"], name, *seconds, f"{result['peak_rss_bytes'] / 1e6:.0f}",
                         f"{result['disk_bytes'] / 1e6:.0f}", f"{result['ratio']:.2f}"])
    out = [f"{one['title']} is out at {one['step']}: {one['reason']}" for one in outcome["out"].values()]
    loads = f"medians; load {min(outcome['loads']):.1f} to {max(outcome['loads']):.1f}"
    return "\n".join([timing.table(rows), *out, loads])
