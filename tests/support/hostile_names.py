"""Names that try to be markup, script or control characters, wherever foreign text can stand in a record."""

from typing import Any

from benchmarks.records import record
from tests.support import synthetic
from tests.support.synthetic import MICROSECOND, cell, measured

HOSTILE = [
    "<script>alert(1)</script>",
    "\"><img src=x onerror='alert(1)'>",
    "a|b\n|c|\r\n# title\n- item `code` *bold* [link](http://x)",
    "right\u202eto\u200fleft\x00nul\x1bescape",
    "{{ 7 * 7 }} {% raw %} ${x} \\",
    "x" * 500,
]


def hostile_records(name: str) -> list[record.Record]:
    """The name wherever foreign text can stand."""
    first, second = cell(name, variant=name), cell("numpy", precision=name, mode=name)
    third = cell(name, precision=name, mode=name)
    records = measured(
        [(first, 100 * MICROSECOND), (second, 100 * MICROSECOND), (third, 200 * MICROSECOND)],
        absent=[{"model": "mlp", "framework": name, "device": name, "reason": name, "fix": name}],
        steps=[{"name": name, "title": name, "formula": name, "explanation": name, "source": name}],
        conventions=[{"item": name, "choice": name, "source": name}],
        limits=[dict.fromkeys(synthetic.LIMIT, name) | {"frameworks": [name], "variants": [name]}],
        dataset={"name": name},
        command=[name],
    )
    failed = cell(name, phase=name)
    records.append(
        record.OutcomeRecord(cell=failed, block=0, status="failed", reason=name, fix=name, last_lines=["```", name])
    )
    records.append(synthetic.source(name, name, code=f"```\n{name}"))
    peak, energy = record.Peak(before_bytes=1, peak_bytes=2, counter=name), record.Energy(reason=name)
    records += [
        record.StartRecord(who=second.who, reason=name),
        record.InstalledRecord(framework=name, reason=name),
        synthetic.resources(first, host=peak, device=record.Peak(reason=name), energy=energy),
    ]
    return [
        *records,
        synthetic.learning(name, precision=name),
        synthetic.learning(name, precision="float64", dropout=0.0),
    ]


def hostile_machine(name: str) -> dict[str, Any]:
    return synthetic.ENVIRONMENT | {
        "cpu": name,
        "gpus": [{"name": name, "driver": name, "memory": name}],
        "os": name,
        name: name,
    }
