from __future__ import annotations

from emulators.apim.elements import Element, element
from emulators.apim.failures import Answer
from emulators.apim.messages import Context, Response, Run
from emulators.apim.policies.edits import nested_edits


@element("return-response", title="Return response", attributes="response-variable-name")
def return_response(element: Element) -> Run:
    """Without children an empty 200; `response-variable-name` names a response that `send-request` stored."""
    variable = element.literal("response-variable-name", "")
    edits = nested_edits(element, "set-status", "set-header", "set-body")

    def run(context: Context) -> None:
        response = _stored(context, variable) if variable else Response(200, "OK")
        for edit in edits:
            edit(context, response)
        raise Answer(response)

    return run


def _stored(context: Context, variable: str) -> Response:
    found = context.variables.get(variable)
    if not isinstance(found, Response):
        return Response(200, "OK")
    return Response(found.status, found.reason, found.headers.copy(), found.body)
