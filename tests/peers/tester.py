"""Runs scim2-tester against a server, `tester.py BASE TOKEN`; prints one JSON object a check."""

import json
import re
import sys

from httpx2 import Client
from scim2_client.engines.httpx2 import SyncSCIMClient
from scim2_tester import Status, check_server

PASSED = {Status.SUCCESS, Status.COMPLIANT, Status.ACCEPTABLE}

base, token = sys.argv[1:]
with Client(base_url=base, headers={"authorization": f"Bearer {token}"}, timeout=10) as client:
    for result in check_server(SyncSCIMClient(client)):
        if result.status is Status.SKIPPED:
            continue
        # A PATCH check is run once an attribute, which only its outcome names.
        attribute = re.search(r"(?:add|remov|replac)\w* attribute '([^']+)'", result.reason or "")
        name = " ".join(filter(None, [result.resource_type, result.title, attribute and attribute[1]]))
        print(json.dumps({"name": name, "passed": result.status in PASSED, "reason": result.reason}))
