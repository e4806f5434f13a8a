"""`samspor up` itself, with parts that can be hurt at named points (see `hooks`): python -m tests.faults.up up …"""

import ctypes
import signal

import deploy.up
from deploy.supervisor import PR_SET_PDEATHSIG
from tests.faults import hooks

if __name__ == "__main__":
    from deploy.cli import app

    # It stops when the test that started it is gone.
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGTERM)
    vars(deploy.up)["serve_as_child"] = hooks.serve_as_child
    app()
