"""What a tick needs to be punctual: no garbage collection inside it, and the right to go first.

Neighbours: the core's process calls `settle_memory` once everything is loaded, `go_first` in the control thread, and
`collect_in_slack` after each tick. Must not know what the thread decides. Figures behind it: DECISIONS.
"""

import gc
import os
import sys

PRIORITY = 50  # in the middle: above every ordinary thread, below the kernel's own interrupt threads on an RT kernel
SWITCH_INTERVAL_S = 1e-4  # how long another Python thread may keep the interpreter when the control thread wants it


def settle_memory() -> None:
    """All that is loaded stays: collect once, exempt it from collection, and collect by hand from here on."""
    sys.setswitchinterval(SWITCH_INTERVAL_S)
    gc.collect()
    gc.freeze()
    gc.disable()


def restore_memory() -> None:
    """Undo `settle_memory`, for whoever goes on after the core (a test)."""
    gc.enable()
    gc.unfreeze()


def collect_in_slack(tick: int) -> None:
    """After a tick's work: the youngest garbage at once, older now and then."""
    gc.collect(2 if tick % 1024 == 0 else 1 if tick % 32 == 0 else 0)


def go_first() -> str:
    """Real-time scheduling for the calling thread alone; what became of it, in words.

    Threads and processes started later are ordinary ones (reset on fork).
    """
    policy = os.sched_getscheduler(0) & ~os.SCHED_RESET_ON_FORK
    if policy in (os.SCHED_FIFO, os.SCHED_RR):  # the service manager has already seen to it
        return f"real-time, priority {os.sched_getparam(0).sched_priority}"
    try:
        os.sched_setscheduler(0, os.SCHED_FIFO | os.SCHED_RESET_ON_FORK, os.sched_param(PRIORITY))
    except OSError as error:
        return f"ordinary ({error.strerror}): ticks may be late on a busy machine; allow LimitRTPRIO={PRIORITY}"
    return f"real-time, priority {PRIORITY}"
