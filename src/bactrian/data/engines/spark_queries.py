"""Where a Spark frame is asked: in a session beside the user's, with other settings.

Of each part of the rows come a few hundred groups. Spark deals them out to two hundred tasks unless
its settings say otherwise, and writes and reads a file for each: over a million rows as long as all
the rest. The settings are the session's, and those of the user must not move.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from typing import Any, Final

__all__ = ["SparkQueries"]

_TASKS: Final = 8  # that add what the parts found: of the most groups there are, 16,384 each
_N_TASKS: Final = "spark.sql.shuffle.partitions"
_VARIABLES: Final = "spark.sql.variable.substitute"
_N_AT_FIRST: Final = "spark.sql.adaptive.coalescePartitions.initialPartitionNum"


@dataclass(frozen=True, slots=True, eq=False)
class SparkQueries:
    """Queries of one frame.

    Attributes
    ----------
    frame : pyspark.sql.DataFrame
        All rows of the frame that was given, by a condition: where the name of a frame itself is
        given up, Spark empties its cache of it, whoever filled it.
    session : Java object or None
        A copy of the session of the frame; None with Spark Connect, whose frames are only known to
        the session that made them.
    view : str
        The name under which the copy knows the frame.
    """

    frame: Any
    session: Any
    view: str

    @classmethod
    def of(cls, frame: Any) -> SparkQueries:
        """Copy the session of a frame."""
        frame = frame.where("true")
        theirs = getattr(frame.sparkSession, "_jsparkSession", None)
        view = f"bactrian_{uuid.uuid4().hex}"
        if theirs is None:
            return cls(frame, None, view)
        frame.createTempView(view)
        try:
            ours = theirs.cloneSession()
            ours.sessionState().catalog()  # is made, with the views, when it is asked for
        finally:
            frame.sparkSession.catalog.dropTempView(view)
        settings = ours.conf()
        n_tasks = settings.get(_N_TASKS)
        if n_tasks.isdigit() and int(n_tasks) > _TASKS:  # not where a platform says "auto"
            settings.set(_N_TASKS, str(_TASKS))
            settings.unset(_N_AT_FIRST)
        settings.set(_VARIABLES, "false")  # ${x} may be the name of a column
        return cls(frame, ours, view)

    def answer(self, text: str) -> Any:
        """The frame that a query makes, in whose text ``{frame}`` is the frame asked."""
        if self.session is None:
            return self.frame.sparkSession.sql(text, frame=self.frame)
        answer = self.session.sql(text.format(frame=self.view))
        return type(self.frame)(answer, self.frame.sparkSession)
