"""Which code it was: one hash of all that is run, one of what a network's proof judges."""

from pathlib import Path

import pytest

from implementations import limits, registry, sources


@pytest.mark.parametrize(
    ("file", "judged_with"),
    [
        ("layers/dense/dense_numpy.py", {"mlp", "cnn"}),
        ("equivalence/tolerances.py", {"mlp", "cnn"}),
        ("layers/pooling/max_pool_numpy.py", {"cnn"}),
        ("layers/attention/attention_numpy.py", set()),
        ("limits.py", set()),
        ("mlp/mlp_cupy_tuned.cu", {"mlp"}),
        ("cnn/cnn_torch.py", {"cnn"}),
        ("registry.py", set()),
        ("train.py", set()),
        ("README.md", set()),
    ],
)
def test_what_is_judged_is_the_network_and_all_that_computes_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, judged_with: set[str]
) -> None:
    package = tmp_path / "implementations"
    imports = {
        "training/training_numpy.py": "from implementations.layers.dense import dense_numpy",
        "cnn/cnn_torch.py": "from implementations.layers.pooling import max_pool_numpy",
    }
    for name in (
        "training/training_numpy.py",
        "layers/attention/attention_numpy.py",
        "layers/dense/dense_numpy.py",
        "layers/pooling/max_pool_numpy.py",
        "equivalence/tolerances.py",
        "limits.py",
        "mlp/mlp_cupy_tuned.cu",
        "cnn/cnn_torch.py",
        "registry.py",
        "train.py",
        "README.md",
    ):
        (package / name).parent.mkdir(parents=True, exist_ok=True)
        (package / name).write_text(imports.get(name, name), encoding="utf-8")
    monkeypatch.setattr(sources, "__file__", str(package / "sources.py"))
    before = {model: sources.judged_sha256(model) for model in ("mlp", "cnn")}
    (package / file).write_text("changed", encoding="utf-8")
    assert {model for model in before if sources.judged_sha256(model) != before[model]} == judged_with


def test_what_an_editor_leaves_and_what_was_removed_meanwhile_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "page.py").write_text("x = 1\n", encoding="utf-8")
    before = sources.files_sha256([tmp_path / "page.py"])
    assert [path.name for _, path in sources._code_in(tmp_path)] == ["page.py"]
    (tmp_path / ".#page.py").symlink_to("ann@host.1234")
    assert [path.name for _, path in sources._code_in(tmp_path)] == ["page.py"]
    assert sources.files_sha256([tmp_path / "page.py", tmp_path / "gone.py"]) == before


def test_a_limit_is_judged_with_the_networks_that_have_its_layer(monkeypatch: pytest.MonkeyPatch) -> None:
    before = {model: sources.judged_sha256(model) for model in registry.OURS}
    left = tuple(limit for limit in limits.LIMITS if limit.layer != "pooling/max_pool")
    monkeypatch.setattr(limits, "LIMITS", left)
    assert {model for model in before if sources.judged_sha256(model) != before[model]} == {"cnn"}
