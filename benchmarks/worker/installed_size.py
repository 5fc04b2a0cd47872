"""The size of a framework on disk: its distribution and everything that this requires. Nothing is imported.

What an extra would add is not counted unless a requirement asks for that extra: which extras were once asked for is
not recorded anywhere. CUDA libraries that come as wheels of their own are counted where they are required (torch does),
and not where an extra brought them.
"""

import csv
import json
import os
import re
from collections.abc import Iterable
from importlib import metadata

from benchmarks.records.record import InstalledRecord


class NoSize(RuntimeError):
    """A distribution whose files are not known; the message says which and why."""


def measure(framework: str, distributions: Iterable[str]) -> InstalledRecord:
    """Bytes of these distributions and of what they need; a file that several own counts once."""
    try:
        sizes = sizes_of(distributions)
        if not sizes:
            raise NoSize("no installed distribution is known to bring it")
    except NoSize as problem:
        return InstalledRecord(framework=framework, reason=str(problem))
    return InstalledRecord(framework=framework, bytes=sum(sizes.values()), distributions=sizes)


def sizes_of(names: Iterable[str]) -> dict[str, int]:
    """Bytes by "name version", the ones asked for first. Raises NoSize."""
    seen: set[str] = set()
    return {
        f"{distribution.metadata['Name']} {distribution.version}": _bytes_of(distribution, seen)
        for distribution in needed(names)
    }


def needed(names: Iterable[str]) -> list[metadata.Distribution]:
    """These distributions and all that they require on this machine, each once; what is not installed takes no place.

    Raises NoSize where one that was asked for is not there, or its requirements cannot be read.
    """
    requested = [(name, "") for name in names]
    queue, done = list(requested), set()
    by_name: dict[str, metadata.Distribution] = {}
    while queue:
        name, extra = entry = queue.pop(0)
        if entry in done:
            continue
        done.add(entry)
        try:
            distribution = metadata.distribution(name)
        except metadata.PackageNotFoundError:
            if entry in requested:
                raise NoSize(f"{name} is not an installed distribution") from None
            continue
        by_name.setdefault(re.sub(r"[-_.]+", "-", distribution.metadata["Name"]).lower(), distribution)
        queue += _required(distribution, extra)
    return list(by_name.values())


def _required(distribution: metadata.Distribution, extra: str) -> list[tuple[str, str]]:
    """What it requires here under this extra (none: ""): names, each with every extra of its own that is asked for."""
    try:
        from packaging.requirements import InvalidRequirement, Requirement
    except ImportError:
        raise NoSize("requirements cannot be read: the package packaging is not installed") from None
    try:
        required = [Requirement(text) for text in distribution.requires or ()]
    except InvalidRequirement as problem:
        raise NoSize(f"the requirements of {distribution.metadata['Name']} cannot be read: {problem}") from None
    applicable = [r for r in required if r.marker is None or r.marker.evaluate({"extra": extra})]
    return [(r.name, extra_of) for r in applicable for extra_of in ("", *sorted(r.extras))]


def _bytes_of(distribution: metadata.Distribution, seen: set[str]) -> int:
    """Its files, as its installer listed them; those that are gone take no place."""
    name = distribution.metadata["Name"]
    origin = json.loads(distribution.read_text("direct_url.json") or "{}")
    if origin.get("dir_info", {}).get("editable"):
        raise NoSize(f"{name} is installed as editable: its files are elsewhere")
    listed = distribution.read_text("RECORD")  # `distribution.files` takes ten times as long for the same list
    if not listed:
        raise NoSize(f"{name} has no list of its files")
    root, total = str(distribution.locate_file("")), 0
    for row in csv.reader(listed.splitlines()):
        path = os.path.normpath(os.path.join(root, row[0])) if row else root
        if row and path not in seen:
            seen.add(path)
            try:
                total += os.stat(path).st_size
            except OSError:
                continue
    return total
