"""The last step before an engine's program: tie its life to ours, give up root, then become the program.

Run as a script by `process.Child`, never imported: what it does must happen in the child, and doing it in a
function between fork and exec is not safe in a process that has threads.

    python -I -S launch.py '{"parent": 1, "death_signal": 9, "user": null, "reads_all": false}' program args...
"""

import ctypes
import json
import os
import sys

PR_SET_PDEATHSIG = 1
PR_SET_SECUREBITS = 28
SECBIT_NO_SETUID_FIXUP = 1 << 2
PR_CAP_AMBIENT = 47
PR_CAP_AMBIENT_RAISE = 2
CAPABILITY_VERSION_3 = 0x20080522
CAP_DAC_OVERRIDE = 1
CAP_DAC_READ_SEARCH = 2


def main() -> None:
    orders = json.loads(sys.argv[1])
    program = sys.argv[2:]
    if orders["user"] is not None:
        _become(orders["user"], orders["reads_all"])
    if sys.platform == "linux":
        # After the change of user, which clears it.
        _prctl(PR_SET_PDEATHSIG, orders["death_signal"])
        if os.getppid() != orders["parent"]:
            # The parent died before the line above: nobody is left to send the signal.
            raise SystemExit(1)
    os.execv(program[0], program)


def _become(user: int, reads_all: bool) -> None:
    if reads_all and sys.platform == "linux":
        # Capabilities then outlast the change of user, and access(2), by which PostgreSQL's programs look for one
        # another, counts them.
        _prctl(PR_SET_SECUREBITS, SECBIT_NO_SETUID_FIXUP)
    os.setgroups([])
    os.setresgid(user, user, user)
    os.setresuid(user, user, user)
    if reads_all and sys.platform == "linux":
        _keep_one_capability()


def _keep_one_capability() -> None:
    """The checkout can lie below a directory that is root's alone, such as /root: still let the program be read."""
    for capability in (CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE):
        mask = 1 << capability
        header = (ctypes.c_uint32 * 2)(CAPABILITY_VERSION_3, 0)
        # effective, permitted, inheritable for the first 32 capabilities, then for the rest
        sets = (ctypes.c_uint32 * 6)(mask, mask, mask, 0, 0, 0)
        if _libc().capset(header, sets) == 0:
            _prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, capability)
            return


def _libc() -> ctypes.CDLL:
    return ctypes.CDLL(None, use_errno=True)


def _prctl(option: int, first: int, second: int = 0) -> None:
    if _libc().prctl(option, first, second, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), f"prctl({option})")


if __name__ == "__main__":
    main()
