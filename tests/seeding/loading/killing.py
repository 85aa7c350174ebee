"""Seed a database again and again, killed with -9 at random moments; run as a script by test_killed.py.

Words: plan, URL, rows, "fast" or "plain", how many kills, a seed for chance. Prints the kills and the last verdict.
"""

import os
import random
import select
import signal
import sys

from dbplan.connection import new_engine
from dbplan.seeding import filling, seed
from dbplan.seeding import run as run_module
from dbplan.seeding.loading import chunked, writing
from dbplan.sources import read


def child(plan, url, rows, fast, told):
    """Seed, and say once that it writes."""
    engine = new_engine(url)
    said = []

    def progress(*_):
        if not said:
            said.append(os.write(told, b"."))

    try:
        verdict = seed(engine, plan, rows=rows, fast=fast, progress=progress).verdict
    except BaseException as error:  # the parent shows it
        verdict = f"{type(error).__name__}: {error}"
    os.write(told, verdict.encode())
    os._exit(0)


def run(plan, url, rows, fast, patience):
    """Seed in a process of its own; kill it `patience` seconds after its first rows, None for never."""
    hear, told = os.pipe()
    process = os.fork()
    if not process:
        os.close(hear)
        child(plan, url, rows, fast, told)
    os.close(told)
    first = os.read(hear, 1)
    if patience is not None:
        select.select([hear], [], [], patience)
        os.kill(process, signal.SIGKILL)
    said = first + b"".join(iter(lambda: os.read(hear, 4096), b""))
    os.close(hear)
    _, status = os.waitpid(process, 0)
    return os.WIFSIGNALED(status), said.decode().lstrip(".")


def main(name, url, rows, how, kills, chance):
    """Kill so many runs, then let one end."""
    filling.LARGE, chunked.TASK, writing.CHUNK = 500, 200, 100
    plan, draw = read(name), random.Random(int(chance))
    made = run_module.prepare(plan, int(rows), None)
    run_module.prepare = lambda *_: made  # built once for all runs
    killed = sum(run(plan, url, int(rows), how == "fast", draw.uniform(0, 0.15))[0] for _ in range(int(kills)))
    print(killed, run(plan, url, int(rows), how == "fast", None)[1], sep="\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
