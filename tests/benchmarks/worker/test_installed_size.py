"""The size of a framework on disk, on made-up distributions: what is counted, and the reason where nothing is known."""

import json
from pathlib import Path

import pytest

from benchmarks.worker import installed_size
from implementations import registry


def install(site: Path, name: str, files: dict[str, int], requires: tuple[str, ...] = (), listed: bool = True) -> Path:
    """A distribution with files of these sizes. Its own metadata are not in its list, so that sums stay round."""
    info = site / f"{name.replace('-', '_')}-1.0.dist-info"
    info.mkdir(parents=True)
    lines = ["Metadata-Version: 2.1", f"Name: {name}", "Version: 1.0", *(f"Requires-Dist: {r}" for r in requires)]
    (info / "METADATA").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for path, size in files.items():
        (site / path).parent.mkdir(parents=True, exist_ok=True)
        (site / path).write_bytes(b"x" * size)
    if listed:
        (info / "RECORD").write_text("".join(f'"{path}",,\n' for path in files), encoding="utf-8")
    return info


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_what_is_required_is_counted_once_and_what_is_optional_or_not_for_here_is_not(site: Path) -> None:
    install(site, "big-frame", {"big/a.py": 100}, ("Some.Thing>=1", "other[fast]", 'gpu; extra == "gpu"'))
    install(site, "some_thing", {"some/b.py": 20}, ("big_frame",))
    install(site, "other", {"other/c.py": 3}, ('quick; extra == "fast"', 'never; python_version < "3"', "not-there"))
    for name in ("gpu", "quick", "never"):
        install(site, name, {f"{name}/d.py": 4000})
    size = installed_size.measure("big", ["big-frame"])
    assert size.distributions == {"big-frame 1.0": 100, "some_thing 1.0": 20, "other 1.0": 3, "quick 1.0": 4000}
    assert (size.bytes, size.reason) == (4123, "")


def test_a_file_of_two_distributions_counts_once_and_one_that_is_gone_not_at_all(site: Path) -> None:
    install(site, "one", {"shared/a.so": 100, "one/gone.py": 9}, ("two",))
    install(site, "two", {"shared/../shared/a.so": 100, "two/b.py": 1})
    (site / "one" / "gone.py").unlink()
    assert installed_size.measure("one", ["one"]).bytes == 101


def test_what_has_no_list_of_files_or_keeps_them_elsewhere_has_a_reason_and_no_number(site: Path) -> None:
    install(site, "bare", {"bare/a.py": 5}, listed=False)
    install(site, "whole", {"whole/a.py": 5}, ("bare",))
    info = install(site, "mine", {"mine.pth": 5})
    (info / "direct_url.json").write_text(json.dumps({"url": "file:///x", "dir_info": {"editable": True}}))
    for name, reason in {
        "whole": "bare has no list of its files",
        "mine": "mine is installed as editable",
        "absent": "absent is not an installed distribution",
    }.items():
        size = installed_size.measure("x", [name])
        assert size.bytes is None
        assert reason in size.reason


def test_nothing_that_is_known_to_belong_to_a_framework_is_no_zero() -> None:
    size = installed_size.measure("x", [])
    assert (size.bytes, size.reason) == (None, "no installed distribution is known to bring it")


def test_a_framework_is_what_brings_its_packages() -> None:
    assert registry.distributions("numpy@next") == registry.distributions("numpy") == ["numpy"]
    assert registry.distributions("scikit-learn") == ["scikit-learn"]
    size = installed_size.measure("numpy", ["numpy"]).bytes
    assert size is not None
    assert size > 10**7
