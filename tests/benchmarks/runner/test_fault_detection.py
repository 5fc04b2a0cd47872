"""What a run takes over from the newest `make prove`."""

import json
from pathlib import Path

from benchmarks.records.run_record import FaultDetection
from benchmarks.runner import fault_detection
from implementations import sources


def written(folder: Path, sha256: str) -> Path:
    answers = [
        {"fault": "", "framework": "numpy", "precision": "float32", "noticed": []},
        {"fault": "Nesterov", "framework": "numpy", "precision": "float32", "noticed": ["hot state: slots", "x: y"]},
        {"fault": "Nesterov", "framework": "numpy", "precision": "float64", "noticed": []},
        {"fault": "Nesterov", "framework": "jax", "precision": "float32", "noticed": ["hot state: slots"]},
        {"fault": "dampening", "framework": "oracle", "precision": "float32", "noticed": ["hot state: slots"]},
        {"kind": "seeds", "framework": "numpy", "precision": "float32", "seeds": 1000, "failed": []},
        {"kind": "seeds", "framework": "jax", "precision": "float32", "seeds": 1000, "failed": ["one"]},
    ]
    lines = [
        {"kind": "about", "model": "mlp", "code_sha256": sha256},
        {"job": ["planting"], "seconds": 9.0, "answers": answers[:5]},
        {"job": ["false_alarms"], "seconds": 9.0, "answers": answers[5:]},
        {"kind": "end", "model": "mlp", "minutes": 30.0},
    ]
    (folder / "mlp.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return folder


NOW = sources.judged_sha256("mlp")


def summary(models: list[str], frameworks: list[str], folder: Path) -> FaultDetection:
    return fault_detection.summary(models, frameworks, sources.judged_sha256, folder)


def test_only_the_runs_own_frameworks_and_the_oracle_are_taken(tmp_path: Path) -> None:
    found = summary(["mlp"], ["numpy", "torch@next"], written(tmp_path, "0" * 64))
    assert found.faults == {
        "Nesterov": {"numpy": {"float32": 2, "float64": 0}},
        "dampening": {"oracle": {"float32": 1}},
    }
    assert (found.seeds, found.false_alarms, found.same_code) == (1000, 0, False)


def test_the_code_is_the_same_or_it_is_said(tmp_path: Path) -> None:
    assert summary(["mlp"], ["numpy"], written(tmp_path, NOW)).same_code


def test_where_nothing_was_judged_nothing_is_said(tmp_path: Path) -> None:
    assert summary(["mlp"], ["numpy"], tmp_path) == FaultDetection()


def test_what_is_under_way_cut_short_or_damaged_says_nothing(tmp_path: Path) -> None:
    path = written(tmp_path, NOW) / "mlp.jsonl"
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    conflict = [lines[0], "<<<<<<< HEAD\n", *lines[1:]]
    for left in (
        lines[:-1], lines[:1], [*lines[:-1], lines[-1][:7]], [], conflict, ["\n", *lines], [lines[0], '{"job": []}\n', lines[-1]],
        ['{"kind": "about"}\n', *lines[1:]], [lines[0], '{"answers": [{"framework": "numpy", "fault": "x"}]}\n', lines[-1]], ["[]\n", *lines[1:]], [*lines[:-1], "3\n"],
    ):  # fmt: skip
        path.write_text("".join(left), encoding="utf-8")
        assert summary(["mlp"], ["numpy"], tmp_path) == FaultDetection()


def test_of_another_network_the_firsts_faults_count_too(tmp_path: Path) -> None:
    alone = summary(["cnn"], ["numpy"], written(tmp_path, NOW))
    assert (alone.networks, set(alone.faults)) == (["mlp"], {"Nesterov", "dampening"})
    own = {"fault": "padding", "framework": "numpy", "precision": "float32", "noticed": ["hot state: logits"]}
    lines = [{"kind": "about", "code_sha256": "1" * 64}, {"job": ["planting"], "answers": [own]}, {"kind": "end"}]
    (tmp_path / "cnn.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    found = summary(["cnn"], ["numpy"], tmp_path)
    assert set(found.faults) == {"Nesterov", "dampening", "padding (cnn)"}
    assert found.networks == ["mlp", "cnn"]
    (tmp_path / "mlp.jsonl").unlink()
    assert summary(["cnn"], ["numpy"], tmp_path) == FaultDetection()
    written(tmp_path, NOW)
    assert not found.same_code
    for models in (["mlp"], ["elsewhere"]):
        assert summary(models, ["numpy"], tmp_path).same_code
