"""`samspor up` itself, with parts that can be hurt at named points (see `hooks`): python -m tests.faults.up up …"""

import deploy.up
from tests.faults import hooks

if __name__ == "__main__":
    from deploy.cli import app

    vars(deploy.up)["serve_as_child"] = hooks.serve_as_child
    app()
