"""The answers of `make prove` as a page: what is claimed, the kill matrix, and how near equal comes to unequal."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from typing import Any

from implementations import mistakes, registry, sources
from implementations.catalogue import MODEL
from implementations.equivalence.tolerances import FACTOR, Check
from implementations.limits import LIMITS
from tests.mutation import faults, planting, scaling
from tests.mutation.vices import VICES

Answers = Sequence[dict[str, Any]]


def holds(answers: Answers) -> bool:
    """Whether everything holds that is claimed of these answers."""
    return all(claim[2] for claim in _claims(answers))


def written(answers: Answers) -> str:
    """The page."""
    claims = _claims(answers)
    parts = [
        "# The judge, judged",
        "What `make prove` found. Every answer is in the network's own file beside this page, with the seconds that it took.",
        _judged(answers),
        *_absent(answers),
        "## 1. What is claimed",
        _table(("claim", "seen", "verdict"), [(*claim[:2], "holds" if claim[2] else "**DOES NOT HOLD**") for claim in claims]),
        *_broken(answers),
        "## 2. The kill matrix",
        "A row is a fault, planted as a small change in the text of an implementation (`mistakes.py` of its layer, the training or the network). The number "
        "says how many checks (a start, and a group of tensors under it) notice it in float32 and in float64: those of steps from "
        "ordinary states, else those from extreme ones, else those of many steps. Where each has to be compiled, or a step takes milliseconds, "
        "float64 is asked only where float32 cannot show it (a dot: not asked). "
        "In the column `oracle` it is the reference that is wrong. A dash: not planted there, see below.",
        _matrix(answers),
        "### What is not planted where, and why",
        _reasons(),
        "### What notices them",
        "Faults, over all frameworks, that a check notices, and those that nothing else notices.",
        _notices(answers),
        "## 3. False alarms",
        "Implementations without a fault, from a hot state and from zeroed slots. The last two columns say how near equal "
        "comes to unequal: the largest error over its budget, and choices of a ReLU or a maximum within rounding that the oracle adopted.",
        _seeds(answers),
        "## 4. Specifications",
        "All cases of the tests, and specifications made up at random, from states and data both ordinary and extreme; runs of a "
        "thousand steps, free in float64, in float32 with the oracle set back to the candidate's state before each step (250 where each takes "
        "long). Refused: a "
        "check of which nothing can be certified, where the specification keeps no gradients or the arithmetic is coarse.",
        _cases(answers),
        "## 5. Real shapes",
        "The largest error over its budget by group of tensors. TF32 and bfloat16 are labelled: NumPy with emulated products, and "
        "the frameworks' own bfloat16 on the CPU (without the smallest shape: there the rounding of a bias counts, which the "
        "emulation does not do); of what is refused, nothing is certified.",
        _shapes(answers),
        "## 6. Eager and compiled",
        "Steps with native dropout, three layers of it, under other ways to run the same implementation. The masks are replayed "
        "by what is compiled in the same way; under torch.compile they are a further output of the step's own graph.",
        _compiled(answers),
        "## 7. Errors beside NumPy's, and between precisions",
        f"{_statistic(answers)} over thirty seeds, of tensors of {scaling.FEWEST_ELEMENTS} elements or more; the reference has more "
        f"digits than what it judges. e / NumPy may be {FACTOR} at most, and so may e32 / e64 over 2^29, up or down.",
        _errors(answers),
        "## 8. The red team",
        "Plug-ins with a vice: the honest outsider of the tests with one change of its text. `verify` was asked in float32, `run` for one "
        "cell in its first block; either is cited with the first thing that it says, and with the processor seconds until then. What is not told, and "
        "why, is the end of what is claimed (`docs/method-equality.md`).",
        _red_team(answers),
    ]  # fmt: skip
    return "\n\n".join(part for part in parts if part) + "\n"


def _claims(answers: Answers) -> list[tuple[str, str, bool]]:
    noticed, clean = _noticed(answers)
    dead = [key for key, by_precision in noticed.items() if any(by_precision.values())]
    survivors = [key for key, by_precision in noticed.items() if not any(by_precision.values())]
    seeds, others = _of(answers, "seeds"), [_of(answers, kind) for kind in ("cases", "shape", "compiled")]
    judged = [*seeds, *(answer for kind in others for answer in kind)]
    alarms = sum(len(answer["failed"]) for answer in judged) + sum(map(len, clean))
    tried, checks = sum(answer["seeds"] for answer in seeds), sum(answer["checks"] for answer in judged)
    implementations = len({answer["framework"] for answer in seeds})
    scales = [check for _, check in _scales(answers)]
    excuses, needed = _excuses(answers)
    models = [about["model"] for about in _of(answers, "about")]
    whole = set(models) == set(faults.models())
    broken, ended = _of(answers, "broken"), len(_of(answers, "end"))
    named = ", ".join(f"{fault} in {framework} ({model})" for model, fault, framework in survivors[:8])
    older = [about["model"] for about in _of(answers, "about") if not _code(about).endswith("now)")]
    return [
        ("what was judged is the code that is there now", f"older: {', '.join(older)}" if older else "yes", not older),
        ("every planted fault is noticed", f"{len(dead)} of {len(noticed)}" + (f"; not: {named}" if named else ""), not survivors),
        ("nothing else is", f"{alarms} false alarms in {checks:,} checks; {tried:,} seeds of {implementations} implementations", not alarms),
        *([("every vice of a plug-in is told by whom it should be, and no other", *_vices_as_expected(answers))] if MODEL in models else []),
        ("errors are as NumPy's and shrink with the unit roundoff", f"{sum(c.passed for c in scales)} of {len(scales)}", all(c.passed for c in scales)),
        *([("every limit of a framework's own that excuses a failure did so", f"{len(needed)} of {len(excuses)}", needed == excuses)] if whole else []),
        ("every process came to its end", f"{len(broken)} did not; {ended} of {len(models)} networks are asked to the end", not broken and ended == len(models)),
    ]  # fmt: skip


def _excuses(answers: Answers) -> tuple[set[tuple[str, str]], set[tuple[str, str]]]:
    """Framework and limit: of all that may excuse a failure there, and of those that did. One that nothing needs is a hole."""
    cases = [answer for answer in _of(answers, "cases") if "/" not in answer["framework"]]
    may = [limit for limit in LIMITS if limit.settings]
    there = {
        (answer["framework"], limit.name)
        for answer in cases
        for limit in may
        if answer["framework"] in limit.frameworks
    }
    return there, {(answer["framework"], name) for answer in cases for name in answer["theirs"]}


def _noticed(answers: Answers) -> tuple[dict[tuple[str, str, str], dict[str, list[str]]], list[list[str]]]:
    """By network, fault and framework, by precision in which it was asked: what notices it; and what was noticed where nothing is planted."""
    by_fault: dict[tuple[str, str, str], dict[str, list[str]]] = defaultdict(dict)
    clean = []
    for one in [answer for answer in answers if "fault" in answer]:
        if one["fault"]:
            by_fault[one["model"], one["fault"], one["framework"]][one["precision"]] = one["noticed"]
        else:
            clean.append(one["noticed"])
    return by_fault, clean


def _matrix(answers: Answers) -> str:
    noticed, _ = _noticed(answers)
    frameworks = [name for name in planting.FRAMEWORKS if any(framework == name for *_, framework in noticed)]
    rows = []
    for network, fault in [(model, fault) for model in faults.models() for fault in faults.own(model)]:
        cells = []
        for framework in frameworks:
            by_precision = noticed.get((network, fault.name, framework))
            if by_precision is None:
                cells.append("–")
            elif not any(by_precision.values()):
                cells.append("**survives**")
            else:
                counts = (by_precision.get(precision) for precision in ("float32", "float64"))
                cells.append(" / ".join("·" if noticed_by is None else str(len(noticed_by)) for noticed_by in counts))
        rows.append((network, fault.name, *cells))
    return _table(("network", "fault", *frameworks), rows, numbers_from=2)


def _reasons() -> str:
    reasons: dict[str, list[str]] = defaultdict(list)
    for family in dict.fromkeys(registry.FAMILIES.values()):
        for mistake in {m.name: m for model in faults.models() for m in mistakes.of_model(model)}.values():
            if isinstance(why := mistake.change(family), str):
                reasons[f"{family}: {why}"].append(mistake.name)
    for model in faults.models():
        own = {fault.name for fault in faults.own(model)}
        absent = {planting.ORACLE: faults.table(model).NOT_THE_ORACLES} | faults.table(model).NOT_ON
        for framework, name, why in ((at, *reason) for at, there in absent.items() for reason in there.items()):
            if name in own:
                reasons[f"{framework}: {why}"].append(name)
    lines = [f"- {why} ({', '.join(names)})" for why, names in reasons.items()]
    lines += [f"- {name}: {why}" for name, why in faults.EQUIVALENT.items()]
    return "\n".join([*lines, f"- a missing synchronise: {faults.NOT_THE_PROOFS}"])


def _notices(answers: Answers) -> str:
    noticed, _ = _noticed(answers)
    by, alone = Counter[str](), Counter[str]()
    for by_precision in noticed.values():
        names = {name.partition(":")[0] for checks in by_precision.values() for name in checks}
        by.update(names)
        alone.update(names if len(names) == 1 else ())
    rows = [(name, str(count), str(alone[name])) for name, count in by.most_common()]
    return _table(("check", "notices", "alone"), rows, numbers_from=1)


def _seeds(answers: Answers) -> str:
    rows = []
    for answer in _of(answers, "seeds"):
        group, worst = max(answer["worst"].items(), key=lambda pair: pair[1] if not pair[0].startswith("mask") else 0)
        rows.append(
            (answer["model"], answer["framework"], answer["precision"], str(answer["seeds"]), str(answer["checks"]), str(len(answer["failed"])),
             f"{worst:.2f} ({group})", str(answer["flips"]))
        )  # fmt: skip
    return _table(
        ("network", "implementation", "precision", "seeds", "checks", "failed", "error / budget", "flips"), rows, 3
    )


def _cases(answers: Answers) -> str:
    rows = [
        (answer["model"], answer["framework"], answer["precision"], str(answer["specifications"]), str(answer["checks"]),
         str(len(answer["failed"])), str(answer["refused"]), str(answer["flips"]), ", ".join(answer["theirs"]) or "–")
        for answer in _of(answers, "cases")
    ]  # fmt: skip
    columns = (
        "network",
        "implementation",
        "precision",
        "specifications",
        "checks",
        "failed",
        "refused",
        "flips",
        "limits of the framework's own",
    )
    return _table(columns, rows, 3)


def _shapes(answers: Answers) -> str:
    groups = (
        "logits",
        "loss",
        "gradients",
        "null tensors",
        "statistics",
        "slots",
        "parameters",
        "parameters from slots",
    )
    rows = []
    for answer in _of(answers, "shape"):
        cells = [f"{answer['worst'][group]:.2f}" if group in answer["worst"] else "–" for group in groups]
        counts = str(answer["flips"]), str(answer.get("refused", 0))
        rows.append((answer["shape"], answer["framework"], answer["precision"], *cells, *counts))
    return _table(("shape", "implementation", "precision", *groups, "flips", "refused"), sorted(rows), 3)


def _compiled(answers: Answers) -> str:
    rows = []
    for answer in _of(answers, "compiled"):
        worst = max(value for group, value in answer["worst"].items() if not group.startswith("mask"))
        rows.append(
            (answer["framework"], answer["how"], str(answer["checks"]), str(len(answer["failed"])), f"{worst:.2f}")
        )
    return _table(("implementation", "run by", "checks", "failed", "error / budget"), rows, 2)


def _vices_as_expected(answers: Answers) -> tuple[str, bool]:
    vices, asked = {vice.name: vice for vice in VICES}, _of(answers, "vice")
    wrong = [answer["vice"] for answer in asked if not vices[answer["vice"]].as_expected(answer)]
    return f"{len(asked) - len(wrong)} of {len(asked)}" + (f"; not: {', '.join(wrong)}" if wrong else ""), bool(
        asked
    ) and not wrong


def _red_team(answers: Answers) -> str:
    vices = {vice.name: vice for vice in VICES}
    rows = []
    for answer in _of(answers, "vice"):
        vice = vices[answer["vice"]]
        told = [f"{_briefly(answer[who]) or 'not told'} ({answer[f'{who}_s']:.1f} s)" for who in ("verify", "run")]
        rows.append((vice.name, vice.gains, *told, vice.why))
    return _table(("vice", "would gain", "told by `verify`", "told by `run`", "where it is not told: why"), rows)


def _briefly(reason: str) -> str:
    """The first of several failures, without what follows from it."""
    return reason.partition("; ")[0].partition(". ")[0].partition(" is off by")[0]


def _statistic(answers: Answers) -> str:
    """What errors are summed up by; a proof of before took another."""
    return "Root mean squares" if any("rms" in answer for answer in _of(answers, "errors")) else "Medians"


def _scales(answers: Answers) -> list[tuple[tuple[str, str, str], Check]]:
    """Gates B and C by network and framework: (row's first cells, check)."""
    found = defaultdict[tuple[str, str], dict[str, Any]](dict)
    for answer in _of(answers, "errors"):
        errors = answer["medians"] if "medians" in answer else answer["rms"]
        found[answer["model"], answer["framework"]][answer["precision"]] = errors
    scales = []
    for who, of in found.items():
        for precision in sorted(of):
            scales += [((*who, precision), check) for check in scaling.peer_checks(of[precision], precision)]
        if len(of) == 2:
            scales += [((*who, "both"), check) for check in scaling.scaling_checks(of["float32"], of["float64"])]
    return scales


def _errors(answers: Answers) -> str:
    rows = [
        (*who, check.group, check.tensor, f"{check.error:.2g}", f"{check.budget:.2g}", "✓" if check.passed else "✗")
        for who, check in _scales(answers)
    ]
    return _table(("network", "implementation", "precision", "gate", "worst tensor", "seen", "allowed", ""), rows, 5)


def _judged(answers: Answers) -> str:
    """Of each network: which code, where, and how long it took; which network is missing."""
    minutes = {end["model"]: f"{end['minutes']:.0f}" for end in _of(answers, "end")}
    abouts = {about["model"]: about for about in _of(answers, "about")}
    rows = [
        (
            model,
            _code(about),
            f"{about['cpu']}, Python {about['python']}",
            minutes.get(model, "cut short"),
        )
        for model, about in abouts.items()
    ]
    missing = [f"`make prove MODEL={model}`" for model in faults.models() if model not in abouts]
    left = f"\n\nNot judged yet, which takes {', '.join(missing)}." if missing else ""
    return _table(("network", "code judged", "on", "minutes"), rows, 3) + left


def _code(about: dict[str, Any]) -> str:
    """The hash of what was judged, and whether that is still there."""
    same = about["code_sha256"] == sources.judged_sha256(about["model"])
    return f"`{about['code_sha256'][:12]}` ({'as it is now' if same else 'older'})"


def _absent(answers: Answers) -> list[str]:
    absent = {name: why for about in _of(answers, "about") for name, why in about["absent"].items()}
    return [f"Not there: {name}. {why}" for name, why in absent.items()]


def _broken(answers: Answers) -> list[str]:
    return [
        f"Broke off: `{' '.join(answer['job'])}`\n\n```text\n{answer['says']}\n```" for answer in _of(answers, "broken")
    ]


def _of(answers: Answers, kind: str) -> list[dict[str, Any]]:
    return [answer for answer in answers if answer.get("kind") == kind]


def _table(columns: Sequence[str], rows: Sequence[Sequence[str]], numbers_from: int = 99) -> str:
    marks = ["---:" if i >= numbers_from else "---" for i in range(len(columns))]
    lines = [columns, marks, *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines)
