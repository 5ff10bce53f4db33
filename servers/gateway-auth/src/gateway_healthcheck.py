"""`python -m gateway_healthcheck`: exit code 0 when the server on this machine answers `/healthz`.

For container engines, so that the image needs neither a shell nor curl. Beside the package and not in it: asked every
half a minute, it imports nothing that it does not need.
"""

from __future__ import annotations

import http.client
import os
import sys

SECONDS = 4


def main() -> int:
    connection = http.client.HTTPConnection("127.0.0.1", int(os.environ.get("PORT") or 8000), timeout=SECONDS)
    try:
        connection.request("GET", "/healthz")
        return 0 if connection.getresponse().status == http.client.OK else 1
    except OSError:
        return 1


if __name__ == "__main__":
    sys.exit(main())
