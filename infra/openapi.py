"""Print the OpenAPI document of this checkout: `python -m infra.openapi [--server ADDRESS]`."""

import argparse
import json
import sys

from chalicelib.api.openapi import document


def main() -> int:
    """Print it as JSON, with the address of a deployment as its server."""
    parser = argparse.ArgumentParser(description=main.__doc__)
    parser.add_argument("--server", default="", help="such as https://backoffice.example.com/api")
    server = parser.parse_args().server.rstrip("/")
    json.dump(document(server), sys.stdout, ensure_ascii=False, indent=2)
    sys.stdout.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
