"""The other side of the comparison with virtinst: run by Debian's Python, which is the one that has it.

Reads a line with a JSON list of documents and answers with the numbers of those that virtinst can read. For each line
after that it reads and writes all of these once and answers with the CPU seconds that took.
"""

import gc
import json
import sys
import time

sys.path.insert(0, "/usr/share/virt-manager")  # where Debian keeps it
from virtinst import Guest, VirtinstConnection  # type: ignore[import-not-found]  # .venv has it not


def main() -> None:
    answers, sys.stdout = sys.stdout, sys.stderr  # what virtinst prints is no answer
    connection = VirtinstConnection("test:///default")
    connection.open(None, None)
    documents = [xml for xml in enumerate(json.loads(sys.stdin.readline())) if can_read(connection, xml[1])]
    print(json.dumps([number for number, _ in documents]), file=answers, flush=True)
    for _ in sys.stdin:
        gc.collect()
        gc.freeze()
        begin = time.process_time()
        for _, xml in documents:
            Guest(connection, parsexml=xml).get_xml()
        print(time.process_time() - begin, file=answers, flush=True)
        gc.unfreeze()


def can_read(connection: VirtinstConnection, xml: str) -> bool:
    try:
        Guest(connection, parsexml=xml).get_xml()
    except Exception:  # noqa: BLE001 - it has many ways to fail, and each means that it cannot
        return False
    return True


if __name__ == "__main__":
    main()
