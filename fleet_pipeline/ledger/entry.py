"""What is known of one file after it was read: enough to go on from there, or to leave it alone."""

from typing import Final

from msgspec import Struct

from fleet_pipeline.ledger.versions import PARSER_VERSION
from fleet_pipeline.transcripts.files import Opened, Pieces, SourceFile
from fleet_pipeline.transcripts.lines import digest

_FINGERPRINT: Final = 4096


class Entry(Struct, frozen=True, gc=False):
    """What is known of one file after it was read up to ``offset`` (bytes).

    ``head`` and ``tail`` fingerprint the first and last 4 KiB before ``offset``; ``lines`` and
    ``request_lines`` count what lies before it; ``state`` is what the reader carries over it.
    ``awaits_time`` says that a line was too far ahead of the file's clock to be believed yet.
    """

    host: str
    file_id: int
    size: int
    modified_ns: int
    changed_ns: int
    noted_ns: int
    inode: int
    content: int
    offset: int
    head: int
    tail: int
    lines: int
    request_lines: int
    awaits_time: bool
    state: bytes | None
    parser_version: int = PARSER_VERSION

    def is_unchanged(self, file: SourceFile) -> bool:
        """Say whether the file looks as it did, going by what its store tells unasked.

        A store that has a name for the content is taken at its word, whenever it was put there.
        """
        same_place = (self.modified_ns, self.changed_ns, self.inode) == (
            file.modified_ns,
            file.changed_ns,
            file.inode,
        )
        return (
            self.parser_version == PARSER_VERSION
            and self.size == file.size
            and self.noted_ns == file.noted_ns
            and self.content == file.content
            and (file.content != 0 or same_place)
        )

    def has_only_grown(self, file: SourceFile, opened: Opened) -> bool:
        """Say whether everything before ``offset`` is still what was read, and still as credible.

        A file of the same size counts only if its time is the same too: else it was edited.
        """
        return (
            self.parser_version == PARSER_VERSION
            and not self.awaits_time
            and self.noted_ns == file.noted_ns
            and self.inode == file.inode
            and (
                file.size > self.size
                or (file.size, file.modified_ns, file.content)
                == (self.size, self.modified_ns, self.content)
            )
            and (self.head, self.tail) == fingerprints(opened, self.offset)
        )


def fingerprints(opened: Pieces, offset: int) -> tuple[int, int]:
    """Return digests of the first and of the last 4 KiB before ``offset``."""
    length = min(offset, _FINGERPRINT)
    head = opened.piece(0, length)
    return digest(head), digest(opened.piece(offset - length, length))
