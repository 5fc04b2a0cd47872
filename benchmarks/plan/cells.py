"""Which cells: framework x variant x device x threads x precision x mode x phase x size. No framework is imported."""

import itertools
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from benchmarks import system
from benchmarks.plan import devices
from benchmarks.plan.profiles import Profile
from benchmarks.plan.request import Request
from benchmarks.records.configuration import Axes, size_order
from benchmarks.records.record import COPY, FLOORS, PEAK, PRODUCTS, Cell, Configuration
from benchmarks.records.run_record import Absent
from implementations import precisions, registry
from implementations.contract import Spec
from implementations.errors import BadInput, Unavailable


@dataclass(frozen=True)
class Plan:
    """The cells, and what was left out."""

    cells: list[Cell]
    absent: list[Absent]


def plan(specs: Mapping[str, Spec], request: Request, gpus: Sequence[object]) -> Plan:
    """All cells of a request for these networks, by model, on a machine with these GPUs.

    Raises BadInput for unknown names and sizes, Unavailable where something asked for by name cannot run.
    """
    for name in _frameworks(request):
        registry.check_framework(name)
    devices.check(request.devices, gpus)
    _check_phases(specs, request)
    cells: list[Cell] = []
    absent: list[Absent] = []
    for model, spec in specs.items():
        asked, elsewhere = request.of(model), len(specs) - len(request.unnamed) > 1
        holes: list[Absent] = [] if model in request.unnamed else absent  # of what nobody named nothing is missing
        whos = [
            who
            for name in _frameworks(asked)
            for who in _implementations(model, spec, name, asked, gpus, holes, elsewhere)
        ]
        cells += [cell for who in whos for cell in _cells_of(who, model, spec, asked, holes)]
    selected = [cell for cell in cells if request.keyword in cell.id]
    if cells and not selected:
        raise BadInput(f"-k {request.keyword}: matches none of the {len(cells)} cells; `list` shows them.")
    most = math.inf if request.sets else request.profile.cpu_flops
    too_large = {cell.id for cell in selected if cell.who.device == "cpu" and _flops(specs, cell) > most}
    why, fix = f"a step takes more than {most / 1e9:.0f} GFLOP.", "Name the size with --set."
    absent += left_out([cell for cell in selected if cell.id in too_large], why, fix)
    return Plan([cell for cell in selected if cell.id not in too_large], list(dict.fromkeys(absent)))


def _frameworks(request: Request) -> list[str]:
    """Raises BadInput where an interpreter was given for none of them."""
    others = [name for name in request.pythons if "@" in name]
    names = list(dict.fromkeys((*(request.frameworks or request.profile.frameworks), *others)))
    for name, python in request.pythons.items():
        registry.check_framework(name)
        if name not in names:
            raise BadInput(f"--python {name}={python}: {name} is not in this run. Name it with --framework.")
    return names


def _flops(specs: Mapping[str, Spec], cell: Cell) -> int:
    return specs[cell.who.model].changed(**cell.axes).flops("train_step")


def _implementations(
    model: str, spec: Spec, name: str, request: Request, gpus: Sequence[object], absent: list[Absent], elsewhere: bool
) -> list[Configuration]:
    """A framework's implementations of a model; what cannot be had is added to what is absent.

    Raises Unavailable instead where it was asked for by name, and there is no other network that it may be had for.
    """
    try:
        if problem := registry.not_written(model, name):
            raise problem
        if name not in request.pythons and (problem := registry.missing(name)):
            raise problem
        places = devices.of_framework(name, request.devices, gpus)
        modes, problems = _modes(model, name, request)
        holes = _precision_holes(model, name, places, request.precisions or (spec.precision,))
        whos = [
            who
            for device, mode in itertools.product(places, modes)
            for who in _whos(model, spec, name, device, mode, request)
        ]
        if not whos:
            raise _no_variant(model, name, modes, request)
    except Unavailable as problem:
        if name in request.frameworks and not elsewhere:
            raise
        absent.append(_absent(model, name, problem))
        return []
    absent += [_absent(model, name, problem) for problem in problems]
    absent += [_absent(model, name, problem, device) for (device, _), problem in holes.items()]
    return [who for who in whos if (who.device, who.precision) not in holes]


def _check_phases(specs: Mapping[str, Spec], request: Request) -> None:
    """Raises where a phase is none of any of these networks."""
    known = dict.fromkeys(phase for model in specs for phase in phases_of(model))
    for phase in request.phases:
        if phase not in known:
            raise BadInput(f"--phase {phase}: no such phase; phases are {', '.join(known)}.")


def phases_of(model: str) -> tuple[str, ...]:
    """What can be timed of a model, floors included."""
    return (*registry.part(model, "spec").PHASES, *FLOORS)


def _absent(model: str, name: str, problem: Unavailable, device: str = "") -> Absent:
    return Absent(model=model, framework=name, device=device, reason=problem.reason, fix=problem.fix)


def left_out(cells: Sequence[Cell], why: str, fix: str = "") -> list[Absent]:
    """What Coverage is to say of cells that are not planned: one row for each framework and device at each size."""
    rows = {}
    for cell in cells:
        size = ", ".join(f"{axis} {value}" for axis, value in cell.axes.items())
        reason = f"left out at {size}: {why}"
        row = Absent(model=cell.who.model, framework=cell.who.framework, device=cell.who.device, reason=reason, fix=fix)
        rows[row.model, row.framework, row.device, row.reason] = row
    return list(rows.values())


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


def _precision_holes(
    model: str, name: str, devices: Sequence[str], requested: Sequence[str]
) -> dict[tuple[str, str], Unavailable]:
    """On which of its devices this framework does not offer which precision, and why.

    Raises Unavailable where it offers none of them anywhere.
    """
    pairs = {
        (device, precision): precisions.problem(model, name, device, precision)
        for device in devices
        for precision in requested
    }
    holes = {pair: problem for pair, problem in pairs.items() if problem}
    if pairs and len(holes) == len(pairs):
        raise next(iter(holes.values()))
    return holes


def _whos(model: str, spec: Spec, name: str, device: str, mode: str, request: Request) -> list[Configuration]:
    for precision in request.precisions:
        spec.changed(precision=precision)
    for variant in request.variants:
        spec.variant(variant)
    variants = _variants(model, name)
    return [
        Configuration(
            model=model, framework=name, variant=variant, device=device, threads=threads, precision=precision, mode=mode
        )
        for variant in variants
        if variant in (request.variants or variants) and (variant == "spec" or mode == "plain")
        for threads in request.threads or _threads(request.profile)
        for precision in request.precisions or (spec.precision,)
    ]


def _variants(model: str, name: str) -> list[str]:
    return ["spec", *(v.name for v in registry.part(model, "spec").VARIANTS if registry.base(name) in v.frameworks)]


def _no_variant(model: str, name: str, modes: Sequence[str], request: Request) -> Unavailable:
    """Why a framework that is there has no implementation among these variants and modes."""
    others = "".join(f", {variant} (plain)" for variant in _variants(model, name)[1:])
    asked = " or ".join(request.variants)
    return Unavailable(f"{name} has no variant {asked} in {' or '.join(modes)} mode.", f"It has: spec{others}.")


def _threads(profile: Profile) -> list[int]:
    cores = system.usable_cores()
    return list(dict.fromkeys((1, cores))) if profile.few_and_all_threads else [cores]


def sizes(model: str, spec: Spec, request: Request) -> list[Axes]:
    """The sizes of a request, as values on the specification's axes. Raises BadInput.

    What was set on an axis that this network has not is another network's.
    """
    specification = registry.part(model, "spec")
    sets = {axis: values for axis, values in request.sets.items() if axis in specification.AXES}
    if sets:
        requested: list[Axes] = [{}]
        for axis, values in sets.items():
            requested = [size | {axis: value} for size in requested for value in values]
    elif factors := request.profile.batch_factors:
        requested = [{"batch": spec.batch if factor == 1 else max(round(factor * spec.batch), 2)} for factor in factors]
    else:
        of_profile = specification.SIZES.get(request.profile.name, ({},))
        requested = list(of_profile)
        if request.own_spec:  # it is measured at its own size first, and keeps its measures at every other batch
            requested = [{}, *({axis: v for axis, v in size.items() if axis == "batch"} for size in of_profile)]
    return _each_once(spec.changed(**size).axes() for size in requested)


def _each_once(sizes: Iterable[Axes]) -> list[Axes]:
    return list({size_order(axes): axes for axes in sizes}.values())


def _cells_of(who: Configuration, model: str, spec: Spec, request: Request, absent: list[Absent]) -> list[Cell]:
    """A size at which a phase cannot run is added to what is absent. Raises BadInput where nothing is left."""
    every = [
        Cell(who=who, phase=phase, axes=axes)
        for phase in _phases_of(who, model, request)
        for axes in _grid(who, phase, model, spec, request)
    ]
    problems = {cell.id: problem for cell in every if (problem := spec.changed(**cell.axes).problem_with(cell.phase))}
    if problems and len(problems) == len(every):
        raise BadInput(next(iter(problems.values())))
    for why in dict.fromkeys(problems.values()):
        absent += left_out([cell for cell in every if problems.get(cell.id) == why], why)
    return [cell for cell in every if cell.id not in problems]


def _phases_of(who: Configuration, model: str, request: Request) -> list[str]:
    """What is timed of an implementation. Raises BadInput where an epoch was asked for and there is no data."""
    phases = [phase for phase in request.phases or request.profile.phases if phase in phases_of(model)]
    if model in request.without_data:
        if "epoch" in request.phases:
            raise BadInput(f"--phase epoch: no data fits the model {model}. Give some with --data, or leave epoch out.")
        phases = [phase for phase in phases if phase != "epoch"]
    if registry.is_peer(who.framework):
        phases = [phase for phase in phases if phase in registry.PEERS[registry.base(who.framework)].phases]
    if who.variant != "spec":
        phases = [phase for phase in phases if phase == "train_step"]
    if who.mode != _modes(model, who.framework, request)[0][0]:  # the same library has the same floors
        phases = [phase for phase in phases if phase not in FLOORS]
    return phases


def _grid(who: Configuration, phase: str, model: str, spec: Spec, request: Request) -> list[Axes]:
    """The sizes of a phase. Raises BadInput where an epoch was asked for and the data has none of the sizes."""
    beside = who.variant != "spec" and not (request.sets or request.variants)
    once = beside or (phase == "epoch" and not (request.sets or request.phases))
    grid = [spec.axes()] if once else sizes(model, spec, request)
    if phase == PRODUCTS and not (request.sets or request.phases):
        return [spec.axes()] if spec.axes() in grid else grid[:1]
    if phase in (PEAK, COPY):  # once, at a size that is there anyway
        return [axes for axes in grid if not spec.changed(**axes).problem_with(phase)][:1] or grid[:1]
    if phase == "predict" and not request.sets:
        return _each_once([spec.changed(**registry.part(model, "spec").LATENCY_SIZE).axes(), *grid])
    if phase == "epoch":
        fixed = {axis: spec.axes()[axis] for axis in registry.part(model, "spec").AXES_OF_DATA}
        grid = [axes for axes in grid if fixed.items() <= axes.items()]
        if not grid and request.phases:
            own = ", ".join(f"{axis}={value}" for axis, value in fixed.items())
            raise BadInput(f"--phase epoch: its size is the data's, {own}. Leave epoch or this --set out.")
    return grid
