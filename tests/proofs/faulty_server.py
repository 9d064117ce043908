"""Our server with a fault in it: ``python -m tests.proofs.faulty_server FAULT``, for the runs in
which a proof must fail."""

import sys

from eventreg import serve
from tests.proofs import faults

if __name__ == "__main__":
    faults.apply(sys.argv.pop())
    serve.main()
