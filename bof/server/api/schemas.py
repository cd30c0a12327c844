"""The shapes of answers, as JSON schemas: what docs/api.md says in words."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, get_args

from bof.options import KINDS
from bof.server.http.feature_body import MOST_PIXELS
from bof.server.http.fields import (
    MAX_FIELDS,
    MAX_IMAGES,
    MAX_NAME,
    MAX_TAGS,
    MAX_TEXT,
    MAX_VALUE,
    MAX_VALUES,
    TAG_PATTERN,
    VALUE_PATTERN,
)
from bof.server.jobs.queue import KINDS as KINDS_OF_JOBS
from bof.server.jobs.queue import STATES
from bof.store.catalog import BUILT_IN
from bof.types import Basis, VariantName, Verdict

Schema = dict[str, Any]


def _object(**properties: Schema) -> Schema:
    """Of answers: these properties are always there; a later version may add others."""
    return {"type": "object", "properties": properties, "required": list(properties)}


def _sent(**properties: Schema) -> Schema:
    """Of what is sent: these properties, and no others."""
    return {**_object(**properties), "additionalProperties": False}


def _known(values: Iterable[str]) -> Schema:
    """Of answers: one of these words, to which a later version may add others."""
    return {"anyOf": [{"type": "string", "enum": list(values)}, {"type": "string"}]}


def _list(items: Schema, **more: Any) -> Schema:
    return {"type": "array", "items": items, **more}


def _or_null(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _map(values: Schema) -> Schema:
    return {"type": "object", "additionalProperties": values}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_TEXT: Schema = {"type": "string"}
_WHOLE: Schema = {"type": "integer", "minimum": 0}
_SIDE: Schema = {"type": "integer", "minimum": 1, "maximum": MOST_PIXELS}
_BASE64: Schema = {"type": "string", "contentEncoding": "base64"}
_ID: Schema = {"type": "integer", "minimum": 0, "maximum": (1 << 63) - 1}
_NUMBER: Schema = {"type": "number"}
_SHARE: Schema = {"type": "number", "minimum": 0, "maximum": 1}
_BOOL: Schema = {"type": "boolean"}
_BOX = _or_null(_list(_NUMBER, minItems=4, maxItems=4))
_POINT = _list(_NUMBER, minItems=2, maxItems=2)
_SECONDS = _map({"type": "number", "minimum": 0})
_COUNTED = _list(_object(name=_TEXT, pictures=_WHOLE))
_TIME: Schema = {"type": "string", "format": "date-time"}
_VERSION: Schema = {"type": "string", "pattern": "^([0-9a-f]{16})?$"}

_SHA256: Schema = {"type": "string", "pattern": "^[0-9a-f]{64}$"}
_IDS = _list(_ID, minItems=1, maxItems=MAX_IMAGES)

_QUERY = _ref("Query")

_TAG_TEXT: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT, "pattern": TAG_PATTERN}
_FIELDS = {
    "type": "object", "maxProperties": MAX_FIELDS,
    "propertyNames": {"minLength": 1, "maxLength": MAX_NAME, "pattern": TAG_PATTERN, "not": {"enum": sorted(BUILT_IN)}},
    "additionalProperties": _list(
        {"type": "string", "minLength": 1, "maxLength": MAX_VALUE, "pattern": VALUE_PATTERN}, maxItems=MAX_VALUES
    ),
}  # fmt: skip
"""Field -> values."""

_KEYS = [
    "proved_many_points",
    "proved_few_points",
    "proved_mirrored",
    "proved_inverted",
    "maybe",
    "not_proved",
    "not_checked",
    "alike_as_a_whole",
    "unlike_as_a_whole",
    "same_file",
    "same_whole",
    "part",
    "judged_same",
    "judged_different",
]

_IMAGE: dict[str, Schema] = {
    "id": _WHOLE, "name": _TEXT, "file_name": _TEXT, "version": _VERSION, "width": _WHOLE, "height": _WHOLE,
    "n_features": _WHOLE, "n_bytes": _WHOLE, "modified": _TIME, "tags": _list(_TEXT), "fields": _map(_list(_TEXT)),
    "uploaded": _BOOL, "part": _TEXT,
}  # fmt: skip
_KIND: Schema = {"type": "string", "enum": list(KINDS)}
_ACTION: Schema = {"type": "string", "enum": ["remove", "move", "trash"]}
_GROUP_ID: Schema = {"type": "string", "pattern": "^[0-9a-f]{16}$"}
_TOTALS: dict[str, Schema] = {
    "groups": _WHOLE, "pictures": _WHOLE, "duplicates": _WHOLE, "bytes_to_free": _WHOLE, "uploads": _WHOLE,
}  # fmt: skip

_ANSWER: dict[str, Schema] = {
    "query": _QUERY, "ranker": _TEXT, "group_by": _or_null(_TEXT), "total": _WHOLE, "offset": _WHOLE,
    "hits": _list(_ref("Hit")), "seconds": _SECONDS,
    "overlay": _or_null(_ref("Overlay")),
    "missing_parts": _list(_object(part=_TEXT, reason=_TEXT)),
}  # fmt: skip

SCHEMAS: dict[str, Schema] = {
    "Problem": {
        "type": "object",
        "properties": {
            "type": {"type": "string", "pattern": "^/problems/"}, "title": _TEXT,
            "status": {"type": "integer", "minimum": 400, "maximum": 599}, "detail": _TEXT, "parameter": _TEXT,
        },
        "required": ["type", "title", "status", "detail"],
    },
    "Hit": _object(
        id=_WHOLE, name=_TEXT, version=_VERSION, score=_NUMBER,
        verdict=_known(get_args(Verdict)),
        probability=_or_null(_SHARE), n_inliers=_or_null(_WHOLE),
        iiif=_or_null(
            _object(
                canvas=_TEXT, manifests=_list(_TEXT), xywh=_or_null(_list(_WHOLE, minItems=4, maxItems=4)),
                service=_or_null(_TEXT), picture=_or_null(_TEXT),
            )
        ),
        fields=_map(_list(_TEXT)), part=_TEXT,
        film=_or_null(_object(time=_NUMBER, start=_NUMBER, stop=_NUMBER, n_shots=_WHOLE)),
        query_outline=_or_null(_list(_POINT)),
        group=_or_null(
            _object(
                field=_TEXT, value=_or_null(_TEXT), n_agree=_WHOLE, n_found=_WHOLE, n_pictures=_WHOLE,
                margin=_or_null(_NUMBER),
            )
        ),
        mirrored=_or_null(_BOOL), query_number=_WHOLE, variant=_or_null(_known(get_args(VariantName))),
        outline=_or_null(_list(_POINT, minItems=4, maxItems=4)), width=_WHOLE,
        height=_WHOLE, tags=_list(_TEXT), basis=_or_null(_known(get_args(Basis))),
        query_overlap=_or_null(_SHARE), hit_overlap=_or_null(_SHARE), query_region=_or_null(_list(_POINT)),
        hit_region=_or_null(_list(_POINT)),
        explanation=_object(key=_known(_KEYS), args=_map(_WHOLE)),
    ),
    "Query": _object(width=_WHOLE, height=_WHOLE, n_features=_WHOLE, box=_BOX, sha256=_or_null(_SHA256)),
    "Overlay": _object(n_features=_WHOLE, n_images=_WHOLE, box=_list(_NUMBER, minItems=4, maxItems=4)),
    "Answer": _object(**_ANSWER),
    "JointAnswer": _object(queries=_list(_QUERY), **{name: of for name, of in _ANSWER.items() if name != "query"}),
    "NamedAnswer": _object(name=_TEXT, **_ANSWER),
    "NamedProblem": _object(name=_TEXT, problem=_ref("Problem")),
    "Answers": _object(answers=_list({"anyOf": [_ref("NamedAnswer"), _ref("NamedProblem")]})),
    "Match": _object(
        query=_QUERY, hit=_ref("Hit"),
        hit_from_query=_or_null(_list(_list(_NUMBER, minItems=3, maxItems=3), minItems=3, maxItems=3)), mirrored=_BOOL,
        variant=_or_null(_known(get_args(VariantName))),
        points=_object(query=_list(_POINT), hit=_list(_POINT), inlier=_list(_BOOL), weight=_list(_NUMBER)),
        seconds=_SECONDS,
    ),
    "StoredQuery": _object(
        id=_TEXT, name=_TEXT, version=_VERSION, width=_WHOLE, height=_WHOLE, n_features=_WHOLE, n_bytes=_WHOLE,
        expires=_TIME,
    ),
    "RemovedQuery": _object(id=_TEXT),
    "Subject": _object(box=_BOX, width=_WHOLE, height=_WHOLE),
    "Image": _object(**_IMAGE),
    "Images": _object(total=_WHOLE, offset=_WHOLE, images=_list(_ref("Image"))),
    "Removed": _object(id=_WHOLE),
    "Tags": _sent(tags=_list(_TAG_TEXT, maxItems=MAX_TAGS)),
    "Fields": _sent(fields=_FIELDS),
    "Annotation": {
        **_sent(images=_IDS, add=_FIELDS, remove=_FIELDS), "required": ["images"],
    },
    "ImageIds": _sent(images=_IDS),
    "SentFeatures": {
        **_sent(
            width=_SIDE, height=_SIDE, xy_px=_BASE64, descriptors=_BASE64, scale_px=_BASE64, angle_deg=_BASE64
        ),
        "required": ["width", "height", "xy_px", "descriptors"],
    },
    "Annotated": _object(images=_list(_WHOLE)),
    "Token": _sent(token=_TEXT),
    "Paired": _object(paired=_BOOL),
    "PairingRequest": _sent(code=_TEXT, name=_TEXT),
    "PairingToken": _object(id=_TEXT, token=_TEXT),
    "Job": _object(
        id=_TEXT, kind=_known(KINDS_OF_JOBS), state=_known(STATES), stage=_TEXT, done=_WHOLE, total=_WHOLE,
        added=_WHOLE, removed=_WHOLE, moved=_WHOLE, unchanged=_WHOLE, images=_list(_WHOLE),
        skipped=_list(_object(name=_TEXT, reason=_TEXT)),
        passed_over=_list(_object(kind=_TEXT, count=_WHOLE, advice=_TEXT)),
        error=_or_null(_ref("Problem")), created=_TIME, seconds={"type": "number", "minimum": 0},
    ),
    "Jobs": _object(total=_WHOLE, offset=_WHOLE, jobs=_list(_ref("Job"))),
    "Accepted": _object(job=_ref("Job")),
    "Health": _object(status={"type": "string", "enum": ["ok"]}, version=_TEXT),
    "Session": _object(required=_BOOL, read=_BOOL, write=_BOOL),
    "Rankers": _object(
        default=_TEXT,
        rankers=_list(
            _object(name=_TEXT, description=_TEXT, available=_BOOL, verifies=_BOOL, needs=_or_null(_TEXT))
        ),
    ),
    "Index": _object(
        version=_TEXT, writable=_BOOL, generation=_WHOLE, pictures=_WHOLE, features=_WHOLE, bytes=_WHOLE,
        segments=_WHOLE, bytes_by_part=_map(_WHOLE), folders=_COUNTED, tags=_COUNTED, fields=_COUNTED,
        n_folders=_WHOLE, n_tags=_WHOLE, n_fields=_WHOLE,
        columns=_list(_TEXT), vocabulary=_object(words=_WHOLE, used=_WHOLE, fingerprint=_TEXT),
        features_per_image=_object(edges=_list(_WHOLE), counts=_list(_WHOLE)),
        duplicates=_BOOL, limits=_map({"type": "number", "minimum": 0}),
    ),
    "Groups": _object(
        kind=_KIND, found=_BOOL, total=_WHOLE, offset=_WHOLE, totals=_ref("GroupTotals"), actions=_list(_ACTION),
        groups=_list(_ref("Group")),
    ),
    "GroupTotals": _object(**_TOTALS, by_kind=_map(_object(**_TOTALS))),
    "Group": _object(
        id=_GROUP_ID, kind=_KIND, bytes_to_free=_WHOLE, keep=_or_null(_WHOLE), reasons=_list(_ref("Reason")),
        members=_list(
            _object(
                **_IMAGE, keep=_BOOL,
                link=_or_null(
                    _object(kind=_KIND, n_inliers=_WHOLE, agreement=_or_null(_NUMBER), changes=_list(_TEXT))
                ),
                reason=_or_null(_ref("Reason")), left_alone=_TEXT,
            )
        ),
    ),
    "Judgment": _object(
        judgment=_known(("same", "different")), judged=_TIME,
        one=_ref("JudgedContent"), other=_ref("JudgedContent"),
    ),
    "JudgedContent": _object(sha256=_SHA256, images=_list(_WHOLE)),
    "Judgments": _object(total=_WHOLE, offset=_WHOLE, judgments=_list(_ref("Judgment"))),
    "NewJudgment": _sent(
        query={"anyOf": [_SHA256, _ID]}, image={"anyOf": [_SHA256, _ID]},
        judgment={"type": "string", "enum": ["same", "different"]},
    ),
    "Withdrawn": _object(query=_TEXT, image=_TEXT),
    "FieldValues": _object(field=_TEXT, total=_WHOLE, offset=_WHOLE, values=_COUNTED),
    "Reason": _object(key=_TEXT, text=_TEXT, times=_or_null(_NUMBER), name=_TEXT),
    "Accept": {
        **_sent(
            kind=_KIND, action=_ACTION, only=_list(_KIND, maxItems=len(KINDS)), folder=_TEXT,
            groups=_list(_GROUP_ID, maxItems=1000), keep=_ID, pictures=_WHOLE,
        ),
        "required": ["kind", "action"],
    },
    "Action": _object(id=_TEXT, action=_known(("remove", "move")), created=_TIME, pictures=_WHOLE),
    "Actions": _object(actions=_list(_ref("Action"))),
    "RejectedPair": _object(one=_ref("Image"), other=_ref("Image")),
    "RejectedPairs": _object(pairs=_list(_ref("RejectedPair"))),
    "Look": _sent(kind=_KIND),
    "Pair": _sent(a=_ID, b=_ID),
    "Rejected": _object(a=_ID, b=_ID),
    "Watch": _object(id=_WHOLE, name=_TEXT, note=_TEXT, version=_VERSION, created=_TIME, n_hits=_WHOLE),
    "Watches": _object(total=_WHOLE, offset=_WHOLE, watches=_list(_ref("Watch"))),
    "WatchHit": _object(
        number=_WHOLE, watch=_WHOLE, image=_WHOLE, name=_TEXT, version=_VERSION, verdict=_known(get_args(Verdict)),
        score=_NUMBER, probability=_or_null(_SHARE), n_inliers=_WHOLE, found=_TIME,
    ),
    "WatchHits": _object(last=_WHOLE, hits=_list(_ref("WatchHit"))),
    "Document": {"type": "object"},
    "AnnotationPage": {
        "type": "object",
        "properties": {"id": _TEXT, "type": _TEXT, "items": _list({"type": "object"})},
        "required": ["id", "type", "items"], "additionalProperties": True,
    },
}  # fmt: skip
