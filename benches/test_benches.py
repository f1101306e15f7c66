"""Tests of what the races decide without running anything: python -m unittest discover benches"""

import argparse
import json
import sys
import tempfile
import unittest
from pathlib import Path

import budget
import contest
import encode
import report
import scale
import sources
import startup
import suite
import timing

sys.path.insert(0, str(Path(__file__).parent / "peers"))
import measure  # noqa: E402

FACTS = {"rows": 10, "rejected": 3, "rule_counts": {"cid_null": 1, "email_invalid": 2}}


def sample(seconds=1.0, **counts):
    found = {"rows_read": 10, "rows_rejected": 3, "rule_counts": FACTS["rule_counts"], "rows_updated": 4,
             "rows_inserted": 3} | counts
    return timing.Sample(seconds, seconds, seconds, 1_000_000, found)


class Fake:
    """A program that gives the samples it was told to, one a step, and the points, one after the other."""

    def __init__(self, name, answers, points=(7,)):
        self.name, self.title, self.judges = name, name.upper(), True
        self.answers, self.points, self.at, self.asked = answers, points, 0, 0

    def renew(self, _start, _base):
        self.at = 0

    def forget(self):
        pass

    def ingest(self, _csv):
        self.at += 1
        return self.answers[self.at - 1]

    def sums(self):
        self.asked += 1
        return {"points": self.points[min(self.asked, len(self.points)) - 1]}

    def disk_bytes(self):
        return 5

    def facts(self, _report):
        return {"version": "1", "settings": []}


class Reasons(unittest.TestCase):
    def test_a_reason_names_files_without_the_folders_of_a_machine(self):
        self.assertEqual("pool: 300 MB, merge_insert.rs:19", suite.without_folders("pool: 300 MB, /home/a/b-1/merge_insert.rs:19"))
        for same in ("1 MB / 2 MB", "see https://example.org/a/b", "rows/s"):
            self.assertEqual(same, suite.without_folders(same))


class Scales(unittest.TestCase):
    @staticmethod
    def bench(customers, steps, attributes=20):
        return {"machine": {"processor": "p", "cores": 2},
                "settings": {"customers": customers, "attributes": attributes, "bad_per_million": 1000},
                "steps": [{"step": name, "seconds": seconds, "peak_rss_bytes": 5_000_000} for name, seconds in steps]}

    def test_sizes_are_set_side_by_side_in_their_order(self):
        large = self.bench(10_000_000, [("merge", 9.0), ("optimize", 4.0)])
        small = self.bench(1_000_000, [("load", 2.0), ("merge", 1.0)])
        benches = scale.joined([large, small])
        self.assertEqual(["merge"], scale.shared_steps(benches))
        self.assertIn("| step | 1 M: s | MB | 10 M: s | MB |", scale.as_markdown(benches))
        self.assertIn("| merge | 1.00 | 5 | 9.00 | 5 |", scale.as_markdown(benches))

    def test_tables_of_other_widths_are_not_compared(self):
        with self.assertRaises(scale.Differ):
            scale.joined([self.bench(1, []), self.bench(2, [], attributes=30)])


class Races(unittest.TestCase):
    def outcome(self, *programs, steps=2, rounds=2):
        with tempfile.TemporaryDirectory() as folder:
            csv = Path(folder) / "changes.csv"
            csv.write_text("cid\n")
            csv.with_suffix(".json").write_text(json.dumps(FACTS))
            chain = contest.Chain("none", None, [contest.Step(f"step {at}", csv) for at in range(steps)])
            return contest.race(programs, chain, rounds)

    def test_a_peer_with_our_answer_has_a_time(self):
        outcome = self.outcome(Fake("sluice", [sample(2)] * 2), Fake("peer", [sample(5)] * 2))
        self.assertEqual({}, outcome["out"])
        self.assertEqual([2.5, 2.5], [step["programs"]["peer"]["ratio"] for step in outcome["steps"]])

    def test_a_peer_whose_table_differs_has_no_time_from_that_step_on(self):
        outcome = self.outcome(Fake("sluice", [sample()] * 3), Fake("peer", [sample()] * 3, (7, 8, 7)), steps=3)
        self.assertEqual([True, False, False], ["peer" in step["programs"] for step in outcome["steps"]])
        self.assertIn("points is 8 in place of 7", outcome["out"]["peer"]["reason"])
        self.assertEqual("step 1", outcome["out"]["peer"]["step"])

    def test_a_peer_that_fails_in_a_later_round_has_no_time_from_the_earlier_ones(self):
        outcome = self.outcome(Fake("sluice", [sample()] * 2), Fake("peer", [sample()] * 2, (7, 7, 7, 8)))
        self.assertEqual([True, False], ["peer" in step["programs"] for step in outcome["steps"]])

    def test_customers_that_met_nothing_to_change_count_as_met(self):
        ours = sample(rows_updated=0, rows_unchanged=4)
        outcome = self.outcome(Fake("sluice", [ours]), Fake("peer", [sample()]), steps=1)
        self.assertEqual({}, outcome["out"])

    def test_a_wrong_number_of_rejects_ends_a_peer(self):
        outcome = self.outcome(Fake("sluice", [sample()]), Fake("peer", [sample(rows_rejected=2)]), steps=1)
        self.assertIn("rejected 2 records, and 3 are bad", outcome["out"]["peer"]["reason"])

    def test_a_record_rejected_by_another_rule_ends_a_peer(self):
        other = sample(rule_counts={"cid_null": 2, "email_invalid": 1})
        outcome = self.outcome(Fake("sluice", [sample()]), Fake("peer", [other]), steps=1)
        self.assertIn("rejected by rule", outcome["out"]["peer"]["reason"])

    def test_a_record_that_was_not_read_ends_a_peer(self):
        outcome = self.outcome(Fake("sluice", [sample()]), Fake("peer", [sample(rows_read=9)]), steps=1)
        self.assertIn("read 9 records, and there are 10", outcome["out"]["peer"]["reason"])

    def test_if_ours_is_wrong_there_is_no_race(self):
        with self.assertRaises(timing.Wrong):
            self.outcome(Fake("sluice", [sample(rows_rejected=2)]), steps=1)

    def test_a_program_that_takes_too_long_is_ended(self):
        with self.assertRaisesRegex(timing.Wrong, "was not done after 0.2 s"):
            timing.measured([sys.executable, "-c", "import time; time.sleep(60)"], limit_seconds=0.2)

    def test_counts_of_rules_are_the_same_as_a_list_or_an_object(self):
        listed = {"rule_counts": [{"rule": "cid_null", "records": 1}, {"rule": "email_invalid", "records": 0}]}
        self.assertEqual(timing.rule_counts({"rule_counts": {"cid_null": 1}}), timing.rule_counts(listed))


class Reports(unittest.TestCase):
    def figures(self, **seconds):
        programs = {name: timing.medians([sample(low), sample(high)], 1) | {"ratio": 1}
                    for name, (low, high) in seconds.items()}
        step = {"step": "load", "file_bytes": 1_000_000, "rows": 10, "rejected": 3, "programs": programs,
                "answer": {"rows_met": 4, "rows_inserted": 3}}
        return {"command": "run", "settings": {"customers": 10, "attributes": 1, "bad": "1%", "rounds": 2, "options": ""},
                "machine": {"date": "2026-01-01", "processor": "P", "cores": 2, "memory_bytes": 1, "system": "S",
                            "python": "3"},
                "loads": {"least": 1, "most": 2}, "steps": [step], "out": [],
                "programs": {name: {"title": name.upper(), "version": "1", "settings": ["s"]} for name in seconds}}

    def test_an_order_that_turned_although_no_runs_overlap_is_said_so(self):
        figures = report.after(self.figures(a=(1, 2), b=(3, 4)), self.figures(a=(5, 6), b=(3, 4)))
        self.assertEqual([["a", "b"]], figures["repeat"][0]["certain"])
        self.assertIn("load: a and b changed places; 1 of these pairs", report.as_markdown(figures))

    def test_an_order_that_turned_within_the_noise_is_not_certain(self):
        figures = report.after(self.figures(a=(1, 2), b=(1.5, 4)), self.figures(a=(5, 6), b=(3, 4)))
        self.assertEqual([], figures["repeat"][0]["certain"])

    def test_runs_of_other_sizes_are_not_compared(self):
        before = self.figures(a=(1, 2), b=(3, 4))
        before["settings"]["customers"] = 11
        self.assertIsNone(report.after(before, self.figures(a=(1, 2), b=(3, 4)))["repeat"])

    def test_steps_that_did_not_run_again_stay(self):
        before, now = self.figures(a=(1, 2)), self.figures(a=(1, 2))
        now["steps"][0]["step"], now["command"], now["loads"] = "validate", "run --only validate", {"least": 0, "most": 1}
        figures = report.after(before, now)
        self.assertEqual(["validate", "load"], [step["step"] for step in figures["steps"]])
        self.assertEqual("run\nrun --only validate", figures["command"])
        self.assertEqual({"least": 0, "most": 2}, figures["loads"])

    def test_steps_of_another_number_of_rounds_do_not_stay(self):
        before, now = self.figures(a=(1, 2)), self.figures(a=(1, 2))
        now["steps"][0]["step"], now["settings"]["rounds"] = "validate", 3
        self.assertEqual(["validate"], [step["step"] for step in report.after(before, now)["steps"]])

    def test_the_fastest_is_marked_and_who_failed_is_named(self):
        figures = self.figures(a=(1, 2), b=(3, 4)) | {"out": [{"title": "C", "step": "load", "reason": "it fell"}]}
        text = report.as_markdown(figures)
        self.assertIn("| load | **1.50** | 3.50 |", text)
        self.assertIn("- **C**, at load: it fell", text)


class Sources(unittest.TestCase):
    def test_a_place_is_compared_with_the_file_here_and_with_the_way_there(self):
        def used(*seconds):
            return [sources.Used(one, one / 2, one / 4) for one in seconds]

        rows = sources.rates({"decode": {"local": used(1, 2, 3), "s3": used(4, 9, 4)}}, {"s3": used(2)}, 8_000_000)
        found = [(row["job"], row["place"], row["mb_per_second"], row["of_local"], row["of_link"]) for row in rows]
        expected = [("decode", "local", 4, 1, None), ("decode", "s3", 2, 0.5, 0.5), ("link", "s3", 4, None, None)]
        self.assertEqual(expected, found)
        self.assertEqual((2, 1), (rows[1]["cpu_seconds"], rows[1]["others_cpu_seconds"]))

    def test_a_record_that_did_not_arrive_ends_it(self):
        with self.assertRaises(timing.Wrong):
            sources.check("decode", sources.Place("s3", "s3://b/a.csv", []), {"rows_read": 9}, FACTS)


class Peers(unittest.TestCase):
    def test_a_row_counts_once_for_each_rule_that_it_broke(self):
        found = measure.judged({0: 5, 0b1: 2, 0b11: 3, measure.DUPLICATE: 1})
        self.assertEqual({"rows_read": 11, "rows_rejected": 6,
                          "rule_counts": {"cid_null": 5, "type_mismatch": 3, "cid_duplicate": 1}}, found)

    def test_the_command_in_the_report_names_no_folder(self):
        words = ["--sluice", "/somewhere/sluice", "--rounds", "3", "--work=/tmp", "--only", "load", "--out", "x"]
        self.assertEqual(["--rounds", "3", "--only", "load"], suite.without_paths(words))


class Budget(unittest.TestCase):
    def setUp(self):
        self.bench = budget.Bench.__new__(budget.Bench)
        self.bench.options = argparse.Namespace(limit_seconds=60)
        self.bench.budget, self.bench.num_customers = budget.size("1GB"), 12

    def judged(self, code=0, seconds=1.0, peak=1e9, said="", file=None, printed=b""):
        return self.bench.judged(code, seconds, peak, said, "step", file, printed)

    def test_a_size_has_units_of_1000_and_of_1024(self):
        self.assertEqual([budget.size(text) for text in ("12", "100MB", "1 GiB", "2kb")], [12, 10**8, 1 << 30, 2000])

    def test_what_stays_near_the_budget_holds_and_what_does_not_is_over(self):
        self.assertEqual(self.judged(peak=1.25e9), "held")
        self.assertEqual(self.judged(peak=1.3e9), "over by 1.30")

    def test_who_says_that_it_is_too_much_is_refused_and_who_is_killed_has_failed(self):
        self.assertEqual(self.judged(code=1, said="Error: Failed to allocate memory"), "refused")
        self.assertEqual(self.judged(code=1, said="no such file"), "ended with 1")
        self.assertEqual(self.judged(code=-9, seconds=60.1), "hung")
        self.assertEqual(self.judged(code=-9, seconds=2), "killed")
        self.assertEqual(self.judged(code=1, peak=2e9, said="memory"), "over by 2.00")

    def test_a_step_with_a_wrong_answer_does_not_hold(self):
        with tempfile.TemporaryDirectory() as folder:
            file = Path(folder) / "changes.csv"
            file.with_suffix(".json").write_text(json.dumps(FACTS))
            right = {"rows_read": 10, "rows_rejected": 3, "rule_counts": FACTS["rule_counts"]}
            self.assertEqual(self.judged(file=file, printed=json.dumps(right)), "held")
            wrong = json.dumps(right | {"rows_read": 9})
            self.assertTrue(self.judged(file=file, printed=wrong).startswith("wrong: "))
        self.assertEqual(self.bench.right("join", None, b"n,c\n12,9\n"), "held")
        self.assertEqual(self.bench.right("join", None, b"n,c\n11,9\n"), "wrong: 11 customers of 12")


class Encodings(unittest.TestCase):
    def test_settings_that_answer_differently_are_no_comparison(self):
        bench = encode.Bench.__new__(encode.Bench)
        bench.answers = {}
        bench.same("scan", [{"n": 1}])
        bench.same("scan", [{"n": 1}])
        with self.assertRaises(timing.Wrong):
            bench.same("scan", [{"n": 2}])

    def test_each_round_begins_with_another_setting(self):
        found = [encode.turns(list("abcdef"), number, 3) for number in range(3)]
        self.assertEqual(["abcdef", "cdefab", "efabcd"], ["".join(names) for names in found])

    def test_every_setting_is_another_one(self):
        self.assertEqual(len(set(encode.SETTINGS.values())), len(encode.SETTINGS))


class Startup(unittest.TestCase):
    def test_a_summary_has_the_middle_and_the_slow_end(self):
        found = startup.summary("--help", list(range(1, 41)))
        self.assertEqual((found["median_ms"], found["slow_ms"], found["bar_ms"]), (20.5, 39, 30))


if __name__ == "__main__":
    unittest.main()
