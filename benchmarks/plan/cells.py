"""Which cells: framework x variant x device x threads x precision x mode x phase x size. No framework is imported."""

import difflib
import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks import system
from benchmarks.gpus import why_no_gpu
from benchmarks.plan.profiles import Profile
from benchmarks.records.record import COPY, FLOORS, PEAK, Cell, Configuration
from benchmarks.records.run_record import Absent
from implementations import precisions, registry
from implementations.contract import Spec
from implementations.errors import BadInput, Unavailable


@dataclass(frozen=True)
class Request:
    """What the user asked for; empty means: what the profile says and the machine has."""

    profile: Profile
    frameworks: tuple[str, ...] = ()
    devices: tuple[str, ...] = ()
    threads: tuple[int, ...] = ()
    precisions: tuple[str, ...] = ()
    variants: tuple[str, ...] = ()
    modes: tuple[str, ...] = ()
    phases: tuple[str, ...] = ()
    sets: Mapping[str, Sequence[int]] = field(default_factory=dict)
    keyword: str = ""
    pythons: Mapping[str, str] = field(default_factory=dict)
    own_spec: bool = False


@dataclass(frozen=True)
class Plan:
    """The cells, and what was left out."""

    cells: list[Cell]
    absent: list[Absent]


def plan(model: str, spec: Spec, request: Request, gpus: Sequence[object]) -> Plan:
    """All cells of a request on a machine with these GPUs.

    Raises BadInput for unknown names and sizes, Unavailable where something asked for by name cannot run.
    """
    others = [name for name in request.pythons if "@" in name]
    names = dict.fromkeys((*(request.frameworks or request.profile.frameworks), *others))
    _check_devices(request.devices, gpus)
    absent: list[Absent] = []
    whos: list[Configuration] = []
    for name in names:
        registry.check_framework(name)
        try:
            if problem := registry.not_written(model, name):
                raise problem
            devices = _devices(name, request, gpus)
            modes, problems = _modes(model, name, request)
            holes = _coarse_holes(name, devices, request.precisions or (spec.precision,))
        except Unavailable as problem:
            if name in request.frameworks:
                raise
            absent.append(_absent(name, problem))
            continue
        absent += [_absent(name, problem) for problem in problems]
        absent += [_absent(name, problem, device) for (device, _), problem in holes.items()]
        for device, mode in itertools.product(devices, modes):
            configurations = _whos(model, spec, name, device, mode, request)
            whos += [who for who in configurations if (who.device, who.precision) not in holes]
    cells = [cell for who in whos for cell in _cells_of(who, model, spec, request)]
    selected = [cell for cell in cells if request.keyword in cell.id]
    if cells and not selected:
        raise BadInput(f"-k {request.keyword}: matches none of the {len(cells)} cells; `list` shows them.")
    most = math.inf if request.sets else request.profile.cpu_flops
    flops = {cell.id: spec.changed(**cell.axes).flops("train_step") for cell in selected}
    too_large = {cell.id for cell in selected if cell.who.device == "cpu" and flops[cell.id] > most}
    why, fix = f"for a step takes more than {most / 1e9:.0f} GFLOP", "Name the size with --set."
    absent += left_out([cell for cell in selected if cell.id in too_large], why, fix)
    return Plan([cell for cell in selected if cell.id not in too_large], absent)


def _absent(name: str, problem: Unavailable, device: str = "") -> Absent:
    return Absent(framework=name, device=device, reason=problem.reason, fix=problem.fix)


def left_out(cells: Sequence[Cell], why: str, fix: str) -> list[Absent]:
    """What Coverage is to say of cells that are not planned: one row for each framework and device at each size."""
    rows = {}
    for cell in cells:
        size = ", ".join(f"{axis} {value}" for axis, value in cell.axes.items())
        reason = f"left out at {size}, {why}."
        row = Absent(framework=cell.who.framework, device=cell.who.device, reason=reason, fix=fix)
        rows[row.framework, row.device, row.reason] = row
    return list(rows.values())


def _devices(name: str, request: Request, gpus: Sequence[object]) -> list[str]:
    """Where this framework will be run."""
    if name not in request.pythons and (problem := registry.missing(name)):
        raise problem
    kinds = registry.devices(name)
    existing = [*(["cpu"] if "cpu" in kinds else []), *(f"cuda:{i}" for i in range(len(gpus)) if "cuda" in kinds)]
    requested = [device for device in existing if _is_requested(device, request.devices)]
    if not existing:
        raise Unavailable(f"CuPy sees no GPU ({why_no_gpu()})." if name == "cupy" else f"{name} has no device here.",
                          "Run with --device cpu, or see `doctor`.")  # fmt: skip
    if not requested:
        raise Unavailable(
            f"{name} does not run on {', '.join(request.devices)}.", f"It can use: {', '.join(existing)}."
        )
    return requested


def _modes(model: str, name: str, request: Request) -> tuple[list[str], list[Unavailable]]:
    """In which ways this framework will be used, and why not in others that were wanted.

    Raises BadInput for an unknown mode, Unavailable where it can be used in none of them, or not in one asked for by name.
    """
    for mode in request.modes:
        if mode not in registry.MODES:
            raise BadInput(f"--mode {mode}: no such mode; modes are {', '.join(registry.MODES)}.")
    if registry.is_peer(name):
        return list(registry.MODES[:1]), []  # it stands beside all modes
    existing = registry.modes(model, registry.base(name))
    requested = [mode for mode in existing if mode in (request.modes or request.profile.modes)]
    if not requested:
        raise Unavailable(f"{name} has no {' and no '.join(request.modes)} mode.", f"It has: {', '.join(existing)}.")
    problem_of = {mode: _mode_problem(name, mode, request) for mode in requested}
    problems, usable = [p for p in problem_of.values() if p], [mode for mode, p in problem_of.items() if not p]
    if problems and (not usable or (request.modes and name in request.frameworks)):
        raise problems[0]
    return usable, problems


def _mode_problem(name: str, mode: str, request: Request) -> Unavailable | None:
    by_name = name in request.frameworks and mode in request.modes
    asleep = None if by_name else registry.ONLY_BY_NAME.get((registry.base(name), mode))
    return asleep or registry.mode_problem(name, mode)


def _coarse_holes(name: str, devices: Sequence[str], requested: Sequence[str]) -> dict[tuple[str, str], Unavailable]:
    """On which of its devices this framework does not offer which precision, and why.

    Raises Unavailable where it offers none of them anywhere.
    """
    pairs = {
        (device, precision): precisions.problem(name, device, precision)
        for device in devices
        for precision in requested
    }
    holes = {pair: problem for pair, problem in pairs.items() if problem}
    if pairs and len(holes) == len(pairs):
        raise next(iter(holes.values()))
    return holes


def _is_requested(device: str, requested: Sequence[str]) -> bool:
    return not requested or device in requested or device.split(":")[0] in requested


def _check_devices(requested: Sequence[str], gpus: Sequence[object]) -> None:
    """Raises where one of them is not there."""
    there = ("cpu", *(f"cuda:{i}" for i in range(len(gpus))))
    for device in requested:
        if not any(_is_requested(existing, (device,)) for existing in there):
            raise _no_device(device, gpus)


def _no_device(device: str, gpus: Sequence[object]) -> Exception:
    kind = device.split(":")[0]
    if kind == "cuda":
        existing = f"there are {len(gpus)} GPUs" if gpus else f"no GPU is visible ({why_no_gpu()})"
        return Unavailable(f"--device {device}: {existing}.", "Run with --device cpu, or see `doctor`.")
    close = ["cuda"] if kind == "gpu" else difflib.get_close_matches(kind, ("cpu", "cuda"), n=1)
    hint = f"Did you mean {close[0]}? " if close else ""
    return BadInput(f"--device {device}: no such device. {hint}Devices are cpu, cuda, cuda:0, ...")


def _whos(model: str, spec: Spec, name: str, device: str, mode: str, request: Request) -> list[Configuration]:
    for precision in request.precisions:
        spec.changed(precision=precision)
    for variant in request.variants:
        spec.variant(variant)
    variants = ["spec", *(v.name for v in registry.part(model, "spec").VARIANTS if registry.base(name) in v.frameworks)]
    return [
        Configuration(
            model=model, framework=name, variant=variant, device=device, threads=threads, precision=precision, mode=mode
        )
        for variant in variants
        if variant in (request.variants or variants) and (variant == "spec" or mode == "plain")
        for threads in request.threads or (system.usable_cores(),)
        for precision in request.precisions or (spec.precision,)
    ]


def sizes(model: str, spec: Spec, request: Request) -> list[dict[str, int]]:
    """The sizes of a request, as values on the specification's axes. Raises BadInput."""
    if request.sets:
        requested: list[dict[str, int]] = [{}]
        for axis, values in request.sets.items():
            requested = [size | {axis: value} for size in requested for value in values]
    else:
        of_profile = registry.part(model, "spec").SIZES.get(request.profile.name, ({},))
        requested = [  # a network of the user's keeps its own measures
            {axis: value for axis, value in size.items() if axis == "batch" or not request.own_spec}
            for size in of_profile
        ]
    all_axes = [spec.changed(**size).axes() for size in requested]
    return [size for i, size in enumerate(all_axes) if size not in all_axes[:i]]


def _cells_of(who: Configuration, model: str, spec: Spec, request: Request) -> list[Cell]:
    phases_of_model = (*registry.part(model, "spec").PHASES, *FLOORS)
    phases = request.phases or request.profile.phases
    for phase in phases:
        if phase not in phases_of_model:
            raise BadInput(f"--phase {phase}: no such phase; phases are {', '.join(phases_of_model)}.")
    if registry.is_peer(who.framework):
        phases = tuple(phase for phase in phases if phase in registry.PEERS[registry.base(who.framework)].phases)
    if who.variant != "spec":
        phases = tuple(phase for phase in phases if phase == "train_step")
    if who.mode != _modes(model, who.framework, request)[0][0]:  # the same library has the same floors
        phases = tuple(phase for phase in phases if phase not in FLOORS)
    beside = who.variant != "spec" and not (request.sets or request.variants)
    cells = []
    for phase in phases:
        once = beside or (phase == "epoch" and not (request.sets or request.phases))
        grid = [spec.axes()] if once else sizes(model, spec, request)
        if phase in (PEAK, COPY):  # once, at a size that is there anyway
            grid = grid[:1]
        if phase == "predict" and not request.sets:
            grid = [spec.changed(**registry.part(model, "spec").LATENCY_SIZE).axes(), *grid]
        for axes in grid:
            if problem := spec.changed(**axes).problem_with(phase):
                raise BadInput(problem)
            cells.append(Cell(who=who, phase=phase, axes=axes))
    return cells
