from __future__ import annotations

from emulators.apim.elements import INBOUND, Element, element, text_values
from emulators.apim.failures import Failure
from emulators.apim.messages import Context, Run


@element(
    "check-header",
    title="Check HTTP header",
    sections=INBOUND,
    attributes="name failed-check-httpcode failed-check-error-message ignore-case",
)
def check_header(element: Element) -> Run:
    name, status = element.value("name"), element.number("failed-check-httpcode", low=400, high=599)
    message, ignore_case = element.value("failed-check-error-message"), element.flag("ignore-case", default=False)
    allowed = text_values(element, "value")

    def run(context: Context) -> None:
        header = name.text(context)
        given = context.request.headers.joined(header)
        if given is None:
            raise _refusal(
                int(status(context)),
                "HeaderNotFound",
                f"Header {header} was not found in the request.",
                message.text(context),
            )
        values = [value.text(context) for value in allowed]
        fold = str.lower if ignore_case(context) else str
        if values and fold(given) not in [fold(value) for value in values]:
            text = f"Header {header} value of {given} is not allowed."
            raise _refusal(int(status(context)), "HeaderValueNotAllowed", text, message.text(context))

    return run


def _refusal(status: int, reason: str, message: str, body: str) -> Failure:
    return Failure(status, reason, f"{message} Access denied.", body=body)
