"""How long `harness selftest` takes: under 9 minutes on two cores. Exits 1 if it takes longer, or doesn't pass."""

import subprocess
import sys
import time

LIMIT = 540.0


def main() -> int:
    """Run it once."""
    begun = time.monotonic()
    done = subprocess.run([sys.executable, "-m", "harness", "selftest"], check=False)
    seconds = time.monotonic() - begun
    print(f"selftest: {seconds:.0f} s, limit {LIMIT:.0f} s, exit code {done.returncode}")
    return int(seconds > LIMIT or done.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
