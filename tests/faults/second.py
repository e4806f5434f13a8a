"""A part as one more process beside the supervised one: python -m tests.faults.second PART DATA_DIR PORT."""

import ctypes
import signal
import sys
from pathlib import Path

from backbone import logs
from backbone.settings import Settings
from deploy import parts
from deploy.commands.felles import settings as settings_of
from deploy.supervisor import PR_SET_PDEATHSIG


def main(navn: str, data_dir: str, port: str) -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)  # it never outlives the test that started it
    logs.configure(navn)
    running: Settings = settings_of(Path(data_dir))
    urls = {part: url for part, url in running.urls.items() if part != navn}
    parts.serve(parts.BY_NAVN[navn], running.model_copy(update={f"{navn}_port": int(port), "urls": urls}))


if __name__ == "__main__":
    main(*sys.argv[1:])
