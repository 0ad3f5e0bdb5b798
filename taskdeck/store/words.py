"""The index of words: what is said in tasks, comments and contexts, kept by the database itself as rows come and go.

Only the words of new tasks are added by the writer, those of a batch together: FTS5 writes its index out after every
statement, and after one for each task that took most of the time of creating it.

What is written out are segments, which have to be merged, or a search would have to look into all of them. Left to
itself FTS5 merges hundreds of pages now and then, 30 ms that claims wait; the writer lets it merge a few after each
batch that changed the index of tasks.

It is made with SQLite's FTS5 from the tables it is of, whose text it does not repeat. With a SQLite that has no FTS5
the deck runs and cannot be searched; once opened with one that has, the index is made anew.
"""

from __future__ import annotations

import logging
import sqlite3

log = logging.getLogger(__name__)

_TOKENS = 'tokenize = "unicode61 remove_diacritics 2"'

_PREPARE = (
    # in JSON text these stand for characters between words, and would be read as letters of the word behind them
    r"""CREATE VIEW IF NOT EXISTS context_said (number, key, value) AS
    SELECT number, key, replace(replace(replace(value, '\\', ' '), '\n', ' '), '\t', ' ')
    FROM context_entries WHERE act = 'set'""",
    "CREATE VIRTUAL TABLE IF NOT EXISTS task_words USING fts5"
    f" (title, description, content = 'bodies', content_rowid = 'task', {_TOKENS})",
    "CREATE VIRTUAL TABLE IF NOT EXISTS comment_words USING fts5"
    f" (text, content = 'comments', content_rowid = 'number', {_TOKENS})",
    "CREATE VIRTUAL TABLE IF NOT EXISTS context_words USING fts5"
    f" (key, value, content = 'context_said', content_rowid = 'number', {_TOKENS})",
)

TABLES = ("task_words", "comment_words", "context_words")

_FORGET_TASK = (
    "INSERT INTO task_words (task_words, rowid, title, description)"
    " VALUES ('delete', OLD.task, OLD.title, OLD.description)"
)
_LEARN_TASK = "INSERT INTO task_words (rowid, title, description) VALUES (NEW.task, NEW.title, NEW.description)"
_FORGET_COMMENT = "INSERT INTO comment_words (comment_words, rowid, text) VALUES ('delete', OLD.number, OLD.text)"
_LEARN_COMMENT = "INSERT INTO comment_words (rowid, text) VALUES (NEW.number, NEW.text)"

_LEARN_TASKS = (
    "INSERT INTO task_words (rowid, title, description) SELECT task, title, description FROM bodies WHERE task >= ?"
)

_MERGING = {"automerge": 0, "usermerge": 16, "crisismerge": 64}
"""Never by itself, but for far too many segments of a size; else once there are 16 of them, so that long lists, such as
that of a word which all tasks have, are seldom written anew."""
_HOW_MERGED = "SELECT k, v FROM task_words_config WHERE k LIKE '%merge'"
_MERGE_SO = "INSERT INTO task_words (task_words, rank) VALUES (?, ?)"
_TIDY = "INSERT INTO task_words (task_words, rank) VALUES ('merge', ?)"
PAGES = 16
"""How many pages of the index are merged after a batch that changed it, at least: a millisecond or two."""
TASKS_A_PAGE = 3
"""One more page is merged for so many tasks whose words came or went: as much as they bring, on every level."""

_TRIGGERS = {
    # not for what changes in the life of a task: claiming and completing it never comes here
    "task_words_mend": "AFTER UPDATE OF title, description ON bodies"
    " WHEN OLD.title IS NOT NEW.title OR OLD.description IS NOT NEW.description"
    f" BEGIN {_FORGET_TASK}; {_LEARN_TASK}; END",
    "task_words_forget": f"AFTER DELETE ON bodies BEGIN {_FORGET_TASK}; END",
    "comment_words_learn": f"AFTER INSERT ON comments BEGIN {_LEARN_COMMENT}; END",
    "comment_words_mend": f"AFTER UPDATE OF text ON comments BEGIN {_FORGET_COMMENT}; {_LEARN_COMMENT}; END",
    "comment_words_forget": f"AFTER DELETE ON comments BEGIN {_FORGET_COMMENT}; END",
    "context_words_learn": "AFTER INSERT ON context_entries BEGIN INSERT INTO context_words (rowid, key, value)"
    " SELECT number, key, value FROM context_said WHERE number = NEW.number; END",
    # before, while the view still shows it
    "context_words_forget": "BEFORE DELETE ON context_entries BEGIN"
    " INSERT INTO context_words (context_words, rowid, key, value)"
    " SELECT 'delete', number, key, value FROM context_said WHERE number = OLD.number; END",
}


def able(connection: sqlite3.Connection) -> bool:
    """Whether this SQLite has FTS5."""
    return connection.execute("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").fetchone() is not None


KEPT = "SELECT count(*) FROM sqlite_master WHERE type = 'trigger' AND name LIKE '%\\_words\\_%' ESCAPE '\\'"
"""How many of the triggers that keep the index there are."""


def kept(triggers: int) -> bool:
    """Whether the index is kept, by the answer to `KEPT`."""
    return triggers == len(_TRIGGERS)


def keep(connection: sqlite3.Connection, *, able: bool) -> None:
    """Let the index be kept from now on, made anew if it was not; or not at all, if SQLite is not `able` to."""
    if kept(connection.execute(KEPT).fetchone()[0]) != able:
        _make(connection, able=able)
    if able and dict(connection.execute(_HOW_MERGED).fetchall()) != _MERGING:
        connection.executemany(_MERGE_SO, _MERGING.items())


def _make(connection: sqlite3.Connection, *, able: bool) -> None:
    connection.execute("BEGIN IMMEDIATE")
    try:
        for name in _TRIGGERS:
            connection.execute(f"DROP TRIGGER IF EXISTS {name}")
        if able:
            log.info("making the index of words")  # of a million tasks: a while
            for statement in _PREPARE:
                connection.execute(statement)
            for table in TABLES:
                connection.execute(f"INSERT INTO {table} ({table}) VALUES ('rebuild')")  # noqa: S608
            for name, what in _TRIGGERS.items():
                connection.execute(f"CREATE TRIGGER {name} {what}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


class Unlearnt:
    """New tasks whose words are not in the index yet, those numbered from `first` on (None for none), and how much
    of the index was written since it was merged.
    """

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._kept = kept(connection.execute(KEPT).fetchone()[0])
        self._written = 0
        """Of how many tasks words came, changed or went since the index was tidied."""
        self.first: int | None = None

    def note(self, number: int) -> None:
        """The task is new. Its number is higher than those of all before."""
        if self._kept and (self.first is None or number < self.first):
            self.first = number

    def changed(self) -> None:
        """The words of a task change, or go with it."""
        if self._kept:
            self._written += 1

    def learn(self, connection: sqlite3.Connection) -> None:
        """Add their words."""
        if self.first is not None:
            self._written += connection.execute(_LEARN_TASKS, (self.first,)).rowcount
            self.first = None

    def tidy(self, connection: sqlite3.Connection) -> None:
        """Merge a few pages of the index, if it has changed."""
        if self._written:
            connection.execute(_TIDY, (PAGES + self._written // TASKS_A_PAGE,))
            self._written = 0

    def start_over(self) -> None:
        """The batch was given up, and all that was new in it."""
        self.first, self._written = None, 0
