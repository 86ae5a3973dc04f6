"""Validates new users with scim2-models: one case a line in, one answer a line out."""

import json
import sys

from pydantic import ValidationError
from scim2_models import Context, EnterpriseUser, User

for line in sys.stdin:
    try:
        User[EnterpriseUser].model_validate(json.loads(line)["resource"], scim_ctx=Context.RESOURCE_CREATION_REQUEST)
        print("{}")
    except ValidationError as error:
        # The place in a list does not count.
        print(json.dumps({"refused": [[".".join(step for step in each["loc"] if isinstance(step, str)), each["msg"]] for each in error.errors()]}))
