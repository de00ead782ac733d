"""What `docker compose config` makes of our file, and its processes without containers."""

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.clients.programs import require
from tests.clients.stage import ROOT
from tests.processes import COMMAND

TOOLS = f"{ROOT}/.build/bin{os.pathsep}{os.environ.get('PATH', '')}"
SECRETS = (
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "SECRET_KEY",
    "ENGINE_TOKEN",
    "BOOTSTRAP_PASS",
    "GRAFANA_PASSWORD",
)


def compose(*arguments: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run `docker-compose`, in CI the one of .ci/tools, without anybody's .env."""
    require("docker-compose", path=TOOLS)
    program = shutil.which("docker-compose", path=TOOLS)
    return subprocess.run(
        [str(program), "--env-file", os.devnull, *arguments],
        env={"PATH": TOOLS, "HOME": "/nonexistent", **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def secrets() -> dict[str, str]:
    return {name: f"{name.lower()}-0123456789-0123456789" for name in SECRETS}


def services(*profiles: str) -> dict[str, Any]:
    chosen = [word for profile in profiles for word in ("--profile", profile)]
    made = compose(*chosen, "config", "--format", "json", **secrets())
    assert made.returncode == 0, made.stderr
    return json.loads(made.stdout)["services"]


class Machine:
    """Stands for the network and the disks: says what is where on this machine."""

    def __init__(self, folder: Path, names: dict[str, str]) -> None:
        self.folder = folder
        self._names = names

    def local(self, text: str) -> str:
        """Return a value of a service with its addresses and folders as they are here."""
        for name, here in self._names.items():
            text = text.replace(name, here)
        return text

    def environment(self, service: dict[str, Any], name: str, **other: str) -> dict[str, str]:
        given = {key: self.local(value) for key, value in service["environment"].items()}
        # What the image says, and a folder for each container.
        image = {"HOST": "127.0.0.1", "ENGINE_HOST": "127.0.0.1", "LOG_FORMAT": "json"}
        own = {"DATA_DIR": str(self.folder / name / "data"), "PATH": str(Path(COMMAND).parent)}
        few = {"READERS": "1", "OFFICE_READERS": "1", "TESSERACT_WORKERS": "0"}
        return image | given | own | few | other | {"PATH": f"{own['PATH']}:/usr/bin:/bin"}

    @contextmanager
    def process(
        self, service: dict[str, Any], name: str, **other: str
    ) -> Iterator[subprocess.Popen[str]]:
        """Run what a service runs, as long as the block."""
        command = [self.local(word) for word in service["command"]]
        entry = service.get("entrypoint")
        # Without tini, which is process 1 of a container alone.
        whole = [COMMAND, *command] if entry is None else [*entry[2:], *command]
        (self.folder / name).mkdir()
        with (self.folder / name / "log").open("w") as log:
            process = subprocess.Popen(
                whole,
                env=self.environment(service, name, **other),
                cwd=self.folder / name,
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
            )
        try:
            yield process
        finally:
            process.terminate()
            process.communicate(timeout=60)

    def is_well(self, service: dict[str, Any], name: str, **other: str) -> bool:
        """Run the health check of a service."""
        kind, command, *words = service["healthcheck"]["test"]
        assert (kind, command) == ("CMD", "ocr-grpc")
        return (
            subprocess.run(
                [COMMAND, *map(self.local, words)],
                env=self.environment(service, name, **other),
                cwd=self.folder / name,
                capture_output=True,
                timeout=30,
                check=False,
            ).returncode
            == 0
        )
