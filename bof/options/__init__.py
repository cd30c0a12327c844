"""Every option of every stage, declared once: default, range or choices, unit, meaning.

Command lines (bof/cli/arguments.py), docs/options.md and the parameters of the HTTP API are made from these
declarations. Nothing here knows any of them.
"""

from bof.options.clips import ClipOptions as ClipOptions
from bof.options.duplicates import CLIP as CLIP
from bof.options.duplicates import GROUPS_SHOWN as GROUPS_SHOWN
from bof.options.duplicates import KEEP as KEEP
from bof.options.duplicates import KIND as KIND
from bof.options.duplicates import KINDS as KINDS
from bof.options.duplicates import RULES as RULES
from bof.options.duplicates import DuplicateOptions as DuplicateOptions
from bof.options.duplicates import Kind as Kind
from bof.options.extent import Extent as Extent
from bof.options.extent import PixelLimit as PixelLimit
from bof.options.extent import long_side_of as long_side_of
from bof.options.features import ADAPTIVE as ADAPTIVE
from bof.options.features import EXTRACTORS as EXTRACTORS
from bof.options.features import FIRST_MOST as FIRST_MOST
from bof.options.features import LEARNED as LEARNED
from bof.options.features import MOST_FEATURES as MOST_FEATURES
from bof.options.features import NATIVE as NATIVE
from bof.options.features import OPENCV as OPENCV
from bof.options.features import OWN as OWN
from bof.options.features import PLAIN as PLAIN
from bof.options.features import PRESET as PRESET
from bof.options.features import PRESETS as PRESETS
from bof.options.features import READINGS as READINGS
from bof.options.features import FeatureOptions as FeatureOptions
from bof.options.indexing import MAX_PIXELS as MAX_PIXELS
from bof.options.indexing import PART_BY as PART_BY
from bof.options.indexing import IndexOptions as IndexOptions
from bof.options.indexing import TrainOptions as TrainOptions
from bof.options.models import ModelOptions as ModelOptions
from bof.options.reuse import GRAPH_ORDER as GRAPH_ORDER
from bof.options.reuse import ReuseOptions as ReuseOptions
from bof.options.searching import COLUMN_OF as COLUMN_OF
from bof.options.searching import COLUMNS as COLUMNS
from bof.options.searching import DEFAULT_METRIC as DEFAULT_METRIC
from bof.options.searching import FUSIONS as FUSIONS
from bof.options.searching import GROUPS as GROUPS
from bof.options.searching import HASHES as HASHES
from bof.options.searching import LOCAL as LOCAL
from bof.options.searching import METRICS as METRICS
from bof.options.searching import MODES as MODES
from bof.options.searching import PARTNERS as PARTNERS
from bof.options.searching import RANKERS as RANKERS
from bof.options.searching import SKETCH as SKETCH
from bof.options.searching import VARIANTS as VARIANTS
from bof.options.searching import ExpandOptions as ExpandOptions
from bof.options.searching import SearchOptions as SearchOptions
from bof.options.searching import VerifyOptions as VerifyOptions
from bof.options.searching import VoteOptions as VoteOptions
from bof.options.serving import ServeOptions as ServeOptions
from bof.options.showing import AUTO as AUTO
from bof.options.showing import BOX as BOX
from bof.options.showing import FORMAT as FORMAT
from bof.options.showing import IIIF_SERVER as IIIF_SERVER
from bof.options.showing import QUERY_MEMORY as QUERY_MEMORY
from bof.options.showing import REQUIRE as REQUIRE
from bof.options.showing import SAVE_AS as SAVE_AS
from bof.options.showing import TOP as TOP
from bof.options.showing import VERDICT as VERDICT
from bof.options.showing import VERDICTS as VERDICTS
from bof.options.video import VideoOptions as VideoOptions
