"""The programs of the races: Sluice and its peers, each with its own way to keep customers."""

import shutil
from dataclasses import dataclass
from pathlib import Path

import timing

ATTRIBUTES = [
    "Email=email", "Loyalty Tier=string", "City=string", "Signup Date=date", "Last Login=timestamp",
    "Total Spend=decimal(18,2)", "Orders=int", "Opted In=boolean", "Points=bigint", "Favourite Note=string",
]
"""Columns of the customer file, each with its type."""

DATA_FAILED = 3
"""Exit code of a run that found everything out and may not merge, as when no row is accepted."""

SCRIPTS = Path(__file__).parent / "peers"
ENVIRONMENTS = Path.home() / ".cache/sluice/peers"
"""One Python environment a folder, made by peers/run."""

LIMIT_SECONDS = 3600
"""A run that is not done by then has failed."""


@dataclass(frozen=True)
class Kind:
    """How a peer does the job."""

    title: str
    script: str
    environment: str
    """Its list of packages in peers/requirements."""
    target: str
    """What it calls its customers, and how peers/sums.py reads them."""
    format: str
    judges: bool = False
    """Whether it can judge a file without merging it; the others let one of these validate."""


PEERS = {
    "duckdb": Kind("DuckDB, native table", "duckdb_merge.py", "main", "customers.duckdb", "duckdb", judges=True),
    "duckdb-parquet": Kind("DuckDB, Parquet rewritten", "duckdb_parquet.py", "main", "customers.parquet", "parquet"),
    "polars": Kind("Polars, Parquet rewritten", "polars_rewrite.py", "main", "customers.parquet", "parquet",
                   judges=True),
    "delta-rs": Kind("delta-rs MERGE, validated by Polars", "delta_merge.py", "main", "customers_delta", "delta"),
    "ducklake": Kind("DuckLake MERGE INTO", "ducklake_merge.py", "ducklake", "lake", "ducklake"),
    "sail": Kind("Sail, Delta MERGE INTO", "sail_merge.py", "sail", "customers_delta", "delta", judges=True),
    "lance": Kind("Lance merge_insert, validated by Polars", "lance_merge.py", "lance", "customers.lance", "lance"),
    "daft": Kind("Daft, Parquet rewritten", "daft_rewrite.py", "daft", "customers", "parquet", judges=True),
}


class Program:
    """One that keeps customers: what it starts from is made once, and each round works on a copy."""

    def __init__(self, name, title, work, python, judges=True):
        self.name, self.title, self.judges = name, title, judges
        self.work, self.copy, self.python = Path(work), Path(work) / f"{name}-copy", python

    def renew(self, start, base):
        """A fresh copy of the customers to start from, in the page cache; `start` names them."""
        pristine, part = self.work / f"{self.name}-{start}", self.work / f"{self.name}-{start}.part"
        if not pristine.exists():
            shutil.rmtree(part, ignore_errors=True)
            part.mkdir(parents=True)
            self.make(part, base)
            part.rename(pristine)
        self.forget()
        shutil.copytree(pristine, self.copy)
        for path in files(self.copy):
            timing.warm(path)

    def forget(self):
        shutil.rmtree(self.copy, ignore_errors=True)

    def sums(self):
        """What the customers come to, read by another program where there is one."""
        kept, target = self.kept()
        return timing.measured([self.python, SCRIPTS / "sums.py", kept, target], limit_seconds=LIMIT_SECONDS).report

    def disk_bytes(self):
        return sum(path.stat().st_size for path in files(self.copy))


def files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


class Sluice(Program):
    """Ours: its time is the whole process."""

    def __init__(self, program, work, options=(), environments=ENVIRONMENTS):
        super().__init__("sluice", "Sluice", work, environments / "main/bin/python")
        self.program, self.options = program, list(options)

    def make(self, folder, base):
        source = ["--from", base, "--key", "customer_id"] if base else []
        timing.succeeds([self.program, "init", folder / "instance", *source])

    def kept(self):
        return "delta", self.copy / "instance/customers"

    def ingest(self, csv):
        return self.run(self.copy / "instance", csv, "--force")

    def validate(self, csv):
        """Reads and judges the file, and merges nothing."""
        return self.run(self.copy / "instance", csv, "--dry-run")

    def run(self, instance, csv, *more):
        attributes = [word for attribute in ATTRIBUTES for word in ("--attribute", attribute)]
        return timing.measured(
            [self.program, "-i", instance, "ingest", csv, "--key", "cid", *attributes, "--name", "race",
             "--output", "json", "--quiet", *more, *self.options],
            allowed=(0, DATA_FAILED) if "--dry-run" in more else (0,), limit_seconds=LIMIT_SECONDS)

    def facts(self, _report):
        version = timing.printed([self.program, "--version"]).split()[-1]
        return {"version": version, "settings": [f"defaults {' '.join(self.options)}".strip()]}


class Peer(Program):
    """Another: its time is its own clock, so that Python's start and imports do not count against it."""

    def __init__(self, name, work, environments=ENVIRONMENTS):
        self.kind = PEERS[name]
        super().__init__(name, self.kind.title, work, environments / self.kind.environment / "bin/python",
                         self.kind.judges)

    def script(self, *words):
        if not self.python.exists():
            raise timing.Wrong(f"its packages are not installed; benches/peers/run --peers {self.name} does that")
        return [self.python, SCRIPTS / self.kind.script, *words]

    def make(self, folder, base):
        timing.succeeds(self.script("-", folder / self.kind.target, *(["--base", base] if base else [])))

    def kept(self):
        return self.kind.format, self.copy / self.kind.target

    def ingest(self, csv):
        return self.run(csv, self.copy / self.kind.target, "--rejects", self.copy / "rejects.parquet")

    def validate(self, csv):
        return self.run(csv)

    def run(self, *words):
        sample = timing.measured(self.script(*words), limit_seconds=LIMIT_SECONDS)
        sample.seconds = sample.report["total_seconds"]
        return sample

    def facts(self, report):
        return {name: report[name] for name in ("version", "settings")}


def field(options, work):
    """Sluice, and the peers asked for."""
    ours = Sluice(options.sluice, work, options.options.split(), options.environments)
    return [ours, *(Peer(name, work, options.environments) for name in options.peers)]


def add_arguments(parser, peers=PEERS):
    """Options that the races share."""
    parser.add_argument("--sluice", help="the program, a release build")
    parser.add_argument("--peers", nargs="*", choices=list(peers), default=list(peers), metavar="PEER",
                        help=f"which of them run [{' '.join(peers)}]")
    parser.add_argument("--rounds", type=timing.positive, default=3, help="runs of each program [3]")
    parser.add_argument("--options", default="", help="further options of sluice ingest, such as --memory 2GB")
    parser.add_argument("--environments", type=Path, default=ENVIRONMENTS, help=f"Pythons of peers/run [{ENVIRONMENTS}]")
