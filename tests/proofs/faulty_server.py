"""The server with a seeded fault, for runs that must fail.

Usage: ``python -m tests.proofs.faulty_server FAULT``.
"""

import sys

from eventreg import serve
from tests.proofs import faults

if __name__ == "__main__":
    faults.apply(sys.argv.pop())
    serve.main()
