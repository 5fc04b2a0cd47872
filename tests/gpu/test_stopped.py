"""A process that is stopped (SIGSTOP) while it holds a GPU: others can use the device, and its own work is not lost.

A worker of a run is stopped behind a fence, when its device is idle; here it is stopped with its kernels under way too,
which is worse. How long the device takes beside such a process is printed, not judged: the run's own null control and its
rounds alone measure what taking turns costs.
"""

import signal
import subprocess
import sys
from collections.abc import Iterator
from time import perf_counter, sleep

import psutil
import pytest

from benchmarks import gpus, system
from implementations import registry

pytestmark = [
    pytest.mark.gpu,
    pytest.mark.skipif(
        registry.missing("torch") is not None or not gpus.visible(),
        reason="PyTorch or a GPU is missing: no process was stopped on one",
    ),
]

CHILD = """
import os, signal, torch
from benchmarks import system
system.die_with_parent()
torch.manual_seed(0)
a = torch.rand(2048, 2048, device="cuda") / 1024

def product():
    found = a
    for _ in range(500):
        found = found @ a
    return found

wanted = product()
torch.cuda.synchronize()
found = product()
if {fenced}:
    torch.cuda.synchronize()
print("asking", flush=True)
os.kill(os.getpid(), signal.SIGSTOP)
torch.cuda.synchronize()
print(torch.isfinite(found).all().item() and torch.equal(found, wanted), flush=True)
"""


@pytest.fixture
def child(request: pytest.FixtureRequest) -> Iterator[subprocess.Popen[str]]:
    import torch  # not with the file, which all of pytest's processes read

    if not torch.cuda.is_available():
        pytest.skip("PyTorch sees no GPU (is it a build for the CPU?): no process was stopped on one")
    program = CHILD.format(fenced=request.param)
    process = subprocess.Popen(
        [sys.executable, "-c", program], cwd=system.ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout
        assert process.stdout.readline() == "asking\n"
        while psutil.Process(process.pid).status() != psutil.STATUS_STOPPED:
            assert process.poll() is None
            sleep(0.001)
        yield process
    finally:
        process.kill()
        process.wait()


def product_s() -> float:
    import torch

    a = torch.rand(4096, 4096, device="cuda")
    a @ a
    torch.cuda.synchronize()
    begin = perf_counter()
    for _ in range(50):
        a @ a
    torch.cuda.synchronize()
    return (perf_counter() - begin) / 50


@pytest.mark.parametrize("child", [True, False], indirect=True, ids=["behind a fence", "with kernels under way"])
def test_others_can_use_the_device_and_the_stopped_ones_work_is_right(child: subprocess.Popen[str]) -> None:
    beside_s = product_s()
    child.send_signal(signal.SIGCONT)
    assert child.communicate(timeout=60)[0] == "True\n"
    print(
        f"a product of 4096 x 4096: {beside_s * 1e3:.3f} ms beside a stopped process, {product_s() * 1e3:.3f} ms alone"
    )
