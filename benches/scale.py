"""How cost grows with the number of customers: benches of several sizes as one table and a plot.

    sluice bench --customers 1000000 --attributes 20 --only merge --shares 1,10 --output json > bench-1M.json
    python scale.py bench-1M.json bench-10M.json bench-100M.json --out docs/benchmarks

Each file is what `sluice bench --output json` printed, on the same machine and with as many attributes. `scale.json` keeps
them, `scale.svg` draws seconds and peak memory of the steps that all of them have.
"""

import argparse
import json
import sys
from pathlib import Path


class Differ(Exception):
    """Benches that say nothing together."""


def joined(benches):
    """The benches by size, if only the number of customers is another."""
    benches = sorted(benches, key=lambda bench: bench["settings"]["customers"])
    for name, of in (("attributes", "settings"), ("bad_per_million", "settings"), ("processor", "machine"),
                     ("cores", "machine")):
        values = {bench[of][name] for bench in benches}
        if len(values) > 1:
            raise Differ(f"the benches differ in {name}: {', '.join(map(str, values))}")
    return benches


def shared_steps(benches):
    """Names of the steps that every bench has, in their order."""
    names = [{step["step"] for step in bench["steps"]} for bench in benches]
    return [step["step"] for step in benches[0]["steps"] if all(step["step"] in those for those in names)]


def named(bench, name):
    return next(step for step in bench["steps"] if step["step"] == name)


def as_markdown(benches):
    """Seconds and peak memory, a column a size."""
    sizes = [f"{bench['settings']['customers'] / 1e6:g} M" for bench in benches]
    lines = [f"| step | {' | '.join(f'{size}: s | MB' for size in sizes)} |", f"|---|{'---:|' * 2 * len(benches)}"]
    for name in shared_steps(benches):
        steps = [named(bench, name) for bench in benches]
        cells = [f"{step['seconds']:.2f} | {(step['peak_rss_bytes'] or 0) / 1e6:,.0f}" for step in steps]
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def draw(benches, path):
    import plots

    figure, (seconds, memory) = plots.figure(1, 2, figsize=(9, 4), layout="constrained")
    customers = [bench["settings"]["customers"] for bench in benches]
    for name in shared_steps(benches):
        steps = [named(bench, name) for bench in benches]
        seconds.plot(customers, [step["seconds"] for step in steps], marker="o", label=name)
        if all(step["peak_rss_bytes"] for step in steps):
            memory.plot(customers, [step["peak_rss_bytes"] / 1e6 for step in steps], marker="o", label=name)
    seconds.set(xscale="log", yscale="log", xlabel="customers", ylabel="seconds",
                title=f"{benches[0]['settings']['attributes']} attributes")
    memory.set(xscale="log", xlabel="customers", ylabel="peak memory, MB", ylim=(0, None))
    seconds.legend(fontsize=7)
    plots.save(figure, path)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("benches", nargs="+", type=Path, help="what sluice bench --output json printed, a file a size")
    parser.add_argument("--out", required=True, type=Path, help="folder of scale.json and scale.svg")
    return parser.parse_args()


def main():
    options = arguments()
    try:
        benches = joined([json.loads(path.read_text()) for path in options.benches])
    except Differ as differ:
        sys.exit(str(differ))
    (options.out / "scale.json").write_text(json.dumps(benches, indent=1) + "\n")
    draw(benches, options.out / "scale.svg")
    print(as_markdown(benches))


if __name__ == "__main__":
    main()
