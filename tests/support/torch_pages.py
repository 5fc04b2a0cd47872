"""PyTorch's pages of the networks after the first, all in one process: to import PyTorch takes as long as what is asked of them."""

from tests.support import ROOT, shared_process

PAGES = sorted(str(path.relative_to(ROOT)) for path in ROOT.glob("tests/support/*/torch_page.py"))


def assert_one_is_what_it_says_of_itself(model: str) -> None:
    """All that is asserted there holds, and nothing is skipped."""
    done = shared_process.python("-m", "pytest", "-q", "-rA", "-p", "no:cacheprovider", *PAGES)
    ends = [line for line in done.stdout.splitlines() if f"tests/support/{model}/torch_page.py" in line]
    assert [line for line in ends if line.startswith("PASSED")], done.stdout[-3000:] + done.stderr[-3000:]
    assert not [line for line in ends if line.startswith(("FAILED", "ERROR", "SKIPPED"))], done.stdout[-3000:]
