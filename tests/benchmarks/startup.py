"""Print how long `import dbplan` and `dbplan --help` take beside an empty Python: medians of runs mixed at random.

Run: python tests/benchmarks/startup.py [RUNS]
"""

import platform
import random
import subprocess
import sys
import time
from statistics import median, quantiles

RUNS = 15
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "import dbplan": ["-c", "import dbplan"],
    "import dbplan.cli": ["-c", "import dbplan.cli"],
    "dbplan --help": ["-c", "import sys; sys.argv[:] = ['dbplan', '--help']; from dbplan.cli import main; main()"],
}


def seconds(arguments):
    start = time.perf_counter()
    subprocess.run([sys.executable, *arguments], check=True, stdout=subprocess.DEVNULL)
    return time.perf_counter() - start


def measure(runs):
    taken = {name: [] for name in COMMANDS}
    order = [name for name in COMMANDS for _ in range(runs)]
    random.Random(7).shuffle(order)
    for arguments in COMMANDS.values():  # once, so that every file is compiled and cached
        seconds(arguments)
    for name in order:
        taken[name].append(seconds(COMMANDS[name]))
    return taken


def main():
    runs = int(sys.argv[1]) if len(sys.argv) > 1 else RUNS
    taken = measure(runs)
    base = median(taken["python -c pass"])
    print(f"Python {platform.python_version()}, {runs} runs each, mixed at random")
    for name, samples in taken.items():
        low, _, high = quantiles(samples, n=4)
        print(
            f"{name:<20} median {median(samples) * 1e3:6.1f} ms   middle half {low * 1e3:.1f}–{high * 1e3:.1f} ms   "
            f"{median(samples) / base:.1f}× the empty one"
        )


if __name__ == "__main__":
    main()
