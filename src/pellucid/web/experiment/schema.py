"""The tables that answers are kept in. All experiments of a database share them."""

from typing import Any, TypeAlias

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)

Kept: TypeAlias = Any
"""A row of one of the tables, with its columns for attributes."""

METADATA = MetaData()

EXPERIMENT = Table(
    "experiment",
    METADATA,
    Column("name", String(64), primary_key=True),
    Column("design", String(64), nullable=False),  # sha256 of what is shown to whom: answers are to this and no other
    Column("created_at", Float, nullable=False),
)
"""An experiment whose answers are here. Its row is locked while a schedule is assigned."""

SESSION = Table(
    "session",
    METADATA,
    Column("participant", String(32), primary_key=True),
    Column("experiment", String(64), ForeignKey("experiment.name"), nullable=False),
    # Nobody who reads the database can take part in another's name: tokens, keys and codes are kept as digests.
    Column("token_hash", String(64), nullable=False, unique=True),
    Column("key_hash", String(64), nullable=False),
    Column("withdrawal_hash", String(64), unique=True),
    Column("platform_hash", String(64)),
    Column("schedule", String(128)),
    Column("condition", String(32)),
    Column("stage", String(16), nullable=False),
    Column("consent_version", String(128)),
    Column("window", JSON(none_as_null=True)),
    Column("started_at", Float),
    Column("instructed_at", Float),
    Column("ended_at", Float),
    Column("last_seen", Float),
    Column("instruction_key", String(64)),
    Column("instruction_ms", Float),
    Column("instruction_views", JSON(none_as_null=True)),
    UniqueConstraint("experiment", "key_hash"),
    Index("session_by_schedule", "experiment", "schedule"),
    Index("session_by_platform", "experiment", "platform_hash"),
)
"""One visit of one person. A withdrawn one keeps only what lets their page say so."""

TRIAL = Table(
    "trial",
    METADATA,
    Column("id", String(32), primary_key=True),
    Column("participant", String(32), ForeignKey("session.participant"), nullable=False),
    Column("round", Integer, nullable=False),  # of practice from 1; 0 are the trials that count
    Column("number", Integer, nullable=False),  # within the round, from 1
    Column("stimulus", String(16), nullable=False),
    Column("kind", String(16), nullable=False),
    Column("side", String(8), nullable=False),
    Column("sent_at", Float, nullable=False),
    Column("answered_at", Float),
    Column("key", String(64)),
    Column("choice", String(8)),
    Column("correct", Boolean),
    Column("confidence", Integer),
    Column("rt_ms", Float),
    Column("focus_losses", Integer),
    Column("window", JSON(none_as_null=True)),
    Column("client_time", Float),
    UniqueConstraint("participant", "round", "number"),
)
"""One trial of one person, from when it was first sent; the one without `answered_at` is the current one."""

EVENT = Table(
    "event",
    METADATA,
    Column("participant", String(32), ForeignKey("session.participant"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("at_ms", Float, nullable=False),
    Column("received_at", Float, nullable=False),
)
"""What happened to the window, as the page told it; `key` and `position` make it count once."""

REMARK = Table(
    "remark",
    METADATA,
    Column("participant", String(32), ForeignKey("session.participant"), primary_key=True),
    Column("key", String(64), primary_key=True),
    Column("text", Text, nullable=False),
    Column("received_at", Float, nullable=False),
)
"""What people wrote at the end."""
