"""A slice of `make fuzz`: hostile documents end as the README says, and leave nothing behind."""

import hashlib
import subprocess
import sys

import pytest

from tests.fuzz.cases import Case, Cases
from tests.fuzz.good_documents import good
from tests.fuzz.run import attack, attacked
from tests.fuzz.verdict import Ended

SEED, CASES = 20, 300
QUICK = {"OPEN_TIMEOUT_SECONDS": 2, "RENDER_TIMEOUT_SECONDS": 2, "DOCUMENT_TIMEOUT_SECONDS": 6}


@pytest.mark.timeout(240)
async def test_hostile_documents_end_as_documented_and_leave_nothing_behind(tmp_path):
    def seen(case: Case, ended: Ended) -> None:
        if ended.problems:
            (tmp_path / f"{SEED}-{case.index}").write_bytes(case.content)

    with attacked(tmp_path, **QUICK) as served:
        result = await attack(served, Cases(SEED, CASES), range(CASES), seen)
        assert result.problems == []
        bad = [(case.index, case.name, ended.problems) for case, ended in result.bad]
        assert bad == [], f"python -m tests.fuzz --seed {SEED} --cases {CASES} --only INDEX"
        assert len(result.ended) == CASES


def test_a_case_is_the_same_each_time_and_needs_no_other():
    for index in (0, 1, 17, 299):
        assert Cases(7, 300).case(index) == Cases(7, 5000).case(index)
    assert Cases(7, 300).case(3).content != Cases(8, 300).case(3).content


def test_a_corpus_is_sent_as_it_is_and_damaged(tmp_path):
    path = tmp_path / "own.pdf"
    path.write_bytes(good("pdf"))
    cases = Cases(7, 300, [path])
    assert cases.case(300).content == path.read_bytes()
    assert len({cases.case(index).content for index in range(301, cases.count)}) > 10


def test_cases_are_the_same_in_another_process():
    program = "from tests.fuzz.cases import Cases; import hashlib, sys; own = Cases(7, 300)\n"
    program += "for index in (1, 34, 52): "
    program += "print(hashlib.sha256(own.case(index).content).hexdigest())"
    again = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    contents = [Cases(7, 300).case(index).content for index in (1, 34, 52)]
    assert again.stdout.split() == [hashlib.sha256(each).hexdigest() for each in contents]
