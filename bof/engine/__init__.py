"""The engine as programs use it: an index is opened, changed and asked through one object, `Engine`."""

from bof.engine.changing import plan_harvest_without_index as plan_harvest_without_index
from bof.engine.engine import Engine as Engine
from bof.ingest.add import AddReport as AddReport
from bof.retrieval.query import Query as Query
