"""What it costs that a file is elsewhere: one CSV here, in S3 and on an SFTP server, in turn.

    python sources.py --csv data/big/changes.csv --sluice target/release/sluice --rounds 5

SeaweedFS and OpenSSH are started beside it on loopback (tests/services; tests/run installs them) and share the machine's
cores with Sluice. Two jobs: `decode` counts the records of source('URL'), every column as text; `validate` is a dry run,
which judges them too. Beside them is what others get over the same way and throw away: curl from S3, sftp from OpenSSH.
Where the rate falls, CPU seconds say who has the cores: those of Sluice, and those of all others, which serve.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path

import programs
import timing

SERVICES = Path(__file__).resolve().parent.parent / "tests/services"
PYTHON = Path.home() / ".cache/sluice/services/bin/python"
"""Where tests/run installs what the servers need."""

FOLDER = "bench"
LOCAL = "local"
DECODE, VALIDATE = "decode", "validate"
CONNECTIONS = """\
format = 1
[connections.s3]
type = "s3"
endpoint = "{SLUICE_TEST_S3}"
allow_http = true
region = "us-east-1"
access_key_id = "{SLUICE_TEST_S3_KEY}"
secret_access_key = {{ env = "SLUICE_TEST_S3_SECRET" }}

[connections.sftp]
type = "sftp"
host = "{host}"
port = {port}
user = "{SLUICE_TEST_SFTP_USER}"
key_file = "{SLUICE_TEST_SFTP_FOLDER}/user"
known_hosts = "{SLUICE_TEST_SFTP_FOLDER}/known_hosts"
"""


@dataclass(frozen=True)
class Place:
    """Where the file is."""

    name: str
    url: str
    link: list
    """What else gets it from there, byte by byte; empty where nothing lies between."""

    def connection(self):
        return [] if self.name == LOCAL else ["--connection", self.name]


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--csv", type=Path, required=True, help="changes.csv of sluice generate")
    parser.add_argument("--sluice", required=True, help="the program, a release build")
    parser.add_argument("--rounds", type=timing.positive, default=3, help="runs from each place [3]")
    parser.add_argument("--places", nargs="*", choices=["s3", "sftp"], default=["s3", "sftp"], metavar="PLACE",
                        help="where else than here [s3 sftp]")
    parser.add_argument("--jobs", nargs="*", choices=[DECODE, VALIDATE], default=[DECODE, VALIDATE], metavar="JOB",
                        help="what is done with the file [decode validate]")
    parser.add_argument("--options", default="", help="further options of sluice, such as --memory 2GB")
    parser.add_argument("--json", action="store_true", help="print an object instead of a table")
    return parser.parse_args()


def with_servers(places):
    """Starts this program again beside the servers, unless they are there."""
    if os.environ.get("SLUICE_BENCH_SERVERS") == "up" or not places:
        return
    if not PYTHON.exists():
        sys.exit(f"{PYTHON} is not there; tests/run makes it, for example: tests/run --test engine -- objects sftp")
    environment = {**os.environ, "SLUICE_BENCH_SERVERS": "up"}
    command = [PYTHON, SERVICES / "serve.py", *places, "--", sys.executable, *sys.argv]
    os.execve(PYTHON, [str(word) for word in command], environment)


def to_s3(csv):
    """Puts the file into the bucket that is open to everybody."""
    bucket, server = os.environ["SLUICE_TEST_S3_OPEN_BUCKET"], os.environ["SLUICE_TEST_S3"]
    key = f"{bucket}/{FOLDER}/{csv.name}"
    with open(csv, "rb") as file:
        headers = {"content-length": str(csv.stat().st_size)}
        request = urllib.request.Request(f"{server}/{key}", data=file, headers=headers, method="PUT")
        urllib.request.urlopen(request).close()
    return Place("s3", f"s3://{key}", ["curl", "--silent", "--fail", "--output", os.devnull, f"{server}/{key}"])


def to_sftp(csv):
    """Puts the file into the folder of login."""
    address, keys = os.environ["SLUICE_TEST_SFTP"], os.environ["SLUICE_TEST_SFTP_FOLDER"]
    target = Path(os.environ["SLUICE_TEST_SFTP_HOME"]) / FOLDER / csv.name
    target.parent.mkdir(exist_ok=True)
    shutil.copyfile(csv, target)
    target.chmod(0o644)
    host, port = address.rsplit(":", 1)
    sftp = ["sftp", "-q", "-P", port, "-i", f"{keys}/user", "-o", "IdentitiesOnly=yes",
            "-o", f"UserKnownHostsFile={keys}/known_hosts",
            f"{os.environ['SLUICE_TEST_SFTP_USER']}@{host}:{FOLDER}/{csv.name}", os.devnull]
    return Place("sftp", f"sftp://{address}/~/{FOLDER}/{csv.name}", sftp)


WAYS = {"s3": to_s3, "sftp": to_sftp}


def connections():
    """sluice.toml with the connections to the servers that are there."""
    host, port = os.environ.get("SLUICE_TEST_SFTP", "none:0").rsplit(":", 1)
    known = {name: value for name, value in os.environ.items() if name.startswith("SLUICE_TEST_")}
    whole = CONNECTIONS.split("\n\n")
    texts = [text for text, name in zip(whole, ("S3", "SFTP")) if f"SLUICE_TEST_{name}" in known]
    return "\n\n".join(texts or ["format = 1\n"]).format(host=host, port=port, **known)


class Sluice:
    """The program, and an instance for each place: a process keeps to its connection."""

    def __init__(self, program, work, places, options):
        self.program, self.options = program, options
        self.judge = programs.Sluice(program, work, options)
        self.instances = {place.name: Path(work) / place.name for place in places}
        for instance in self.instances.values():
            timing.succeeds([program, "init", instance])
            (instance / "sluice.toml").write_text(connections())

    def run(self, job, place):
        instance = self.instances[place.name]
        if job == VALIDATE:
            return self.judge.run(instance, place.url, "--dry-run", *place.connection())
        option = "" if place.name == LOCAL else f", 'connection', '{place.name}'"
        query = f"SELECT count(*) AS rows_read FROM source('{place.url}'{option})"
        return timing.measured([self.program, "-i", instance, "sql", query, "--output", "ndjson", "--quiet",
                                *self.options], limit_seconds=programs.LIMIT_SECONDS)


def check(job, place, report, facts):
    """The same records are found wherever the file is."""
    if job == VALIDATE:
        return timing.check(place.name, report, facts)
    if report["rows_read"] != facts["rows"]:
        raise timing.Wrong(f"{place.name} read {report['rows_read']} records, and there are {facts['rows']}")


@dataclass(frozen=True)
class Used:
    """What one job took."""

    seconds: float
    cpu_seconds: float
    """Of the program."""
    others_cpu_seconds: float
    """Of everything else on the machine meanwhile: servers, the system's own threads."""


def busy_seconds():
    """CPU seconds of the whole machine since it started, waiting left out."""
    with open("/proc/stat") as file:
        user, nice, system, _, _, irq, soft, *_ = map(int, file.readline().split()[1:])
    return (user + nice + system + irq + soft) / os.sysconf("SC_CLK_TCK")


def watched(work):
    """What `work` took, which returns its seconds and CPU seconds."""
    before = busy_seconds()
    seconds, cpu_seconds = work()
    return Used(seconds, cpu_seconds, max(busy_seconds() - before - cpu_seconds, 0))


def fetched(link):
    """Seconds of another program that gets the file and keeps nothing."""
    started, before = time.perf_counter(), os.times()
    done = subprocess.run(link, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if done.returncode:
        raise timing.Wrong(f"{link[0]} ended with {done.returncode}: {timing.last_lines(done.stderr)}")
    after = os.times()
    used = after.children_user + after.children_system - before.children_user - before.children_system
    return time.perf_counter() - started, used


def race(options, work):
    """What each job took by place, and the ways there, each place once a round."""
    places = [Place(LOCAL, str(options.csv.resolve()), []), *(WAYS[name](options.csv) for name in options.places)]
    sluice = Sluice(options.sluice, work, places, options.options.split())
    facts = timing.expected(options.csv)
    timing.warm(options.csv)
    used = {job: {place.name: [] for place in places} for job in options.jobs}
    links = {place.name: [] for place in places if place.link}
    for _ in range(options.rounds):
        for place in places:
            for job, found in used.items():
                def run():
                    sample = sluice.run(job, place)
                    check(job, place, sample.report, facts)
                    return sample.seconds, sample.cpu_seconds

                found[place.name].append(watched(run))
            if place.link:
                links[place.name].append(watched(lambda: fetched(place.link)))
    return used, links


def rates(used, links, size_bytes):
    """A row for each job and place: its medians, its rate, and that by the rate from here and by the link's."""

    def middle(found, figure="seconds"):
        return statistics.median(getattr(one, figure) for one in found)

    def row(job, place, found, local, link):
        seconds = middle(found)
        return {
            "job": job, "place": place, "seconds": round(seconds, 3),
            "fastest_seconds": round(min(one.seconds for one in found), 3),
            "cpu_seconds": round(middle(found, "cpu_seconds"), 3),
            "others_cpu_seconds": round(middle(found, "others_cpu_seconds"), 3),
            "mb_per_second": round(size_bytes / 1e6 / seconds, 1),
            "of_local": local and round(local / seconds, 3),
            "of_link": link and round(link / seconds, 3),
        }

    link_seconds = {place: middle(found) for place, found in links.items()}
    jobs = [row(job, place, found, middle(places[LOCAL]), link_seconds.get(place))
            for job, places in used.items() for place, found in places.items()]
    return jobs + [row("link", place, found, None, None) for place, found in links.items()]


def as_table(outcome):
    def percent(share):
        return "" if share is None else f"{100 * share:.0f} %"

    rows = [["job", "from", "seconds", "fastest", "CPU s", "others' CPU s", "MB/s", "of local", "of link"]]
    for row in outcome["rows"]:
        rows.append([row["job"], row["place"], f"{row['seconds']:.2f}", f"{row['fastest_seconds']:.2f}",
                     f"{row['cpu_seconds']:.2f}", f"{row['others_cpu_seconds']:.2f}",
                     f"{row['mb_per_second']:.0f}", percent(row["of_local"]), percent(row["of_link"])])
    return (f"{timing.table(rows)}\n{outcome['size_bytes'] / 1e6:.0f} MB, medians of {outcome['rounds']} rounds, "
            f"load {outcome['load_average']:.1f}")


def main():
    options = arguments()
    with_servers(options.places)
    try:
        with tempfile.TemporaryDirectory(prefix="sluice-sources-") as work:
            used, links = race(options, work)
    except timing.Wrong as wrong:
        sys.exit(str(wrong))
    size_bytes = options.csv.stat().st_size
    outcome = {"size_bytes": size_bytes, "rounds": options.rounds, "load_average": os.getloadavg()[0],
               "rows": rates(used, links, size_bytes)}
    print(json.dumps(outcome, indent=2) if options.json else as_table(outcome))


if __name__ == "__main__":
    main()
