"""
Runs an embedded broker in the foreground, or only fetches its jars.

    python -m streams.broker [--data DIR] [--port N] [--heap MB]
    python -m streams.broker fetch
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from pathlib import Path

from enforcers.errors import BrokerError
from streams.broker import jars
from streams.broker.embedded import EmbeddedBroker


def main(arguments: list[str] | None = None) -> int:
    """Return the exit code: 0 done, 1 the broker failed."""
    options = _parser().parse_args(arguments)
    try:
        if options.task == "fetch":
            cache = jars.default_cache()
            jars.fetch(cache, lambda line: print(line, flush=True))
            jars.class_path(cache)
        else:
            _serve(EmbeddedBroker(options.data, port=options.port, heap_mb=options.heap))
    except BrokerError as failure:
        print(f"error: {failure}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        pass
    return 0


def _serve(broker: EmbeddedBroker) -> None:
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with broker:
        print(broker.bootstrap, flush=True)
        while broker.alive:
            time.sleep(0.2)
        raise BrokerError(f"kafka ended by itself: see {broker.log_file}, then run again")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m streams.broker", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("task", nargs="?", choices=["run", "fetch"], default="run")
    parser.add_argument("--data", type=Path, default=jars.default_cache().parents[1] / "kafka")
    parser.add_argument("--port", type=int)
    parser.add_argument("--heap", type=int, default=384, help="Java's heap in MB")
    return parser


if __name__ == "__main__":
    sys.exit(main())
