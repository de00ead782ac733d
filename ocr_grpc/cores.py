"""How many processor cores this process has, in a container those of the container."""

import math
import os
from collections.abc import Iterator
from pathlib import Path

ROOT = Path("/")


def cores(root: Path = ROOT) -> int:
    """Return the number of processor cores this process may use, at least 1.

    Those it may run on (its affinity), or as many as its control groups give it time for, rounded
    up, if these are fewer: a container with `cpus: 2` runs on every core of its machine.

    Args:
        root: where /proc and /sys are.
    """
    try:
        usable = len(os.sched_getaffinity(0))
    except AttributeError:  # not on macOS
        usable = os.cpu_count() or 1
    return min([usable, *(max(1, math.ceil(quota)) for quota in _quotas(root))])


def _quotas(root: Path) -> Iterator[float]:
    """Yield how many cores' time each control group of this process allows, those above it too.

    Nothing where there are none, or where they cannot be read: then the affinity alone decides.
    """
    for line in _read(root / "proc/self/cgroup").splitlines():
        _, _, rest = line.partition(":")
        controllers, _, path = rest.partition(":")
        if not controllers:
            limits = [_limit_v2(group) for group in _groups(root / "sys/fs/cgroup", path)]
        elif "cpu" in controllers.split(","):
            mount = root / "sys/fs/cgroup" / controllers
            # It may be mounted under the name of one of its controllers alone.
            mount = mount if mount.is_dir() else root / "sys/fs/cgroup/cpu"
            limits = [_limit_v1(group) for group in _groups(mount, path)]
        else:
            continue
        yield from (quota / period for quota, period in limits if quota > 0 < period)


def _groups(mount: Path, path: str) -> Iterator[Path]:
    """Yield the folder of a control group and of all above it.

    In a container the path may be the one on its host, of which there is only the mount itself.
    """
    names = [name for name in path.split("/") if name not in ("", ".", "..")]
    for length in range(len(names), -1, -1):
        yield mount.joinpath(*names[:length])


def _limit_v2(group: Path) -> tuple[int, int]:
    """Return quota and period in microseconds; a quota of 0: none."""
    quota, _, period = _read(group / "cpu.max").strip().partition(" ")
    return _number(quota), _number(period)  # the quota may be `max`


def _limit_v1(group: Path) -> tuple[int, int]:
    # The quota may be -1.
    return (
        _number(_read(group / "cpu.cfs_quota_us")),
        _number(_read(group / "cpu.cfs_period_us")),
    )


def _number(text: str) -> int:
    text = text.strip()
    return int(text) if text.isdecimal() else 0


def _read(path: Path) -> str:
    try:
        return path.read_text()
    except (OSError, UnicodeDecodeError):
        return ""
