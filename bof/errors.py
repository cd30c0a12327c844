"""Every error that bof raises on purpose, one tree:

    BofError                 catch this to catch them all
    ├── OptionError          an option is outside its range, or two options contradict each other
    ├── ImageError           one picture cannot be used: unreadable, too large, not a picture
    ├── VocabularyError      a vocabulary is missing, damaged, or cannot be trained from what was given
    ├── IndexStoreError      an index is missing, damaged, or cannot be written
    │   └── MismatchError    the index was built with another vocabulary, other features or another format
    ├── ModelError           a model is missing, is no image model, or gives another shape than it should
    ├── BenchmarkError       ground truth or the photographs that it names are missing or malformed
    ├── ReportError          a report cannot be written: no place for it, or no matplotlib
    ├── DuplicateError       duplicates cannot be acted on or undone: no log, no trash
    └── ServerError          the server cannot run, or a client's request was refused

A message says what is wrong and where, what was expected and found, and what to do next.
"""


class BofError(Exception):
    """Root of the tree: a problem that the user can act on."""


class OptionError(BofError):
    """An option is outside its range, or two options contradict each other."""


class ImageError(BofError):
    """One picture cannot be used."""


class VocabularyError(BofError):
    """A vocabulary is missing, damaged, or cannot be trained from what was given."""


class IndexStoreError(BofError):
    """An index is missing, damaged, or cannot be written."""


class MismatchError(IndexStoreError):
    """An index does not belong to the vocabulary, the features or the format in use."""


class ModelError(BofError):
    """A model is missing, is no image model, or gives another shape than it should."""


class BenchmarkError(BofError):
    """Ground truth or the photographs that it names are missing or malformed."""


class ReportError(BofError):
    """A report cannot be written: no place for it, or no matplotlib."""


class ServerError(BofError):
    """The server cannot run, or a client's request was refused."""


class DuplicateError(BofError):
    """Duplicates cannot be acted on or undone: no log, no trash."""
