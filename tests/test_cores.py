"""The cores of a process are those of its container: by affinity, and by its group's quota."""

import os
from pathlib import Path

import pytest

from ocr_grpc.cores import cores
from ocr_grpc.settings import Settings

MANY = 64
DOCKER_ON_V1 = "5:memory:/docker/4f\n4:cpu,cpuacct:/docker/4f\n1:name=systemd:/docker/4f\n0::/\n"


@pytest.fixture(autouse=True)
def large_machine(monkeypatch):
    """Stand for a machine with 64 cores, all of which this process may run on."""
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: set(range(MANY)), raising=False)


def system(folder: Path, cgroup: str, files: dict[str, str]) -> Path:
    """Make a root with /proc/self/cgroup, and with files in /sys/fs/cgroup."""
    whole = {"proc/self/cgroup": cgroup}
    whole |= {f"sys/fs/cgroup/{name}": text for name, text in files.items()}
    for name, text in whole.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("quota", "found"),
    [
        ("200000 100000\n", 2),
        ("150000 100000\n", 2),
        ("10000 100000\n", 1),
        ("6400000 50000\n", MANY),
        ("max 100000\n", MANY),
        ("", MANY),
        ("nonsense\n", MANY),
        ("100000 0\n", MANY),
    ],
)
def test_a_container_has_the_cores_that_its_quota_is_worth(tmp_path, quota, found):
    assert cores(system(tmp_path, "0::/\n", {"cpu.max": quota})) == found


def test_the_narrowest_group_above_a_process_counts(tmp_path):
    files = {
        "kubepods/cpu.max": "3200000 100000",
        "kubepods/pod1/cpu.max": "350000 100000",
        "kubepods/pod1/serve/cpu.max": "max 100000",
        "kubepods/pod2/cpu.max": "100000 100000",
    }
    assert cores(system(tmp_path, "0::/kubepods/pod1/serve\n", files)) == 4


def test_the_path_of_the_host_is_no_matter_where_the_group_alone_is_mounted(tmp_path):
    files = {"cpu,cpuacct/cpu.cfs_quota_us": "200000", "cpu,cpuacct/cpu.cfs_period_us": "100000"}
    assert cores(system(tmp_path, DOCKER_ON_V1, files)) == 2
    assert cores(system(tmp_path / "2", "0::/../../docker/4f\n", {"cpu.max": "1 1"})) == 1


def test_quotas_of_version_1_are_found_under_either_name(tmp_path):
    files = {
        "cpu/docker/4f/cpu.cfs_quota_us": "250000\n",
        "cpu/docker/4f/cpu.cfs_period_us": "100000\n",
        "cpu/cpu.cfs_quota_us": "-1\n",
        "cpu/cpu.cfs_period_us": "100000\n",
        "memory/cpu.cfs_quota_us": "1\n",
        "memory/cpu.cfs_period_us": "1\n",
    }
    assert cores(system(tmp_path, DOCKER_ON_V1, files)) == 3


def test_without_control_groups_the_affinity_decides(tmp_path, monkeypatch):
    assert cores(tmp_path) == MANY
    monkeypatch.setattr(os, "sched_getaffinity", lambda _: {3})
    assert cores(system(tmp_path, "0::/\n", {"cpu.max": "200000 100000"})) == 1


def test_processes_are_counted_by_them():
    here = cores()
    settings = Settings(_env_file=None)
    assert settings.worker_count == here
    assert (settings.reader_count, settings.office_reader_count) == (here + 1, here // 2 + 1)
