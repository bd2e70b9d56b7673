"""Tables from CSV, Parquet or pyarrow."""

from pathlib import Path
from typing import Any

import pandas as pd

from pellucid.errors import PellucidError


def read_table(path: Path | str) -> pd.DataFrame:
    """Read `.csv` or `.parquet`. Raises `PellucidError` for another ending, and for what cannot be read."""
    path = Path(path)
    kind = path.suffix.lower()
    if kind not in (".csv", ".parquet"):
        raise PellucidError(f"{path}: tables are read from .csv or .parquet, not {path.suffix!r}")
    try:
        if kind == ".csv":
            return pd.read_csv(path, keep_default_na=False, na_values=[""], dtype={"participant": str})
        return pd.read_parquet(path)
    except pd.errors.EmptyDataError:
        raise PellucidError(f"{path} is empty") from None
    except (OSError, ValueError) as error:  # pyarrow's and pandas' own are ValueErrors
        raise PellucidError(f"{path} cannot be read as a table: {error}") from error


def frame_of(table: Any) -> pd.DataFrame:
    """A copy of a pandas table, or a pyarrow table as one of pandas."""
    return table.copy() if isinstance(table, pd.DataFrame) else table.to_pandas()
