"""Who said no, and to what: an answer of the API server that is neither a success nor an outage.

Admission speaks in many forms. A ValidatingAdmissionPolicy answers 422 with one cause that names no field, or 403 with
`reason: Forbidden`; a webhook answers with whatever status it likes; one that can't be reached and must not be missed
(`failurePolicy: Fail`) is a 500. None of them is a failed precondition, and none of them is somebody's edit.
Seen on a Kubernetes 1.35 API server: tests/e2e/protocol/test_forms_of_refusal.py.
"""

from __future__ import annotations

import re
from typing import Any, Final

from kubedrill.kube.client import Answer

REFUSED: Final = "Refused"
FORBIDDEN: Final = "Forbidden"
"""The rights are missing: an admin gives them."""
_ADMISSION: Final = re.compile(
    r"ValidatingAdmissionPolicy|MutatingAdmissionPolicy|admission webhook \"|failed calling webhook|exceeded quota"
)
_TOO_LARGE: Final = "request is too large"  # etcd's own words, in an answer of any status
_RIGHTS: Final = re.compile(r'User "[^"]*" cannot \w+ resource')


def is_admission(answer: Answer) -> bool:
    """Whether a policy, a webhook or a quota refused, or a webhook that must be asked could not be."""
    return not answer.ok and _ADMISSION.search(answer.message) is not None


def lacks_rights(answer: Answer) -> bool:
    """Whether the rights are missing (RBAC), and nothing else."""
    return answer.status == 403 and not is_admission(answer) and _RIGHTS.search(answer.message) is not None


def is_refusal(answer: Answer) -> bool:
    """Whether trying again alone won't help: it is refused for what it is, not for the moment."""
    return answer.status in (400, 403) or is_admission(answer) or bool(_causes(answer))


def is_unstorable(answer: Answer) -> bool:
    """Whether what was sent can never be stored as it is: too large, or invalid by its own schema.

    A policy, a webhook, a quota and missing rights may go away; a text that is too long never will.
    """
    if answer.ok or is_admission(answer):
        return False
    too_large = answer.status == 413 or _TOO_LARGE in answer.message
    return too_large or answer.status == 400 or (answer.status == 422 and bool(named_fields(answer)))


def reason_of(answer: Answer) -> str:
    """Forbidden when the rights are missing, else Refused."""
    return FORBIDDEN if lacks_rights(answer) else REFUSED


def words(answer: Answer) -> str:
    """The refuser's own words, with the status before them."""
    return f"{answer.status} {answer.message}".strip()


def named_fields(answer: Answer) -> tuple[str, ...]:
    """The fields that a refusal names; a policy's cause names none."""
    return tuple(field for cause in _causes(answer) if (field := str(cause.get("field") or "")))


def _causes(answer: Answer) -> tuple[dict[str, Any], ...]:
    """The causes of a refusal. A failed precondition (a `test` of a JSON Patch) has none."""
    return tuple((answer.body.get("details") or {}).get("causes") or ()) if answer.status == 422 else ()


def is_not_found(answer: Answer, plural: str, name: str) -> bool:
    """A 404 of the API server about this very object; a proxy's, or an unserved kind's, is none."""
    details = answer.body.get("details") or {}
    return (
        answer.status == 404
        and answer.reason == "NotFound"
        and details.get("kind") == plural
        and details.get("name") == name
    )
