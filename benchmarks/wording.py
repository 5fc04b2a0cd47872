"""How numbers, names and foreign text look to a reader."""

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

from benchmarks import statistics
from benchmarks.analysis.results import Results
from benchmarks.records.record import Configuration
from benchmarks.records.run_record import NetworkRecord, RunRecord
from benchmarks.statistics import Estimate
from implementations import catalogue

NO_VALUE = "–"
"""What stands where there is nothing: never a zero."""

PHASES = {
    "train_step": "training step", "predict": "prediction", "epoch": "training epoch",
    "products": "matrix products", "peak": "one large product", "copy": "one large copy",
}  # fmt: skip
MARGIN = f"{100 * statistics.MARGIN:g}%"
"""The margin of a tie, in words."""

CHANCE = " (may be chance in so large a table)"
"""Behind a difference that a whole table does not allow (Holm)."""

EDGES = tuple(f"{edge:.2f}" for edge in (1 / (1 + statistics.MARGIN), 1.0, 1 + statistics.MARGIN))
"""Ratios at which a verdict changes."""

WIDEST = 100  # an interval's upper end over its lower one, beyond which its ends are not told: two or three disturbed blocks leave such
_UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))
_ENERGY = ((1.0, "J"), (1e-3, "mJ"), (1e-6, "µJ"), (1e-9, "nJ"))
_PREFIXES = ((1e12, "T"), (1e9, "G"), (1e6, "M"), (1.0, ""))
_BYTES = ((1e9, "GB"), (1e6, "MB"), (1e3, "kB"), (1.0, "bytes"))

# Foreign text


def clean(text: object, keep_lines: bool = False) -> str:
    """Any value as harmless text: whitespace collapsed, control and direction characters made visible.

    Direction marks would let a name reorder its neighbours, and XML knows no NUL. `keep_lines` is for code.
    """
    tidy = str(text).replace("\r\n", "\n") if keep_lines else " ".join(str(text).split())
    if tidy.isprintable():
        return tidy
    return "".join(_visible(character, keep_lines) for character in tidy)


def _visible(character: str, keep_lines: bool) -> str:
    if keep_lines and character in "\n\t":
        return character
    if unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"):
        return f"\\u{ord(character):04x}"
    return character


def short(text: object, limit: int = 36) -> str:
    """Clean text of at most `limit` characters, for a label in a chart."""
    cleaned = clean(text)
    return cleaned if len(cleaned) <= limit else cleaned[: limit - 1] + "…"


def slug(text: object) -> str:
    """A name that is safe as an id and as a file name."""
    return re.sub(r"[^a-z0-9]+", "-", str(text).lower()).strip("-")[:40] or "x"


# Names


def framework(name: str) -> str:
    """The framework's own spelling; a name that is not known is shown as it is."""
    base, _, installation = name.partition("@")
    return catalogue.title(base) + (f" ({installation})" if installation else "")


def network(record: NetworkRecord) -> str:
    """What a network is called."""
    return record.title or record.model.upper()


def networks(run: RunRecord) -> str:
    """What the networks of a run are called, but for those that stand beside them: "MLP and CNN"."""
    return listed(network(record) for record in run.named)


def phase(name: str) -> str:
    """What is timed, in words."""
    return PHASES.get(name, name)


def implementation(who: Configuration, with_device: bool) -> str:
    """The label of one implementation among those it is compared with."""
    name = framework(who.framework) + ("" if who.variant == "spec" else f" ({who.variant})")
    name += "" if who.mode == "plain" else f" {who.mode}"
    return f"{name} on {who.device}" if with_device else name


def label(results: Results, who: Configuration) -> str:
    """The same among all that were measured in a run: with its device where there are several."""
    return implementation(who, results.several_devices)


def size(axes: Mapping[str, int | str]) -> str:
    """The sizes of a cell: "batch 256, width 128"."""
    return ", ".join(f"{name} {value}" for name, value in sorted(axes.items())) or "the one size"


def same_axes(all_axes: Sequence[Mapping[str, int | str]]) -> dict[str, int | str]:
    """What several sizes have in common."""
    first = all_axes[0] if len(all_axes) > 1 else {}
    return {name: value for name, value in first.items() if all(axes.get(name) == value for axes in all_axes)}


def timed(phase_name: str, axes: Mapping[str, int | str]) -> str:
    """What is timed, and at which size: "training step, batch 256"."""
    return f"{phase(phase_name)}, {size(axes)}"


def timed_in(phase_name: str, who: Configuration) -> str:
    """What is timed, and in which setting: "training step (float32, plain, 2 threads)"."""
    return f"{phase(phase_name)} ({setting(who)})"


def setting(who: Configuration) -> str:
    """What the compared cells have in common: "float32, plain, 2 threads"."""
    return f"{who.precision}, {who.mode}, {count(who.threads, 'thread')}"


def listed(items: Iterable[str], last: str = "and") -> str:
    """Items as a sentence has them: "a", "a and b", "a, b and c"."""
    names = list(items)
    return f" {last} ".join([", ".join(names[:-1]), names[-1]] if len(names) > 1 else names)


def some(items: Sequence[str], most: int = 3) -> str:
    """The first few as alternatives, and how many there are besides: "a, b, c or 4 others"."""
    left = len(items) - most
    others = [count(left, "other")] if left > 0 else []
    return listed([*items[:most], *others], "or")


def count(number: int, noun: str) -> str:
    """ "1 block", "6 blocks"."""
    return f"{number:,} {noun}" + ("" if number == 1 else "s")


# Numbers

SURE = "95% interval; blocks"
"""What stands in the brackets of "1.23 ms (1.20 to 1.27; 6)"."""


class Quantity(str):
    """A number as it is shown, with the value that it is sorted by."""

    value: float

    def __new__(cls, text: str, value: float) -> "Quantity":
        """The shown text, and the number behind it."""
        made = super().__new__(cls, text)
        made.value = value
        return made


def number(value: float, digits: int = 3) -> str:
    """A number to so many significant digits, without an exponent where it can be read without one."""
    return Quantity(_number(value, digits), value)


def _number(value: float, digits: int = 3) -> str:
    if not math.isfinite(value):
        return str(value)
    value = float(f"{value:.{digits - 1}e}")
    if value == 0:
        return "0"
    if not 1e-4 <= abs(value) < 1e9:
        return f"{value:.{digits - 1}g}"
    return f"{value:,.{max(0, digits - 1 - _exponent(value))}f}"


def ratio(value: float) -> str:
    """To three digits; near 1 with two decimals, so that 0.98 and 1.02 line up, or three where rounding would cross 1 or the margin."""
    text = f"{value:.2f}"
    if text in EDGES and float(text) != value:
        text = f"{value:.3f}"
    return Quantity(text if 0.1 <= value < 9.995 else number(value), value)


def ratio_interval(estimate: Estimate) -> str:
    """ "1.38 to 1.47", or nothing where one block leaves no interval."""
    if problem := _no_ends(estimate):
        return problem
    return Quantity(f"{ratio(estimate.low)} to {ratio(estimate.high)}", estimate.low)


def duration(seconds: float) -> str:
    """A time to three digits in a fitting unit: "1.23 ms"."""
    scale, unit = _unit(seconds)
    return Quantity(f"{number(seconds / scale)} {unit}", seconds)


def duration_interval(estimate: Estimate) -> str:
    """A time's interval in the unit of the time itself: "1.20 to 1.27 ms"."""
    return _interval(estimate, _UNITS)


def durations(by_block: Mapping[int, float], of: float) -> str:
    """Times by block, in the unit that fits `of`: "1.23, 1.21, 1.25 ms"; with the blocks' numbers where one is missing."""
    scale, unit = _unit(of)
    whole = list(by_block) == list(range(len(by_block)))
    times = [f"{'' if whole else f'{block}: '}{number(seconds / scale)}" for block, seconds in by_block.items()]
    return f"{', '.join(times)} {unit}"


def with_interval(estimate: Estimate | None) -> str:
    """A time with its interval and the number of its blocks: "1.23 ms (1.20 to 1.27; 6)"; nothing for a hole."""
    if estimate is None:
        return NO_VALUE
    return _with_interval(duration(estimate.value), _interval(estimate, _UNITS, unit_too=False), estimate)


def ratio_with_interval(estimate: Estimate) -> str:
    """The same of a ratio: "1.42 (1.38 to 1.47; 6)"."""
    return _with_interval(ratio(estimate.value), ratio_interval(estimate), estimate)


def rate_with_interval(estimate: Estimate, unit: str) -> str:
    """The same of a rate: "82.1 GFLOP/s (81.5 to 82.9; 6)"."""
    units = [(scale, f"{prefix}{unit}") for scale, prefix in _PREFIXES]
    return _with_interval(rate(estimate.value, unit), _interval(estimate, units, unit_too=False), estimate)


def percent_with_interval(estimate: Estimate) -> str:
    """The same of a share: "80% (78% to 82%; 6)"."""
    interval = _no_ends(estimate) or f"{percent(estimate.low)} to {percent(estimate.high)}"
    return _with_interval(percent(estimate.value), interval, estimate)


def memory(count: float) -> str:
    """Bytes to three digits: "316 MB" is 316 million."""
    scale, unit = _unit(count, _BYTES)
    return Quantity(f"{number(count / scale)} {unit}", count)


def energy(joules: float) -> str:
    """Joules to three digits in a fitting unit: "1.23 mJ"."""
    scale, unit = _unit(joules, _ENERGY)
    return Quantity(f"{number(joules / scale)} {unit}", joules)


def rate(per_second: float, unit: str) -> str:
    """So much per second to three digits, with a prefix: "82.1 GFLOP/s"."""
    scale, prefix = _unit(per_second, _PREFIXES)
    return Quantity(f"{number(per_second / scale)} {prefix}{unit}", per_second)


def percent(fraction: float) -> str:
    """A share or a relative spread: "1.3%"."""
    if 0 < abs(fraction) < 1e-4:
        return Quantity("under 0.01%", fraction)
    return Quantity(f"{number(100 * fraction, 2)}%", fraction)


def _with_interval(value: str, interval: str, estimate: Estimate) -> str:
    return Quantity(f"{value} ({interval}; {estimate.blocks})", estimate.value)


def _no_ends(estimate: Estimate) -> str:
    """What stands in the place of an interval's ends: nothing where one block leaves none, and how wide it is where they mean nothing."""
    if estimate.blocks < 2:
        return NO_VALUE
    return "" if estimate.high <= WIDEST * estimate.low else Quantity(f"wider than {WIDEST}-fold", estimate.low)


def _interval(estimate: Estimate, units: Sequence[tuple[float, str]], unit_too: bool = True) -> str:
    """Both ends in the unit that fits the value, with as many places as it has; nothing where one block leaves none."""
    if problem := _no_ends(estimate):
        return problem
    scale, unit = _unit(estimate.value, units)
    places = max(0, 2 - _exponent(float(f"{estimate.value / scale:.2e}")))
    text = f"{_places(estimate.low / scale, places)} to {_places(estimate.high / scale, places)}{f' {unit}' * unit_too}"
    return Quantity(text, estimate.low)


def _unit(value: float, units: Sequence[tuple[float, str]] = _UNITS) -> tuple[float, str]:
    rounded = float(f"{value:.2e}")
    return next((unit for unit in units if abs(rounded) >= unit[0]), units[-1])


def _places(value: float, places: int) -> str:
    text = f"{value:,.{places}f}"
    return number(value) if not math.isfinite(value) or float(text.replace(",", "")) == 0 else text


def _exponent(value: float) -> int:
    return math.floor(math.log10(abs(value)))
