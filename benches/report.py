"""The figures of the suite as docs/benchmarks.md, with plots beside them in docs/benchmarks/."""

import json

NAME = "benchmarks"

SAME = [("settings", name) for name in ("customers", "attributes", "bad", "options")] + [
    ("machine", name) for name in ("processor", "cores", "memory_bytes")]
"""What two runs must have in common to be compared."""


def load(out):
    """The figures of the run before; none, if there was none."""
    path = out / NAME / "peers.json"
    return json.loads(path.read_text()) if path.exists() else None


def after(before, figures):
    """The figures with what the run before them says of their order, if it had the same settings and machine.

    Steps that did not run again stay, if they ran as many rounds.
    """
    if before is None or any(before[part][name] != figures[part][name] for part, name in SAME):
        return figures | {"repeat": None}
    kept = {step["step"]: step for step in before["steps"]}
    compared = [compare(kept[step["step"]], step) for step in figures["steps"] if step["step"] in kept]
    fresh = {step["step"] for step in figures["steps"]}
    figures = figures | {"repeat": compared or None}
    stay = [step for name, step in kept.items() if name not in fresh]
    if not stay or before["settings"]["rounds"] != figures["settings"]["rounds"]:
        return figures
    return figures | {
        "steps": figures["steps"] + stay,
        "out": figures["out"] + [one for one in before["out"] if one["step"] not in fresh],
        "programs": before["programs"] | figures["programs"],
        "command": f"{before['command']}\n{figures['command']}",
        "loads": {"least": min(before["loads"]["least"], figures["loads"]["least"]),
                  "most": max(before["loads"]["most"], figures["loads"]["most"])}}


def compare(before, now):
    """How the order of the programs in two runs of a step differs: pairs that changed places, and for certain."""
    pairs = swapped(before["programs"], now["programs"])
    return {"step": now["step"], "same_first": first(before) == first(now), "swapped": pairs,
            "certain": [pair for pair in pairs if apart(before["programs"], pair) and apart(now["programs"], pair)]}


def first(step):
    return min(step["programs"], key=lambda name: step["programs"][name]["seconds"])


def swapped(before, now):
    """Pairs of programs of which the other one was faster before."""
    names = [name for name in now if name in before]
    return [[one, other] for at, one in enumerate(names) for other in names[at + 1:]
            if (before[one]["seconds"] < before[other]["seconds"]) != (now[one]["seconds"] < now[other]["seconds"])]


def apart(results, pair):
    """Whether all runs of one were faster than all of the other; a single run of each says nothing."""
    one, other = (results[name] for name in pair)
    if all(result["fastest_seconds"] == result["slowest_seconds"] for result in (one, other)):
        return False
    return one["slowest_seconds"] < other["fastest_seconds"] or other["slowest_seconds"] < one["fastest_seconds"]


def write(out, figures):
    (out / NAME).mkdir(parents=True, exist_ok=True)
    (out / NAME / "peers.json").write_text(json.dumps(figures, indent=1) + "\n")
    (out / f"{NAME}.md").write_text(as_markdown(figures))
    draw(figures, out / NAME)


def as_markdown(figures):
    order = {name: at for at, name in enumerate(["load", "merge", "validate"])}
    steps = sorted(figures["steps"], key=lambda step: order[step["step"].split()[0]])
    parts = [head(figures), summary(figures, steps), *map(details, steps), failed(figures), programs(figures),
             noise(figures), MISSING]
    return "\n".join(part for part in parts if part)


def head(figures):
    machine, settings = figures["machine"], figures["settings"]
    return f"""# Sluice and its peers

Written by `benches/peers/run` from `benchmarks/peers.json`. What a merge costs by share, size and width of the table
is in [benchmarks/README.md](benchmarks/README.md).

```
{figures["command"]}
```
On {machine["date"]}: {machine["cores"]} cores of {machine["processor"]}, {machine["memory_bytes"] / 1e9:.0f} GB of memory,
{machine["system"]}, Python {machine["python"]}.

The base has {settings["customers"]:,} customers and {settings["attributes"]} attributes. Every change set has a key and
ten other attributes, nine in ten of its records are customers of the base, at random, and {settings["bad"]} break a rule.
A step is the whole job: from a CSV file, through the same rules, with every reject and its reasons kept, to the commit.
`load` brings as many new customers into an empty table; `again` is the same file once more, after which nothing differs;
`merge` sets are ingested one after the other; `validate` judges the file of 100 % and merges nothing. Each of
{settings["rounds"]} rounds starts from a copy of the same tables.

**A time counts only if the answer is Sluice's**: records read and rejected, by rule; customers met and inserted; and
over the table afterwards the number of customers, of different ones, of e-mail addresses and of each loyalty tier, the
sums of points, orders, spend, logins, opt-ins and lengths of notes, and of an attribute that no file touches. Sluice's own
counts must be those that the generator wrote down.
"""


def summary(figures, steps):
    names = [name for name in figures["programs"] if any(name in step["programs"] for step in steps)]
    lines = ["## Seconds", "", f"| step | {' | '.join(figures['programs'][name]['title'] for name in names)} |",
             f"|---|{'---:|' * len(names)}"]
    for step in steps:
        best = first(step)
        cells = [mark(f"{step['programs'][name]['seconds']:.2f}", name == best) if name in step["programs"] else ""
                 for name in names]
        lines.append(f"| {step['step']} | {' | '.join(cells)} |")
    plots = ["", f"![seconds by step and program]({NAME}/peers-seconds.svg)", "",
             f"![peak memory by step and program]({NAME}/peers-memory.svg)", ""]
    return "\n".join([*lines, *plots])


def mark(text, best):
    return f"**{text}**" if best else text


def details(step):
    """One step's table."""
    lines = [f"### {step['step']}", "",
             f"{step['rows']:,} records, {step['file_bytes'] / 1e6:.1f} MB, {step['rejected']:,} rejected"
             + (f", {step['answer']['rows_met']:,} met, {step['answer']['rows_inserted']:,} inserted."
                if step["answer"] else "."),
             "", "| program | seconds | fastest to slowest | CPU s | peak MB | MB on disk | to Sluice |",
             "|---|---:|---:|---:|---:|---:|---:|"]
    for name, result in sorted(step["programs"].items(), key=lambda item: item[1]["seconds"]):
        disk = f"{result['disk_bytes'] / 1e6:.0f}" if result["disk_bytes"] else ""
        lines.append(f"| {name} | {result['seconds']:.2f} | {result['fastest_seconds']:.2f} to "
                     f"{result['slowest_seconds']:.2f} | {result['cpu_seconds']:.2f} | "
                     f"{result['peak_rss_bytes'] / 1e6:.0f} | {disk} | {result['ratio']:.2f} |")
    return "\n".join([*lines, ""])


def failed(figures):
    if not figures["out"]:
        return ""
    reasons = [f"- **{one['title']}**, at {one['step']}: {one['reason']}" for one in figures["out"]]
    return "\n".join(["## Without a time", "", *reasons, ""])


def programs(figures):
    lines = ["## Versions and settings", "", "| program | version | settings |", "|---|---|---|"]
    for one in figures["programs"].values():
        lines.append(f"| {one['title']} | {one['version']} | {'; '.join(one['settings']).replace('|', '/')} |")
    return "\n".join([*lines, "", "What each does, and what else was tried, is in "
                      "[benches/peers](../benches/peers/README.md).", ""])


def noise(figures):
    rounds, loads = figures["settings"]["rounds"], figures["loads"]
    return f"""## How noise was handled
- The programs run in turn, A B C A B C, {rounds} rounds, so that whatever else the machine does meets all of them. Tables
  quote medians, and the fastest and slowest run. Two programs whose ranges overlap are not told apart.
- Each input and each copy of a table is read once before, so that disks do not count; what is written goes to the page
  cache, and nobody forces it to the disk but who does so by itself.
- Seconds are a peer's own clock, from the first byte read to the commit, without Python's start and imports; for Sluice
  the whole process. CPU seconds, of all threads and with the start, are what a busy machine distorts least.
- The load of the machine was between {loads["least"]} and {loads["most"]}; the race itself makes for about as much as
  there are cores.
{repeat(figures)}"""


def repeat(figures):
    """What the run before says of the order."""
    if not figures.get("repeat"):
        return "- There was no run before this one with the same settings to compare the order with.\n"
    steps = figures["repeat"]
    same = sum(not step["swapped"] for step in steps)
    lines = [f"- The run before, with the same settings, had the same order in {same} of {len(steps)} steps, and the same "
             f"program first in {sum(step['same_first'] for step in steps)}."]
    for step in steps:
        if step["swapped"]:
            pairs = ", ".join(f"{one} and {other}" for one, other in step["swapped"])
            certain = f"{len(step['certain'])} of these pairs apart in both runs" if step["certain"] else \
                "their ranges overlapped, or each ran once"
            lines.append(f"  - {step['step']}: {pairs} changed places; {certain}.")
    return "\n".join(lines) + "\n"


MISSING = """## What was not measured
- Building the base tables, and what tables need later: DuckLake, Lance, Sail and delta-rs keep old files until they are
  told to compact or vacuum; Sluice keeps old versions too, and lays files out anew as part of a run. Bytes on disk are
  those right after the step, old versions and rejects included.
- Object stores, several machines, concurrent writers, queries on the tables.
- Files with malformed records: the peers do not agree on what one is (benches/peers/README.md).
- Crash safety: a rewritten Parquet file is one rename, a DuckDB or DuckLake transaction covers rejects and customers, the
  others write rejects first.
- Floe (crates.io, 0.7.0): its checks are types, NULL and uniqueness, and it keeps the first of a duplicate, so that it
  cannot apply these rules. Apache Hudi's and Apache Iceberg's Python packages, chDB: not tried.
"""


def draw(figures, out):
    """Seconds and memory, a panel a step."""
    import plots

    for name, field, unit in (("seconds", "seconds", "seconds"), ("memory", "peak_rss_bytes", "peak memory, MB")):
        steps = figures["steps"]
        columns = 3
        grid, axes = plots.figure(-(-len(steps) // columns), columns, figsize=(11, 2.6 * -(-len(steps) // columns)),
                                  layout="constrained", squeeze=False)
        for panel, step in zip(axes.flat, steps):
            panel_of(panel, step, field, 1e6 if name == "memory" else 1)
        for panel in axes.flat[len(steps):]:
            panel.set_visible(False)
        grid.supxlabel(unit)
        plots.save(grid, out / f"peers-{name}.svg")


def panel_of(panel, step, field, unit):
    """Bars, the least on top; Sluice's in another colour, and from the fastest to the slowest run a line."""
    results = sorted(step["programs"].items(), key=lambda item: -item[1][field])
    names = [name for name, _ in results]
    panel.barh(names, [result[field] / unit for _, result in results],
               color=["tab:orange" if name == "sluice" else "tab:blue" for name in names])
    if field == "seconds":
        panel.hlines(names, [result["fastest_seconds"] for _, result in results],
                     [result["slowest_seconds"] for _, result in results], color="black", linewidth=1)
    panel.set_title(step["step"])
    panel.grid(axis="y", visible=False)
