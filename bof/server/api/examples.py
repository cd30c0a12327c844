"""An example of each answer and each JSON body, by the name of its schema: for readers of the OpenAPI document."""

from __future__ import annotations

import base64
from typing import Any

_IMAGE: dict[str, Any] = {
    "id": 7, "name": "trips/tower.jpg", "file_name": "trips/tower.jpg", "version": "0123456789abcdef", "width": 1024,
    "height": 768, "n_features": 1830, "n_bytes": 123456, "modified": "2026-01-31T12:00:00Z", "tags": ["museum"],
    "fields": {"year": ["1890"]}, "uploaded": False, "part": "",
}  # fmt: skip
_COPY: dict[str, Any] = {
    **_IMAGE, "id": 8, "name": "trips/tower-small.jpg", "file_name": "trips/tower-small.jpg", "width": 512,
    "height": 384, "n_bytes": 23456, "tags": [], "fields": {},
}  # fmt: skip
_WHOLE = [[0, 0], [319, 0], [319, 239], [0, 239]]
_OUTLINE = [[12.5, 8.0], [1010.2, 9.1], [1009.8, 760.4], [11.9, 759.0]]
_HIT: dict[str, Any] = {
    "id": 7, "name": "trips/tower.jpg", "version": "0123456789abcdef", "score": 17.2, "verdict": "same",
    "probability": 0.999, "n_inliers": 61, "mirrored": False, "variant": None, "query_number": 0, "outline": _OUTLINE,
    "width": 1024, "height": 768,
    "tags": ["museum"], "fields": {"year": ["1890"]}, "part": "", "film": None, "query_outline": _WHOLE,
    "group": None, "iiif": None, "basis": "pixels", "query_overlap": 0.91, "hit_overlap": 0.88,
    "query_region": _WHOLE, "hit_region": _OUTLINE,
    "explanation": {"key": "proved_many_points", "args": {"n_inliers": 61, "percent": 99}},
}  # fmt: skip
_SHA256 = "0123456789abcdef" * 4
_QUERY: dict[str, Any] = {"width": 320, "height": 240, "n_features": 512, "box": None, "sha256": _SHA256}
_ANSWER: dict[str, Any] = {
    "query": _QUERY, "ranker": "bof", "group_by": None, "total": 37, "offset": 0, "hits": [_HIT], "overlay": None,
    "missing_parts": [],
    "seconds": {"extract": 0.03, "vote": 0.01, "verify": 0.02},
}  # fmt: skip
_PROBLEM: dict[str, Any] = {
    "type": "/problems/not-a-picture", "title": "Not a picture", "status": 415,
    "detail": "expected a picture of a known kind, found text",
}  # fmt: skip
_JOB: dict[str, Any] = {
    "id": "j1", "kind": "add", "state": "done", "stage": "extracting", "done": 2, "total": 2, "added": 2,
    "removed": 0, "moved": 0, "unchanged": 0, "images": [7, 8],
    "skipped": [{"name": "a.txt", "reason": "expected a picture, found text"}],
    "passed_over": [{"kind": ".mp3", "count": 3, "advice": "sound is not read"}], "error": None,
    "created": "2026-01-31T12:00:00Z", "seconds": 1.5,
}  # fmt: skip
_RANKER = {"name": "bof", "description": "votes and geometry", "available": True, "verifies": True, "needs": None}
_WATCH = {
    "id": 1, "name": "stolen vase", "note": "case 12", "version": "0123456789abcdef", "created": "2026-01-31T12:00:00Z",
    "n_hits": 1,
}  # fmt: skip
_WATCH_HIT = {
    "number": 1, "watch": 1, "image": 9, "name": "auction/lot-7.jpg", "version": "fedcba9876543210", "verdict": "same",
    "score": 19.6, "probability": 0.997, "n_inliers": 176, "found": "2026-02-01T09:30:00Z",
}  # fmt: skip
_JUDGMENT = {
    "judgment": "same", "judged": "2026-01-31T12:00:00Z", "one": {"sha256": _SHA256, "images": [7]},
    "other": {"sha256": "fedcba9876543210" * 4, "images": []},
}  # fmt: skip
_REASON = {"key": "pixels", "text": "4.0 times the pixels", "times": 4.0, "name": ""}
_GROUP = {
    "id": "0123456789abcdef", "kind": "copy", "bytes_to_free": 23456, "keep": 7, "reasons": [_REASON],
    "members": [
        {**_IMAGE, "keep": True, "link": None, "reason": None, "left_alone": ""},
        {
            **_COPY, "keep": False, "reason": _REASON, "left_alone": "",
            "link": {"kind": "copy", "n_inliers": 80, "agreement": 0.98, "changes": ["resized"]},
        },
    ],
}  # fmt: skip
_TOTALS = {"groups": 1, "pictures": 2, "duplicates": 1, "bytes_to_free": 23456, "uploads": 0}
_ACTION = {"id": "r1", "action": "remove", "created": "2026-01-31T12:00:00Z", "pictures": 1}
_COUNTED = [{"name": "museum", "pictures": 120}]

EXAMPLES: dict[str, Any] = {
    "Problem": _PROBLEM,
    "Hit": _HIT,
    "Query": _QUERY,
    "Overlay": {"n_features": 44, "n_images": 31, "box": [10, 200, 310, 230]},
    "Answer": _ANSWER,
    "JointAnswer": {"queries": [_QUERY, _QUERY]} | {name: of for name, of in _ANSWER.items() if name != "query"},
    "NamedAnswer": {"name": "query.jpg", **_ANSWER},
    "NamedProblem": {"name": "notes.txt", "problem": _PROBLEM},
    "Answers": {"answers": [{"name": "query.jpg", **_ANSWER}, {"name": "notes.txt", "problem": _PROBLEM}]},
    "Match": {
        "query": _QUERY, "hit": _HIT, "hit_from_query": [[3.2, 0, 12.5], [0, 3.2, 8], [0, 0, 1]], "mirrored": False,
        "variant": None,
        "points": {
            "query": [[10.5, 20.25], [90, 80]], "hit": [[46.1, 72.8], [300, 264]], "inlier": [True, True],
            "weight": [0.8, 0.7],
        },
        "seconds": {"extract": 0.03, "match": 0.01},
    },
    "Subject": {"box": [40, 30, 280, 200], "width": 320, "height": 240},
    "Image": _IMAGE,
    "Images": {"total": 1, "offset": 0, "images": [_IMAGE]},
    "Removed": {"id": 7},
    "Tags": {"tags": ["museum", "1890"]},
    "Fields": {"fields": {"year": ["1890"], "place": ["Paris"]}},
    "Annotation": {"images": [7, 8], "add": {"tag": ["museum"], "year": ["1890"]}, "remove": {"tag": ["draft"]}},
    "SentFeatures": {
        "width": 320, "height": 240, "xy_px": "AACAQQAAAEI=", "scale_px": "AACAQQ==", "angle_deg": "AAAAAA==",
        "descriptors": base64.b64encode(bytes(range(128))).decode(),
    },
    "ImageIds": {"images": [7, 8]},
    "Annotated": {"images": [7, 8]},
    "Token": {"token": "a-token-of-16-characters-or-more"},
    "Job": _JOB,
    "Jobs": {"total": 1, "offset": 0, "jobs": [_JOB]},
    "Accepted": {"job": {**_JOB, "state": "queued", "done": 0, "added": 0, "images": [], "skipped": []}},
    "Health": {"status": "ok", "version": "0.1.0"},
    "Session": {"required": True, "read": True, "write": False},
    "Rankers": {"default": "bof", "rankers": [_RANKER]},
    "Index": {
        "version": "0.1.0", "writable": True, "generation": 4, "pictures": 120, "features": 150000, "bytes": 8000000,
        "segments": 1, "bytes_by_part": {"votes": 4000000}, "folders": [{"name": "trips", "pictures": 120}],
        "tags": _COUNTED, "fields": [{"name": "year", "pictures": 80}], "columns": ["color"], "n_folders": 1,
        "n_tags": 1, "n_fields": 1,
        "vocabulary": {"words": 65536, "used": 40000, "fingerprint": "0123456789abcdef"},
        "features_per_image": {"edges": [0, 100, 200], "counts": [40, 80]}, "duplicates": True,
        "limits": {"upload_megabytes": 32, "batch_images": 64},
    },
    "GroupTotals": {**_TOTALS, "by_kind": {"copy": _TOTALS}},
    "Reason": _REASON,
    "Group": _GROUP,
    "Groups": {
        "kind": "crop", "found": True, "total": 1, "offset": 0, "actions": ["remove"],
        "totals": {**_TOTALS, "by_kind": {"copy": _TOTALS}}, "groups": [_GROUP],
    },
    "Accept": {"kind": "crop", "action": "remove", "only": ["copy"], "pictures": 1},
    "Action": _ACTION,
    "Actions": {"actions": [_ACTION]},
    "RejectedPair": {"one": _IMAGE, "other": _COPY},
    "RejectedPairs": {"pairs": [{"one": _IMAGE, "other": _COPY}]},
    "JudgedContent": {"sha256": _SHA256, "images": [7]},
    "Judgment": _JUDGMENT,
    "Judgments": {"total": 1, "offset": 0, "judgments": [_JUDGMENT]},
    "NewJudgment": {"query": 7, "image": 8, "judgment": "same"},
    "Withdrawn": {"query": "7", "image": "8"},
    "FieldValues": {"field": "tag", "total": 1, "offset": 0, "values": _COUNTED},
    "StoredQuery": {
        "id": "7d0vYQ2Jm4rTzKx1aBcDeFgH", "name": "query.jpg", "version": "0123456789abcdef", "width": 4000,
        "height": 3000, "n_features": 512, "n_bytes": 171000, "expires": "2026-01-31T13:00:00Z",
    },
    "RemovedQuery": {"id": "7d0vYQ2Jm4rTzKx1aBcDeFgH"},
    "Paired": {"paired": True},
    "PairingRequest": {"code": "ABCD-EFGH", "name": "Chrome"},
    "PairingToken": {"id": "p1", "token": "a-token-of-16-characters-or-more"},
    "Look": {"kind": "crop"},
    "Pair": {"a": 7, "b": 8},
    "Rejected": {"a": 7, "b": 8},
    "Watch": _WATCH,
    "Watches": {"total": 1, "offset": 0, "watches": [_WATCH]},
    "WatchHit": _WATCH_HIT,
    "WatchHits": {"last": 1, "hits": [_WATCH_HIT]},
    "Document": {"openapi": "3.1.0"},
    "AnnotationPage": {"id": "http://127.0.0.1:8000/iiif/search/7/annotations", "type": "AnnotationPage", "items": []},
}  # fmt: skip
