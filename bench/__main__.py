"""Everything that docs/performance.md claims, measured: `python -m bench [--soak MINUTES]`.

Each part runs in a process of its own, and the others run also where one has missed a criterion.
Ends with the parts that did, and with status 1 if there are any.
"""

import argparse
import subprocess
import sys

_PARTS = (
    *("tutorial", "cold_start", "search", "lists"),
    *("export", "ranges", "scale", "load", "page"),
)


def main() -> int:
    """Run all parts, the soak last."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--soak", default="20", metavar="MINUTES")
    parts = [*_PARTS, f"load --soak {parser.parse_args().soak}"]
    failed = [part for part in parts if not _runs(part)]
    if failed:
        print(f"Not as docs/performance.md says: {', '.join(failed)}", file=sys.stderr)
    return bool(failed)


def _runs(part: str) -> bool:
    print(f"\n== bench.{part}", flush=True)
    command = [sys.executable, "-m", *f"bench.{part}".split()]
    return subprocess.run(command, check=False).returncode == 0  # noqa: S603 - ourselves


if __name__ == "__main__":
    sys.exit(main())
