"""Kafka's jars: found by jgo's own resolver (no Maven, no downloaded JDK), accepted only if their hash is locked.

`python -m deploy.engines.jars` resolves anew and rewrites the lock file; `prepare` fetches what is locked.
"""

import hashlib
import os
import tomllib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from jgo.maven import MavenContext

SPECIFICATION = Path(__file__).with_name("jgo.toml")
LOCK = Path(__file__).with_name("jgo.lock.toml")
DOWNLOADS_AT_ONCE = 8
DOWNLOAD_TIMEOUT_S = 60


class JarError(RuntimeError):
    """A jar is not what the lock file says, so Kafka must not be started with it."""


@dataclass(frozen=True)
class LockedJar:
    """One line of the lock file and where its file belongs."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def path(self) -> Path:
        folder = repository() / self.group.replace(".", "/") / self.artifact / self.version
        return folder / f"{self.artifact}-{self.version}.jar"

    def is_intact(self) -> bool:
        """The hash is taken at every start: it costs a tenth of a second for all jars together."""
        if not self.path.is_file():
            return False
        with self.path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256


def cache_dir() -> Path:
    """What can be made again at any time: beside the code in a checkout, elsewhere by SAMSPOR_CACHE_DIR."""
    configured = os.environ.get("SAMSPOR_CACHE_DIR")
    return Path(configured) if configured else Path(__file__).parents[2] / ".cache"


def repository() -> Path:
    return cache_dir() / "maven"


def locked_jars() -> list[LockedJar]:
    entries = tomllib.loads(LOCK.read_text())["dependencies"]
    return [LockedJar(e["groupId"], e["artifactId"], e["version"], e["sha256"]) for e in entries]


def class_path() -> str:
    """All locked jars, fetched where missing, in the order of the lock file."""
    jars = locked_jars()
    with ThreadPoolExecutor(DOWNLOADS_AT_ONCE) as pool:
        wanted = [
            jar for jar, intact in zip(jars, pool.map(LockedJar.is_intact, jars), strict=True) if not intact
        ]
        list(pool.map(_fetch, wanted))
    return os.pathsep.join(str(jar.path) for jar in jars)


def _fetch(jar: LockedJar) -> None:
    # A file that was cut off by an interrupted download is fetched anew, not reported.
    jar.path.unlink(missing_ok=True)
    project = _maven().project(jar.group, jar.artifact)
    project.at_version(jar.version).artifact().resolve()
    if not jar.is_intact():
        jar.path.unlink(missing_ok=True)
        raise JarError(
            f"{jar.group}:{jar.artifact}:{jar.version} is not the file that {LOCK.name} pins "
            f"(SHA-256 {jar.sha256}). It was removed. Find out why the registry gives another file; "
            f"only if the change is wanted, renew the lock with `make lock-jars`."
        )


def _maven() -> "MavenContext":
    # Imported only when something must be fetched: at a start with all jars in place it would cost time for nothing.
    from jgo.maven import MavenContext, PythonResolver

    return MavenContext(resolver=PythonResolver(), repo_cache=repository(), timeout=DOWNLOAD_TIMEOUT_S)


def write_lock() -> None:
    """Resolve jgo.toml anew, newest release first, and pin what was found."""
    from jgo.env import EnvironmentBuilder, EnvironmentSpec, LockedDependency, LockFile, compute_spec_hash

    maven = _maven()
    specification = EnvironmentSpec.load_or_error(SPECIFICATION)
    wanted = EnvironmentBuilder(context=maven).spec_to_dependencies(specification)
    direct, transitive = maven.resolver.resolve(wanted)
    locked = [LockedDependency.from_dependency(dependency) for dependency in [*direct, *transitive]]
    for dependency, found in zip(locked, [*direct, *transitive], strict=True):
        dependency.version = found.artifact.component.resolved_version
    lock = LockFile(locked, environment_name=specification.name, spec_hash=compute_spec_hash(SPECIFICATION))
    lock.save(LOCK)


if __name__ == "__main__":
    write_lock()
