"""What the HTTP API is sent and answers, for type checkers: written by `python -m scripts.write_api_types`.

Answers of a later server may have more fields, and more words where one of some is expected.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NotRequired, TypedDict, final


@final
class Problem(TypedDict):
    type: str
    title: str
    status: int
    detail: str
    parameter: NotRequired[str]


@final
class Hit(TypedDict):
    id: int
    name: str
    version: str
    score: float
    verdict: str
    probability: float | None
    n_inliers: int | None
    iiif: HitIiif | None
    fields: dict[str, list[str]]
    part: str
    film: HitFilm | None
    query_outline: list[list[float]] | None
    group: HitGroup | None
    mirrored: bool | None
    query_number: int
    variant: str | None
    outline: list[list[float]] | None
    width: int
    height: int
    tags: list[str]
    basis: str | None
    query_overlap: float | None
    hit_overlap: float | None
    query_region: list[list[float]] | None
    hit_region: list[list[float]] | None
    explanation: HitExplanation


@final
class HitIiif(TypedDict):
    canvas: str
    manifests: list[str]
    xywh: list[int] | None
    service: str | None
    picture: str | None


@final
class HitFilm(TypedDict):
    time: float
    start: float
    stop: float
    n_shots: int


@final
class HitGroup(TypedDict):
    field: str
    value: str | None
    n_agree: int
    n_found: int
    n_pictures: int
    margin: float | None


@final
class HitExplanation(TypedDict):
    key: str
    args: dict[str, int]


@final
class Query(TypedDict):
    width: int
    height: int
    n_features: int
    box: list[float] | None
    sha256: str | None


@final
class Overlay(TypedDict):
    n_features: int
    n_images: int
    box: list[float]


@final
class Answer(TypedDict):
    query: Query
    ranker: str
    group_by: str | None
    total: int
    offset: int
    hits: list[Hit]
    seconds: dict[str, float]
    overlay: Overlay | None
    missing_parts: list[AnswerMissingPart]


@final
class AnswerMissingPart(TypedDict):
    part: str
    reason: str


@final
class JointAnswer(TypedDict):
    queries: list[Query]
    ranker: str
    group_by: str | None
    total: int
    offset: int
    hits: list[Hit]
    seconds: dict[str, float]
    overlay: Overlay | None
    missing_parts: list[JointAnswerMissingPart]


@final
class JointAnswerMissingPart(TypedDict):
    part: str
    reason: str


@final
class NamedAnswer(TypedDict):
    name: str
    query: Query
    ranker: str
    group_by: str | None
    total: int
    offset: int
    hits: list[Hit]
    seconds: dict[str, float]
    overlay: Overlay | None
    missing_parts: list[NamedAnswerMissingPart]


@final
class NamedAnswerMissingPart(TypedDict):
    part: str
    reason: str


@final
class NamedProblem(TypedDict):
    name: str
    problem: Problem


@final
class Answers(TypedDict):
    answers: list[NamedAnswer | NamedProblem]


@final
class Match(TypedDict):
    query: Query
    hit: Hit
    hit_from_query: list[list[float]] | None
    mirrored: bool
    variant: str | None
    points: MatchPoints
    seconds: dict[str, float]


@final
class MatchPoints(TypedDict):
    query: list[list[float]]
    hit: list[list[float]]
    inlier: list[bool]
    weight: list[float]


@final
class StoredQuery(TypedDict):
    id: str
    name: str
    version: str
    width: int
    height: int
    n_features: int
    n_bytes: int
    expires: str


@final
class RemovedQuery(TypedDict):
    id: str


@final
class Subject(TypedDict):
    box: list[float] | None
    width: int
    height: int


@final
class Image(TypedDict):
    id: int
    name: str
    file_name: str
    version: str
    width: int
    height: int
    n_features: int
    n_bytes: int
    modified: str
    tags: list[str]
    fields: dict[str, list[str]]
    uploaded: bool
    part: str


@final
class Images(TypedDict):
    total: int
    offset: int
    images: list[Image]


@final
class Removed(TypedDict):
    id: int


@final
class Tags(TypedDict):
    tags: list[str]


@final
class Fields(TypedDict):
    fields: dict[str, list[str]]


@final
class Annotation(TypedDict):
    images: list[int]
    add: NotRequired[dict[str, list[str]]]
    remove: NotRequired[dict[str, list[str]]]


@final
class ImageIds(TypedDict):
    images: list[int]


@final
class SentFeatures(TypedDict):
    width: int
    height: int
    xy_px: str
    descriptors: str
    scale_px: NotRequired[str]
    angle_deg: NotRequired[str]


@final
class Annotated(TypedDict):
    images: list[int]


@final
class Token(TypedDict):
    token: str


@final
class Paired(TypedDict):
    paired: bool


@final
class PairingRequest(TypedDict):
    code: str
    name: str


@final
class PairingToken(TypedDict):
    id: str
    token: str


@final
class Job(TypedDict):
    id: str
    kind: str
    state: str
    stage: str
    done: int
    total: int
    added: int
    removed: int
    moved: int
    unchanged: int
    images: list[int]
    skipped: list[JobSkipped]
    passed_over: list[JobPassedOver]
    error: Problem | None
    created: str
    seconds: float


@final
class JobSkipped(TypedDict):
    name: str
    reason: str


@final
class JobPassedOver(TypedDict):
    kind: str
    count: int
    advice: str


@final
class Jobs(TypedDict):
    total: int
    offset: int
    jobs: list[Job]


@final
class Accepted(TypedDict):
    job: Job


@final
class Health(TypedDict):
    status: Literal["ok"]
    version: str


@final
class Session(TypedDict):
    required: bool
    read: bool
    write: bool


@final
class Rankers(TypedDict):
    default: str
    rankers: list[RankersRanker]


@final
class RankersRanker(TypedDict):
    name: str
    description: str
    available: bool
    verifies: bool
    needs: str | None


@final
class Index(TypedDict):
    version: str
    writable: bool
    generation: int
    pictures: int
    features: int
    bytes: int
    segments: int
    bytes_by_part: dict[str, int]
    folders: list[IndexFolder]
    tags: list[IndexTag]
    fields: list[IndexField]
    n_folders: int
    n_tags: int
    n_fields: int
    columns: list[str]
    vocabulary: IndexVocabulary
    features_per_image: IndexFeaturesPerImage
    duplicates: bool
    limits: dict[str, float]


@final
class IndexFolder(TypedDict):
    name: str
    pictures: int


@final
class IndexTag(TypedDict):
    name: str
    pictures: int


@final
class IndexField(TypedDict):
    name: str
    pictures: int


@final
class IndexVocabulary(TypedDict):
    words: int
    used: int
    fingerprint: str


@final
class IndexFeaturesPerImage(TypedDict):
    edges: list[int]
    counts: list[int]


@final
class Groups(TypedDict):
    kind: Literal["exact", "copy", "crop", "scene"]
    found: bool
    total: int
    offset: int
    totals: GroupTotals
    actions: list[Literal["remove", "move", "trash"]]
    groups: list[Group]


@final
class GroupTotals(TypedDict):
    groups: int
    pictures: int
    duplicates: int
    bytes_to_free: int
    uploads: int
    by_kind: dict[str, GroupTotalsByKind]


@final
class GroupTotalsByKind(TypedDict):
    groups: int
    pictures: int
    duplicates: int
    bytes_to_free: int
    uploads: int


@final
class Group(TypedDict):
    id: str
    kind: Literal["exact", "copy", "crop", "scene"]
    bytes_to_free: int
    keep: int | None
    reasons: list[Reason]
    members: list[GroupMember]


@final
class GroupMember(TypedDict):
    id: int
    name: str
    file_name: str
    version: str
    width: int
    height: int
    n_features: int
    n_bytes: int
    modified: str
    tags: list[str]
    fields: dict[str, list[str]]
    uploaded: bool
    part: str
    keep: bool
    link: GroupMemberLink | None
    reason: Reason | None
    left_alone: str


@final
class GroupMemberLink(TypedDict):
    kind: Literal["exact", "copy", "crop", "scene"]
    n_inliers: int
    agreement: float | None
    changes: list[str]


@final
class Judgment(TypedDict):
    judgment: str
    judged: str
    one: JudgedContent
    other: JudgedContent


@final
class JudgedContent(TypedDict):
    sha256: str
    images: list[int]


@final
class Judgments(TypedDict):
    total: int
    offset: int
    judgments: list[Judgment]


@final
class NewJudgment(TypedDict):
    query: str | int
    image: str | int
    judgment: Literal["same", "different"]


@final
class Withdrawn(TypedDict):
    query: str
    image: str


@final
class FieldValues(TypedDict):
    field: str
    total: int
    offset: int
    values: list[FieldValuesValue]


@final
class FieldValuesValue(TypedDict):
    name: str
    pictures: int


@final
class Reason(TypedDict):
    key: str
    text: str
    times: float | None
    name: str


@final
class Accept(TypedDict):
    kind: Literal["exact", "copy", "crop", "scene"]
    action: Literal["remove", "move", "trash"]
    only: NotRequired[list[Literal["exact", "copy", "crop", "scene"]]]
    folder: NotRequired[str]
    groups: NotRequired[list[str]]
    keep: NotRequired[int]
    pictures: NotRequired[int]


@final
class Action(TypedDict):
    id: str
    action: str
    created: str
    pictures: int


@final
class Actions(TypedDict):
    actions: list[Action]


@final
class RejectedPair(TypedDict):
    one: Image
    other: Image


@final
class RejectedPairs(TypedDict):
    pairs: list[RejectedPair]


@final
class Look(TypedDict):
    kind: Literal["exact", "copy", "crop", "scene"]


@final
class Pair(TypedDict):
    a: int
    b: int


@final
class Rejected(TypedDict):
    a: int
    b: int


@final
class Watch(TypedDict):
    id: int
    name: str
    note: str
    version: str
    created: str
    n_hits: int


@final
class Watches(TypedDict):
    total: int
    offset: int
    watches: list[Watch]


@final
class WatchHit(TypedDict):
    number: int
    watch: int
    image: int
    name: str
    version: str
    verdict: str
    score: float
    probability: float | None
    n_inliers: int
    found: str


@final
class WatchHits(TypedDict):
    last: int
    hits: list[WatchHit]


@final
class AnnotationPage(TypedDict):
    id: str
    type: str
    items: list[dict[str, Any]]


class SearchParameters(TypedDict, total=False):
    url: str
    top: int
    offset: int
    box: str | Sequence[float]
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]
    ranker: str
    metric: Literal["chi-square", "euclidean", "correlation", "intersection", "bhattacharyya"]
    fusion: Literal["calibrated", "rrf"]
    group_by: str
    verdict: Sequence[Literal["same", "part", "maybe", "no", "unverified"]]
    shots: bool | Literal[0, 1]
    exclude_self: bool | Literal[0, 1]
    where: str
    text: str
    tag: Sequence[str]
    folder: str


class SearchImageParameters(TypedDict, total=False):
    other: Sequence[str]
    top: int
    offset: int
    box: str | Sequence[float]
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]
    ranker: str
    metric: Literal["chi-square", "euclidean", "correlation", "intersection", "bhattacharyya"]
    fusion: Literal["calibrated", "rrf"]
    group_by: str
    verdict: Sequence[Literal["same", "part", "maybe", "no", "unverified"]]
    shots: bool | Literal[0, 1]
    exclude_self: bool | Literal[0, 1]
    where: str
    text: str
    tag: Sequence[str]
    folder: str


class SearchBatchParameters(TypedDict, total=False):
    top: int
    offset: int
    box: str | Sequence[float]
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]
    ranker: str
    metric: Literal["chi-square", "euclidean", "correlation", "intersection", "bhattacharyya"]
    fusion: Literal["calibrated", "rrf"]
    group_by: str
    verdict: Sequence[Literal["same", "part", "maybe", "no", "unverified"]]
    shots: bool | Literal[0, 1]
    exclude_self: bool | Literal[0, 1]
    where: str
    text: str
    tag: Sequence[str]
    folder: str


class SearchFeaturesParameters(TypedDict, total=False):
    top: int
    offset: int
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]
    ranker: str
    metric: Literal["chi-square", "euclidean", "correlation", "intersection", "bhattacharyya"]
    fusion: Literal["calibrated", "rrf"]
    group_by: str
    verdict: Sequence[Literal["same", "part", "maybe", "no", "unverified"]]
    shots: bool | Literal[0, 1]
    where: str
    text: str
    tag: Sequence[str]
    folder: str


class SearchTogetherParameters(TypedDict, total=False):
    top: int
    offset: int
    box: str | Sequence[float]
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]
    ranker: str
    metric: Literal["chi-square", "euclidean", "correlation", "intersection", "bhattacharyya"]
    fusion: Literal["calibrated", "rrf"]
    group_by: str
    verdict: Sequence[Literal["same", "part", "maybe", "no", "unverified"]]
    shots: bool | Literal[0, 1]
    exclude_self: bool | Literal[0, 1]
    where: str
    text: str
    tag: Sequence[str]
    folder: str


class MatchParameters(TypedDict, total=False):
    url: str
    box: str | Sequence[float]
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]


class MatchImagesParameters(TypedDict, total=False):
    box: str | Sequence[float]
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]


class SubjectParameters(TypedDict, total=False):
    url: str
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]


class SendQueryParameters(TypedDict, total=False):
    url: str
    name: str
    frame: str
    sha256: str


class SendQueryPictureParameters(TypedDict, total=False):
    size: Literal[320, 640, 1600]


class SearchQueryParameters(TypedDict, total=False):
    other: Sequence[str]
    top: int
    offset: int
    box: str | Sequence[float]
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]
    ranker: str
    metric: Literal["chi-square", "euclidean", "correlation", "intersection", "bhattacharyya"]
    fusion: Literal["calibrated", "rrf"]
    group_by: str
    verdict: Sequence[Literal["same", "part", "maybe", "no", "unverified"]]
    shots: bool | Literal[0, 1]
    exclude_self: bool | Literal[0, 1]
    where: str
    text: str
    tag: Sequence[str]
    folder: str


class MatchQueryParameters(TypedDict, total=False):
    box: str | Sequence[float]
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]
    mirror: Literal["auto", "always", "never"]
    inverse: Literal["auto", "always", "never"]
    enlarge: Literal["auto", "always", "never"]
    tilt: Literal["auto", "always", "never"]


class SubjectOfQueryParameters(TypedDict, total=False):
    turn: Literal[0, 90, 180, 270]
    flip: bool | Literal[0, 1]


class ListImagesParameters(TypedDict, total=False):
    offset: int
    limit: int
    sort: Literal["name", "newest"]
    where: str
    text: str
    tag: Sequence[str]
    folder: str


class SendFileParameters(TypedDict, total=False):
    v: str


class SendThumbnailParameters(TypedDict, total=False):
    size: Literal[160, 320, 640]
    t: str
    v: str


class ListJobsParameters(TypedDict, total=False):
    offset: int
    limit: int


class SyncParameters(TypedDict, total=False):
    delete: bool | Literal[0, 1]


class ListGroupsParameters(TypedDict, total=False):
    kind: Literal["exact", "copy", "crop", "scene"]
    offset: int
    limit: int
    sort: Literal["frees", "pictures", "kind", "name"]
    only: Sequence[Literal["exact", "copy", "crop", "scene"]]
    folder: str


class ShowGroupParameters(TypedDict, total=False):
    kind: Literal["exact", "copy", "crop", "scene"]


class ListJudgmentsParameters(TypedDict, total=False):
    image: str
    offset: int
    limit: int


class WithdrawParameters(TypedDict, total=False):
    query: str
    image: str


class ListValuesParameters(TypedDict, total=False):
    field: str
    contains: str
    offset: int
    limit: int


class ListWatchesParameters(TypedDict, total=False):
    offset: int
    limit: int


class AddWatchParameters(TypedDict, total=False):
    name: str
    note: str


class ListAllWatchHitsParameters(TypedDict, total=False):
    since: int
    limit: int
    wait: int


class ListWatchHitsParameters(TypedDict, total=False):
    since: int
    limit: int
    wait: int
